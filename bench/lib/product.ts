import { join } from 'node:path';
import {
  type Running,
  type RunningRedis,
  freePort,
  obtainRedis,
  plainEnv,
  root,
  startProcess,
  startRedis,
} from '../../dev/services/index.ts';
import type { Db } from '../../db/client.ts';
import { developmentSecrets } from '../../platform/dev-secrets.ts';
import { createKeySet } from '../../platform/key-set.ts';
import { createTokens } from '../../platform/tokens.ts';
import { idSql, personId, sessionId } from './people.ts';
import { profileFlags, writingMs } from './profile.ts';
import type { Stage } from './stage.ts';

/** The product as production runs it, on the stage's PostgreSQL and a Redis of its own. */
export interface Product {
  redis: RunningRedis;
  environment: Record<string, string>;
  /** Starts a process of `main.ts`; `more` is of its environment alone. */
  start(
    name: string,
    roles: readonly string[],
    flags?: readonly string[],
    more?: Record<string, string>,
  ): Promise<ProductNode>;
  /** Tokens of so many people, whose sessions are open. */
  tokens(people: number): Promise<string[]>;
  stop(): Promise<void>;
}

export interface ProductNode extends Running {
  port: number;
  metrics(): Promise<string>;
}

const publicUrl = 'https://homing.test';

export async function openProduct(stage: Stage): Promise<Product> {
  const dir = join(root, '.homing', 'bench');
  const program = await obtainRedis({ report: () => undefined });
  const redis = await startRedis({
    ...{ program, dir: join(dir, 'redis'), logFile: join(dir, 'redis.log'), port: await freePort() },
    report: () => undefined,
  });
  const environment = environmentFor(stage, redis.url);
  const running: Running[] = [];
  return {
    redis,
    environment,
    async start(name, roles, flags = [], more = {}) {
      const profiling = stage.profiles ? profileFlags(stage.profiles, name) : [];
      const given = [...flags, ...profiling];
      const node = await startNode({ name, roles, flags: given, dir, environment: { ...environment, ...more } });
      // A process that is killed leaves no profile.
      const stop = (graceMs?: number) => node.stop(stage.profiles ? writingMs : graceMs);
      running.push({ ...node, stop });
      return { ...node, stop };
    },
    tokens: (people) => signIn(stage.db, environment.HOMING_JWT_KEYS ?? '', people),
    async stop() {
      await Promise.all(running.map((node) => node.stop(0)));
      await redis.stop();
    },
  };
}

/** Everything on that production has on. Temporal, the object store and the providers are away: the hot path has none. */
function environmentFor({ appUrl }: Stage, redisUrl: string): Record<string, string> {
  return {
    ...developmentSecrets(),
    NODE_ENV: 'production',
    HOMING_HOST: '127.0.0.1',
    HOMING_PUBLIC_URL: publicUrl,
    HOMING_LOG_LEVEL: 'info',
    HOMING_METRICS_PORT: '0',
    HOMING_REDIS_PREFIX: 'bench',
    HOMING_EMAIL_FROM: 'homing@example.test',
    // Raised and not off: what they cost is a part of what is served.
    HOMING_RATE_LIMITS: 'all=1000000/1s',
    // The least that production allows.
    HOMING_ARGON2_MEMORY: '19',
    DATABASE_URL: appUrl,
    REDIS_URL: redisUrl,
    TEMPORAL_ADDRESS: '127.0.0.1:1',
    ...{ S3_ENDPOINT: 'http://127.0.0.1:1', AWS_ACCESS_KEY_ID: 'none', AWS_SECRET_ACCESS_KEY: 'none' },
  };
}

interface Starting {
  name: string;
  roles: readonly string[];
  flags: readonly string[];
  dir: string;
  environment: Record<string, string>;
}

async function startNode({ name, roles, flags, dir, environment }: Starting): Promise<ProductNode> {
  const [port, metricsPort] = [await freePort(), await freePort()];
  const answers = async (path: string, at: number) => {
    const response = await fetch(`http://127.0.0.1:${at}${path}`, { signal: AbortSignal.timeout(5_000) });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${path} answers ${response.status}`);
    return text;
  };
  const node = await startProcess({
    ...{ name, command: process.execPath, args: [...flags, 'main.ts', ...roles], cwd: root },
    env: plainEnv(process.env, { ...environment, PORT: String(port), HOMING_METRICS_PORT: String(metricsPort) }),
    logFile: join(dir, `${name}.log`),
    // Where nobody is served, health is told beside the metrics alone.
    answers: () => answers('/livez', serves(roles) ? port : metricsPort).then(() => undefined),
    answersWithinMs: 60_000,
  });
  return { ...node, port, metrics: () => answers('/metrics', metricsPort) };
}

const serves = (roles: readonly string[]) => roles.includes('api') || roles.includes('realtime');

/** A session for everybody, and its token. */
async function signIn(db: Db, keys: string, people: number): Promise<string[]> {
  await db.query({
    text: `insert into sessions (user_id, id, created_at, last_used_at, expires_at)
      select ${idSql(1, 'n')}, ${idSql(3, 'n')}, now(), now(), now() + interval '1 day' from generate_series(0, $1::bigint - 1) n
      on conflict do nothing`,
    values: [people],
  });
  const parsed = JSON.parse(keys) as { kid: string; key: string }[];
  const tokens = createTokens({ keys: createKeySet({ configured: parsed }), issuer: publicUrl, audience: 'homing' });
  return Array.from({ length: people }, (_, n) => tokens.sign({ userId: personId(n), sessionId: sessionId(n) }).token);
}
