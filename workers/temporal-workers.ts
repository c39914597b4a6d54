import { setTimeout as sleep } from 'node:timers/promises';
import {
  NativeConnection,
  type NativeConnectionOptions,
  Runtime,
  Worker,
  type WorkerOptions,
} from '@temporalio/worker';
import type { Activities } from '../activities/index.ts';
import { type Channel, type TaskQueue, taskQueues } from '../contracts/workflows/names.ts';
import type { Log } from '../domain/deps.ts';
import { createDataConverter } from '../temporal/data-converter.ts';
import { deploymentName, queueName } from '../temporal/names.ts';
import { setUpNamespace } from '../temporal/setup.ts';
import { workflowBundle } from './bundle-workflows.ts';

export interface WorkersOptions {
  address: string;
  /** Undefined: in the clear. */
  tls?: NativeConnectionOptions['tls'] | undefined;
  namespace: string;
  queuePrefix: string;
  payloadKeys: readonly { kid: string; key: string }[];
  activities: Activities;
  /** Episodes stay with the build that began them; undefined where any worker takes any. */
  buildId: string | undefined;
  /** Calls a second on each provider's queue, whatever the number of workers. */
  rates: Readonly<Record<Channel, number>>;
  log: Log;
  /** Makes namespace and search attributes when they are missing; in production an operator does. */
  setUp: boolean;
}

/** Milliseconds before workers are made anew: at first, and at most. */
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;
/** Milliseconds that running activities get to end when the process is told to stop, and at most. */
export const workerStopping = { graceMs: 3_000, forceMs: 3_500 };
/** Workflows kept in memory, about a megabyte each at worst. */
const cachedWorkflows = 500;

export interface Workers {
  /** Resolves when all of them poll. */
  ready: Promise<void>;
  stop(): Promise<void>;
}

/**
 * The Temporal workers of this process: one for the stories, one for each provider's queue. They wait for a Temporal that
 * is away for as long as it takes, and are made anew, with growing pauses, when they fail.
 */
export function runWorkers(options: WorkersOptions): Workers {
  const stopping = new AbortController();
  const ready = Promise.withResolvers<void>();
  const stopped = keepRunning(options, stopping.signal, ready.resolve);
  return {
    ready: ready.promise,
    async stop() {
      stopping.abort();
      await stopped;
    },
  };
}

async function keepRunning(options: WorkersOptions, signal: AbortSignal, onReady: () => void): Promise<void> {
  let pauseMs = firstPauseMs;
  const poll = () => {
    options.log.info('workers poll', { queues: Object.keys(taskQueues) });
    pauseMs = firstPauseMs;
    onReady();
  };
  while (!signal.aborted) {
    try {
      await runOnce(options, signal, poll);
    } catch (error) {
      options.log.error('workers failed; they are made anew', { error, pauseMs });
    }
    await rest(pauseMs, signal);
    pauseMs = Math.min(longestPauseMs, pauseMs * 2);
  }
}

/** Until the process stops or a worker fails. Whatever was opened is closed again, or each failure would leave some. */
async function runOnce(options: WorkersOptions, signal: AbortSignal, onReady: () => void): Promise<void> {
  const connection = await connect(options, signal);
  if (!connection) return;
  try {
    // A worker whose creation fails for want of its namespace holds the connection until it is garbage.
    await connection.workflowService.describeNamespace({ namespace: options.namespace });
    const workers = await createWorkers(options, connection);
    await runAll(workers, signal, onReady);
  } finally {
    await connection.close();
  }
}

/** When one ends, all end: half a set would leave a queue without a worker and nobody would know. */
async function runAll(workers: readonly Worker[], signal: AbortSignal, onReady: () => void): Promise<void> {
  const runs = workers.map((worker) => worker.run());
  const stop = () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  signal.addEventListener('abort', stop);
  try {
    if (signal.aborted) return;
    onReady();
    await Promise.all(runs);
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
    await Promise.allSettled(runs);
  }
}

/** Waits, or less when the process is to stop. */
const rest = (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }).catch(() => undefined);

async function connect(options: WorkersOptions, signal: AbortSignal): Promise<NativeConnection | undefined> {
  const { address, tls } = options;
  let told = false;
  while (!signal.aborted) {
    let connection: NativeConnection | undefined;
    try {
      connection = await NativeConnection.connect({ address, ...(tls ? { tls } : {}) });
      if (options.setUp) await setUpNamespace(connection, options.namespace);
      return connection;
    } catch (error) {
      await connection?.close();
      if (!told) options.log.warn('Temporal is away; workers wait for it', { reason: (error as Error).message });
      told = true;
      await rest(firstPauseMs, signal);
    }
  }
  return undefined;
}

async function createWorkers(options: WorkersOptions, connection: NativeConnection): Promise<Worker[]> {
  const codePath = await workflowBundle();
  const shared: Omit<WorkerOptions, 'taskQueue'> = {
    connection,
    namespace: options.namespace,
    dataConverter: createDataConverter(options.payloadKeys),
    shutdownGraceTime: workerStopping.graceMs,
    shutdownForceTime: workerStopping.forceMs,
    ...versioning(options),
  };
  const { decide, ...calls } = options.activities;
  const queue = (name: TaskQueue) => queueName(options.queuePrefix, name);
  const results = await Promise.allSettled([
    Worker.create({
      ...shared,
      taskQueue: queue('attention'),
      workflowBundle: { codePath },
      activities: { decide },
      maxCachedWorkflows: cachedWorkflows,
    }),
    ...(['push', 'email', 'sms'] as const).map((name) =>
      Worker.create({
        ...{ ...shared, taskQueue: queue(name), activities: calls, maxConcurrentActivityTaskExecutions: 50 },
        // Kept by the server, for the whole queue: each worker says the same.
        maxTaskQueueActivitiesPerSecond: options.rates[name],
      }),
    ),
  ]);
  const workers = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = results.find((result) => result.status === 'rejected');
  if (!failed) return workers;
  // One that was made holds the connection until it has run.
  await Promise.allSettled(workers.map((worker) => worker.runUntil(Promise.resolve())));
  throw failed.reason;
}

/**
 * Pinned: a release that changes the story would not understand the histories of those that are told. Most take hours,
 * some a day or two, as mail is gathered and people sleep. The activities' queues belong to the same build, as they take what its stories give.
 */
function versioning({ buildId, queuePrefix }: WorkersOptions): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  if (buildId === undefined) return {};
  return {
    workerDeploymentOptions: {
      ...{ version: { deploymentName: deploymentName(queuePrefix), buildId }, useWorkerVersioning: true },
      defaultVersioningBehavior: 'PINNED',
    },
  };
}

let installed = false;

/** The SDK's own warnings in our log; once a process, before any worker. */
export function installRuntime(log: Log): void {
  if (installed) return;
  installed = true;
  const pass = (level: 'warn' | 'error') => (message: string, meta?: Record<string, unknown>) =>
    log[level](`temporal: ${message}`, { sdk: meta?.sdkComponent, workflowId: meta?.workflowId });
  const [warn, error] = [pass('warn'), pass('error')];
  Runtime.install({
    logger: {
      log(level, message, meta) {
        if (level === 'WARN') warn(message, meta);
        if (level === 'ERROR') error(message, meta);
      },
      trace() {},
      debug() {},
      info() {},
      warn,
      error,
    },
    // Signals are this process's own business: its parts stop in order.
    shutdownSignals: [],
    telemetryOptions: { logging: { filter: 'temporalio_sdk_core=WARN,temporalio_client=WARN', forward: {} } },
  });
}
