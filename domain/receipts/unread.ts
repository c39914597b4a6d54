import type { MyMembership, UnreadCounts } from '../../contracts/entities/index.ts';
import type { ConversationId } from '../../contracts/ids.ts';
import type { UnreadOverview } from '../../contracts/rest/read-state.ts';
import { type MovedWatermark, setUnreadMark as storeMark, unreadOf } from '../../db/queries/members.ts';
import { readableConversation } from '../access/index.ts';
import { membershipChanged, presentConversation } from '../conversations/index.ts';
import type { Actor, Deps } from '../deps.ts';
import { notFound } from '../errors.ts';

/** What the actor has not read, in all and by conversation; in the threads that they follow it is counted apart. */
export async function getUnread(deps: Pick<Deps, 'db'>, actor: Pick<Actor, 'userId'>): Promise<UnreadOverview> {
  const rows = await unreadOf(deps.db, actor.userId);
  const conversations = rows.map(({ muted: _, threadsUnread: unread, threadsMentions: mentions, ...row }) => ({
    ...row,
    threads: { unread, mentions },
  }));
  return {
    ...inAll(conversations),
    threads: inAll(conversations.map(({ threads }) => threads)),
    badge: rows.filter(({ muted }) => !muted).length,
    conversations,
  };
}

const inAll = (counts: readonly UnreadCounts[]): UnreadCounts => ({
  unread: counts.reduce((sum, { unread }) => sum + unread, 0),
  mentions: counts.reduce((sum, { mentions }) => sum + mentions, 0),
});

/** A mark of the actor's own, for going on reading later: it moves no watermark and calls nobody's attention. */
export async function setUnreadMark(
  deps: Pick<Deps, 'db' | 'publishLive'>,
  actor: Actor,
  id: ConversationId,
  seq: number | null,
): Promise<MyMembership> {
  if (!(await storeMark(deps.db, actor.userId, id, seq))) throw notFound();
  return tellMark(deps, actor, id);
}

/**
 * Tells the devices of who has read on by writing that their mark by hand stands: where reading moves, devices take one
 * away. Told before the move, for a mark is of after the reading that it names.
 */
export async function tellStandingMarks(
  deps: Pick<Deps, 'db' | 'publishLive' | 'log'>,
  moved: readonly MovedWatermark[],
): Promise<void> {
  for (const row of moved.filter(({ hasRead, isMarked }) => hasRead && isMarked)) {
    // The devices ask by themselves for what was not told; whoever has gone meanwhile has no mark.
    await tellMark(deps, row, row.conversationId).catch((error: Error) =>
      deps.log.warn('a mark by hand could not be told', { reason: error.message }),
    );
  }
}

/** Tells all devices of the actor's how the mark stands, and answers with what the conversation is to them. */
export async function tellMark(
  deps: Pick<Deps, 'db' | 'publishLive'>,
  actor: Pick<Actor, 'userId'>,
  id: ConversationId,
): Promise<MyMembership> {
  const { me } = presentConversation(await readableConversation(deps.db, actor, id));
  deps.publishLive([membershipChanged(actor.userId, id, me), { type: 'unread.changed', userId: actor.userId }]);
  return me;
}
