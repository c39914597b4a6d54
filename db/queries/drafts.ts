import type { ConversationId, MessageId, UserId } from '../../contracts/ids.ts';
import type { Queryable } from '../client.ts';

export interface DraftRow {
  conversationId: ConversationId;
  text: string;
  replyTo: MessageId | null;
  at: Date;
}

const columns = `conversation_id as "conversationId", text, reply_to as "replyTo", at`;

/**
 * Undefined where `replyTo` is no message of the conversation that the person may read, and nothing is kept then. Each writing has a moment of its own, in the milliseconds that clients see, so that it can be named by it: of two in the
 * same one, the later gets the next.
 */
export async function putDraft(
  db: Queryable,
  userId: UserId,
  draft: { conversationId: ConversationId; text: string; replyTo: MessageId | null },
): Promise<DraftRow | undefined> {
  const { rows } = await db.query<DraftRow>({
    name: 'put-draft',
    text: `insert into drafts (user_id, conversation_id, text, reply_to, at) select $1, $2, $3, $4::uuid, date_trunc('milliseconds', now())
      where $4::uuid is null or exists (
        select from members m join messages r on r.conversation_id = m.conversation_id and r.seq > m.joined_seq
        where m.conversation_id = $2 and m.user_id = $1 and r.id = $4)
      on conflict (user_id, conversation_id) do update set text = excluded.text, reply_to = excluded.reply_to,
        at = greatest(excluded.at, date_trunc('milliseconds', drafts.at) + interval '1 millisecond')
      returning ${columns}`,
    values: [userId, draft.conversationId, draft.text, draft.replyTo],
  });
  return rows[0];
}

/** `at`: only the one that was written then; null for whichever there is. */
export async function deleteDraft(
  db: Queryable,
  userId: UserId,
  conversationId: ConversationId,
  at: Date | null,
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'delete-draft',
    text: `delete from drafts where user_id = $1 and conversation_id = $2
      and ($3::timestamptz is null or date_trunc('milliseconds', at) = $3)`,
    values: [userId, conversationId, at],
  });
  return rowCount === 1;
}

export async function draftsOf(db: Queryable, userId: UserId): Promise<DraftRow[]> {
  const { rows } = await db.query<DraftRow>({
    name: 'drafts-of',
    text: `select ${columns} from drafts d where user_id = $1 and exists (
        select from members m where m.conversation_id = d.conversation_id and m.user_id = $1 and m.left_at is null)
      order by at desc, conversation_id`,
    values: [userId],
  });
  return rows;
}
