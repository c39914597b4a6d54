import type { Level, Role } from '../../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Queryable } from '../client.ts';

export interface MembershipRow {
  role: Role;
  joinedSeq: number;
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
      select m.role, m.joined_seq as "joinedSeq", m.delivered_seq as "deliveredSeq", m.read_seq as "readSeq",
        c.version, c.last_seq as "lastSeq"
      from members m join conversations c on c.id = m.conversation_id
      where m.conversation_id = $1 and m.user_id = $2 and m.left_at is null`,
    values: [conversationId, userId],
  });
  return rows[0];
}

/** The ids of all conversations that the person belongs to. */
export async function conversationIdsOf(db: Queryable, userId: UserId): Promise<ConversationId[]> {
  const { rows } = await db.query<{ id: ConversationId }>({
    name: 'conversation-ids-of',
    text: 'select conversation_id as id from members where user_id = $1 and left_at is null',
    values: [userId],
  });
  return rows.map(({ id }) => id);
}

export interface MemberRow {
  conversationId: ConversationId;
  userId: UserId;
  displayName: string;
  role: Role;
  deliveredSeq: number;
  readSeq: number;
}

const memberColumns = `m.conversation_id as "conversationId", m.user_id as "userId", u.display_name as "displayName",
  m.role, m.delivered_seq as "deliveredSeq", m.read_seq as "readSeq"`;

/** A page of the members, by user id, after one (exclusive). */
export async function membersPage(
  db: Queryable,
  conversationId: ConversationId,
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

/** All members of several conversations, ordered by conversation and user. */
export async function membersOfAll(db: Queryable, conversationIds: readonly ConversationId[]): Promise<MemberRow[]> {
  const { rows } = await db.query<MemberRow>({
    name: 'members-of-all',
    text: `select ${memberColumns} from members m join users u on u.id = m.user_id
      where m.conversation_id = any($1::uuid[]) and m.left_at is null order by m.conversation_id, m.user_id`,
    values: [conversationIds],
  });
  return rows;
}

export interface WatermarkMove {
  conversationId: ConversationId;
  userId: UserId;
  deliveredSeq: number;
  readSeq: number;
}
export interface MovedWatermark extends WatermarkMove {
  moved: boolean;
  /** The read watermark was among what moved. */
  hasRead: boolean;
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
        select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) as i(conversation_id, user_id, delivered, read)
      ), target as (
        select m.conversation_id, m.user_id, m.delivered_seq as delivered_before, m.read_seq as read_before,
          least(greatest(i.delivered, i.read), c.last_seq) as delivered, least(i.read, c.last_seq) as read
        from members m
        join input i on i.conversation_id = m.conversation_id and i.user_id = m.user_id
        join conversations c on c.id = m.conversation_id
        where m.left_at is null
        order by m.conversation_id, m.user_id
        for no key update of m
      ), moved as (
        update members m set
          delivered_seq = greatest(m.delivered_seq, t.delivered),
          read_seq = greatest(m.read_seq, t.read),
          seen_seq = greatest(m.seen_seq, t.read)
        from target t
        where m.conversation_id = t.conversation_id and m.user_id = t.user_id
          and (t.delivered > m.delivered_seq or t.read > m.read_seq)
        returning m.conversation_id, m.user_id, m.delivered_seq, m.read_seq, t.read > t.read_before as has_read
      )
      select t.conversation_id as "conversationId", t.user_id as "userId",
        coalesce(m.delivered_seq, t.delivered_before) as "deliveredSeq", coalesce(m.read_seq, t.read_before) as "readSeq",
        m.user_id is not null as moved, coalesce(m.has_read, false) as "hasRead"
      from target t left join moved m on m.conversation_id = t.conversation_id and m.user_id = t.user_id`,
    values: [
      moves.map((move) => move.conversationId),
      moves.map((move) => move.userId),
      moves.map((move) => move.deliveredSeq),
      moves.map((move) => move.readSeq),
    ],
  });
  return rows;
}

/** Sets what the conversation is to the person; a key that is left out stays. Answers false when not a member. */
export async function updateMembershipSettings(
  db: Queryable,
  userId: UserId,
  conversationId: ConversationId,
  patch: { level?: Level | null | undefined; mutedUntil?: string | null | undefined },
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'update-membership-settings',
    text: `
      update members set
        level = case when $3 then $4 else level end,
        muted_until = case when $5 then $6::timestamptz else muted_until end
      where conversation_id = $1 and user_id = $2 and left_at is null`,
    values: [
      conversationId,
      userId,
      patch.level !== undefined,
      patch.level ?? null,
      patch.mutedUntil !== undefined,
      patch.mutedUntil ?? null,
    ],
  });
  return rowCount === 1;
}
