import type { MyMembershipPatch, Role } from '../../contracts/entities/index.ts';
import type { ConversationId, SessionId, UserId } from '../../contracts/ids.ts';
import type { Queryable } from '../client.ts';
import type { ReadScope } from '../read-scope.ts';
import { keepingPast, pastMembership } from './past-rules.ts';
import { followedUnreadLateral, unreadLateral } from './unread.ts';

export interface MembershipRow {
  posting: 'members' | 'admins';
  blocked: boolean;
  memberVersion: number;
  kind: 'direct' | 'group' | 'channel';
  memberCount: number;
  role: Role;
  joinedSeq: number;
  joinedVersion: number;
  deliveredSeq: number;
  readSeq: number;
  version: number;
  lastSeq: number;
}

/** One person's membership with the conversation's head, or nothing for who does not belong to it now. */
export async function membershipOf(
  db: Queryable,
  userId: UserId,
  conversationId: ConversationId,
): Promise<MembershipRow | undefined> {
  const { rows } = await db.query<MembershipRow>({
    name: 'membership-of',
    text: `
      select c.kind, c.posting, c.blocked, c.member_count as "memberCount", c.member_version as "memberVersion", m.role, m.joined_seq as "joinedSeq",
        m.joined_version as "joinedVersion", m.delivered_seq as "deliveredSeq", m.read_seq as "readSeq",
        c.version, c.last_seq as "lastSeq"
      from members m join conversations c on c.id = m.conversation_id
      where m.conversation_id = $1 and m.user_id = $2 and m.left_at is null`,
    values: [conversationId, userId],
  });
  return rows[0];
}

/** What a node needs to know of a membership to tell a person live: from where on, under which membership. */
export interface FollowedRow {
  conversationId: ConversationId;
  memberVersion: number;
  joinedSeq: number;
  joinedVersion: number;
}

const followedColumns = `m.conversation_id as "conversationId", c.member_version as "memberVersion",
  m.joined_seq as "joinedSeq", m.joined_version as "joinedVersion"`;

/** Everything that the person belongs to. */
export async function followedBy(db: Queryable, userId: UserId): Promise<FollowedRow[]> {
  const { rows } = await db.query<FollowedRow>({
    name: 'followed-by',
    text: `select ${followedColumns} from members m join conversations c on c.id = m.conversation_id
      where m.user_id = $1 and m.left_at is null`,
    values: [userId],
  });
  return rows;
}

/** Those of these people who belong to the conversation now, and those who did, with the change that ended it. */
export async function followersAmong(
  db: Queryable,
  conversationId: ConversationId,
  userIds: readonly UserId[],
): Promise<(FollowedRow & { userId: UserId; leftVersion: number | null })[]> {
  const { rows } = await db.query<FollowedRow & { userId: UserId; leftVersion: number | null }>({
    name: 'followers-among',
    text: `select ${followedColumns}, m.user_id as "userId", m.left_version as "leftVersion"
      from members m join conversations c on c.id = m.conversation_id
      where m.conversation_id = $1 and m.user_id = any($2::uuid[])`,
    values: [conversationId, userIds],
  });
  return rows;
}

/**
 * Those of these people who became members of something in the last seconds, wherever that was told or not. Found by the
 * time of joining: a node's thousands of people have each a hundred memberships, of which hardly any is new. Without a
 * name, so that it is planned for these very values: the general plan goes through all of them.
 */
export async function recentJoins(
  db: Queryable,
  userIds: readonly UserId[],
  seconds: number,
): Promise<(FollowedRow & { userId: UserId; version: number })[]> {
  const { rows } = await db.query<FollowedRow & { userId: UserId; version: number }>({
    text: `
      with recent as materialized (
        select m.conversation_id, m.user_id, m.joined_seq, m.joined_version from members m
        where m.joined_at > now() - $2 * interval '1 second' and m.left_at is null
      )
      select ${followedColumns}, m.user_id as "userId", c.version
      from recent m join conversations c on c.id = m.conversation_id where m.user_id = any($1::uuid[])`,
    values: [userIds, seconds],
  });
  return rows;
}

/** The versions of these conversations. */
export async function headsOf(
  db: Queryable,
  ids: readonly ConversationId[],
): Promise<{ id: ConversationId; version: number }[]> {
  const { rows } = await db.query<{ id: ConversationId; version: number }>({
    name: 'heads-of',
    text: 'select id, version from conversations where id = any($1::uuid[])',
    values: [ids],
  });
  return rows;
}

export interface MemberRow {
  conversationId: ConversationId;
  userId: UserId;
  displayName: string;
  role: Role;
  deliveredSeq: number;
  readSeq: number;
  /** The last seq that was there when they came, or came back. */
  cameSeq: number;
  /** Whether others are told how far this member has read. */
  tellRead: boolean;
}

const memberColumns = `m.conversation_id as "conversationId", m.user_id as "userId", u.display_name as "displayName",
  m.role, m.delivered_seq as "deliveredSeq", m.read_seq as "readSeq", m.came_seq as "cameSeq", u.tell_read as "tellRead"`;

