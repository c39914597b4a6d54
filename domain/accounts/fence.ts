import type { Log } from '../deps.ts';

/** Stands between a node and people for as long as what the node knows of ended sessions is too old to go by. */
export interface Fence {
  readonly isUp: boolean;
  /** How old what the node knows is; infinite where it knows nothing yet. */
  readonly ageMs: number;
  /** Everything that had ended at that reading of the monotonic clock is known. */
  isCurrent(asOf: number): void;
  onUp(listener: () => void): void;
  stop(): void;
}

/**
 * Goes up by the clock alone: a look at the table that hangs has no need to fail first, and a process that was suspended is
 * fenced the moment it wakes, before its timers run. The clock is the monotonic one, which nobody sets back.
 */
export function createFence({ afterMs, log }: { afterMs: number; log: Log }): Fence {
  // Nothing was read yet, and nobody is connected who would have to be sent away.
  let current = Number.NEGATIVE_INFINITY;
  let told = true;
  let timer: NodeJS.Timeout | undefined;
  const listeners: (() => void)[] = [];
  const leftMs = () => current + afterMs - performance.now();

  const watch = () => {
    const left = leftMs();
    // Timers fire a little early at times.
    if (left >= 0) timer = setTimeout(watch, left + 1).unref();
    else goUp();
  };
  const goUp = () => {
    told = true;
    log.error('which sessions have ended is not known any more; this node serves nobody', { afterMs });
    for (const listener of listeners) listener();
  };

  return {
    get isUp() {
      return leftMs() < 0;
    },
    get ageMs() {
      return performance.now() - current;
    },
    isCurrent(asOf) {
      current = asOf;
      if (leftMs() < 0 || !told) return;
      told = false;
      log.info('which sessions have ended is known; this node serves');
      watch();
    },
    onUp: (listener) => void listeners.push(listener),
    stop: () => clearTimeout(timer),
  };
}
