import type { ConversationId, MessageId, UserId } from '../../contracts/ids.ts';
import type { Mention } from '../../contracts/entities/index.ts';
import type { Db, Queryable } from '../client.ts';

/** A message as it lies in the table. */
export interface MessageRow {
  conversationId: ConversationId;
  seq: number;
  version: number;
  id: MessageId;
  clientId: string;
  senderId: UserId;
  kind: 'text';
  text: string | null;
  replyTo: MessageId | null;
  mentions: Mention[] | null;
  priority: 'normal' | 'urgent';
  createdAt: Date;
  editedAt: Date | null;
  deletedAt: Date | null;
}

export const messageColumns = (table: string) => `
  ${table}.conversation_id as "conversationId", ${table}.seq, ${table}.version, ${table}.id,
  ${table}.client_id as "clientId", ${table}.sender_id as "senderId", ${table}.kind, ${table}.text,
  ${table}.reply_to as "replyTo", ${table}.mentions, ${table}.priority, ${table}.created_at as "createdAt",
  ${table}.edited_at as "editedAt", ${table}.deleted_at as "deletedAt"`;

/** One message that waits to be stored. */
export interface NewMessageRow {
  conversationId: ConversationId;
  senderId: UserId;
  id: MessageId;
  clientId: string;
  text: string;
  replyTo: MessageId | null;
  mentions: Mention[] | null;
  priority: 'normal' | 'urgent';
  /** SHA-256 of the content. */
  fingerprint: Buffer;
}

/** What became of one message of a batch, by its place in the batch. */
export type StoreResult =
  | { place: number; status: 'stored'; seq: number; version: number; createdAt: Date }
  /** This clientId was stored before, with the same or with other content. */
  | { place: number; status: 'repeat' | 'conflict'; seq: number }
  | { place: number; status: 'not_member' | 'read_only' | 'reply_not_found' }
  /** Membership changed while the statement waited for the conversation: nothing was stored; run it again. */
  | { place: number; status: 'stale' };

/**
 * Stores a batch of messages of any conversations in one statement and one commit, and gives each its own answer.
 *
 * - `checked` finds repeats and rights under the statement's snapshot; repeats are put aside before numbers are given,
 *   so no number is lost to them.
 * - `locked` takes the conversations' rows in the order of their ids (two batches can never wait for each other in a
 *   circle) and drops those whose membership changed while we waited: rights that were checked against an older
 *   membership store nothing.
 * - `moved` takes the next numbers; `inserted` and `queued` write messages and what is owed to the durable lane.
 *
 * Two batches that carry the same new clientId at once end in a unique violation for the later one, which stores
 * nothing; run again, it sees the first as a repeat.
 */
export async function storeMessages(db: Db, batch: readonly NewMessageRow[]): Promise<StoreResult[]> {
  const column = <Key extends keyof NewMessageRow>(key: Key) => batch.map((message) => message[key]);
  const { rows } = await db.write<StoreResult>({
    name: 'store-messages',
    text: storeMessagesSql,
    values: [
      batch.map((_, place) => place),
      column('conversationId'),
      column('senderId'),
      column('id'),
      column('clientId'),
      column('text'),
      column('replyTo'),
      batch.map(({ mentions }) => (mentions === null ? null : JSON.stringify(mentions))),
      column('priority'),
      column('fingerprint'),
    ],
  });
  return rows;
}

const storeMessagesSql = `
with input as (
  select * from unnest($1::int[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::uuid[], $8::jsonb[], $9::text[], $10::bytea[])
    as i(place, conversation_id, sender_id, id, client_id, text, reply_to, mentions, priority, fingerprint)
), checked as (
  select i.*, c.member_version, m.role, known.seq as known_seq, known.fingerprint = i.fingerprint as same,
    i.reply_to is null or exists (
      select from messages r where r.conversation_id = i.conversation_id and r.id = i.reply_to and r.seq > m.joined_seq
    ) as reply_found
  from input i
  left join conversations c on c.id = i.conversation_id
  left join members m on m.conversation_id = i.conversation_id and m.user_id = i.sender_id and m.left_at is null
  left join messages known
    on known.conversation_id = i.conversation_id and known.sender_id = i.sender_id and known.client_id = i.client_id
), fresh as (
  select *, row_number() over (partition by conversation_id order by place) as nth from checked
  where known_seq is null and role in ('owner', 'admin', 'member') and reply_found
), counted as (
  select conversation_id, member_version, count(*) as n from fresh group by conversation_id, member_version
), locked as (
  select c.id, n.n from conversations c join counted n on n.conversation_id = c.id and n.member_version = c.member_version
  order by c.id for no key update of c
), moved as (
  update conversations c set version = c.version + l.n, last_seq = c.last_seq + l.n, last_active_at = now()
  from locked l where c.id = l.id
  returning c.id, c.version - l.n as base_version, c.last_seq - l.n as base_seq, l.n
), inserted as (
  insert into messages (conversation_id, seq, version, id, client_id, sender_id, text, reply_to, mentions, priority, fingerprint, created_at)
  select f.conversation_id, m.base_seq + f.nth, m.base_version + f.nth, f.id, f.client_id, f.sender_id, f.text,
    f.reply_to, f.mentions, f.priority, f.fingerprint, now()
  from fresh f join moved m on m.id = f.conversation_id
  returning id, seq, version, created_at
), queued as (
  insert into outbox (topic, conversation_id, seq_from, seq_to)
  select 'messages.stored', id, base_seq + 1, base_seq + n from moved
)
select c.place,
  case
    when c.known_seq is not null then case when c.role is null then 'not_member' when c.same then 'repeat' else 'conflict' end
    when c.role is null then 'not_member'
    when c.role = 'read_only' then 'read_only'
    when not c.reply_found then 'reply_not_found'
    when i.seq is null then 'stale'
    else 'stored'
  end as status,
  coalesce(i.seq, c.known_seq) as seq, i.version, i.created_at as "createdAt"
from checked c left join inserted i on i.id = c.id`;

export interface Page {
  before?: number | undefined;
  after?: number | undefined;
  limit: number;
}

/** Messages of one conversation between two bounds (both exclusive), oldest first. */
export async function messagesPage(
  db: Queryable,
  conversationId: ConversationId,
  fromSeq: number,
  { before, after, limit }: Page,
): Promise<MessageRow[]> {
  const newest = after === undefined;
  const { rows } = await db.query<MessageRow>({
    name: newest ? 'messages-before' : 'messages-after',
    text: `select ${messageColumns('m')} from messages m
      where m.conversation_id = $1 and m.seq > $2 and m.seq < $3 and m.seq > $4
      order by m.seq ${newest ? 'desc' : 'asc'} limit $5`,
    values: [conversationId, after ?? 0, before ?? Number.MAX_SAFE_INTEGER, fromSeq, limit],
  });
  return newest ? rows.reverse() : rows;
}

export async function messageBySeq(
  db: Queryable,
  conversationId: ConversationId,
  seq: number,
): Promise<MessageRow | undefined> {
  const { rows } = await db.query<MessageRow>({
    name: 'message-by-seq',
    text: `select ${messageColumns('m')} from messages m where m.conversation_id = $1 and m.seq = $2`,
    values: [conversationId, seq],
  });
  return rows[0];
}

export async function messageById(
  db: Queryable,
  conversationId: ConversationId,
  id: MessageId,
): Promise<MessageRow | undefined> {
  const { rows } = await db.query<MessageRow>({
    name: 'message-by-id',
    text: `select ${messageColumns('m')} from messages m where m.conversation_id = $1 and m.id = $2`,
    values: [conversationId, id],
  });
  return rows[0];
}