/** A page of the members, by user id, after one (exclusive). */
export async function membersPage(
  db: Queryable,
  { conversationId }: ReadScope,
  { after, limit }: { after?: string | undefined; limit: number },
): Promise<MemberRow[]> {
  const { rows } = await db.query<MemberRow>({
    name: 'members-page',
    text: `select ${memberColumns} from members m join users u on u.id = m.user_id
      where m.conversation_id = $1 and m.left_at is null and m.user_id > $2::uuid order by m.user_id limit $3`,
    values: [conversationId, after ?? '00000000-0000-0000-0000-000000000000', limit],
  });
  return rows;
}

/** All members of several conversations, ordered by conversation and user; of those alone that are small enough. */
export async function membersOfAll(db: Queryable, scopes: readonly ReadScope[], atMost: number): Promise<MemberRow[]> {
  const { rows } = await db.query<MemberRow>({
    name: 'members-of-all',
    text: `select ${memberColumns} from conversations c
      join members m on m.conversation_id = c.id and m.left_at is null join users u on u.id = m.user_id
      where c.id = any($1::uuid[]) and c.member_count <= $2 order by m.conversation_id, m.user_id`,
    values: [scopes.map(({ conversationId }) => conversationId), atMost],
  });
  return rows;
}

/** How far the two of a direct conversation are, where neither blocks the other; nothing where there is none. */
export async function watermarksOfPair(db: Queryable, key: string): Promise<(MemberRow & { memberVersion: number })[]> {
  const { rows } = await db.query<MemberRow & { memberVersion: number }>({
    name: 'watermarks-of-pair',
    text: `select ${memberColumns}, c.member_version as "memberVersion" from conversation_keys k
      join conversations c on c.id = k.conversation_id and not c.blocked
      join members m on m.conversation_id = c.id and m.left_at is null join users u on u.id = m.user_id
      where k.key = $1 order by m.user_id`,
    values: [key],
  });
  return rows;
}

export interface WatermarkMove {
  conversationId: ConversationId;
  userId: UserId;
  deliveredSeq: number;
  readSeq: number;
  /** The person has not read on by their own doing: a mark that they set by hand stays. */
  keepsMark?: boolean;
  /** The session that says so; null where several do. */
  sessionId?: SessionId | null;
}
export interface MovedWatermark extends Omit<WatermarkMove, 'keepsMark' | 'sessionId'> {
  moved: boolean;
  kind: 'direct' | 'group' | 'channel';
  memberCount: number;
  memberVersion: number;
  /** Direct, and one of the two has blocked the other. */
  blocked: boolean;
  cameSeq: number;
  tellRead: boolean;
  /** The delivered watermark was among what moved. */
  hasReceived: boolean;
  /** The read watermark was among what moved. */
  hasRead: boolean;
  /** A mark that was set by hand was taken away. */
  unmarked: boolean;
  /** One stands there still. */
  isMarked: boolean;
}

/**
 * Moves watermarks of many members at once, forward only, never past the last message, and only where the person is a
 * member. Answers with the state of each afterwards; who is not a member is left out. Rows are locked in the order of
 * their keys, so two batches never wait for each other in a circle.
 */
export async function moveWatermarks(db: Queryable, moves: readonly WatermarkMove[]): Promise<MovedWatermark[]> {
  const { rows } = await db.query<MovedWatermark>({
    name: 'move-watermarks',
    text: `
      with input as (
        select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::boolean[])
          as i(conversation_id, user_id, delivered, read, keeps_mark)
      ), target as (
        select m.conversation_id, m.user_id, m.came_seq, c.kind, c.member_count, c.member_version, c.blocked,
          m.delivered_seq as delivered_before, m.read_seq as read_before, m.unread_mark,
          -- Reading on takes a mark away that was set by hand, and so does reading again what it stands at. Who has only
          -- got something has read up to zero, where a mark may stand, too.
          m.unread_mark is not null and not i.keeps_mark
            and (i.read > m.read_seq or i.read >= greatest(m.unread_mark, 1)) as unmarked,
          greatest(m.delivered_seq, least(greatest(i.delivered, i.read), c.last_seq)) as delivered,
          greatest(m.read_seq, least(i.read, c.last_seq)) as read
        from members m
        join input i on i.conversation_id = m.conversation_id and i.user_id = m.user_id
        join conversations c on c.id = m.conversation_id
        where m.left_at is null
        order by m.conversation_id, m.user_id
        for no key update of m
      ), moved as (
        update members m set
          delivered_seq = t.delivered, read_seq = t.read, seen_seq = greatest(m.seen_seq, t.read),
          unread_mark = case when not t.unmarked then m.unread_mark end
        from target t
        where m.conversation_id = t.conversation_id and m.user_id = t.user_id
          and (t.delivered > t.delivered_before or t.read > t.read_before or t.unmarked)
      )
      -- From what was locked, and not from what the update returns: joining the two compares each row with each.
      select t.conversation_id as "conversationId", t.user_id as "userId", t.delivered as "deliveredSeq", t.read as "readSeq",
        t.delivered > t.delivered_before or t.read > t.read_before as moved, t.unmarked,
        t.unread_mark is not null and not t.unmarked as "isMarked",
        t.delivered > t.delivered_before as "hasReceived", t.read > t.read_before as "hasRead",
        t.kind, t.member_count as "memberCount", t.member_version as "memberVersion", t.blocked, t.came_seq as "cameSeq",
        u.tell_read as "tellRead"
      from target t join users u on u.id = t.user_id`,
    values: [
      moves.map((move) => move.conversationId),
      moves.map((move) => move.userId),
      moves.map((move) => move.deliveredSeq),
      moves.map((move) => move.readSeq),
      moves.map((move) => move.keepsMark ?? false),
    ],
  });
  return rows;
}

