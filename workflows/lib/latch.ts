import { condition, defineSignal, setHandler } from '@temporalio/workflow';

/** Milliseconds that a wait takes at least: the clock that named the instant may be behind the server's. */
const shortestWaitMs = 1_000;

/** A signal that carries nothing: it may come twice, late or not at all, and only ever changes when we look again. */
export function latch(name: string) {
  let pulled = false;
  setHandler(defineSignal(name), () => {
    pulled = true;
  });
  return {
    pull: () => {
      pulled = true;
    },
    /** Waits for the signal, at most until the instant; a signal that came before counts. Then it is ready again. */
    async orUntil(instant: string): Promise<void> {
      await condition(() => pulled, Math.max(shortestWaitMs, Date.parse(instant) - Date.now()));
      pulled = false;
    },
  };
}
