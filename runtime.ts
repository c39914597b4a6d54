import { randomUUIDv7 } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { Redis } from 'ioredis';
import { createOperations } from './api/routes/index.ts';
import type { Operations } from './api/operations.ts';
import { type DbOptions, openDb } from './db/client.ts';
import { clearSuspects } from './db/queries/devices.ts';
import { CodedError } from './contracts/errors.ts';
import { type Authenticate, type Revocations, createAuthenticate, createRevocations } from './domain/accounts/index.ts';
import type { Deps, RateLimits } from './domain/deps.ts';
import { keysThatVerify } from './domain/keys/index.ts';
import { createStoreLane, sendLimits } from './domain/messages/index.ts';
import { createReceiptLane } from './domain/receipts/index.ts';
import type { Config } from './platform/config.ts';
import { createEgress } from './platform/egress.ts';
import { type Dependency, createReadiness } from './platform/health.ts';
import { createLeakedPasswords } from './platform/leaked-passwords.ts';
import { createLogger, toLog } from './platform/logger.ts';
import {
  circuitCauses,
  circuitKeys,
  createCircuits,
  guardSenders,
  memoryStore,
  redisStore,
  sharedWithLocal,
} from './platform/circuits/index.ts';
import { clientAddress, createLimits } from './platform/limits/index.ts';
import { createMac } from './platform/mac.ts';
import { createLimitsMeter, createMeter } from './platform/meter.ts';
import { createMetrics, measureFence, serveMetrics } from './platform/metrics.ts';
import { openObjectStore } from './platform/object-store.ts';
import { createPasswords } from './platform/passwords.ts';
import { type PresenceStore, createPresence } from './platform/presence.ts';
import { openRedis, openSubscriber } from './platform/redis.ts';
import { createSenders } from './platform/senders/index.ts';
import { measureSenders } from './platform/senders/measured.ts';
import { createShutdown } from './platform/shutdown.ts';
import { createSocketAdapter } from './platform/socket-adapter.ts';
import { temporalTls } from './platform/temporal-tls.ts';
import { workflowUrls } from './platform/temporal-ui.ts';
import { type Jwks, createKeySet, makeSigningKey } from './platform/key-set.ts';
import { createSeal, createSealing } from './platform/sealing.ts';
import { createTokens } from './platform/tokens.ts';
import { type BusItem, createBus } from './realtime/bus.ts';
import { createFanout } from './realtime/fanout.ts';
import { type Io, createIo } from './realtime/io.ts';
import { checkOrigin } from './realtime/handshake.ts';
import { openTemporal } from './temporal/client.ts';
import { createJobs } from './temporal/jobs.ts';

const { version } = createRequire(import.meta.url)('./package.json') as { version: string };

/** What every role of a process shares: built once, handed down, closed in order. */
export interface Runtime {
  config: Config;
  version: string;
  deps: Deps;
  /** What those may ask who are signed in, by REST or over their sockets. */
  operations: Operations;
  io: Io;
  /** Where live events go that happen in this process. */
  live: { here: (item: BusItem) => void };
  revocations: Revocations;
  /** Who comes with a token, by whichever door. */
  authenticate: Authenticate;
  limits: RateLimits;
  /** Where a request or an upgrade comes from, as far as our own proxies say. */
  addressOf: (request: IncomingMessage) => string;
  /** For every request to an address that others have a say in: providers' documents name some. */
  fetch: typeof fetch;
  presence: PresenceStore;
  jwks: () => Jwks;
  metrics: ReturnType<typeof createMetrics>;
  shutdown: ReturnType<typeof createShutdown>;
  /** Web origins that may connect: the public address and those that were named. */
  origins: string[];
  readiness: ReturnType<typeof createReadiness>;
}

/** Milliseconds between looks at circuits that were seen open; of others nobody looks. */
const circuitReviewMs = 15_000;
/** Milliseconds after which a look at the ended sessions has failed. */
const watchMs = 2_000;

