import type { Tx } from '../../db/client.ts';
import { type StoredRange, armRecipients, sendersOf } from '../../db/queries/arming.ts';
import { type HereCall, openCalls } from '../../db/queries/here-calls.ts';
import { type MovedWatermark, moveWatermarks } from '../../db/queries/members.ts';
import { type OutboxRow, claimOutbox, deleteOutbox } from '../../db/queries/outbox.ts';
import { recordLateLooks } from '../../db/queries/past-rules.ts';
import { type ScreenReader, lookAtScreens } from '../../db/queries/screens.ts';
import type { Deps } from '../deps.ts';
import { tellMoved } from '../receipts/index.ts';
import { recordPresent } from './here-calls.ts';
import { screenLimits } from './screens.ts';
import { isAway, setAside } from './set-aside.ts';

const armLimits = {
  /** Outbox rows (ranges of messages) in one transaction. */
  ranges: 200,
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
      tellMoved(deps, read);
      // Asked for while nothing is held; the next round finds the answers, and arms what this one only looked at.
      for (const call of calls) await recordPresent(deps, call);
      await lookAtScreens(deps.db, read.filter(({ hasRead }) => hasRead).map(asReader), screenLimits.delayMs);
      size = Math.min(armLimits.ranges, size * 2);
    } catch (error) {
      if (isAway(error)) throw error;
      const [row, ...others] = rows;
      if (row === undefined) throw error;
      if (others.length === 0) await setAside(deps, row, error);
      else size = Math.ceil(rows.length / 2);
    }
    return rows.length;
  };
}

/**
 * All of it is done or the rows stay: the senders' read marks are moved (who writes has read what they hold), the
 * recipients armed, the rows deleted. Answers with the marks.
 */
async function armRows(tx: Tx, { ladder }: ArmDeps, rows: readonly OutboxRow[]): Promise<MovedWatermark[]> {
  const ranges = rows.flatMap(rangeOf);
  let read: MovedWatermark[] = [];
  if (ranges.length > 0) {
    const senders = await sendersOf(tx, ranges);
    read = await moveWatermarks(
      tx,
      senders.map(({ seq, ...member }) => ({ ...member, deliveredSeq: seq, readSeq: seq, keepsMark: true })),
    );
    const { pushMs, realertGapMs, urgent } = ladder;
    await armRecipients(tx, ranges, { graceMs: pushMs, realertGapMs, urgentMs: urgent.pushMs });
  }
  // Rules may have changed since the messages were stored: which of them counted is known by the time alone.
  const late = rows.filter((row) => row.late || row.payload !== null).flatMap(rangeOf);
  if (late.length > 0) await recordLateLooks(tx, late);
  if (rows.length > 0)
    await deleteOutbox(
      tx,
      rows.map(({ id }) => id),
    );
  return read;
}

const rangeOf = ({ conversationId, seqFrom, seqTo }: OutboxRow): StoredRange[] =>
  conversationId === null || seqFrom === null || seqTo === null ? [] : [{ conversationId, seqFrom, seqTo }];

/** Which of their devices it was nobody knows any more. */
const asReader = ({ userId, conversationId }: MovedWatermark): ScreenReader => ({ userId, conversationId, sessionId: null });
