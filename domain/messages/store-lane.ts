import { placeOf } from '../../contracts/ids.ts';
import { OutcomeUnknown, type Db } from '../../db/client.ts';
import { isRetryable, isUnavailable, isUniqueViolation } from '../../db/errors.ts';
import { type NewMessageRow, type StoreResult, storeMessages } from '../../db/queries/store-messages.ts';
import { sendRights } from '../access/index.ts';
import { DomainError } from '../errors.ts';
import { type Lane, createLanes } from '../lane.ts';

export const sendLimits = {
  /** Statements under way at once in this process: a third one gained nothing. */
  lanes: 2,
  /** Messages in one statement: at 1,024 the 99th percentile grows to 90 ms while the throughput stays flat. */
  maxBatch: 256,
  /**
   * Messages that may wait in one lane, four batches of ten to thirty milliseconds; beyond, more comes than can be stored.
   * Whoever is refused at once can come back, while a longer queue would only make everybody late. By count and not by
   * time: in a busy process those who wait are old before it comes to them, and all would be refused.
   */
  maxWaiting: 1_024,
  /** Times that a message is tried again because membership changed under it. */
  maxStaleTries: 5,
  /** Times that a batch is tried again because of a race with another process. */
  maxRaceTries: 3,
};

/** The lanes of all sends of this process: concurrent messages share one statement and one commit. */
export function createStoreLane(db: Db): Lane<NewMessageRow, StoreResult> {
  return createLanes(sendLimits.lanes, ({ conversationId }) => placeOf(conversationId), {
    maxBatch: sendLimits.maxBatch,
    maxWaiting: sendLimits.maxWaiting,
    onOverflow: () => new DomainError('overloaded', { retryAfterMs: 1_000 }),
    // A repeat in the same batch would collide with its first; in the next one it is recognised.
    keyOf: ({ conversationId, senderId, clientId }) => `${conversationId}${senderId}${clientId}`,
    run: (batch) => storeAll(db, batch),
  });
}

/** Stores the batch; those whose membership check went stale are tried again. */
async function storeAll(db: Db, batch: readonly NewMessageRow[]): Promise<(StoreResult | Error)[]> {
  const results: (StoreResult | Error)[] = await storeOrSplit(db, batch);
  for (let tried = 0; tried < sendLimits.maxStaleTries; tried += 1) {
    const places = staleOnes(results);
    if (places.length === 0) return results;
    const again = await storeOrSplit(
      db,
      places.map((place) => batch[place] as NewMessageRow),
    );
    places.forEach((place, index) => {
      results[place] = again[index] as StoreResult | Error;
    });
  }
  for (const place of staleOnes(results)) results[place] = new DomainError('unavailable', { retryAfterMs: 1_000 });
  return results;
}

function staleOnes(results: readonly (StoreResult | Error)[]): number[] {
  return results.flatMap((result, place) => (!(result instanceof Error) && result.status === 'stale' ? [place] : []));
}

/**
 * One bad message must never fail its neighbours: a batch that PostgreSQL refuses is split until the refused message
 * stands alone. A batch whose fate is unknown is not: each of its messages may have been stored.
 */
async function storeOrSplit(db: Db, batch: readonly NewMessageRow[]): Promise<(StoreResult | Error)[]> {
  try {
    return await storeInOrder(db, batch);
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    if (batch.length === 1 || failure instanceof OutcomeUnknown || isUnavailable(failure))
      return batch.map(() => failure);
    const middle = Math.ceil(batch.length / 2);
    return [...(await storeOrSplit(db, batch.slice(0, middle))), ...(await storeOrSplit(db, batch.slice(middle)))];
  }
}

/**
 * A unique violation means that another process stored one of these clientIds at the same moment, a deadlock that it
 * locked in our way; nothing of ours was stored, and run again the statement sees what the other one did.
 */
async function storeInOrder(db: Db, batch: readonly NewMessageRow[]): Promise<StoreResult[]> {
  for (let tried = 1; ; tried += 1) {
    try {
      const results = await storeMessages(db, batch, sendRights);
      return results.sort((a, b) => a.place - b.place);
    } catch (error) {
      const lostRace = isUniqueViolation(error, 'messages_once') || isRetryable(error);
      if (!lostRace || tried >= sendLimits.maxRaceTries) throw error;
    }
  }
}
