import { condition, defineSignal, setHandler } from '@temporalio/workflow';

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
      const ms = Math.max(0, Date.parse(instant) - Date.now());
      if (ms > 0) await condition(() => pulled, ms);
      pulled = false;
    },
  };
}
