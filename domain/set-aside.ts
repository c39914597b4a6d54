import { isCancelled, isRetryable, isUnavailable } from '../db/errors.ts';
import { type OutboxRow, postponeOutbox } from '../db/queries/outbox.ts';
import type { Deps } from './deps.ts';

/** Milliseconds that a row of the outbox waits which cannot be done: at first, and at most. */
const aside = { ms: 10_000, maxMs: 3_600_000 };

/** The rows are not at fault. A statement that took too long is another matter: fewer rows may be quick enough. */
export const isAway = (error: unknown): boolean => isRetryable(error) || (isUnavailable(error) && !isCancelled(error));

/** It comes again, each time later; a person is told once. */
export async function setAside(
  { db, log }: Pick<Deps, 'db' | 'log'>,
  { id, topic, conversationId, tries }: OutboxRow,
  error: unknown,
): Promise<void> {
  const delay = Math.min(aside.maxMs, aside.ms * 2 ** Math.min(tries, 20));
  if (tries === 0)
    log.error('what is owed for a message could not be done; it is set aside', {
      ...{ outboxId: id, topic, conversationId, error },
    });
  await db.transaction((tx) => postponeOutbox(tx, [id], delay));
}
