import { startSandbox } from './index.ts';

const { PORT = '4300', HOST = '127.0.0.1', NODE_ENV, SANDBOX_SEED, SANDBOX_FILE, TWILIO_AUTH_TOKEN } = process.env;
const { SANDBOX_SENDGRID_KEY, SANDBOX_SENDGRID_EVENTS_URL, SANDBOX_SENDGRID_INBOUND_URL } = process.env;
const { SANDBOX_TWILIO_STATUS_URL, SANDBOX_TWILIO_INBOUND_URL, SANDBOX_PUBLIC_URL, SANDBOX_APP_URL } = process.env;
// Unset is production, as it is for the app: who forgets to say what this is must not lose people's mail.
const production = NODE_ENV !== 'development' && NODE_ENV !== 'test';
const targets = {
  sendGridEvents: SANDBOX_SENDGRID_EVENTS_URL || null,
  sendGridInbound: SANDBOX_SENDGRID_INBOUND_URL || null,
  twilioStatus: SANDBOX_TWILIO_STATUS_URL || null,
  twilioInbound: SANDBOX_TWILIO_INBOUND_URL || null,
};
try {
  const sandbox = await startSandbox({
    ...{ port: Number(PORT), host: HOST, production, targets },
    publicUrl: SANDBOX_PUBLIC_URL || undefined,
    appUrl: SANDBOX_APP_URL || undefined,
    seed: SANDBOX_SEED || undefined,
    file: SANDBOX_FILE || undefined,
    twilioAuthToken: TWILIO_AUTH_TOKEN || undefined,
    sendGridKey: SANDBOX_SENDGRID_KEY || undefined,
  });
  process.stdout.write(`The provider sandbox listens on ${sandbox.url}\n`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => void sandbox.close().then(() => process.exit(0)));
} catch (error) {
  const hint = production ? ' Elsewhere say so: NODE_ENV=development' : '';
  process.stderr.write(`${(error as Error).message}${hint}\n`);
  process.exitCode = 1;
}
