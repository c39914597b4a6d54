import type { Message } from '../../contracts/entities/index.ts';
import type { ConversationId, MessageId } from '../../contracts/ids.ts';
import type { MessagesQuery } from '../../contracts/rest/messages.ts';
import { messagesPage } from '../../db/queries/messages.ts';
import { readAsMember, readableMessage } from '../access/index.ts';
import type { Actor, Deps } from '../deps.ts';
import { presentMessage } from '../log/index.ts';

/** A page of the history, oldest first: before or after a seq, around one, or the newest. */
export async function listMessages(
  deps: Pick<Deps, 'db'>,
  actor: Actor,
  conversationId: ConversationId,
  query: MessagesQuery,
): Promise<Message[]> {
  return readAsMember(deps.db, actor, conversationId, ({ joinedSeq }) =>
    pageAround(deps, actor, { conversationId, joinedSeq }, query),
  );
}

/** The same of what may be a thread. */
export async function pageAround(
  deps: Pick<Deps, 'db'>,
  actor: Actor,
  place: Parameters<typeof messagesPage>[2],
  { before, after, around, limit }: MessagesQuery,
): Promise<Message[]> {
  const page = (bounds: { before?: number | undefined; after?: number | undefined; limit: number }) =>
    messagesPage(deps.db, actor.userId, place, bounds);
  if (around === undefined) return (await page({ before, after, limit })).map(presentMessage);
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
  return presentMessage((await readableMessage(deps.db, actor, conversationId, id)).message);
}
