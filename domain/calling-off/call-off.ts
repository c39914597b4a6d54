import type { Reason } from '../../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Tx } from '../../db/client.ts';
import {
  type ArmedPlace,
  armedOf,
  callOffUnwanted,
  calledBetween,
  lockAttentions,
} from '../../db/queries/calling-off.ts';
import { type OutboxRow, claimOutbox, deleteOutbox, keepOutbox } from '../../db/queries/outbox.ts';
import { lookAtScreensOf, lookOnceAtScreens } from '../../db/queries/screens.ts';
import type { Deps } from '../deps.ts';
import { isAway, setAside } from '../set-aside.ts';
import { screenLimits } from './screen-limits.ts';

/** People looked at in one transaction: each of them is locked for as long as it takes. */
const peopleAtATime = 500;

/**
 * The step that ends at once what a rule has ended, in the transaction that made the rule: these people have muted, left,
 * blocked somebody or asked for less. What still calls for their attention stays.
 */
export async function callOff(
  tx: Tx,
  { now }: Pick<Deps, 'now'>,
  { userIds, conversationId = null }: { userIds: readonly UserId[]; conversationId?: ConversationId | null },
  reason: Reason,
): Promise<void> {
  // Whoever made the rule may see less than whom it concerns: who removes somebody need not read all that they could.
  await tx.asEverybody(async (all) => {
    await lockAttentions(all, userIds);
    const places = await armedOf(all, userIds, conversationId);
    if (places.length > 0) await callOffUnwanted(all, places, { reason, at: now() });
    for (const userId of userIds) await lookOnceAtScreens(all, userId, screenLimits.delayMs);
  });
}

type ChangeDeps = Pick<Deps, 'db' | 'now' | 'log'>;

/** A range of messages that says something else now, and why: what stands in the outbox. */
interface Change {
  reason: Reason;
  after?: UserId;
}

/**
 * The relay's round for messages that were deleted, that an edit made call for fewer people, or whose conversation is over:
 * they are taken out of what is armed and off the screens. A change of a large channel is seen to page by page.
 */
export async function applyChanges(deps: ChangeDeps): Promise<number> {
  let row: OutboxRow | undefined;
  try {
    await deps.db.transaction(async (tx) => {
      [row] = await claimOutbox(tx, 'messages.changed', 1);
      if (row) await applyChange(tx, deps, row);
    });
  } catch (error) {
    if (row === undefined || isAway(error)) throw error;
    await setAside(deps, row, error);
  }
  return row ? 1 : 0;
}

async function applyChange(tx: Tx, { now }: ChangeDeps, row: OutboxRow): Promise<void> {
  const { conversationId, seqFrom, seqTo } = row;
  if (conversationId === null || seqFrom === null || seqTo === null) return deleteOutbox(tx, [row.id]);
  const { reason, after = null } = row.payload as Change;
  const range = { conversationId, seqFrom, seqTo };
  const people: ArmedPlace[] = await calledBetween(tx, range, { after, limit: peopleAtATime });
  if (people.length > 0) {
    await lockAttentions(
      tx,
      people.map(({ userId }) => userId),
    );
    await callOffUnwanted(tx, people, { reason, at: now() });
  }
  const last = people.length === peopleAtATime ? people.at(-1) : undefined;
  if (last) return keepOutbox(tx, row.id, { reason, after: last.userId } satisfies Change);
  await lookAtScreensOf(tx, range, screenLimits.delayMs);
  await deleteOutbox(tx, [row.id]);
}
