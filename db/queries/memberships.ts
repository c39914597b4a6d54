import type { Role } from '../../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';
import type { ReadScope } from '../read-scope.ts';
import { keepingPast, pastMembership } from './past-rules.ts';

/** People of these who can be made members: active, and not banned. Each with whether they are one already. */
export async function candidates(
  tx: Tx,
  conversationId: ConversationId,
  userIds: readonly UserId[],
): Promise<{ userId: UserId; displayName: string; banned: boolean; isMember: boolean }[]> {
  const { rows } = await tx.query<{ userId: UserId; displayName: string; banned: boolean; isMember: boolean }>({
    name: 'member-candidates',
    text: `
      select u.id as "userId", u.display_name as "displayName",
        exists (select from bans b where b.conversation_id = $1 and b.user_id = u.id) as banned,
        exists (select from members m where m.conversation_id = $1 and m.user_id = u.id and m.left_at is null) as "isMember"
      from users u where u.id = any($2::uuid[]) and u.status = 'active' order by u.id`,
    values: [conversationId, userIds],
  });
  return rows;
}

/**
 * Makes people members, from a place in the log on: what stands before `joined` they may not read (zeros: all of it).
 * Who comes back keeps their own settings and, where the history is theirs, their watermarks, those in threads too.
 */
export async function joinMembers(
  tx: Tx,
  conversationId: ConversationId,
  people: readonly { userId: UserId; role: Role }[],
  joined: { seq: number; version: number; lastSeq: number },
): Promise<void> {
  await tx.query({
    name: 'join-members',
    text: `
      with ${keepingPast(
        'membership',
        `select ${pastMembership} from members where conversation_id = $1 and user_id = any($2::uuid[]) and left_at is not null`,
      )}, caught_up as (
        -- Nor is what was written meanwhile in threads, also in those that they may follow again.
        update thread_members t set read_seq = greatest(t.read_seq, h.last_seq) from threads h
        where t.conversation_id = $1 and t.user_id = any($2::uuid[])
          and h.conversation_id = $1 and h.root_seq = t.root_seq
      )
      insert into members as m (conversation_id, user_id, role, joined_at, joined_seq, joined_version, came_seq, delivered_seq, read_seq, seen_seq)
      select $1, user_id, role, now(), $4, $5, $6, $6, $6, $6 from unnest($2::uuid[], $3::text[]) as p(user_id, role)
      on conflict (conversation_id, user_id) do update set
        role = excluded.role, joined_at = excluded.joined_at, joined_seq = excluded.joined_seq,
        joined_version = excluded.joined_version, came_seq = excluded.came_seq, left_at = null, left_version = null, unread_mark = null,
        delivered_seq = greatest(m.delivered_seq, excluded.delivered_seq), read_seq = greatest(m.read_seq, excluded.read_seq),
        seen_seq = greatest(m.seen_seq, excluded.seen_seq)
      where m.left_at is not null`,
    values: [
      conversationId,
      people.map(({ userId }) => userId),
      people.map(({ role }) => role),
      joined.seq,
      joined.version,
      // What was written before somebody came is not unread to them.
      joined.lastSeq,
    ],
  });
}

/** Ends memberships with the change of that version: the last one that these people are told. What is theirs stays. */
export async function endMemberships(
  tx: Tx,
  conversationId: ConversationId,
  userIds: readonly UserId[],
  version: number,
): Promise<void> {
  await tx.query({
    name: 'end-memberships',
    text: `update members set left_at = now(), left_version = $3
      where conversation_id = $1 and user_id = any($2::uuid[]) and left_at is null`,
    values: [conversationId, userIds, version],
  });
}

export async function setRole(tx: Tx, conversationId: ConversationId, userId: UserId, role: Role): Promise<void> {
  await tx.query({
    name: 'set-role',
    text: 'update members set role = $3 where conversation_id = $1 and user_id = $2 and left_at is null',
    values: [conversationId, userId, role],
  });
}

/** The role that somebody has now; nothing for who is no member. */
export async function roleOf(
  db: Queryable,
  conversationId: ConversationId,
  userId: UserId,
): Promise<{ role: Role; joinedSeq: number } | undefined> {
  const { rows } = await db.query<{ role: Role; joinedSeq: number }>({
    name: 'role-of',
    text: `select role, joined_seq as "joinedSeq" from members where conversation_id = $1 and user_id = $2 and left_at is null`,
    values: [conversationId, userId],
  });
  return rows[0];
}

export async function countOwners(tx: Tx, conversationId: ConversationId): Promise<number> {
  const { rows } = await tx.query<{ owners: number }>({
    name: 'count-owners',
    text: `select count(*) as owners from members where conversation_id = $1 and role = 'owner' and left_at is null`,
    values: [conversationId],
  });
  return rows[0]?.owners ?? 0;
}

/** What somebody owns, in an order in which all who lock several do. */
export async function ownedBy(tx: Tx, userId: UserId): Promise<ConversationId[]> {
  const { rows } = await tx.query<{ id: ConversationId }>({
    name: 'owned-by',
    text: `select conversation_id as id from members where user_id = $1 and role = 'owner' and left_at is null
      order by conversation_id`,
    values: [userId],
  });
  return rows.map(({ id }) => id);
}

/** Who owns a conversation beside one of its owners, or would: people who may come in alone. */
export async function heirOf(
  tx: Tx,
  conversationId: ConversationId,
  { of, first }: { of: UserId; first: UserId },
): Promise<{ userId: UserId; role: Role } | undefined> {
  const { rows } = await tx.query<{ userId: UserId; role: Role }>({
    name: 'heir-of',
    text: `
      select m.user_id as "userId", m.role from members m
      join users u on u.id = m.user_id and u.status = 'active' and u.kind = 'person'
      where m.conversation_id = $1 and m.left_at is null and m.user_id <> $2
      order by m.role = 'owner' desc, m.user_id = $3 desc, m.role = 'admin' desc, m.joined_at, m.user_id limit 1`,
    values: [conversationId, of, first],
  });
  return rows[0];
}

export interface BanRow {
  userId: UserId;
  bannedBy: UserId;
  at: Date;
}

export async function insertBan(
  tx: Tx,
  conversationId: ConversationId,
  ban: { userId: UserId; bannedBy: UserId },
): Promise<void> {
  await tx.query({
    name: 'insert-ban',
    text: `insert into bans (conversation_id, user_id, banned_by, at) values ($1, $2, $3, now()) on conflict do nothing`,
    values: [conversationId, ban.userId, ban.bannedBy],
  });
}

export async function deleteBan(tx: Tx, conversationId: ConversationId, userId: UserId): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'delete-ban',
    text: 'delete from bans where conversation_id = $1 and user_id = $2',
    values: [conversationId, userId],
  });
  return rowCount === 1;
}

/** A page of those who are kept out, by user id, after one (exclusive). */
export async function bansPage(
  db: Queryable,
  { conversationId }: ReadScope,
  { after, limit }: { after?: string | undefined; limit: number },
): Promise<BanRow[]> {
  const { rows } = await db.query<BanRow>({
    name: 'bans-page',
    text: `select user_id as "userId", banned_by as "bannedBy", at from bans
      where conversation_id = $1 and user_id > $2::uuid order by user_id limit $3`,
    values: [conversationId, after ?? '00000000-0000-0000-0000-000000000000', limit],
  });
  return rows;
}
