import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { Channel } from '../../contracts/workflows/names.ts';

/** Steps that are tried beside the story, at most one a channel: a provider that fails holds up its own step only. */
export interface StepsUnderWay {
  readonly channels: Channel[];
  begin(channel: Channel, step: () => Promise<void>): void;
  /** Ends them for good, and resolves when none of them can send anything any more. */
  readonly stop: () => Promise<void>;
}

export function stepsUnderWay(onEnd: () => void): StepsUnderWay {
  const running = new Map<Channel, { scope: CancellationScope; ended: Promise<void> }>();
  let stopped = false;

  const run = async (channel: Channel, scope: CancellationScope, step: () => Promise<void>) => {
    try {
      await scope.run(step);
    } catch (error) {
      if (!isCancellation(error)) throw error;
    } finally {
      running.delete(channel);
      onEnd();
    }
  };
  return {
    get channels() {
      return [...running.keys()];
    },
    begin(channel, step) {
      // What was decided before the end, and comes back after it, is not begun any more.
      if (stopped) return;
      const scope = new CancellationScope();
      running.set(channel, { scope, ended: run(channel, scope, step) });
    },
    stop: async () => {
      stopped = true;
      const all = [...running.values()];
      for (const { scope } of all) scope.cancel();
      await Promise.all(all.map(({ ended }) => ended));
    },
  };
}
