import { armRecipients, sendersOf } from '../../db/queries/arming.ts';
import { moveWatermarks } from '../../db/queries/members.ts';
import { claimOutbox, deleteOutbox } from '../../db/queries/outbox.ts';
import type { Deps } from '../deps.ts';

/** Outbox rows (ranges of messages) in one transaction of the relay. */
const maxRanges = 200;

/**
 * Arms attention for the recipients of what was stored: one transaction claims the outbox rows, moves the senders' read
 * marks (who writes has read), arms, and deletes the rows. It is all done or the rows stay. Answers with how many rows
 * were seen to.
 */
export async function armStored(deps: Pick<Deps, 'db' | 'ladder'>): Promise<number> {
  return deps.db.transaction(async (tx) => {
    const rows = await claimOutbox(tx, 'messages.stored', maxRanges);
    const ranges = rows.flatMap(({ conversationId, seqFrom, seqTo }) =>
      conversationId === null || seqFrom === null || seqTo === null ? [] : [{ conversationId, seqFrom, seqTo }],
    );
    if (ranges.length > 0) {
      const senders = await sendersOf(tx, ranges);
      const reads = senders.map(({ seq, ...member }) => ({ ...member, deliveredSeq: seq, readSeq: seq }));
      await moveWatermarks(tx, reads);
      await armRecipients(tx, ranges, { graceMs: deps.ladder.pushMs, realertGapMs: deps.ladder.realertGapMs });
    }
    if (rows.length > 0)
      await deleteOutbox(
        tx,
        rows.map(({ id }) => id),
      );
    return rows.length;
  });
}
