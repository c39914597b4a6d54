import type { Log } from '../domain/deps.ts';

/**
 * Stopping, in the right order: refuse new work, drain what runs, stop pollers, flush, close Redis, close the database
 * last. Steps of one stage run together, stages one after another; a stage that hangs is left behind after its limit.
 */
export const stages = ['refuse', 'drain', 'poll', 'flush', 'hints', 'storage'] as const;
export type Stage = (typeof stages)[number];

/**
 * Milliseconds that each stage may take. Draining has the lion's share, more than the Temporal workers need to see a send
 * through: one that is cut short may be made twice. All together stay below what supervisors grant.
 */
export const stageLimits: Record<Stage, number> = {
  refuse: 300,
  drain: 4_000,
  poll: 500,
  flush: 500,
  hints: 200,
  storage: 300,
};

export interface Shutdown {
  on(stage: Stage, name: string, step: () => unknown): void;
  readonly stopping: boolean;
  /** Runs the stages once; further calls wait for the first. */
  stop(reason: string): Promise<void>;
}

export function createShutdown(log: Log): Shutdown {
  const steps = new Map<Stage, { name: string; step: () => unknown }[]>(stages.map((stage) => [stage, []]));
  let running: Promise<void> | undefined;

  const runStage = async (stage: Stage) => {
    const all = (steps.get(stage) ?? []).map(async ({ name, step }) => {
      try {
        await step();
      } catch (error) {
        log.warn('a part did not stop cleanly', { part: name, reason: (error as Error).message });
      }
    });
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        log.warn('a stage of stopping took too long', { stage });
        resolve();
      }, stageLimits[stage]);
    });
    await Promise.race([Promise.all(all), limit]);
    clearTimeout(timer);
  };

  return {
    on: (stage, name, step) => void steps.get(stage)?.push({ name, step }),
    get stopping() {
      return running !== undefined;
    },
    stop(reason) {
      running ??= (async () => {
        log.info('stopping', { reason });
        for (const stage of stages) await runStage(stage);
        log.info('stopped');
      })();
      return running;
    },
  };
}

/** Stops on TERM and INT; a second one ends the process at once. */
export function stopOnSignals(shutdown: Shutdown): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (shutdown.stopping) process.exit(1);
      void shutdown.stop(signal).then(() => process.exit(0));
    });
  }
}
