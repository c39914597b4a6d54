import { NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import type { Activities } from '../activities/index.ts';
import { type TaskQueue, taskQueues } from '../contracts/workflows/names.ts';
import type { Log } from '../domain/deps.ts';
import { createDataConverter } from '../temporal/data-converter.ts';
import { queueName } from '../temporal/names.ts';
import { setUpNamespace } from '../temporal/setup.ts';
import { workflowBundle } from './bundle-workflows.ts';

export interface WorkersOptions {
  address: string;
  namespace: string;
  queuePrefix: string;
  payloadKeys: readonly { kid: string; key: string }[];
  activities: Activities;
  log: Log;
  /** Makes namespace and search attributes when they are missing; in production an operator does. */
  setUp: boolean;
}

/** Milliseconds between tries to reach a Temporal that is away. */
const reconnectMs = 1_000;
/** Milliseconds that running activities get to end when the process is told to stop, and at most. */
const graceMs = 4_000;
const forceMs = 6_000;
/** Workflows kept in memory, about a megabyte each at worst. */
const cachedWorkflows = 500;

export interface Workers {
  /** Resolves when all of them poll. */
  ready: Promise<void>;
  stop(): Promise<void>;
}

/**
 * The Temporal workers of this process: one for the stories, one for each provider's queue. They wait for a Temporal that
 * is away for as long as it takes, and are made anew when they fail.
 */
export function runWorkers(options: WorkersOptions): Workers {
  let stopping = false;
  let running: Worker[] = [];
  let stopped: Promise<unknown> = Promise.resolve();
  const ready = Promise.withResolvers<void>();

  const loop = async () => {
    while (!stopping) {
      try {
        const connection = await connect(options, () => stopping);
        if (!connection) break;
        running = await createWorkers(options, connection);
        if (stopping) break;
        options.log.info('workers poll', { queues: Object.keys(taskQueues) });
        ready.resolve();
        await Promise.all(running.map((worker) => worker.run()));
        await connection.close();
      } catch (error) {
        if (stopping) break;
        options.log.error('workers failed; they are made anew', { error });
        for (const worker of running) shutDown(worker);
        await sleep(reconnectMs);
      }
    }
  };
  stopped = loop();

  return {
    ready: ready.promise,
    async stop() {
      stopping = true;
      for (const worker of running) shutDown(worker);
      await stopped;
    },
  };
}

function shutDown(worker: Worker): void {
  if (worker.getState() === 'RUNNING') worker.shutdown();
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function connect(options: WorkersOptions, stopping: () => boolean): Promise<NativeConnection | undefined> {
  let told = false;
  while (!stopping()) {
    try {
      const connection = await NativeConnection.connect({ address: options.address });
      if (options.setUp) await setUpNamespace(connection, options.namespace);
      return connection;
    } catch (error) {
      if (!told) options.log.warn('Temporal is away; workers wait for it', { reason: (error as Error).message });
      told = true;
      await sleep(reconnectMs);
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
    shutdownGraceTime: graceMs,
    shutdownForceTime: forceMs,
  };
  const { decide, ...calls } = options.activities;
  const queue = (name: TaskQueue) => queueName(options.queuePrefix, name);
  return Promise.all([
    Worker.create({
      ...shared,
      taskQueue: queue('attention'),
      workflowBundle: { codePath },
      activities: { decide },
      maxCachedWorkflows: cachedWorkflows,
    }),
    ...(['push', 'email', 'sms'] as const).map((name) =>
      Worker.create({ ...shared, taskQueue: queue(name), activities: calls, maxConcurrentActivityTaskExecutions: 50 }),
    ),
  ]);
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
