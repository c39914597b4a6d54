import type { Mention, Origin, Reaction, SystemChange, ThreadSummary } from '../../contracts/entities/index.ts';
import type { ConversationId, MessageId, UserId } from '../../contracts/ids.ts';
import type { Queryable } from '../client.ts';
import type { ReadScope } from '../read-scope.ts';

/** Where a forwarded message was first written, as it is kept: which message it was is told to nobody. */
export interface StoredOrigin extends Origin {
  conversationId: ConversationId;
  messageId: MessageId;
}

/** A message as one of its readers sees it. */
export interface MessageRow {
  conversationId: ConversationId;
  seq: number;
  version: number;
  changedVersion: number;
  id: MessageId;
  clientId: string;
  senderId: UserId;
  kind: 'text' | 'system';
  text: string | null;
  system: SystemChange | null;
  replyTo: MessageId | null;
  threadId: MessageId | null;
  threadSeq: number | null;
  forwardedFrom: StoredOrigin | null;
  mentions: Mention[] | null;
  priority: 'normal' | 'urgent';
  edits: number;
  createdAt: Date;
  editedAt: Date | null;
  deletedAt: Date | null;
  pinnedAt: Date | null;
  /** What has gathered around it, as the reader sees it. */
  reactions: Reaction[] | null;
  /** Of the first message the thread below it, of a reply the one that it stands in. */
  thread: ThreadSummary | null;
  fromBlocked: boolean;
}

// A message that was never touched since it was written has no reactions, and none are looked for.
const reactionsOf = (m: string, reader: string) => `
  case when ${m}.changed_version > ${m}.version then (
    select jsonb_agg(jsonb_build_object('emoji', k.emoji, 'count', k.count, 'mine', k.mine) order by k.emoji collate "C")
    from (
      select r.emoji, count(*) as count, bool_or(r.user_id = ${reader}) as mine from reactions r
      where r.conversation_id = ${m}.conversation_id and r.seq = ${m}.seq group by r.emoji
    ) k
  ) end`;

// Of the first message the thread below it, of a reply the one that it stands in: it began before. Both least and greatest
// pass over null, and of them alone PostgreSQL knows that they tell nothing: under row-level security a coalesce in a bound
// is not trusted with rows that are not the reader's, and the index not used.
const threadOf = (m: string) => `(
  select jsonb_build_object('replyCount', t.reply_count, 'lastSeq', t.last_seq) from threads t
  where t.conversation_id = ${m}.conversation_id and t.root_seq = least(${m}.thread_seq, ${m}.seq))`;

const fields = (m: string, reader: string): Record<keyof MessageRow, string> => ({
  conversationId: `${m}.conversation_id`,
  seq: `${m}.seq`,
  version: `${m}.version`,
  changedVersion: `${m}.changed_version`,
  id: `${m}.id`,
  clientId: `${m}.client_id`,
  senderId: `${m}.sender_id`,
  kind: `${m}.kind`,
  text: `${m}.text`,
  system: `${m}.system`,
  replyTo: `${m}.reply_to`,
  threadId: `${m}.thread_id`,
  threadSeq: `${m}.thread_seq`,
  forwardedFrom: `${m}.forwarded_from`,
  mentions: `${m}.mentions`,
  priority: `${m}.priority`,
  edits: `${m}.edits`,
  createdAt: `${m}.created_at`,
  editedAt: `${m}.edited_at`,
  deletedAt: `${m}.deleted_at`,
  pinnedAt: `${m}.pinned_at`,
  reactions: reactionsOf(m, reader),
  thread: threadOf(m),
  // A line that the conversation itself says is nothing that somebody wrote.
  fromBlocked: `${m}.kind = 'text' and exists (select from blocks b where b.user_id = ${reader} and b.blocked_id = ${m}.sender_id)`,
});

/** The columns of a message as its reader sees it, who is a parameter of the statement (such as `$2`). */
export const messageColumns = (m: string, reader: string, prefix = ''): string =>
  Object.entries(fields(m, reader))
    .map(([name, sql]) => `${sql} as "${prefix}${name}"`)
    .join(', ');

/**
 * That the reader's membership is still the one that was judged, in the very snapshot that the messages are read from:
 * whoever was removed between two statements reads nothing of what came afterwards.
 */
export const stillReads = (m: string, reader: string, joinedSeq: string): string => `
  join members r on r.conversation_id = ${m}.conversation_id and r.user_id = ${reader} and r.left_at is null
    and r.joined_seq = ${joinedSeq}`;

export interface Page {
  /** Of one thread alone. */
  threadSeq?: number | undefined;
  before?: number | undefined;
  after?: number | undefined;
  limit: number;
}

