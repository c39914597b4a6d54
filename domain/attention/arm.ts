import type { UserId } from '../../contracts/ids.ts';
import type { Tx } from '../../db/client.ts';
import { type MemberPage, type StoredRange, armRecipients, sendersOf } from '../../db/queries/arming.ts';
import { type HereCall, memberIdAt, openCalls } from '../../db/queries/here-calls.ts';
import { type MovedWatermark, moveWatermarks } from '../../db/queries/members.ts';
import { type OutboxRow, claimOutbox, deleteOutbox, keepOutbox, moveOutbox } from '../../db/queries/outbox.ts';
import { type CallingEdit, keepLateCalls } from '../../db/queries/late-calls.ts';
import { recordLateLooks } from '../../db/queries/past-rules.ts';
import { type ScreenReader, lookAtScreens } from '../../db/queries/screens.ts';
import { screenLimits } from '../calling-off/index.ts';
import type { Deps } from '../deps.ts';
import { tellMoved, tellStandingMarks } from '../receipts/index.ts';
import { isAway, setAside } from '../set-aside.ts';
import { recordPresent } from './here-calls.ts';

const armLimits = {
  /** Outbox rows (ranges of messages) in one transaction. */
  ranges: 200,
  /** Members of one conversation who are called in one transaction: of more they come page by page. */
  people: 2_000,
};

type ArmDeps = Pick<Deps, 'db' | 'ladder' | 'log' | 'presences' | 'publishLive'>;

/**
 * The relay's rounds of arming attention for the recipients of what was stored. A round that fails is tried with half as
 * many rows, down to the one at fault, which is set aside: what cannot be done, and what is too much at once, holds up
 * nobody else. A round answers with how many rows were seen to.
 */
export function createArming(deps: ArmDeps): () => Promise<number> {
  let size = armLimits.ranges;
  return async () => {
    let rows: OutboxRow[] = [];
    let calls: HereCall[] = [];
    let read: MovedWatermark[] = [];
    try {
      await deps.db.transaction(async (tx) => {
        rows = await claimOutbox(tx, 'messages.stored', size);
        calls = await openCalls(tx, rows.flatMap(rangeOf));
        if (calls.length === 0) read = await armRows(tx, deps, rows);
      });
      await tellStandingMarks(deps, read);
      tellMoved(deps, read);
      // Asked for while nothing is held; the next round finds the answers, and arms what this one only looked at.
      for (const call of calls) await recordPresent(deps, call);
      size = Math.min(armLimits.ranges, size * 2);
    } catch (error) {
      size = await halve(deps, rows, error);
    }
    const readers = read.filter(({ hasRead }) => hasRead).map(asReader);
    if (readers.length > 0) await lookAtScreens(deps.db, readers, screenLimits.delayMs);
    return rows.length;
  };
}

/** How many rows the next round takes after these have failed. One that fails alone is the one at fault. */
async function halve(deps: ArmDeps, rows: readonly OutboxRow[], error: unknown): Promise<number> {
  const [row, ...others] = rows;
  if (row === undefined || isAway(error)) throw error;
  if (others.length === 0) await setAside(deps, row, error);
  return Math.ceil(rows.length / 2);
}

/** A page of it is done: whom the next one begins after. */
interface Progress {
  after: UserId;
}
const nobody = '00000000-0000-0000-0000-000000000000' as UserId;
const progressOf = ({ payload }: OutboxRow): UserId => (payload as Partial<Progress> | null)?.after ?? nobody;

/**
 * The relay's rounds for conversations of very many: the next page of the people whom messages of one of them call. A page
 * that fails is tried with half as many messages, as a round of `createArming` is.
 */
export function createArmingOfMany(deps: ArmDeps): () => Promise<number> {
  let size = armLimits.ranges;
  return async () => {
    let rows: OutboxRow[] = [];
    try {
      await deps.db.transaction(async (tx) => {
        rows = ofOnePage(await claimOutbox(tx, 'messages.stored.to_many', size));
        await armPage(tx, deps, rows);
      });
      size = Math.min(armLimits.ranges, size * 2);
    } catch (error) {
      size = await halve(deps, rows, error);
    }
    return rows.length > 0 ? 1 : 0;
  };
}

