import type { ConversationId } from '../../contracts/ids.ts';
import type { Queryable } from '../../db/client.ts';
import { type ConversationRow, conversationOf } from '../../db/queries/conversations.ts';
import { type MembershipRow, membershipOf } from '../../db/queries/members.ts';
import type { Actor } from '../deps.ts';
import { notFound } from '../errors.ts';

/**
 * The guards: loading and permission are one act, and "not yours" looks exactly like "not there". Rows that a person may
 * touch are loaded through these only.
 */

/** The actor's membership of a conversation that they may read now. */
export async function readableMembership(db: Queryable, actor: Actor, id: ConversationId): Promise<MembershipRow> {
  const membership = await membershipOf(db, actor.userId, id);
  if (!membership) throw notFound();
  return membership;
}

/** The conversation as it is to the actor. */
export async function readableConversation(db: Queryable, actor: Actor, id: ConversationId): Promise<ConversationRow> {
  const conversation = await conversationOf(db, actor.userId, id);
  if (!conversation) throw notFound();
  return conversation;
}