/** Messages between two bounds (both exclusive), oldest first: of a conversation, or of one thread in it. */
export async function messagesPage(
  db: Queryable,
  { reader, conversationId, joinedSeq }: ReadScope,
  { threadSeq, before, after, limit }: Page,
): Promise<MessageRow[]> {
  const newest = after === undefined;
  const inThread = threadSeq !== undefined;
  const { rows } = await db.query<MessageRow>({
    name: `${inThread ? 'replies' : 'messages'}-${newest ? 'before' : 'after'}`,
    text: `select ${messageColumns('m', '$2')} from messages m ${stillReads('m', '$2', '$5')}
      where m.conversation_id = $1 and m.seq > $3 and m.seq < $4 and m.seq > $5 ${inThread ? 'and m.thread_seq = $7' : ''}
      order by m.seq ${newest ? 'desc' : 'asc'} limit $6`,
    values: [
      conversationId,
      reader,
      after ?? 0,
      before ?? Number.MAX_SAFE_INTEGER,
      joinedSeq,
      limit,
      ...(inThread ? [threadSeq] : []),
    ],
  });
  return newest ? rows.reverse() : rows;
}

/** What somebody wrote themselves, as it is now. */
export async function ownMessage(
  db: Queryable,
  senderId: UserId,
  conversationId: ConversationId,
  seq: number,
): Promise<MessageRow | undefined> {
  const { rows } = await db.query<MessageRow>({
    name: 'own-message',
    text: `select ${messageColumns('m', '$2')} from messages m
      where m.conversation_id = $1 and m.seq = $3 and m.sender_id = $2`,
    values: [conversationId, senderId, seq],
  });
  return rows[0];
}

/** A message that the reader may read; one from before their joining is none. */
export async function messageById(
  db: Queryable,
  { reader, conversationId, joinedSeq }: ReadScope,
  id: MessageId,
): Promise<MessageRow | undefined> {
  const { rows } = await db.query<MessageRow>({
    name: 'message-by-id',
    // No plain equality for the conversation, as in store-messages.ts: the primary key must not look as cheap.
    text: `select ${messageColumns('m', '$2')} from messages m
      where m.id = $3 and m.conversation_id is not distinct from $1 and m.seq > $4`,
    values: [conversationId, reader, id, joinedSeq],
  });
  return rows[0];
}

/** What the sending itself made of a message. */
export type SentRow = Pick<MessageRow, 'seq' | 'version' | 'createdAt' | 'threadId' | 'threadSeq'>;
type Sent = SentRow & Pick<MessageRow, 'id' | 'text' | 'forwardedFrom' | 'deletedAt' | 'changedVersion'>;

/** What somebody has sent under a clientId, if it was stored. */
export async function messageByClientId(
  db: Queryable,
  senderId: UserId,
  conversationId: ConversationId,
  clientId: string,
): Promise<Sent | undefined> {
  const { rows } = await db.query<Sent>({
    name: 'message-by-client-id',
    text: `select id, seq, version, created_at as "createdAt", thread_id as "threadId", thread_seq as "threadSeq",
        text, forwarded_from as "forwardedFrom", deleted_at as "deletedAt", changed_version as "changedVersion"
      from messages
      where client_id = $3 and sender_id = $2 and conversation_id is not distinct from $1`,
    values: [conversationId, senderId, clientId],
  });
  return rows[0];
}

/** The newest messages of several conversations for one reader, at most `limit` each, oldest first within each. */
export async function newestMessages(
  db: Queryable,
  reader: UserId,
  scopes: readonly ReadScope[],
  limit: number,
): Promise<MessageRow[]> {
  const { rows } = await db.query<MessageRow>({
    name: 'newest-messages',
    text: `
      select newest.* from unnest($1::uuid[], $3::bigint[]) as k(id, joined_seq)
      cross join lateral (
        select ${messageColumns('m', '$2')} from messages m where m.conversation_id = k.id and m.seq > k.joined_seq
        order by m.seq desc limit $4
      ) newest
      order by newest."conversationId", newest.seq`,
    values: [
      scopes.map(({ conversationId }) => conversationId),
      reader,
      scopes.map(({ joinedSeq }) => joinedSeq),
      limit,
    ],
  });
  return rows;
}

/** Pinned messages that the reader may see, the latest pinned first. */
export async function pinnedMessages(
  db: Queryable,
  { reader, conversationId, joinedSeq }: ReadScope,
): Promise<MessageRow[]> {
  const { rows } = await db.query<MessageRow>({
    name: 'pinned-messages',
    text: `select ${messageColumns('m', '$2')} from messages m ${stillReads('m', '$2', '$3')}
      where m.conversation_id = $1 and m.pinned_at is not null and m.seq > $3 order by m.pinned_at desc, m.seq desc`,
    values: [conversationId, reader, joinedSeq],
  });
  return rows;
}
