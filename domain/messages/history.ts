import type { Message } from '../../contracts/entities/index.ts';
import type { ConversationId, MessageId } from '../../contracts/ids.ts';
import type { MessagesQuery } from '../../contracts/rest/conversations.ts';
import { messageById, messagesPage } from '../../db/queries/messages.ts';
import { readableMembership } from '../access/index.ts';
import type { Actor, Deps } from '../deps.ts';
import { notFound } from '../errors.ts';
import { presentMessage } from './present.ts';

/** A page of the history, oldest first: before or after a seq, around one, or the newest. */
export async function listMessages(
  deps: Pick<Deps, 'db'>,
  actor: Actor,
  conversationId: ConversationId,
  { before, after, around, limit }: MessagesQuery,
): Promise<Message[]> {
  const { joinedSeq } = await readableMembership(deps.db, actor, conversationId);
  const page = (bounds: { before?: number; after?: number; limit: number }) =>
    messagesPage(deps.db, conversationId, joinedSeq, bounds);
  if (around === undefined) {
    const bounds = { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }), limit };
    return (await page(bounds)).map(presentMessage);
  }
  // The message itself belongs to the later half.
  const earlier = Math.floor((limit - 1) / 2);
  const later = await page({ after: around - 1, limit: limit - earlier });
  const older = earlier > 0 ? await page({ before: around, limit: earlier }) : [];
  return [...older, ...later].map(presentMessage);
}

export async function getMessage(
  deps: Pick<Deps, 'db'>,
  actor: Actor,
  conversationId: ConversationId,
  id: MessageId,
): Promise<Message> {
  const { joinedSeq } = await readableMembership(deps.db, actor, conversationId);
  const row = await messageById(deps.db, conversationId, id);
  if (!row || row.seq <= joinedSeq) throw notFound();
  return presentMessage(row);
}
