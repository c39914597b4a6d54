import type { DomainEvent } from '../contracts/events.ts';
import type { Tx } from '../db/client.ts';
import { isRetryable } from '../db/errors.ts';
import type { Deps } from './deps.ts';

/** Tries of a transaction that lost against another one. */
const maxTries = 3;

/**
 * Runs a command's work in one transaction, commits, and then tells what happened, in this order only: nothing is told
 * that was not stored. What must not be lost if the process ends between the two goes to the outbox inside the work.
 */
export async function commit<T>(
  deps: Pick<Deps, 'db' | 'publishLive'>,
  work: (tx: Tx) => Promise<{ value: T; events?: readonly DomainEvent[] }>,
): Promise<T> {
  const { value, events = [] } = await retrying(() => deps.db.transaction(work));
  if (events.length > 0) deps.publishLive(events);
  return value;
}

/** A deadlock or serialization failure took nothing into effect, so the whole work may simply run again. */
async function retrying<T>(run: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await run();
    } catch (error) {
      if (tried >= maxTries || !isRetryable(error)) throw error;
    }
  }
}
