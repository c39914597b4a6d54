import type { ConversationId, UserId } from '../../contracts/ids.ts';
import { unreachedBy } from '../../db/queries/unreached.ts';
import { unreadRecipients } from '../../db/queries/unread-recipients.ts';
import type { Deps } from '../deps.ts';

/**
 * Who could be told of an urgent message on no channel: its sender may ask them in another way. Not why, and nobody who
 * is no longer owed it, as far as its sender is told: what else takes a name away is nobody's business.
 */
export async function unreachableOf(
  { db }: Pick<Deps, 'db'>,
  message: { conversationId: ConversationId; seq: number },
): Promise<UserId[]> {
  const unreached = new Set(await unreachedBy(db, message));
  if (unreached.size === 0) return [];
  const recipients = await unreadRecipients(db, message);
  return recipients.flatMap(({ userId }) => (unreached.has(userId) ? [userId] : []));
}