/** Sets what the conversation is to the person; a key that is left out stays. Answers false when not a member. */
export async function updateMembershipSettings(
  db: Queryable,
  userId: UserId,
  conversationId: ConversationId,
  patch: MyMembershipPatch,
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'update-membership-settings',
    text: `
      with ${keepingPast(
        'membership',
        `select ${pastMembership} from members where conversation_id = $1 and user_id = $2 and left_at is null and ($3 or $5 or $10)`,
      )}
      update members set
        level = case when $3 then $4 else level end,
        muted_until = case when $5 then $6::timestamptz else muted_until end,
        mute_except = case when $10 then $11 else mute_except end,
        archived = coalesce($7, archived),
        pinned = coalesce($8, pinned),
        -- What is as in the account is not said, and where nothing is said there is nothing.
        channels = case when $9::jsonb is null then channels
          else nullif(jsonb_strip_nulls(coalesce(channels, '{}') || $9), '{}') end
      where conversation_id = $1 and user_id = $2 and left_at is null`,
    values: [
      conversationId,
      userId,
      patch.level !== undefined,
      patch.level ?? null,
      patch.mutedUntil !== undefined,
      patch.mutedUntil ?? null,
      patch.archived ?? null,
      patch.pinned ?? null,
      patch.channels ? JSON.stringify(patch.channels) : null,
      patch.muteExcept !== undefined,
      patch.muteExcept ?? null,
    ],
  });
  return rowCount === 1;
}

/** Sets or takes away the mark by which somebody keeps a conversation unread. Answers false when not a member. */
export async function setUnreadMark(
  db: Queryable,
  userId: UserId,
  conversationId: ConversationId,
  seq: number | null,
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'set-unread-mark',
    text: `update members m set unread_mark = case when $3::bigint is not null then least($3, c.last_seq) end from conversations c
      where m.conversation_id = $1 and m.user_id = $2 and m.left_at is null and c.id = m.conversation_id`,
    values: [conversationId, userId, seq],
  });
  return rowCount === 1;
}

export interface UnreadRow {
  conversationId: ConversationId;
  unread: number;
  mentions: number;
  unreadMark: number | null;
  /** In the threads that the person follows. */
  threadsUnread: number;
  threadsMentions: number;
  muted: boolean;
}

/** The person's conversations in which something is unread, in a thread that they follow too, or marked so. */
export async function unreadOf(db: Queryable, userId: UserId): Promise<UnreadRow[]> {
  const { rows } = await db.query<UnreadRow>({
    name: 'unread-of',
    text: `
      select m.conversation_id as "conversationId", unread.unread, unread.mentions, m.unread_mark as "unreadMark",
        threads.unread as "threadsUnread", threads.mentions as "threadsMentions", coalesce(m.muted_until > now(), false) as muted
      from members m ${unreadLateral('m')} ${followedUnreadLateral('m')}
      where m.user_id = $1 and m.left_at is null and (unread.unread > 0 or m.unread_mark is not null or threads.unread > 0)
      order by m.conversation_id`,
    values: [userId],
  });
  return rows;
}

/**
 * How far each member but the sender has come past a message. Who came after it, or came back, is not asked of: their
 * marks begin at what was there, which they need not have seen. A reply is read by who has read so far in its thread, and so
 * they have it: the mark of the conversation passes over what stands there.
 */
export async function deliveryOf(
  db: Queryable,
  { conversationId }: ReadScope,
  seq: number,
): Promise<{ userId: UserId; delivered: boolean; read: boolean }[]> {
  const { rows } = await db.query<{ userId: UserId; delivered: boolean; read: boolean }>({
    name: 'delivery-of',
    text: `
      select m.user_id as "userId", m.delivered_seq >= g.seq or g.thread_seq is not null and coalesce(t.read_seq, 0) >= g.seq as delivered,
        case when g.thread_seq is null then m.read_seq else coalesce(t.read_seq, 0) end >= g.seq and u.tell_read as read
      from messages g
      join members m on m.conversation_id = g.conversation_id and m.left_at is null and m.user_id <> g.sender_id
        and m.came_seq < g.seq
      join users u on u.id = m.user_id
      left join thread_members t on t.conversation_id = m.conversation_id and t.root_seq = g.thread_seq and t.user_id = m.user_id
      where g.conversation_id = $1 and g.seq = $2 order by m.user_id`,
    values: [conversationId, seq],
  });
  return rows;
}
