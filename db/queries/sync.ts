import type { ConversationId, UserId } from '../../contracts/ids.ts';
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
  joinedSeq: number;
  joinedVersion: number;
  /** The client's version; null for a conversation that it does not know. */
  known: number | null;
  /** There are more behind this page. */
  more: boolean;
}

/**
 * The person's conversations in the order of their ids, after a position (exclusive), each with the version that the
 * client holds. The page ends where its cost, counted in log entries, would pass `budget`; a conversation that must be
 * sent whole counts `snapshotCost`.
 */
export async function standings(
  db: Queryable,
  userId: UserId,
  known: readonly (readonly [ConversationId, number])[],
  page: { after: string; through: string; limit: number; maxEvents: number; snapshotCost: number; budget: number },
): Promise<StandingRow[]> {
  const { rows } = await db.query<StandingRow>({
    name: 'standings',
    text: `
      with mine as (
        select m.conversation_id, m.user_id, m.delivered_seq, m.read_seq, m.unread_mark, m.joined_seq, m.joined_version,
          c.version, c.last_seq, k.version as known,
          sum(case
            when k.version is null or k.version < m.joined_version or c.version - k.version > $7 or k.version > c.version then $8
            else c.version - k.version
          end) over (order by m.conversation_id) as cost
        from members m
        join conversations c on c.id = m.conversation_id
        left join unnest($2::uuid[], $3::bigint[]) as k(conversation_id, version) on k.conversation_id = m.conversation_id
        where m.user_id = $1 and m.left_at is null and m.conversation_id > $4::uuid and m.conversation_id <= $5::uuid
        -- One more than is told, to know whether there are more.
        order by m.conversation_id limit $6 + 1
      ), told as (
        select * from mine where cost <= $9 or conversation_id = (select min(conversation_id::text)::uuid from mine)
        order by conversation_id limit $6
      )
      select m.conversation_id as "conversationId", version, last_seq as "lastSeq", delivered_seq as "deliveredSeq",
        read_seq as "readSeq", unread_mark as "unreadMark", joined_seq as "joinedSeq", joined_version as "joinedVersion",
        known, unread.unread, unread.mentions,
        (select count(*) from mine) > (select count(*) from told) as more
      from told m ${unreadLateral('m')}
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
    ],
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
