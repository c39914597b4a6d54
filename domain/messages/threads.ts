import type { Message } from '../../contracts/entities/index.ts';
import type { DomainEvent } from '../../contracts/events.ts';
import type { ConversationId, MessageId } from '../../contracts/ids.ts';
import type { FollowedThread, MessagesQuery, ThreadPatch } from '../../contracts/rest/messages.ts';
import { disarmReadInThreads } from '../../db/queries/armed.ts';
import { lockAttentions } from '../../db/queries/calling-off.ts';
import { lookAgain } from '../../db/queries/episodes.ts';
import { lookAtScreens } from '../../db/queries/screens.ts';
import { type FollowedThreadRow, threadOfMember, threadsPage, updateThreadMember } from '../../db/queries/threads.ts';
import { readAsMember, readableMessage, readableTo } from '../access/index.ts';
import { callOff, screenLimits } from '../calling-off/index.ts';
import { openCursor, sealCursor } from '../cursor.ts';
import type { Actor, Deps } from '../deps.ts';
import { faultyField, notFound } from '../errors.ts';
import { presentMessage } from '../log/index.ts';
import { pageAround } from './history.ts';

/** A page of the thread below a message, oldest first. */
export async function listReplies(
  deps: Pick<Deps, 'db'>,
  actor: Actor,
  conversationId: ConversationId,
  id: MessageId,
  query: MessagesQuery,
): Promise<Message[]> {
  // Root and page by one and the same membership: by two, somebody who came back between them read one by the other's.
  return readAsMember(deps.db, actor, conversationId, async (scope) => {
    const { seq, threadSeq } = await readableTo(deps.db, scope, id);
    // A reply stands for the thread that it is in.
    return pageAround(deps, scope, { ...query, threadSeq: threadSeq ?? seq });
  });
}

/**
 * Follows a thread or not, and moves the read mark in it forward; what that changes is told to the actor's own devices. A
 * thread that began before the actor's joining is out of reach, though replies in it may be read.
 */
export async function updateThread(
  deps: Pick<Deps, 'db' | 'now' | 'publishLive'>,
  actor: Actor,
  conversationId: ConversationId,
  id: MessageId,
  patch: ThreadPatch,
): Promise<FollowedThread> {
  const { message, membership } = await readableMessage(deps.db, actor, conversationId, id);
  const rootSeq = message.threadSeq ?? message.seq;
  if (rootSeq <= membership.joinedSeq) throw notFound();
  // No thread begins below a system line, so nothing of it can be followed.
  if (message.kind !== 'text')
    throw faultyField('messageId', 'not_found', 'names a system message, which begins no thread');
  const changed = await changeThread(deps, actor, { conversationId, rootSeq }, patch);
  const row = await threadOfMember(deps.db, membership, rootSeq);
  if (!row) throw notFound();
  const thread = presentThread(row);
  if (changed) deps.publishLive(whatIsTold(actor, thread));
  return thread;
}

/** What was read in a thread, or is not wanted of it, calls for nobody any more, wherever the reader is beside it. */
async function changeThread(
  deps: Pick<Deps, 'db' | 'now'>,
  { userId, sessionId }: Actor,
  { conversationId, rootSeq }: { conversationId: ConversationId; rootSeq: number },
  given: ThreadPatch,
): Promise<boolean> {
  // Who asks for all of a thread follows it: what calls for them must be unread somewhere.
  const patch = given.level === 'all' ? { ...given, following: true } : given;
  return deps.db.transaction(async (tx) => {
    if (!(await updateThreadMember(tx, userId, conversationId, rootSeq, patch))) return false;
    if (patch.readSeq !== undefined) {
      await lockAttentions(tx, [userId]);
      await disarmReadInThreads(tx, userId);
      await lookAtScreens(tx, [{ userId, conversationId, sessionId }], screenLimits.delayMs);
    }
    if (patch.level !== undefined || patch.following !== undefined)
      await callOff(tx, deps, { userIds: [userId], conversationId }, lessOf(patch));
    await lookAgain(tx, [userId], 0);
    return true;
  });
}

const lessOf = ({ level }: ThreadPatch) =>
  level === 'nothing' ? 'level_nothing' : level === 'mentions' ? 'level_mentions_only' : 'thread_not_followed';

function whatIsTold({ userId }: Actor, { root, ...standing }: FollowedThread): DomainEvent[] {
  const thread = { conversationId: root.conversationId, threadId: root.id, rootSeq: root.seq, ...standing };
  return [
    { type: 'thread.changed', userId, thread },
    { type: 'unread.changed', userId },
  ];
}

/** Threads that the actor follows, the latest written in first. */
export async function listThreads(
  deps: Pick<Deps, 'db' | 'mac'>,
  actor: Actor,
  conversationId: ConversationId,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
) {
  const list = `threads:${conversationId}`;
  const before = cursor === undefined ? undefined : Number(openCursor(deps, list, cursor)[0]);
  const rows = await readAsMember(deps.db, actor, conversationId, (scope) =>
    threadsPage(deps.db, scope, { before, limit: limit + 1 }),
  );
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(presentThread),
    nextCursor: rows.length > limit && last ? sealCursor(deps, list, [String(last.lastThreadSeq)]) : null,
  };
}

const presentThread = (row: FollowedThreadRow): FollowedThread => ({
  root: presentMessage(row),
  following: row.following,
  level: row.level,
  readSeq: row.threadReadSeq,
  unread: row.unread,
  mentions: row.unreadMentions,
});
