import type { ConnectionState } from './connection.ts';
import { HomingError, type HomingErrorCode, isUnknown, toHomingError } from './errors.ts';
import type { ClientLimits } from './limits.ts';
import type { Patience } from './patience.ts';
import type { Surroundings } from './surroundings.ts';

export interface InsistOptions {
  limits: ClientLimits;
  surroundings: Surroundings;
  patience: Patience;
  /** Who asks: what one person wanted is not asked for as another. */
  asks: () => string | undefined;
  connection: () => ConnectionState;
}

/** How a repeat is refused by whom was removed since: the try before may have been done while they still belonged to it. */
const loses: ReadonlySet<HomingErrorCode> = new Set(['not_found', 'forbidden']);

/** Repeats what may be repeated while its outcome is not known, for as long as one answer may take. */
export type Insist = <T>(work: () => Promise<T>) => Promise<T>;

export function createInsist({ limits, surroundings, patience, asks, connection }: InsistOptions): Insist {
  return async (work) => {
    const [end, who] = [surroundings.now() + limits.answerMs, asks()];
    for (let failures = 0; ; failures += 1) {
      if (asks() !== who) throw new HomingError('signed_out');
      try {
        return await work();
      } catch (thrown) {
        const error = toHomingError(thrown);
        const over = surroundings.now() + (error.retryAfterMs ?? 0) >= end || connection().state === 'stopped';
        if (failures > 0 && loses.has(error.code)) throw new HomingError('outcome_unknown', { cause: error });
        if (over || !isUnknown(error)) throw error;
        await patience.wait(failures, error);
      }
    }
  };
}

/**
 * The same for what takes something away: where a repeat finds nothing, an earlier try has taken it. `done` is the code by
 * which the server says so.
 */
export async function insistGone(
  insist: Insist,
  work: () => Promise<unknown>,
  done: HomingErrorCode = 'not_found',
): Promise<void> {
  let tries = 0;
  await insist(async () => {
    tries += 1;
    try {
      await work();
    } catch (thrown) {
      if (tries === 1 || toHomingError(thrown).code !== done) throw thrown;
    }
  });
}
