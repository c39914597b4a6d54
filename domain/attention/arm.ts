import type { Tx } from '../../db/client.ts';
import { isCancelled, isRetryable, isUnavailable } from '../../db/errors.ts';
import { type StoredRange, armRecipients, sendersOf } from '../../db/queries/arming.ts';
import { type HereCall, openCalls } from '../../db/queries/here-calls.ts';
import { type MovedWatermark, moveWatermarks } from '../../db/queries/members.ts';
import { type OutboxRow, claimOutbox, deleteOutbox, postponeOutbox } from '../../db/queries/outbox.ts';
import type { Deps } from '../deps.ts';
import { tellMoved } from '../receipts/index.ts';
import { recordPresent } from './here-calls.ts';

const armLimits = {
  /** Outbox rows (ranges of messages) in one transaction. */
  ranges: 200,
  /** Milliseconds that a row waits which cannot be done: at first, and at most. */
  asideMs: 10_000,
  asideMaxMs: 3_600_000,
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

/** The rows are not at fault. A statement that took too long is another matter: fewer rows may be quick enough. */
const isAway = (error: unknown) => isRetryable(error) || (isUnavailable(error) && !isCancelled(error));

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
  if (rows.length > 0)
    await deleteOutbox(
      tx,
      rows.map(({ id }) => id),
    );
  return read;
}

const rangeOf = ({ conversationId, seqFrom, seqTo }: OutboxRow): StoredRange[] =>
  conversationId === null || seqFrom === null || seqTo === null ? [] : [{ conversationId, seqFrom, seqTo }];

/** It comes again, each time later; a person is told once. */
async function setAside({ db, log }: ArmDeps, { id, conversationId, tries }: OutboxRow, error: unknown): Promise<void> {
  const delay = Math.min(armLimits.asideMaxMs, armLimits.asideMs * 2 ** Math.min(tries, 20));
  if (tries === 0)
    log.error('a stored message could not be armed; it is set aside', { outboxId: id, conversationId, error });
  await db.transaction((tx) => postponeOutbox(tx, [id], delay));
}
