import type { ConversationEvent, Member, Message, Snapshot } from '../../contracts/entities/index.ts';
import type { ConversationId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import { conversationsByIds } from '../../db/queries/conversations.ts';
import { membersOfAll } from '../../db/queries/members.ts';
import { newestMessages } from '../../db/queries/messages.ts';
import { scopesOf } from '../access/index.ts';
import { presentConversation, presentMember, tellsReceipts } from '../conversations/index.ts';
import type { Actor, Deps } from '../deps.ts';
import { presentMessage } from '../log/index.ts';

/** Messages that a snapshot brings of each conversation; older ones come by paging. */
export const snapshotMessages = 50;

/**
 * The state to start from, of several conversations in three statements. They run in one transaction with one snapshot
 * of the database, or a message could stand in the history without being counted in the version.
 */
export async function loadSnapshots(
  deps: Pick<Deps, 'db'>,
  actor: Actor,
  ids: readonly ConversationId[],
): Promise<Map<ConversationId, Snapshot>> {
  if (ids.length === 0) return new Map();
  return deps.db.transaction(async (tx) => {
    await tx.query({ text: 'set transaction isolation level repeatable read, read only', values: [] });
    const rows = await conversationsByIds(tx, actor.userId, ids);
    const scopes = scopesOf(
      actor,
      rows.map(({ id, joinedSeq }) => ({ conversationId: id, joinedSeq })),
    );
    const members = await membersOfAll(tx, scopes, limits.namedMembers);
    const messages = await newestMessages(tx, actor.userId, scopes, snapshotMessages);
    const of = <Row extends { conversationId: ConversationId }>(list: Row[], id: ConversationId) =>
      list.filter(({ conversationId }) => conversationId === id);
    return new Map(
      rows.map((row): [ConversationId, Snapshot] => [
        row.id,
        {
          conversation: presentConversation(row),
          members: of(members, row.id).map((member): Member => presentMember(member, tellsReceipts(row))),
          messages: of(messages, row.id).map((message): Message => presentMessage(message)),
        },
      ]),
    );
  });
}

/**
 * Whether entries lead the actor out of the conversation. Who is a member all the same has come back since: entry by entry
 * they would lose it midway, so what they may read now is sent whole.
 */
export const leadsOut = (events: readonly ConversationEvent[], { userId }: Pick<Actor, 'userId'>): boolean =>
  events.some(({ type, data }) => type === 'members.removed' && data.userIds.includes(userId));
