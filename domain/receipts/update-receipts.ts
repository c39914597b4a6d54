import type { Receipt } from '../../contracts/entities/index.ts';
import type { DomainEvent } from '../../contracts/events.ts';
import type { ConversationId } from '../../contracts/ids.ts';
import type { ReceiptUpdate } from '../../contracts/rest/read-state.ts';
import { lookAgain } from '../../db/queries/episodes.ts';
import { type ScreenReader, lookAtScreens } from '../../db/queries/screens.ts';
import { type MovedWatermark, type WatermarkMove, moveWatermarks } from '../../db/queries/members.ts';
import { screenLimits } from '../calling-off/index.ts';
import { tellsReceipts } from '../conversations/index.ts';
import type { Actor, Deps } from '../deps.ts';
import { notFound, overloaded } from '../errors.ts';
import { type Lane, createLane } from '../lane.ts';
import { tellMark } from './unread.ts';

const receiptLimits = {
  /** Watermarks in one statement. */
  maxBatch: 1_000,
  /** Watermarks that may wait in this process. */
  maxWaiting: 20_000,
  /** Milliseconds in which receipts are gathered: nobody waits for one, and a burst of them is one statement. */
  gatherMs: 100,
  /** Milliseconds from a reading to the nudge of the reader's episode: a burst of readings costs one wake-up. */
  nudgeDelayMs: 2_000,
};

/**
 * The lane of all receipts of this process: many members' watermarks move in one statement. What follows from a reading
 * for the reader's attention has a lane of its own, because it waits for that person's lock, and one person whose
 * attention is being decided must not hold up everybody's receipts.
 */
export function createReceiptLane({ db, log }: Pick<Deps, 'db' | 'log'>): Lane<WatermarkMove, MovedWatermark | null> {
  const nudges = createNudgeLane({ db, log });
  const lane = createLane<WatermarkMove, MovedWatermark | null>({
    maxBatch: receiptLimits.maxBatch,
    maxWaiting: receiptLimits.maxWaiting,
    onOverflow: () => overloaded,
    keyOf: ({ conversationId, userId }) => `${conversationId}${userId}`,
    // Several devices, or one that scrolls: the highest of what waits says it all.
    merge: (earlier, later) => ({
      ...earlier,
      deliveredSeq: Math.max(earlier.deliveredSeq, later.deliveredSeq),
      readSeq: Math.max(earlier.readSeq, later.readSeq),
      sessionId: earlier.sessionId === later.sessionId ? (later.sessionId ?? null) : null,
    }),
    gatherMs: receiptLimits.gatherMs,
    run: async (batch) => {
      const moved = await moveWatermarks({ query: (statement) => db.write(statement) }, batch);
      const byMember = new Map(moved.map((row) => [`${row.conversationId}${row.userId}`, row]));
      nudgeReaders(
        nudges,
        batch.filter(({ conversationId, userId }) => byMember.get(`${conversationId}${userId}`)?.hasRead),
      );
      return batch.map(({ conversationId, userId }) => byMember.get(`${conversationId}${userId}`) ?? null);
    },
  });
  return {
    push: (move) => lane.push(move),
    get waiting() {
      return lane.waiting;
    },
    idle: async () => {
      await lane.idle();
      await nudges.idle();
    },
  };
}

/** Who has read may have nothing unread any more: their episode is looked at soon instead of at its next step. */
function nudgeReaders(nudges: Lane<ScreenReader, true>, readings: readonly WatermarkMove[]): void {
  for (const { userId, conversationId, sessionId = null } of readings) {
    // The reading itself is stored; the workflow sees it at its next step all the same.
    nudges.push({ userId, conversationId, sessionId }).catch(() => undefined);
  }
}

function createNudgeLane({ db, log }: Pick<Deps, 'db' | 'log'>): Lane<ScreenReader, true> {
  return createLane({
    maxBatch: receiptLimits.maxBatch,
    maxWaiting: receiptLimits.maxWaiting,
    onOverflow: () => overloaded,
    run: async (readings) => {
      try {
        const readers = [...new Set(readings.map(({ userId }) => userId))];
        await lookAgain(db, readers, receiptLimits.nudgeDelayMs);
        await lookAtScreens(db, readings, screenLimits.delayMs);
      } catch (error) {
        log.warn('readers could not be marked for a look', { reason: (error as Error).message });
      }
      return readings.map(() => true as const);
    },
  });
}

/**
 * Moves the actor's watermarks forward and tells the members; a lower number changes and tells nothing. Whoever does not
 * tell how far they have read tells it their own devices only. So does everybody where no receipts are told, and where
 * the members are many: there a message's receipts are counted when they are asked for. Reading again what a mark by hand
 * stands at moves nothing and takes the mark away.
 */
export async function updateReceipts(
  deps: Pick<Deps, 'db' | 'moveWatermark' | 'publishLive'>,
  actor: Actor,
  conversationId: ConversationId,
  { deliveredSeq = 0, readSeq = 0 }: ReceiptUpdate,
): Promise<Receipt> {
  const { userId, sessionId } = actor;
  const row = await deps.moveWatermark({ conversationId, userId, sessionId, deliveredSeq, readSeq });
  if (!row) throw notFound();
  tellMoved(deps, [row]);
  // Where reading has moved, the devices see by that alone that the mark is gone.
  if (row.unmarked && !row.hasRead) await tellMark(deps, actor, conversationId);
  return receiptOf(row);
}

/** Moves that were told: what several devices asked for in the same moment is one move, which each of them answers with. */
const told = new WeakSet<MovedWatermark>();

/** Tells watermarks that have moved to whom they are told, each once. */
export function tellMoved({ publishLive }: Pick<Deps, 'publishLive'>, rows: readonly MovedWatermark[]): void {
  const news = rows.filter((row) => row.moved && !told.has(row));
  for (const row of news) told.add(row);
  if (news.length > 0) publishLive(news.flatMap(whatIsTold));
}

function whatIsTold(row: MovedWatermark): DomainEvent[] {
  const { userId, hasRead } = row;
  return [...receiptsTold(row, receiptOf(row)), ...(hasRead ? [{ type: 'unread.changed' as const, userId }] : [])];
}

function receiptOf({ conversationId, userId, deliveredSeq, readSeq, cameSeq }: MovedWatermark) {
  return { conversationId, userId, deliveredSeq, readSeq, cameSeq };
}

function receiptsTold(row: MovedWatermark, receipt: Receipt): DomainEvent[] {
  const { memberVersion, tellRead, hasReceived, conversationId } = row;
  const own = { type: 'receipts.own' as const, receipt };
  if (!tellsReceipts(row)) return [own];
  const moved = { type: 'receipts.moved' as const, conversationId, memberVersion };
  if (tellRead) return [{ ...moved, receipts: [receipt] }];
  // The moment at which somebody reads says that they have read.
  if (!hasReceived) return [own];
  return [{ ...moved, receipts: [{ ...receipt, readSeq: null }] }, own];
}
