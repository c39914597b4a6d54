import assert from 'node:assert/strict';
import { type Endpoint, endpoints } from '../../contracts/rest/index.ts';
import { registerPerson } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type TestSocket, connect } from '../support/socket.ts';

const all = Object.values(endpoints) as Endpoint[];
const names = (path: string) => [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');

/** What they do is tested in test/api, where the suites run through both doors. */
describe('an operation of REST, asked over a socket', () => {
  let app: TestApp;
  let socket: TestSocket;
  before(async () => {
    // A node of sockets alone offers them, too.
    app = await startApp({ processes: [['api'], ['realtime']] });
    const [api, realtime] = app.urls;
    const { token } = await registerPerson({ url: api ?? '' });
    socket = await connect(realtime ?? '', { token });
  });
  after(async () => {
    socket.close();
    await app.stop();
  });

  const faultsOf = async (input: object): Promise<string[]> => {
    const answer = await socket.ask('request', input);
    assert.ok(!answer.ok);
    assert.equal(answer.error.code, 'invalid_input');
    return (answer.error.errors ?? []).map(({ path }) => path);
  };

  it('answers as REST does', async () => {
    const answer = await socket.ask('request', { operation: 'getMe' });
    assert.ok(answer.ok && answer.status === 200);
    assert.equal((answer.body as { id: string }).id, socket.hello.userId);
  });

  for (const { operationId, auth, path } of all) {
    if (auth === 'none') {
      it(`${operationId} is not there: who is connected is signed in`, async () => {
        assert.deepEqual(await faultsOf({ operation: operationId }), ['operation']);
      });
      continue;
    }
    it(`${operationId} refuses an unknown part and names it`, async () => {
      assert.ok((await faultsOf({ operation: operationId, surprise: 1 })).includes('surprise'));
    });
    const [id] = names(path);
    if (id === undefined) continue;
    it(`${operationId} refuses an id that is none and names it`, async () => {
      const params = Object.fromEntries(names(path).map((name) => [name, '']));
      assert.ok((await faultsOf({ operation: operationId, params })).includes(`params.${id}`));
    });
  }
});
