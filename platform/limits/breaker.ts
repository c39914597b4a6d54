const patience = 5;
const restMs = 5_000;

export interface Breaker {
  /** Whether Redis may be asked; of many who come while it was found wanting, one each five seconds. */
  mayAsk(): boolean;
  answered(): void;
  timedOut(): void;
}

/**
 * A Redis that is paused takes connections and answers nothing: each question would cost its whole timeout. After five of
 * them it is left alone for five seconds at a time.
 */
export function createBreaker({ now, onChange }: { now: () => number; onChange: (open: boolean) => void }): Breaker {
  let timeouts = 0;
  let restsUntil = 0;
  return {
    mayAsk() {
      if (timeouts < patience) return true;
      if (now() < restsUntil) return false;
      restsUntil = now() + restMs;
      return true;
    },
    answered() {
      if (timeouts >= patience) onChange(false);
      timeouts = 0;
    },
    timedOut() {
      timeouts += 1;
      if (timeouts < patience) return;
      restsUntil = now() + restMs;
      if (timeouts === patience) onChange(true);
    },
  };
}
