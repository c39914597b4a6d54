import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { Channel } from '../../contracts/workflows/names.ts';

/** Steps that are tried beside the story, at most one a channel: a provider that fails holds up its own step only. */
export interface StepsUnderWay {
  readonly channels: Channel[];
  /** Until when a step waits for its provider, where it does. */
  waitsUntil(channel: Channel): string | undefined;
  begin(channel: Channel, step: Step): void;
  /** Ends them for good, and resolves when none of them can send anything any more. */
  readonly stop: () => Promise<void>;
}

/** It tells when it waits for its provider: what else there is to do may have changed with that. */
type Step = (waits: (until: string) => void) => Promise<void>;

export function stepsUnderWay(onChange: () => void): StepsUnderWay {
  const running = new Map<Channel, { scope: CancellationScope; ended: Promise<void> }>();
  const waiting = new Map<Channel, string>();
  let stopped = false;

  const run = async (channel: Channel, scope: CancellationScope, step: Step) => {
    const waits = (until: string) => {
      waiting.set(channel, until);
      onChange();
    };
    try {
      await scope.run(() => step(waits));
    } catch (error) {
      if (!isCancellation(error)) throw error;
    } finally {
      running.delete(channel);
      waiting.delete(channel);
      onChange();
    }
  };
  return {
    get channels() {
      return [...running.keys()];
    },
    waitsUntil: (channel) => waiting.get(channel),
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
