import { createActivities } from '../activities/index.ts';
import { stuckReasons } from '../contracts/entities/index.ts';
import { channels } from '../contracts/workflows/names.ts';
import { stuckSteps } from '../db/queries/episodes.ts';
import { outboxBacklog } from '../db/queries/outbox.ts';
import { reportsBacklog } from '../db/queries/provider-reports.ts';
import { recountState } from '../domain/recount/index.ts';
import { temporalTls } from '../platform/temporal-tls.ts';
import type { Runtime } from '../runtime.ts';
import { openTemporal } from '../temporal/client.ts';
import { serveCodec } from '../temporal/codec-server.ts';
import { createEpisodes, startNotice, startVerification } from '../temporal/start.ts';
import { runRelay } from './relay.ts';
import { installRuntime, runWorkers } from './temporal-workers.ts';

/** Milliseconds between looks at how much is owed. */
const backlogMs = 5_000;

/** The outbox relay. It needs Temporal only for what it hands over; the rest goes on without. */
export function startRelay({ config, deps, metrics, shutdown }: Runtime): void {
  const client = openTemporal({
    address: config.TEMPORAL_ADDRESS,
    namespace: config.TEMPORAL_NAMESPACE,
    payloadKeys: config.HOMING_PAYLOAD_KEYS,
    tls: temporalTls(config),
  });
  const prefix = config.HOMING_TASK_QUEUE_PREFIX;
  const relay = runRelay({
    ...deps,
    episodes: createEpisodes(client, prefix),
    startVerification: startVerification(client, prefix),
    startNotice: startNotice(client, prefix),
    count: (kind, n) => metrics.relayed.inc({ kind }, n),
    countFailure: (kind) => metrics.relayFailures.inc({ kind }),
  });
  // A database that is away says so elsewhere; what was measured last stands until then.
  const timer = setInterval(() => void measureBacklogs(deps, metrics).catch(() => undefined), backlogMs);
  // With the workers: a round that asks a Temporal that is away takes as long as a send.
  shutdown.on('drain', 'relay', () => relay.stop());
  shutdown.on('poll', 'backlog', () => clearInterval(timer));
  shutdown.on('flush', 'temporal client', () => client.connection.close());
}

/** What is owed, and whether everybody was told: every relay says the same of it. */
async function measureBacklogs(deps: Runtime['deps'], metrics: Runtime['metrics']): Promise<void> {
  const outbox = await outboxBacklog(deps.db);
  metrics.outboxRows.set(outbox.rows);
  metrics.outboxAge.set(outbox.oldestSeconds);
  const reports = await reportsBacklog(deps.db);
  metrics.reportsAge.set(reports.oldestSeconds);
  metrics.unreadable.set(reports.unreadable);
  const { differences, walks } = await recountState(deps);
  for (const [kind, count] of Object.entries(differences)) metrics.differences.set({ kind }, count);
  for (const { name, behindSeconds } of walks) metrics.recountBehind.set({ walk: name }, behindSeconds);
  await measureStuckSteps(deps, metrics);
}

/** What nothing waits for any more stands at nought. */
async function measureStuckSteps({ db }: Runtime['deps'], { stuckSteps: gauge }: Runtime['metrics']): Promise<void> {
  const stuck = await stuckSteps(db);
  for (const channel of channels)
    for (const reason of stuckReasons)
      gauge.set({ channel, reason }, stuck.find((one) => one.channel === channel && one.reason === reason)?.steps ?? 0);
}

/** The Temporal workers, and the codec endpoint for the Temporal UI where it is asked for. */
export async function startWorker({ config, deps, metrics, shutdown }: Runtime): Promise<void> {
  installRuntime(deps.log);
  const workers = runWorkers({
    address: config.TEMPORAL_ADDRESS,
    tls: temporalTls(config),
    namespace: config.TEMPORAL_NAMESPACE,
    queuePrefix: config.HOMING_TASK_QUEUE_PREFIX,
    payloadKeys: config.HOMING_PAYLOAD_KEYS,
    activities: createActivities({
      ...deps,
      // What they ask for is found by one person's keys, and much is looked at in one statement.
      db: deps.db.plannedOnce(),
      countAttempt: (channel, result) => metrics.attempts.inc({ channel, result }),
    }),
    rates: config.HOMING_QUEUE_RATES,
    buildId: config.HOMING_BUILD_ID,
    log: deps.log,
    setUp: config.NODE_ENV !== 'production',
  });
  shutdown.on('drain', 'workers', () => workers.stop());
  if (config.HOMING_CODEC_PORT === undefined || config.HOMING_TEMPORAL_UI_URL === undefined) return;
  const codec = await serveCodec({
    host: config.HOMING_HOST,
    port: config.HOMING_CODEC_PORT,
    keys: config.HOMING_PAYLOAD_KEYS,
    uiUrl: config.HOMING_TEMPORAL_UI_URL,
    token: config.HOMING_CODEC_TOKEN,
    log: deps.log,
  });
  shutdown.on('flush', 'codec endpoint', () => codec.close());
}
