import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Queryable } from '../client.ts';

export interface VisiblePerson {
  userId: UserId;
  lastSeenAt: Date | null;
}

/** Somebody looks at a conversation. */
export interface View {
  viewer: UserId;
  conversationId: ConversationId;
}

/**
 * For each of these views the other members who let the viewer see when they are connected; nobody where the viewer is no
 * member, in channels and where the members are too many. Contacts are whom one has written to in a direct conversation: a
 * stranger who begins one has not become a contact by that, nor by a line that says what one has pinned. The limit has one view looked up after another.
 */
export async function peopleInViews(
  db: Queryable,
  views: readonly View[],
  maxMembers: number,
): Promise<VisiblePerson[][]> {
  const { rows } = await db.query<VisiblePerson & { n: number }>({
    name: 'people-in-views',
    text: `
      select v.n::int as n, p.id as "userId", p.last_seen_at as "lastSeenAt"
      from unnest($1::uuid[], $2::uuid[]) with ordinality as v(viewer, conversation_id, n)
      cross join lateral (
        select u.id, u.last_seen_at from conversations c
        join members mine on mine.conversation_id = c.id and mine.user_id = v.viewer and mine.left_at is null
        join members m on m.conversation_id = c.id and m.user_id <> v.viewer and m.left_at is null
        join users u on u.id = m.user_id
        where c.id = v.conversation_id and c.kind <> 'channel' and c.member_count <= $3
          and (u.tell_last_seen = 'everyone' or u.tell_last_seen = 'contacts' and exists (
            select from conversation_keys k
            join messages g on g.conversation_id = k.conversation_id and g.sender_id = u.id and g.kind = 'text'
            where k.key = 'direct:' || least(u.id::text, v.viewer::text) || ':' || greatest(u.id::text, v.viewer::text)))
          and not exists (select from blocks b where b.user_id = u.id and b.blocked_id = v.viewer)
        limit $3) as p
      order by v.n, p.id`,
    values: [views.map(({ viewer }) => viewer), views.map(({ conversationId }) => conversationId), maxMembers],
  });
  const people = Map.groupBy(rows, ({ n }) => n);
  return views.map((_, index) =>
    (people.get(index + 1) ?? []).map(({ userId, lastSeenAt }) => ({ userId, lastSeenAt })),
  );
}

/** Those of these conversations that any of these people belongs to. */
export async function conversationsWith(
  db: Queryable,
  userIds: readonly UserId[],
  among: readonly ConversationId[],
): Promise<ConversationId[]> {
  const { rows } = await db.query<{ id: ConversationId }>({
    name: 'conversations-with',
    text: `
      select distinct conversation_id as id from members
      where user_id = any($1::uuid[]) and conversation_id = any($2::uuid[]) and left_at is null`,
    values: [userIds, among],
  });
  return rows.map(({ id }) => id);
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

/** The same of those for whom nothing was noted in the last seconds. */
export async function markStillSeen(db: Queryable, userIds: readonly UserId[], seconds: number): Promise<void> {
  await db.query({
    name: 'mark-still-seen',
    text: `
      with seen as (
        select id from users where id = any($1::uuid[])
          and (last_seen_at is null or last_seen_at < now() - $2 * interval '1 second')
        order by id for no key update
      )
      update users u set last_seen_at = now() from seen s where u.id = s.id`,
    values: [userIds, seconds],
  });
}
