import type { Message } from '../../contracts/entities/index.ts';
import type { ConversationId, MessageId } from '../../contracts/ids.ts';
import type { MessagesQuery } from '../../contracts/rest/messages.ts';
import { messagesPage } from '../../db/queries/messages.ts';
import { type ReadScope, readAsMember, readableMessage } from '../access/index.ts';
import type { Actor, Deps } from '../deps.ts';
import { presentMessage } from '../log/index.ts';

/** A page of the history, oldest first: before or after a seq, around one, or the newest. */
export async function listMessages(
  deps: Pick<Deps, 'db'>,
  actor: Actor,
  conversationId: ConversationId,
  query: MessagesQuery,
): Promise<Message[]> {
  return readAsMember(deps.db, actor, conversationId, (scope) => pageAround(deps, scope, query));
}

/** The same of what may be a thread. */
export async function pageAround(
  deps: Pick<Deps, 'db'>,
  scope: ReadScope,
  { before, after, around, limit, threadSeq }: MessagesQuery & { threadSeq?: number },
): Promise<Message[]> {
  const page = (bounds: { before?: number | undefined; after?: number | undefined; limit: number }) =>
    messagesPage(deps.db, scope, { ...bounds, threadSeq });
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
