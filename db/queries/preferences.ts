import type { ConversationId, UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { Queryable } from '../client.ts';

export interface SwitchedConversation {
  id: ConversationId;
  /** Its title, or the name of the other one of two. */
  name: string;
  /** Whether mail is switched on or off for it; null: as in the account. */
  email: boolean | null;
}

/** The conversations that a mail told of, as far as its reader belongs to them still. */
export async function conversationsOfMail(
  db: Queryable,
  userId: UserId,
  attemptId: string,
): Promise<SwitchedConversation[]> {
  const { rows } = await db.query<SwitchedConversation>({
    name: 'conversations-of-mail',
    text: `
      select c.id, coalesce(c.title, other.name, '') as name, (m.channels->>'email')::boolean as email
      from attempts t
      cross join lateral (
        select (e.cover->>'conversationId')::uuid as conversation_id, min(e.nth) as nth
        from jsonb_array_elements(t.covers) with ordinality as e(cover, nth) group by 1
      ) k
      join conversations c on c.id = k.conversation_id and c.deleted_at is null
      join members m on m.conversation_id = c.id and m.user_id = $1 and m.left_at is null
      left join lateral (
        select u.display_name as name from members o join users u on u.id = o.user_id
        where c.kind = 'direct' and o.conversation_id = c.id and o.user_id <> m.user_id limit 1
      ) other on true
      where t.user_id = $1 and t.id = $2 and t.channel = 'email' order by k.nth limit ${limits.preferencesConversations}`,
    values: [userId, attemptId],
  });
  return rows;
}
