import { limits } from '../../contracts/limits.ts';

/** Whether a message mentions somebody: by name, or as one of all. */
const mentions = (g: string, userId: string) => `${g}.mentions is not null and (
      ${g}.mentions @> jsonb_build_array(jsonb_build_object('userId', ${userId}))
      or ${g}.mentions @> '[{"type": "everyone"}]' or ${g}.mentions @> '[{"type": "here"}]')`;

/** `unread` and, of those, `mentions`, over messages of which no more than a limit are looked at. */
const counted = (messages: string, userId: string) => `
    select count(*) as unread, count(*) filter (where ${mentions('u', userId)}) as mentions
    from (${messages} limit ${limits.unreadCounted}) u`;

/**
 * By others than the reader and those whom they have blocked. The reader is a parameter of the statement, so the blocks are
 * hashed once: asked for by the membership's person they would be read again for each conversation.
 */
export const byOthers = (g: string, reader = '$1') =>
  `${g}.sender_id <> ${reader} and ${g}.sender_id not in (select b.blocked_id from blocks b where b.user_id = ${reader})`;

/**
 * What a member, `$1`, has not read, as a lateral of a membership row: `unread` and, of those, `mentions`. Computed from
 * the watermark, never counted by hand; without one's own messages, those of people whom the member has blocked, deleted
 * ones, system lines and what stands in threads, which have a read mark of their own. The count ends at a limit: a channel
 * that was left alone for a year must not make a list slow.
 */
export const unreadLateral = (m: string) => `
  left join lateral (${counted(
    `
      select g.mentions from messages g where g.conversation_id = ${m}.conversation_id
        and g.seq > greatest(${m}.read_seq, ${m}.joined_seq) and ${byOthers('g')} and g.deleted_at is null
        and g.kind = 'text' and g.thread_seq is null`,
    `${m}.user_id`,
  )}
  ) unread on true`;

/** A thread and its reader, as expressions of SQL; the reader is a parameter of the statement. */
interface ReadThread {
  conversationId: string;
  rootSeq: string;
  readSeq: string;
  userId: string;
}

const unreadReplies = ({ conversationId, rootSeq, readSeq, userId }: ReadThread) => `
      select r.mentions from messages r where r.conversation_id = ${conversationId} and r.thread_seq = ${rootSeq}
        and r.seq > ${readSeq} and ${byOthers('r', userId)} and r.deleted_at is null`;

/** The same of one thread: what stands in it after the reader's mark. */
export const threadUnreadLateral = (thread: ReadThread) => `
  left join lateral (${counted(unreadReplies(thread), thread.userId)}
  ) unread on true`;

// A thread that began before the joining is out of the member's reach, with all that stands in it.
const unreadOfFollowed = (m: string) => `
      select u.mentions from thread_members t
      -- The offset keeps the planner from joining all that they follow with all messages.
      cross join lateral (${unreadReplies({
        conversationId: 't.conversation_id',
        rootSeq: 't.root_seq',
        readSeq: 't.read_seq',
        userId: '$1',
      })} offset 0) u
      where t.conversation_id = ${m}.conversation_id and t.user_id = ${m}.user_id and t.following
        and t.root_seq > ${m}.joined_seq`;

/** The same of all threads of the conversation that the member, `$1`, follows: `threads.unread` and `threads.mentions`. */
export const followedUnreadLateral = (m: string) => `
  left join lateral (${counted(unreadOfFollowed(m), `${m}.user_id`)}
  ) threads on true`;

/** Whether anything is unread in a thread that the member, `$1`, follows. */
export const hasUnreadThread = (m: string) => `exists (${unreadOfFollowed(m)})`;
