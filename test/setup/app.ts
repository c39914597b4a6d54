import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type Config, readConfig } from '../../platform/config.ts';
import { developmentSecrets } from '../../platform/dev-secrets.ts';
import { type Role, type RunningProcess, startRoles } from '../../roles.ts';
import { startSandbox } from '../../sandbox/index.ts';
import { type TestDatabase, createDatabase } from './database.ts';
import { services } from './services.ts';

/** A deployment of one's own on the suite's services: database, Redis prefix, task queues, provider sandbox. */
export interface TestApp {
  /** One address for each node that serves. */
  urls: string[];
  url: string;
  sandboxUrl: string;
  database: TestDatabase;
  processes: RunningProcess[];
  env: NodeJS.ProcessEnv;
  /** Starts another process of the same deployment. */
  start(roles: readonly Role[], overrides?: NodeJS.ProcessEnv): Promise<RunningProcess>;
  stop(): Promise<void>;
}

export interface TestAppOptions {
  /** The roles of each process; one that serves REST and sockets when left out. */
  processes?: readonly (readonly Role[])[];
  env?: NodeJS.ProcessEnv;
  /** The sandbox tells this deployment what becomes of mails and texts, at the address that it is known by. */
  reports?: boolean;
}

/** Steps fall due quickly and a failing provider is given up on quickly; the order of things is the real one. */
export const testLadder =
  'push=300ms push-present=3s push-focused=3s push-idle=1s acknowledge=1s realert-gap=1s email=2s email-without-push=1s sms=4s sms-night=off urgent-repeat=1500ms urgent-sms=1s release-jitter=0s digest-jitter=0s email-settle=500ms sms-settle=500ms retry-first=200ms retry-max=1s give-up=2s heartbeat=2s';

const secrets = developmentSecrets();

export async function startApp({
  processes = [['api', 'realtime']],
  env = {},
  reports = false,
}: TestAppOptions = {}): Promise<TestApp> {
  const database = await createDatabase();
  const address = reports ? `http://127.0.0.1:${await freePort()}` : undefined;
  const sandbox = await startSandbox({
    twilioAuthToken: secrets.TWILIO_AUTH_TOKEN,
    sendGridKey: secrets.SANDBOX_SENDGRID_KEY,
    targets: address ? targetsAt(address) : undefined,
  });
  const id = randomBytes(6).toString('hex');
  const all: NodeJS.ProcessEnv = {
    ...secrets,
    NODE_ENV: 'test',
    PORT: '0',
    HOMING_METRICS_PORT: '0',
    HOMING_HOST: '127.0.0.1',
    HOMING_PUBLIC_URL: 'http://homing.test',
    HOMING_LOG_LEVEL: 'error',
    DATABASE_URL: database.url,
    REDIS_URL: services.redisUrl,
    HOMING_REDIS_PREFIX: `t${id}`,
    TEMPORAL_ADDRESS: services.temporalAddress,
    TEMPORAL_NAMESPACE: 'homing-test',
    HOMING_TASK_QUEUE_PREFIX: `t${id}-`,
    S3_ENDPOINT: services.s3.endpoint,
    AWS_ACCESS_KEY_ID: services.s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: services.s3.secretAccessKey,
    SENDGRID_BASE_URL: sandbox.url,
    TWILIO_BASE_URL: sandbox.url,
    FCM_BASE_URL: sandbox.url,
    HOMING_LADDER: testLadder,
    // Those who stand in for providers elsewhere are here.
    HOMING_EGRESS_ALLOW: '127.0.0.0/8, ::1/128',
    // Tests ask as no person does; those of the limits themselves set them.
    HOMING_RATE_LIMITS: 'all=off',
    // For the processes that a test starts.
    ...(process.env.NODE_COMPILE_CACHE ? { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE } : {}),
    ...(address ? { PORT: new URL(address).port, HOMING_PUBLIC_URL: address } : {}),
    ...env,
  };
  const running: RunningProcess[] = [];
  const start = async (roles: readonly Role[], overrides: NodeJS.ProcessEnv = {}) => {
    const process = await startRoles(readConfig({ ...all, ...overrides }), roles);
    running.push(process);
    return process;
  };
  for (const roles of processes) await start(roles);
  const urls = running.flatMap(({ port }) => (port === undefined ? [] : [`http://127.0.0.1:${port}`]));
  return {
    urls,
    url: urls[0] ?? '',
    sandboxUrl: sandbox.url,
    database,
    processes: running,
    env: all,
    start,
    async stop() {
      await Promise.all(running.map((process) => process.stop('the test is over')));
      await sandbox.close();
      await database.drop();
    },
  };
}

const targetsAt = (address: string) => ({
  sendGridEvents: `${address}/v1/providers/sendgrid/events`,
  twilioStatus: `${address}/v1/providers/twilio/events`,
  twilioInbound: `${address}/v1/providers/twilio/inbound`,
});

/** Twilio signs the address, so it must be known before anything listens there. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export type { Config };
