import { placeOf } from '../../contracts/ids.ts';
import { OutcomeUnknown, type Db } from '../../db/client.ts';
import { isRetryable, isUnavailable, isUniqueViolation } from '../../db/errors.ts';
import { type NewMessageRow, type StoreResult, storeMessages } from '../../db/queries/store-messages.ts';
import { sendRights } from '../access/index.ts';
import { DomainError, overloaded } from '../errors.ts';
import { type Lane, createLanes } from '../lane.ts';
import { storeUrgent } from './store-urgent.ts';

export const sendLimits = {
  /** Statements under way at once in this process: a third one gained nothing. */
  lanes: 2,
  /** Urgent messages under way at once in this process, each on a connection that everything else needs too. */
  urgentLanes: 2,
  /** Messages in one statement: at 1,024 the 99th percentile grows to 90 ms while the throughput stays flat. */
  maxBatch: 256,
  /**
   * Messages that may wait in all lanes together, one batch of ten to thirty milliseconds for each; beyond, more comes than
   * can be stored. Whoever is refused at once can come back, while a longer queue would only make everybody late. By count and
   * not by time: in a busy process those who wait are old before it comes to them, and all would be refused.
   */
  maxWaiting: 512,
  /** Times that a message is tried again because membership changed under it. */
  maxStaleTries: 5,
  /** Times that a batch is tried again because of a race with another process. */
  maxRaceTries: 3,
};

interface StoreLane extends Lane<NewMessageRow, StoreResult> {
  /** No plain message may wait any more: the next is refused, before anything is spent on it. */
  readonly full: boolean;
}
/** Stores a batch; results in any order. */
type Store = (batch: readonly NewMessageRow[]) => Promise<StoreResult[]>;

/**
 * The lanes of all sends of this process. Urgent ones go beside the others, on other connections: what their budget costs,
 * and whoever waits for it, holds up no plain message.
 */
export function createStoreLane(sends: Db, db: Db = sends): StoreLane {
  const plain = createPlainLanes(sends);
  const urgent = createUrgentLanes(db);
  return {
    push: (row) => (row.priority === 'urgent' ? urgent : plain).push(row),
    get waiting() {
      return plain.waiting + urgent.waiting;
    },
    get full() {
      return plain.waiting >= sendLimits.maxWaiting;
    },
    idle: async () => void (await Promise.all([plain.idle(), urgent.idle()])),
  };
}

const shared = { maxWaiting: sendLimits.maxWaiting, onOverflow: () => overloaded };

/** Concurrent messages share one statement and one commit. */
const createPlainLanes = (db: Db): Lane<NewMessageRow, StoreResult> =>
  createLanes(sendLimits.lanes, ({ conversationId }: NewMessageRow) => placeOf(conversationId), {
    ...shared,
    maxBatch: sendLimits.maxBatch,
    // A repeat in the same batch would collide with its first; in the next one it is recognised.
    keyOf: ({ conversationId, senderId, clientId }) => `${conversationId}${senderId}${clientId}`,
    run: (batch) => storeAll((some) => storeMessages(db, some, sendRights), batch),
  });

/** One by one: a batch would hold the budgets of all its senders until the last is through. */
const createUrgentLanes = (db: Db): Lane<NewMessageRow, StoreResult> =>
  createLanes(sendLimits.urgentLanes, ({ senderId }: NewMessageRow) => placeOf(senderId), {
    ...shared,
    maxBatch: 1,
    run: (batch) => storeAll((some) => storeUrgent(db, some), batch),
  });

/** Stores the batch; those whose membership check went stale are tried again. */
async function storeAll(store: Store, batch: readonly NewMessageRow[]): Promise<(StoreResult | Error)[]> {
  const results: (StoreResult | Error)[] = await storeOrSplit(store, batch);
  for (let tried = 0; tried < sendLimits.maxStaleTries; tried += 1) {
    const places = staleOnes(results);
    if (places.length === 0) return results;
    const again = await storeOrSplit(
      store,
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
async function storeOrSplit(store: Store, batch: readonly NewMessageRow[]): Promise<(StoreResult | Error)[]> {
  try {
    return await storeInOrder(store, batch);
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    if (batch.length === 1 || failure instanceof OutcomeUnknown || isUnavailable(failure))
      return batch.map(() => failure);
    const middle = Math.ceil(batch.length / 2);
    return [
      ...(await storeOrSplit(store, batch.slice(0, middle))),
      ...(await storeOrSplit(store, batch.slice(middle))),
    ];
  }
}

/**
 * A unique violation means that another process stored one of these clientIds at the same moment, a deadlock that it
 * locked in our way; nothing of ours was stored, and run again the statement sees what the other one did.
 */
async function storeInOrder(store: Store, batch: readonly NewMessageRow[]): Promise<StoreResult[]> {
  for (let tried = 1; ; tried += 1) {
    try {
      const results = await store(batch);
      return results.sort((a, b) => a.place - b.place);
    } catch (error) {
      const lostRace = isUniqueViolation(error, 'messages_once') || isRetryable(error);
      if (!lostRace || tried >= sendLimits.maxRaceTries) throw error;
    }
  }
}
