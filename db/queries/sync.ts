import type { ConversationChannels, Level, SyncRequest } from '../../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { Queryable } from '../client.ts';
import { unreadLateral } from './unread.ts';

/** Where a person stands in one conversation, and how far the client's version is behind. */
export interface StandingRow {
  conversationId: ConversationId;
  version: number;
  lastSeq: number;
  deliveredSeq: number;
  readSeq: number;
  unread: number;
  mentions: number;
  unreadMark: number | null;
  level: Level | null;
  mutedUntil: Date | null;
  channels: Partial<ConversationChannels> | null;
  muteExcept: 'mentions' | null;
  archived: boolean;
  pinned: boolean;
  joinedSeq: number;
  joinedVersion: number;
  /** The client's version; null for a conversation that it does not know. */
  known: number | null;
  /** How far the others are is told: it moved or was asked for, its members are named, and neither of two has blocked the other. */
  tellsOthers: boolean;
  /** Rows that were looked at: where they are more than this page has, there are more behind it. */
  found: number;
}

/** What an answer may cost, counted in log entries. */
export interface SyncCosts {
  /** Entries of one conversation; one that is farther behind is sent whole. */
  maxEvents: number;
  snapshotCost: number;
  receiptCost: number;
  budget: number;
}

/**
 * The person's conversations in the order of their ids, after a position (exclusive), each with the version that the
 * client holds. The page ends where its cost, counted in log entries, would pass `budget`; a conversation that must be
 * sent whole counts `snapshotCost`, and a member whose watermarks are told `receiptCost`.
 */
export async function standings(
  db: Queryable,
  userId: UserId,
  known: SyncRequest['known'],
  page: { after: string; through: string; limit: number } & SyncCosts,
): Promise<StandingRow[]> {
  const { rows } = await db.query<StandingRow>({
    name: 'standings',
    text: `
      with mine as (
        select m.conversation_id, m.user_id, m.delivered_seq, m.read_seq, m.unread_mark, m.joined_seq, m.joined_version,
          m.level, m.muted_until, m.mute_except, m.channels, m.archived, m.pinned, c.version, c.last_seq, k.version as known, others.told as tells_others,
          sum(case
            when k.version is null or k.version < m.joined_version or c.version - k.version > $7 or k.version > c.version then $8
            else c.version - k.version + case when others.told then c.member_count * $11::float8 else 0 end
          end) over (order by m.conversation_id) as cost
        from members m
        join conversations c on c.id = m.conversation_id
        left join unnest($2::uuid[], $3::bigint[], $10::boolean[]) as k(conversation_id, version, unsettled)
          on k.conversation_id = m.conversation_id
        cross join lateral (
          select (k.unsettled or k.version < c.version) and c.kind <> 'channel' and not c.blocked and c.member_count <= ${limits.namedMembers} as told
        ) others
        where m.user_id = $1 and m.left_at is null and m.conversation_id > $4::uuid and m.conversation_id <= $5::uuid
        -- One more than is told, to know whether there are more.
        order by m.conversation_id limit $6 + 1
      )
      select m.conversation_id as "conversationId", version, last_seq as "lastSeq", delivered_seq as "deliveredSeq",
        read_seq as "readSeq", unread_mark as "unreadMark", joined_seq as "joinedSeq", joined_version as "joinedVersion",
        level, muted_until as "mutedUntil", mute_except as "muteExcept", channels, archived, pinned, known, coalesce(tells_others, false) as "tellsOthers",
        unread.unread, unread.mentions, (select count(*) from mine) as found
      from (
        select * from mine where cost <= $9 or conversation_id = (select min(conversation_id::text)::uuid from mine)
        order by conversation_id limit $6
      ) m ${unreadLateral('m')}
      order by m.conversation_id`,
    values: [
      userId,
      known.map(([id]) => id),
      known.map(([, version]) => version),
      page.after,
      page.through,
      page.limit,
      page.maxEvents,
      page.snapshotCost,
      page.budget,
      known.map(([, , unsettled]) => unsettled ?? false),
      page.receiptCost,
    ],
  });
  return rows;
}

export interface OthersRow {
  conversationId: ConversationId;
  userId: UserId;
  deliveredSeq: number;
  readSeq: number;
  cameSeq: number;
  tellRead: boolean;
}

/** How far all the others are in conversations to which the person belongs at this moment. */
export async function othersOf(db: Queryable, userId: UserId, ids: readonly ConversationId[]): Promise<OthersRow[]> {
  const { rows } = await db.query<OthersRow>({
    name: 'others-of',
    text: `
      select m.conversation_id as "conversationId", m.user_id as "userId", m.delivered_seq as "deliveredSeq",
        m.read_seq as "readSeq", m.came_seq as "cameSeq", u.tell_read as "tellRead"
      from unnest($2::uuid[]) as k(id)
      join members mine on mine.conversation_id = k.id and mine.user_id = $1 and mine.left_at is null
      join members m on m.conversation_id = k.id and m.left_at is null and m.user_id <> $1
      join users u on u.id = m.user_id`,
    values: [userId, ids],
  });
  return rows;
}

/**
 * Which of these conversations the person does not belong to now; where they once did, with the change that ended it and
 * what they could read then.
 */
export async function notMine(
  db: Queryable,
  userId: UserId,
  ids: readonly ConversationId[],
): Promise<{ id: ConversationId; leftVersion: number | null; joinedSeq: number | null }[]> {
  const { rows } = await db.query<{ id: ConversationId; leftVersion: number | null; joinedSeq: number | null }>({
    name: 'not-mine',
    text: `
      select k.id, m.left_version as "leftVersion", m.joined_seq as "joinedSeq" from unnest($2::uuid[]) as k(id)
      left join members m on m.conversation_id = k.id and m.user_id = $1
      where m.user_id is null or m.left_at is not null`,
    values: [userId, ids],
  });
  return rows;
}
