import { type TestApp, type TestAppOptions, startApp } from '../setup/app.ts';
import { type PrivateServices, privateServices } from './private-services.ts';

/** Services of a suite's own, to be broken. What is started on them ends with each test, they with the suite. Call it in `describe`. */
export function ownSuite() {
  let own: PrivateServices | undefined;
  const apps: TestApp[] = [];
  before(async function () {
    this.timeout(60_000);
    own = await privateServices();
  });
  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.stop()));
  });
  after(async () => {
    await own?.close();
  });
  return {
    get own(): PrivateServices {
      if (!own) throw new Error('the services are there once the suite has begun');
      return own;
    },
    async start(options: TestAppOptions): Promise<TestApp> {
      const app = await startApp(options);
      apps.push(app);
      return app;
    },
  };
}
