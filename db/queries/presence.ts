import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Queryable } from '../client.ts';

export interface VisiblePerson {
  userId: UserId;
  lastSeenAt: Date | null;
}

/**
 * Other members who let the person see when they are connected. Contacts are whom one has written to in a direct
 * conversation: a stranger who begins one has not become a contact by that.
 */
export async function peopleInView(
  db: Queryable,
  viewer: UserId,
  conversationId: ConversationId,
): Promise<VisiblePerson[]> {
  const { rows } = await db.query<VisiblePerson>({
    name: 'people-in-view',
    text: `
      select u.id as "userId", u.last_seen_at as "lastSeenAt" from members m join users u on u.id = m.user_id
      where m.conversation_id = $2 and m.left_at is null and m.user_id <> $1
        and (u.tell_last_seen = 'everyone' or u.tell_last_seen = 'contacts' and exists (
          select from conversation_keys k join messages g on g.conversation_id = k.conversation_id and g.sender_id = u.id
          where k.key = 'direct:' || least(u.id::text, $1::text) || ':' || greatest(u.id::text, $1::text)))
        and not exists (select from blocks b where b.user_id = u.id and b.blocked_id = $1)
      order by u.id`,
    values: [viewer, conversationId],
  });
  return rows;
}

export async function markSeen(db: Queryable, userIds: readonly UserId[]): Promise<void> {
  await db.query({
    name: 'mark-seen',
    text: `
      with seen as (select id from users where id = any($1::uuid[]) order by id for no key update)
      update users u set last_seen_at = now() from seen s where u.id = s.id`,
    values: [userIds],
  });
}
