import { startSandbox } from './index.ts';

const { PORT = '4300', HOST = '127.0.0.1', NODE_ENV } = process.env;
const sandbox = await startSandbox({ port: Number(PORT), host: HOST, production: NODE_ENV === 'production' });
process.stdout.write(`The provider sandbox listens on ${sandbox.url}\n`);
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.on(signal, () => void sandbox.close().then(() => process.exit(0)));
