import type { DeliveryState } from '../../contracts/entities/index.ts';
import type { ConversationId, MessageId, UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import { deliveryOf } from '../../db/queries/members.ts';
import { readableMessage } from '../access/index.ts';
import { heldBackOf, unreachableOf } from '../attention/index.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';

/**
 * How far a message has come, for who wrote it: counts, and names where the conversation is small enough. Channels tell
 * no receipts at all; between two, one of whom has blocked the other, a message has come nowhere, as far as is told. Of an
 * urgent one it is told, too, whom it reaches later by their own rules, and whom on no channel.
 */
export async function messageReceipts(
  deps: Pick<Deps, 'db' | 'now' | 'ladder'>,
  actor: Actor,
  conversationId: ConversationId,
  id: MessageId,
): Promise<DeliveryState> {
  const { message, membership } = await readableMessage(deps.db, actor, conversationId, id, 'seeReceipts');
  if (message.senderId !== actor.userId) {
    throw new DomainError('forbidden', { detail: 'Only who wrote a message is told how far it has come.' });
  }
  const members = await deliveryOf(deps.db, membership, message.seq);
  const having = (what: 'delivered' | 'read'): UserId[] =>
    members.filter((member) => !membership.blocked && member[what]).map(({ userId }) => userId);
  const [deliveredTo, readBy] = [having('delivered'), having('read')];
  const isNamed = membership.memberCount <= limits.namedMembers;
  // By the recipients' own rules and devices, of which nothing else is told.
  const asEverybody = { ...deps, db: deps.db.asEverybody() };
  const waiting =
    isNamed && message.priority === 'urgent'
      ? {
          heldBack: await heldBackOf(asEverybody, { ...message, kind: membership.kind }),
          unreachable: await unreachableOf(asEverybody, message),
        }
      : {};
  return {
    seq: message.seq,
    recipients: members.length,
    delivered: deliveredTo.length,
    read: readBy.length,
    ...(isNamed ? { deliveredTo, readBy } : {}),
    ...waiting,
  };
}
