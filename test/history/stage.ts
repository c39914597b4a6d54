import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { join } from 'node:path';
import { migrate } from '../../db/migrate.ts';
import { provisionDatabase } from '../../db/provision.ts';
import { type Running, plainEnv, root, startProcess } from '../../dev/services/index.ts';
import { developmentSecrets } from '../../platform/dev-secrets.ts';
import { keepWorkedOff } from './database.ts';
import { type PrivateServices, privateServices } from '../support/private-services.ts';

/** Everything that a run of histories plays on, all of it its own, and all of it to be broken. */
export interface Stage {
  nodes: readonly Node[];
  redis: Part;
  postgres: Part;
  databaseUrl: string;
  close(): Promise<void>;
}

/** A process that can be killed and brought back at the same address. */
export interface Part {
  kill(signal: NodeJS.Signals): Promise<void>;
  /** A signal that it survives. */
  signal(signal: NodeJS.Signals): void;
  start(): Promise<void>;
  /** Whether anybody is there: a fault that nobody could notice is none. */
  answers(): Promise<boolean>;
}
export interface Node extends Part {
  url: string;
  /** Looks that its digest has made since it was started. */
  looks(): Promise<number>;
}

/** Brings up PostgreSQL, Redis, two nodes and a relay, each a process of `main.ts` as production runs it. */
export async function openStage(logs: string): Promise<Stage> {
  const own = await privateServices();
  const running: Running[] = [];
  try {
    const [postgres, redis] = await Promise.all([own.postgres(), own.redis()]);
    const passwords = { ownerPassword: randomBytes(8).toString('hex'), appPassword: randomBytes(8).toString('hex') };
    const urls = await provisionDatabase({ adminUrl: postgres.url, database: 'homing', ...passwords });
    await migrate({ ownerUrl: urls.ownerUrl });
    await keepWorkedOff(urls.ownerUrl);
    const env = environment(urls.appUrl, redis.url);
    const nodes = await Promise.all(['a', 'b'].map((name) => openNode(own, { name, env, logs }, running)));
    // It moves watermarks, too: who writes has read.
    await openRelay(own, { env, logs }, running);
    return {
      nodes,
      redis: partOf(
        redis,
        () => own.redis(portOf(redis.url)),
        () => answers(portOf(redis.url), 'PING\r\n'),
      ),
      postgres: partOf(
        postgres,
        () => own.postgres(portOf(postgres.url)),
        () => answers(portOf(postgres.url)),
      ),
      databaseUrl: urls.appUrl,
      close: () => closeAll(running, own),
    };
  } catch (error) {
    await closeAll(running, own);
    throw error;
  }
}

async function closeAll(running: readonly Running[], own: PrivateServices): Promise<void> {
  await Promise.all(running.map((one) => one.stop(0)));
  await own.close();
}

/** As in production. Temporal, the object store and the providers are away, and chat must not notice. */
function environment(databaseUrl: string, redisUrl: string): Record<string, string> {
  return {
    ...developmentSecrets(),
    NODE_ENV: 'production',
    HOMING_HOST: '127.0.0.1',
    HOMING_PUBLIC_URL: 'https://homing.test',
    HOMING_LOG_LEVEL: 'warn',
    HOMING_REDIS_PREFIX: 'history',
    HOMING_EMAIL_FROM: 'homing@example.test',
    // Raised and not off: what they cost is a part of what is served.
    HOMING_RATE_LIMITS: 'all=1000000/1s',
    // The least that production allows.
    HOMING_ARGON2_MEMORY: '19',
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    TEMPORAL_ADDRESS: '127.0.0.1:1',
    ...{ S3_ENDPOINT: 'http://127.0.0.1:1', AWS_ACCESS_KEY_ID: 'none', AWS_SECRET_ACCESS_KEY: 'none' },
  };
}

async function openNode(
  own: PrivateServices,
  { name, env, logs }: { name: string; env: Record<string, string>; logs: string },
  running: Running[],
): Promise<Node> {
  const [port, metricsPort] = [await own.freePort(), await own.freePort()];
  const url = `http://127.0.0.1:${port}`;
  const start = async () => {
    const node = await startProcess({
      name: `node-${name}`,
      command: process.execPath,
      args: ['main.ts', 'api', 'realtime'],
      cwd: root,
      env: plainEnv(process.env, { ...env, PORT: String(port), HOMING_METRICS_PORT: String(metricsPort) }),
      logFile: join(logs, `node-${name}.log`),
      answers: () => answersOk(`${url}/livez`),
      answersWithinMs: 60_000,
    });
    running.push(node);
    return node;
  };
  const looks = () => readLooks(`http://127.0.0.1:${metricsPort}/metrics`);
  return { url, looks, ...partOf(await start(), start, () => answers(port)) };
}

async function openRelay(
  own: PrivateServices,
  { env, logs }: { env: Record<string, string>; logs: string },
  running: Running[],
): Promise<void> {
  const metricsPort = await own.freePort();
  const relay = await startProcess({
    ...{ name: 'relay', command: process.execPath, args: ['main.ts', 'relay'], cwd: root },
    env: plainEnv(process.env, { ...env, HOMING_METRICS_PORT: String(metricsPort) }),
    logFile: join(logs, 'relay.log'),
    answers: () => answersOk(`http://127.0.0.1:${metricsPort}/livez`),
    answersWithinMs: 60_000,
  });
  running.push(relay);
}

async function answersOk(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  await response.body?.cancel();
  if (response.status !== 200) throw new Error(`${url} answers ${response.status}`);
}

async function readLooks(url: string): Promise<number> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  const looks = /^homing_digest_looks_total\S* (\d+)/m.exec(await response.text())?.[1];
  if (looks === undefined) throw new Error(`${url} counts no looks of the digest`);
  return Number(looks);
}

const portOf = (url: string) => Number(new URL(url).port);

/** Milliseconds in which who is there takes a connection, or answers what is said on it. */
const answerMs = 500;

/** Takes a connection and, where something is said on it, answers. */
function answers(port: number, word?: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const conclude = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(answerMs, () => conclude(false));
    socket.on('error', () => conclude(false));
    socket.on('connect', () => (word === undefined ? conclude(true) : socket.write(word)));
    socket.on('data', () => conclude(true));
  });
}

function partOf(first: Running, again: () => Promise<Running>, isThere: () => Promise<boolean>): Part {
  let now = first;
  return {
    answers: isThere,
    async kill(signal) {
      now.kill(signal);
      await now.exited;
    },
    signal: (signal) => now.kill(signal),
    async start() {
      now = await again();
    },
  };
}
