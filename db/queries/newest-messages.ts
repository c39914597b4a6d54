import type { ConversationId } from '../../contracts/ids.ts';
import type { Queryable } from '../client.ts';
import { type MessageRow, messageColumns } from './messages.ts';

/** The newest messages of several conversations, at most `limit` each, oldest first within each. */
export async function newestMessages(
  db: Queryable,
  conversations: readonly { id: ConversationId; joinedSeq: number }[],
  limit: number,
): Promise<MessageRow[]> {
  const { rows } = await db.query<MessageRow>({
    name: 'newest-messages',
    text: `
      select newest.* from unnest($1::uuid[], $2::bigint[]) as k(id, joined_seq)
      cross join lateral (
        select ${messageColumns('m')} from messages m where m.conversation_id = k.id and m.seq > k.joined_seq
        order by m.seq desc limit $3
      ) newest
      order by newest."conversationId", newest.seq`,
    values: [conversations.map(({ id }) => id), conversations.map(({ joinedSeq }) => joinedSeq), limit],
  });
  return rows;
}
