import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { Channel } from '../../contracts/workflows/names.ts';

/** Steps that are tried beside the story, at most one a channel: a provider that fails holds up its own step only. */
export interface StepsUnderWay {
  readonly channels: Channel[];
  /** Those of them that tell of something urgent. */
  readonly urgent: Channel[];
  attemptOf(channel: Channel): string | undefined;
  /** Until when a step waits for its provider, where it does. */
  waitsUntil(channel: Channel): string | undefined;
  /** In place of the one that is tried on its channel, once nothing of that can be sent any more. */
  begin(what: Begun, step: Step): void;
  /** Ends them for good, and resolves when none of them can send anything any more. */
  readonly stop: () => Promise<void>;
}

interface Begun {
  channel: Channel;
  attemptId: string;
  alert?: 'urgent' | 'repeat';
}

/** It tells when it waits for its provider: what else there is to do may have changed with that. */
type Step = (waits: (until: string) => void) => Promise<void>;

interface Running extends Begun {
  scope: CancellationScope;
  waitsUntil?: string;
  ended: Promise<void>;
}

export function stepsUnderWay(onChange: () => void): StepsUnderWay {
  const running = new Map<Channel, Running>();
  let stopped = false;

  const run = async (own: Running, step: Step, before: Promise<void> | undefined) => {
    const waits = (until: string) => {
      own.waitsUntil = until;
      onChange();
    };
    try {
      // Without one before it, it begins in this very turn, as histories know it.
      if (before) await before;
      await own.scope.run(() => step(waits));
    } catch (error) {
      if (!isCancellation(error)) throw error;
    } finally {
      if (running.get(own.channel) === own) running.delete(own.channel);
      onChange();
    }
  };
  return {
    get channels() {
      return [...running.keys()];
    },
    get urgent() {
      return [...running.values()].flatMap(({ channel, alert }) => (alert ? [channel] : []));
    },
    attemptOf: (channel) => running.get(channel)?.attemptId,
    waitsUntil: (channel) => running.get(channel)?.waitsUntil,
    begin(what, step) {
      // What was decided before the end, and comes back after it, is not begun any more.
      if (stopped) return;
      const before = running.get(what.channel);
      before?.scope.cancel();
      const own: Running = { ...what, scope: new CancellationScope(), ended: Promise.resolve() };
      running.set(what.channel, own);
      own.ended = run(own, step, before?.ended);
    },
    stop: async () => {
      stopped = true;
      const all = [...running.values()];
      for (const { scope } of all) scope.cancel();
      await Promise.all(all.map(({ ended }) => ended));
    },
  };
}
