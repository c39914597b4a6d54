import { startSandbox } from './index.ts';

const { PORT = '4300', HOST = '127.0.0.1', NODE_ENV } = process.env;
// Unset is production, as it is for the app: who forgets to say what this is must not lose people's mail.
const production = NODE_ENV !== 'development' && NODE_ENV !== 'test';
try {
  const sandbox = await startSandbox({ port: Number(PORT), host: HOST, production });
  process.stdout.write(`The provider sandbox listens on ${sandbox.url}\n`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => void sandbox.close().then(() => process.exit(0)));
} catch (error) {
  const hint = production ? ' Elsewhere say so: NODE_ENV=development' : '';
  process.stderr.write(`${(error as Error).message}${hint}\n`);
  process.exitCode = 1;
}
