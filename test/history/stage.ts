import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { migrate } from '../../db/migrate.ts';
import { provisionDatabase } from '../../db/provision.ts';
import { type Running, plainEnv, root, startProcess } from '../../dev/services/index.ts';
import { developmentSecrets } from '../../platform/dev-secrets.ts';
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
}
export interface Node extends Part {
  url: string;
}

/** Brings up PostgreSQL, Redis and two nodes, each a process of `main.ts` as production runs it. */
export async function openStage(logs: string): Promise<Stage> {
  const own = await privateServices();
  const running: Running[] = [];
  try {
    const [postgres, redis] = await Promise.all([own.postgres(), own.redis()]);
    const passwords = { ownerPassword: randomBytes(8).toString('hex'), appPassword: randomBytes(8).toString('hex') };
    const urls = await provisionDatabase({ adminUrl: postgres.url, database: 'homing', ...passwords });
    await migrate({ ownerUrl: urls.ownerUrl });
    const env = environment(urls.appUrl, redis.url);
    const nodes = await Promise.all(['a', 'b'].map((name) => openNode(own, { name, env, logs }, running)));
    return {
      nodes,
      redis: partOf(redis, () => own.redis(Number(new URL(redis.url).port))),
      postgres: partOf(postgres, () => own.postgres(Number(new URL(postgres.url).port))),
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
    HOMING_METRICS_PORT: '0',
    HOMING_PUBLIC_URL: 'http://homing.test',
    HOMING_LOG_LEVEL: 'warn',
    HOMING_REDIS_PREFIX: 'history',
    HOMING_EMAIL_FROM: 'homing@example.test',
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
  const port = await own.freePort();
  const url = `http://127.0.0.1:${port}`;
  const start = async () => {
    const node = await startProcess({
      name: `node-${name}`,
      command: process.execPath,
      args: ['main.ts', 'api', 'realtime'],
      cwd: root,
      env: plainEnv(process.env, { ...env, PORT: String(port) }),
      logFile: join(logs, `node-${name}.log`),
      answers: () => answersOk(`${url}/livez`),
      answersWithinMs: 60_000,
    });
    running.push(node);
    return node;
  };
  return { url, ...partOf(await start(), start) };
}

async function answersOk(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  await response.body?.cancel();
  if (response.status !== 200) throw new Error(`${url} answers ${response.status}`);
}

function partOf(first: Running, again: () => Promise<Running>): Part {
  let now = first;
  return {
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
