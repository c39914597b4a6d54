import { fullJitter } from './backoff.ts';
import type { HomingError } from './errors.ts';
import type { ClientLimits } from './limits.ts';
import type { Surroundings } from './surroundings.ts';

/** The waiting between the tries of one and the same request. */
export class Patience {
  readonly #limits: ClientLimits;
  readonly #surroundings: Surroundings;
  #connected = new AbortController();
  #stopped = new AbortController();

  constructor(limits: ClientLimits, surroundings: Surroundings) {
    this.#limits = limits;
    this.#surroundings = surroundings;
  }

  /** For as long as the server asked for, else a random while that grows with the failures and ends with a new connection. */
  wait(failures: number, { retryAfterMs }: HomingError, over?: AbortSignal): Promise<void> {
    const { wait, random } = this.#surroundings;
    const ends = over ? [this.#stopped.signal, over] : [this.#stopped.signal];
    if (retryAfterMs !== undefined) return wait(retryAfterMs, AbortSignal.any(ends));
    return wait(fullJitter(failures, this.#limits, random), AbortSignal.any([...ends, this.#connected.signal]));
  }

  /** There is a connection again. */
  connected(): void {
    this.#connected.abort();
    this.#connected = new AbortController();
  }

  stop(): void {
    this.#stopped.abort();
    this.#stopped = new AbortController();
  }
}