/** Those messages of the first one's conversation go together of which nobody, or everybody up to the same person, was called. */
function ofOnePage(claimed: readonly OutboxRow[]): OutboxRow[] {
  const [first] = claimed;
  if (!first) return [];
  return claimed.filter((row) => row.conversationId === first.conversationId && progressOf(row) === progressOf(first));
}

async function armPage(tx: Tx, deps: ArmDeps, rows: readonly OutboxRow[]): Promise<void> {
  const [first] = rows;
  if (!first) return;
  const { conversationId } = first;
  const after = progressOf(first);
  if (conversationId === null) return finish(tx, rows);
  const through = await memberIdAt(tx, conversationId, { after, n: armLimits.people });
  await call(tx, deps, rows, { after, through });
  if (through === undefined) return finish(tx, rows);
  for (const { id, payload } of rows)
    await keepOutbox(tx, id, { ...(payload as object | null), after: through } satisfies Progress);
}

/**
 * All of it is done or the rows stay: the senders' read marks are moved (who writes has read what they hold), the
 * recipients armed, the rows deleted; those that call too many at once are left to their own rounds. Answers with the marks.
 */
async function armRows(tx: Tx, deps: ArmDeps, rows: readonly OutboxRow[]): Promise<MovedWatermark[]> {
  if (rows.length === 0) return [];
  const [many, few] = [rows.filter(callsMany), rows.filter((row) => !callsMany(row))];
  const senders = await sendersOf(tx, rows.flatMap(rangeOf));
  const read = await moveWatermarks(
    tx,
    senders.map(({ seq, ...member }) => ({ ...member, deliveredSeq: seq, readSeq: seq, keepsMark: true })),
  );
  // Rules may have changed since the messages were stored: which of them counted is known by the time alone.
  const late = rows.filter((row) => row.late || row.payload !== null).flatMap(rangeOf);
  if (late.length > 0) await recordLateLooks(tx, late);
  if (many.length > 0) await moveOutbox(tx, many.map(idOf), 'messages.stored.to_many');
  await call(tx, deps, few);
  await finish(tx, few);
  return read;
}

const callsMany = ({ memberCount }: OutboxRow) => (memberCount ?? 0) > armLimits.people;
const idOf = ({ id }: OutboxRow) => id;

async function call(tx: Tx, { ladder }: ArmDeps, rows: readonly OutboxRow[], page?: MemberPage): Promise<void> {
  const ranges = rows.flatMap(rangeOf);
  if (ranges.length === 0) return;
  const { pushMs, realertGapMs, urgent } = ladder;
  await armRecipients(tx, ranges, { graceMs: pushMs, realertGapMs, urgentMs: urgent.pushMs }, page);
  const edits = rows.flatMap(editOf);
  if (edits.length > 0) await keepLateCalls(tx, edits, page);
}

async function finish(tx: Tx, rows: readonly OutboxRow[]): Promise<void> {
  if (rows.length > 0) await deleteOutbox(tx, rows.map(idOf));
}

/** Which version an edit replaced that calls somebody, and when: what a send calls for has no payload. */
function editOf({ conversationId, seqFrom: seq, payload, createdAt }: OutboxRow): CallingEdit[] {
  const { replaced, at } = (payload ?? {}) as { replaced?: number; at?: string };
  return conversationId === null || seq === null || replaced === undefined
    ? []
    : [{ conversationId, seq, replaced, at: at === undefined ? createdAt : new Date(at) }];
}

const rangeOf = ({ conversationId, seqFrom, seqTo }: OutboxRow): StoredRange[] =>
  conversationId === null || seqFrom === null || seqTo === null ? [] : [{ conversationId, seqFrom, seqTo }];

/** Which of their devices it was nobody knows any more. */
const asReader = ({ userId, conversationId }: MovedWatermark): ScreenReader => ({
  userId,
  conversationId,
  sessionId: null,
});
