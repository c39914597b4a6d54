import { type OpenWire, openSocket } from './wire.ts';

/** What the client takes from where it runs: tests, and unusual places, give their own. */
export interface Surroundings {
  /** Milliseconds since 1970. */
  now: () => number;
  /** From zero to below one, for the jitter. */
  random: () => number;
  /** Resolves after so many milliseconds, or as soon as the signal is aborted. */
  wait: (ms: number, signal?: AbortSignal) => Promise<void>;
  fetch: typeof fetch;
  open: OpenWire;
}

export const surroundings: Surroundings = {
  now: () => Date.now(),
  random: () => Math.random(),
  wait,
  // Called without its `this`, a browser's fetch refuses.
  fetch: (...request) => fetch(...request),
  open: openSocket,
};

/** Waits for some work, and no longer than so many milliseconds. */
export async function atMost(ms: number, work: Promise<unknown>, { wait }: Pick<Surroundings, 'wait'>): Promise<void> {
  const done = new AbortController();
  await Promise.race([work.finally(() => done.abort()), wait(ms, done.signal)]);
}

function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}
