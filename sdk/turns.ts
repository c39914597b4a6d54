import { HomingError } from './errors.ts';

/** What one conversation is to the person: how it is set, what is read of it, the mark. */
export const membershipOf = (conversationId: string): string => `membership/${conversationId}`;

/**
 * Of two things that are asked for about the same, the earlier must not arrive later: each begins once the one before it
 * has its outcome, whatever that is.
 */
export class Turns {
  readonly #asks: () => string | undefined;
  readonly #last = new Map<string, Promise<unknown>>();

  /** `asks` says who asks: what one person wanted is not asked for as another. */
  constructor(asks: () => string | undefined) {
    this.#asks = asks;
  }

  take<T>(about: string, work: () => Promise<T>): Promise<T> {
    const who = this.#asks();
    const begin = async () => {
      if (this.#asks() !== who) throw new HomingError('signed_out');
      return work();
    };
    const before = this.#last.get(about);
    const done = before ? before.then(begin, begin) : begin();
    this.#last.set(about, done);
    const forget = () => {
      if (this.#last.get(about) === done) this.#last.delete(about);
    };
    done.then(forget, forget);
    return done;
  }
}
