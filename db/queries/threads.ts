import type { Level, ThreadSummary } from '../../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';
import type { ReadScope } from '../read-scope.ts';
import { type MessageRow, messageColumns, stillReads } from './messages.ts';
import { keepingPast } from './past-rules.ts';
import { threadUnreadLateral } from './unread.ts';

/** One reply fewer, because it was deleted. Answers with how the thread stands now. */
export async function shrinkThread(
  tx: Tx,
  conversationId: ConversationId,
  rootSeq: number,
): Promise<ThreadSummary | undefined> {
  const { rows } = await tx.query<ThreadSummary>({
    name: 'shrink-thread',
    text: `update threads set reply_count = reply_count - 1 where conversation_id = $1 and root_seq = $2
      returning reply_count as "replyCount", last_seq as "lastSeq"`,
    values: [conversationId, rootSeq],
  });
  return rows[0];
}

/**
 * Follows a thread or not, gives it a level of its own or takes it away, and moves the read mark forward, never past the
 * thread's last message. Who follows it no longer asks for all of it no longer. Who only reads has said nothing of following. What stood there when somebody begins to follow, or
 * when they came to the conversation, is not unread to them; who follows again what they had followed finds what was. Answers
 * whether anything is other than before.
 */
export async function updateThreadMember(
  db: Queryable,
  userId: UserId,
  conversationId: ConversationId,
  rootSeq: number,
  patch: { following?: boolean | undefined; level?: Level | null | undefined; readSeq?: number | undefined },
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'update-thread-member',
    text: `
      with ${keepingPast(
        'thread',
        `select $3::uuid as user_id, $1::uuid || '/' || $2::bigint as subject, null::timestamptz as since,
          jsonb_build_object('following', x.following, 'level', x.level) as was
        from (values (1)) one left join thread_members x on x.conversation_id = $1 and x.root_seq = $2 and x.user_id = $3
        where $4::boolean is not null or $6`,
      )}, thread as (
        select coalesce((select last_seq from threads where conversation_id = $1 and root_seq = $2), 0) as last_seq,
          coalesce((select came_seq from members where conversation_id = $1 and user_id = $3), 0) as came_seq,
          x.following is null or not x.following and x.declined as never
        from (values (1)) one left join thread_members x on x.conversation_id = $1 and x.root_seq = $2 and x.user_id = $3
      )
      insert into thread_members as t (conversation_id, root_seq, user_id, following, declined, level, read_seq)
      select $1, $2, $3, $4, never and not coalesce($4, true), $7,
        case when never and $4 then last_seq else least(greatest(coalesce($5::bigint, 0), came_seq), last_seq) end from thread
      on conflict (conversation_id, root_seq, user_id) do update
      set following = coalesce($4, t.following),
        level = case when $6 then $7 when not $4 and t.level = 'all' then null else t.level end,
        declined = case when $4 is null then t.declined else excluded.declined end,
        read_seq = greatest(t.read_seq, excluded.read_seq)
      where coalesce($4, t.following) is distinct from t.following or excluded.read_seq > t.read_seq
        or $6 and $7 is distinct from t.level`,
    values: [
      conversationId,
      rootSeq,
      userId,
      patch.following ?? null,
      patch.readSeq ?? null,
      patch.level !== undefined,
      patch.level ?? null,
    ],
  });
  return rowCount === 1;
}

export type FollowedThreadRow = MessageRow & {
  following: boolean;
  level: Level | null;
  threadReadSeq: number;
  unread: number;
  unreadMentions: number;
  lastThreadSeq: number;
};

/** A thread as it is to its reader, `$2`, who belongs to the conversation as they did when they were judged. */
const threadOf = (joinedSeq: string, from: string) => `
  select ${messageColumns('m', '$2')}, coalesce(t.following, false) as following, t.level, coalesce(t.read_seq, 0) as "threadReadSeq",
    coalesce(h.last_seq, 0) as "lastThreadSeq", unread.unread, unread.mentions as "unreadMentions"
  from ${from} ${stillReads('m', '$2', joinedSeq)}
  ${threadUnreadLateral({
    conversationId: 'm.conversation_id',
    rootSeq: 'm.seq',
    readSeq: 'greatest(t.read_seq, 0)',
    userId: '$2::uuid',
  })}`;

/** One thread as it is to the person; whether it is within their reach is judged before. */
export async function threadOfMember(
  db: Queryable,
  { reader, conversationId, joinedSeq }: ReadScope,
  rootSeq: number,
): Promise<FollowedThreadRow | undefined> {
  const { rows } = await db.query<FollowedThreadRow>({
    name: 'thread-of-member',
    text: `${threadOf(
      '$4',
      `messages m
      left join threads h on h.conversation_id = m.conversation_id and h.root_seq = m.seq
      left join thread_members t on t.conversation_id = m.conversation_id and t.root_seq = m.seq and t.user_id = $2`,
    )}
      where m.conversation_id = $1 and m.seq = $3`,
    values: [conversationId, reader, rootSeq, joinedSeq],
  });
  return rows[0];
}

/** A page of the threads that the person follows, the latest written in first, before a place (exclusive). */
export async function threadsPage(
  db: Queryable,
  { reader, conversationId, joinedSeq }: ReadScope,
  { before, limit }: { before?: number | undefined; limit: number },
): Promise<FollowedThreadRow[]> {
  const { rows } = await db.query<FollowedThreadRow>({
    name: 'threads-page',
    // The page first: what is unread is counted of its threads alone.
    text: `
      with page as (
        select h.conversation_id, h.root_seq, h.last_seq from thread_members t
        join threads h on h.conversation_id = t.conversation_id and h.root_seq = t.root_seq
        where t.conversation_id = $1 and t.user_id = $2 and t.following and t.root_seq > $3 and h.last_seq < $4
        order by h.last_seq desc limit $5
      )
      ${threadOf(
        '$3',
        `page h join messages m on m.conversation_id = h.conversation_id and m.seq = h.root_seq
      join thread_members t on t.conversation_id = h.conversation_id and t.root_seq = h.root_seq and t.user_id = $2`,
      )}
      order by h.last_seq desc`,
    values: [conversationId, reader, joinedSeq, before ?? Number.MAX_SAFE_INTEGER, limit],
  });
  return rows;
}