/** The one place where real clients are made. Nothing here waits for another service: each may be away. */
export async function createRuntime(config: Config, roles: readonly string[]): Promise<Runtime> {
  const role = roles.join('+');
  const log = toLog(
    createLogger({ readable: config.NODE_ENV === 'development', level: config.HOMING_LOG_LEVEL, role }),
  );
  const shutdown = createShutdown(log);
  const metrics = createMetrics(role);
  const open = (applicationName: string, options: Pick<DbOptions, 'maxConnections' | 'statementTimeoutMs'> = {}) =>
    openDb({
      url: config.DATABASE_URL,
      applicationName,
      ...options,
      onError: (error) => log.warn('a database connection was lost', { reason: error.message }),
    });
  const db = open(`homing-${role}`);
  // Connections of their own: a send never stands behind the reads of thousands who come back at once.
  const sends = open(`homing-${role}-sends`, { maxConnections: sendLimits.lanes });
  // A crowd that takes all connections must not fence the node; and a look that hangs has failed.
  const watch = open(`homing-${role}-watch`, { maxConnections: 1, statementTimeoutMs: watchMs });
  const redisAt = { url: config.REDIS_URL, ca: config.HOMING_REDIS_CA };
  const redis = openRedis({ ...redisAt, role, log });
  const subscriber = openSubscriber({ ...redisAt, role, log });
  // Of its own, so that the time of its answers is Redis' own and not that of what stands before them.
  const limitsRedis = openRedis({ ...redisAt, role: `${role}-limits`, log });
  const prefix = config.HOMING_REDIS_PREFIX;
  const origins = [config.HOMING_PUBLIC_URL, ...config.HOMING_ALLOWED_ORIGINS].map((url) => new URL(url).origin);
  const io = createIo({
    adapter: createSocketAdapter({ publisher: redis, subscriber, prefix, log }),
    allowRequest: checkOrigin(origins),
  });
  const mac = createMac(config.HOMING_SECRET_KEY);
  const limits = createLimits({
    ...{ setting: config.HOMING_RATE_LIMITS, redis: limitsRedis, prefix, mac, log },
    meter: createLimitsMeter(metrics),
  });
  const presence = createPresence(redis, prefix);
  const seal = config.HOMING_KEY_ENCRYPTION_KEYS && createSeal(config.HOMING_KEY_ENCRYPTION_KEYS);
  const keys = createKeySet({ configured: config.HOMING_JWT_KEYS, log, ...(seal ? { seal } : {}) });
  const tokens = createTokens({ keys, issuer: config.HOMING_PUBLIC_URL, audience: 'homing' });
  const stores = createStoreLane(sends, db);
  const receipts = createReceiptLane({ db, log });
  // Set by the realtime role: a process without sockets of its own tells the other nodes only.
  const live = { here: (_item: BusItem) => {} };
  const tell = createFanout(io, {
    bus: createBus(io),
    here: (item) => live.here(item),
    log,
    checkEvents: config.NODE_ENV !== 'production',
  });
  const circuits = createCircuits({
    store: sharedWithLocal(redisStore(redis), memoryStore(Date.now)),
    keyOf: circuitKeys(config),
    now: Date.now,
    log,
    onChange(circuit, state) {
      for (const each of circuitCauses) metrics.circuits.set({ circuit, cause: each }, each === state ? 1 : 0);
      metrics.untestedCircuits.set({ circuit }, state === 'untested' ? 1 : 0);
    },
    async onDeadTokens(since) {
      log.warn('devices count again that were called dead', { devices: await clearSuspects(db, since) });
    },
  });
  const reviewing = setInterval(() => void circuits.review(), circuitReviewMs);
  // It connects when somebody first asks for a job: a role that serves never waits for Temporal.
  const temporal = openTemporal({
    address: config.TEMPORAL_ADDRESS,
    namespace: config.TEMPORAL_NAMESPACE,
    payloadKeys: config.HOMING_PAYLOAD_KEYS,
    tls: temporalTls(config),
  });
  const egress = createEgress({ allow: config.HOMING_EGRESS_ALLOW, log });
  const alsoLook = async () => keys.load(await keysThatVerify({ db: watch }));
  const revocations = createRevocations({ db: watch, log, alsoLook }, config.HOMING_SESSION_WATCH);
  io.on('session.ended', (ids) => revocations.add(ids));
  measureFence(metrics, revocations);

  const deps: Deps = {
    db,
    now: () => new Date(),
    newId: () => randomUUIDv7(),
    log,
    publishLive(events) {
      // The sender's own process hears at once; serverSideEmit reaches the others only.
      for (const event of events) if (event.type === 'session.ended') revocations.add(event.sessionIds);
      tell(events);
    },
    storeMessage: (message) => stores.push(message),
    storesAreFull: () => stores.full,
    moveWatermark: (move) => receipts.push(move),
    passwords: createPasswords({
      memoryMiB: config.HOMING_ARGON2_MEMORY,
      peppers: config.HOMING_PASSWORD_PEPPER,
      log,
      isLeaked: createLeakedPasswords({
        url: config.HOMING_LEAKED_PASSWORDS_URL,
        request: egress.fetch,
        count: (result) => metrics.leakedPasswords.inc({ result }),
      }),
    }),
    tokens,
    makeSigningKey: seal ? () => makeSigningKey(seal) : null,
    mac,
    sealing: createSealing(config.HOMING_FACTOR_KEYS),
    presence: (userId) => presence.of(userId),
    presences: (userIds) => presence.look(userIds),
    senders: guardSenders(measureSenders(createSenders(config), metrics), circuits, Date.now),
    circuits,
    meter: createMeter(metrics),
    ladder: config.HOMING_LADDER,
    caps: config.HOMING_CAPS,
    jobs: createJobs(temporal, config.HOMING_TASK_QUEUE_PREFIX),
    publicUrl: config.HOMING_PUBLIC_URL,
    identityProviders: (config.HOMING_OAUTH_PROVIDERS ?? []).map(({ id, name }) => ({ provider: id, name })),
    returnAddresses: returnAddresses(config),
    origins,
    workflowUrl: workflowUrls(config.HOMING_TEMPORAL_UI_URL, config.TEMPORAL_NAMESPACE),
  };

  const objects = openObjectStore({
    endpoint: config.S3_ENDPOINT,
    ca: config.AWS_CA_BUNDLE,
    bucket: config.S3_BUCKET,
    region: config.AWS_REGION,
    accessKeyId: config.AWS_ACCESS_KEY_ID,
    secretAccessKey: config.AWS_SECRET_ACCESS_KEY,
  });
  const dependencies: Dependency[] = [
    {
      name: 'postgresql',
      needed: true,
      check: () => db.query({ text: 'select name from knex_migrations order by id desc limit 1', values: [] }),
    },
    // Where it cannot say who may come in, it lets in nobody.
    { name: 'ended-sessions', needed: true, check: async () => assertKnown(revocations) },
    // Without Redis a node serves its own sockets, and clients catch up: degraded, not down.
    { name: 'redis', needed: false, check: () => redis.ping() },
    { name: 'object-store', needed: false, check: () => objects.check() },
  ];
  const look = createReadiness(dependencies, () => shutdown.stopping);
  const metricsServer = await serveMetrics(metrics, {
    host: config.HOMING_HOST,
    port: config.HOMING_METRICS_PORT,
    ready: look,
  });

  shutdown.on('poll', 'circuits', () => clearInterval(reviewing));
  shutdown.on('flush', 'lanes', () => Promise.all([stores.idle(), receipts.idle()]));
  shutdown.on('flush', 'rate limits', () => limits.settle());
  shutdown.on('flush', 'metrics', () => metricsServer.close());
  shutdown.on('flush', 'temporal client for jobs', () => temporal.connection.close());
  shutdown.on('hints', 'redis', () => closeRedis([redis, subscriber, limitsRedis]));
  shutdown.on('hints', 'requests elsewhere', () => egress.close());
  shutdown.on('hints', 'object store', () => objects.close());
  shutdown.on('hints', 'revocations', () => revocations.stop());
  shutdown.on('storage', 'database', () => Promise.all([db.end(), sends.end(), watch.end()]));

  return {
    config,
    version,
    deps,
    operations: createOperations(deps, { checkAnswers: config.NODE_ENV !== 'production' }),
    io,
    live,
    revocations,
    authenticate: createAuthenticate(deps, revocations),
    limits,
    fetch: egress.fetch,
    addressOf: (request) => clientAddress(request, config.HOMING_TRUSTED_PROXIES),
    presence,
    jwks: () => keys.jwks(),
    metrics,
    shutdown,
    origins,
    readiness: look,
  };
}

/** Without any that were named it is the web client's own page; where there is none, ours. */
const returnAddresses = ({ HOMING_OAUTH_RETURNS: named, HOMING_PUBLIC_URL: publicUrl }: Config): string[] =>
  named.length > 0 ? named : [`${publicUrl}/signed-in`];

function assertKnown({ isFenced }: Revocations): void {
  if (isFenced) throw new CodedError('fenced');
}

// Not quit(): it would wait for a Redis that is away.
function closeRedis(clients: readonly Redis[]): void {
  for (const client of clients) client.disconnect();
}
