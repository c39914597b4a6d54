import type { Mention, Role, ThreadSummary } from '../../contracts/entities/index.ts';
import type { ConversationId, MessageId, UserId } from '../../contracts/ids.ts';
import { byteaArray, textArray, uuidArray } from '../arrays.ts';
import type { Db, Statement, Tx } from '../client.ts';
import type { StoredOrigin } from './messages.ts';

/** One message that waits to be stored. */
export interface NewMessageRow {
  conversationId: ConversationId;
  senderId: UserId;
  id: MessageId;
  clientId: string;
  text: string;
  replyTo: MessageId | null;
  /** Any message of the thread that it shall stand in. */
  threadId: MessageId | null;
  forwardedFrom: StoredOrigin | null;
  mentions: Mention[] | null;
  priority: 'normal' | 'urgent';
  /** SHA-256 of the content. */
  fingerprint: Buffer;
}

/** Who may do what a send can ask for, by role; the table of rights itself stands in the domain. */
export interface SendRights {
  write: readonly Role[];
  /** Where only announcements are made. */
  announce: readonly Role[];
  /** Mention everyone in a channel. */
  callChannel: readonly Role[];
}

/** What became of one message of a batch, by its place in the batch. */
export type StoreResult =
  | {
      place: number;
      status: 'stored';
      seq: number;
      version: number;
      /** Milliseconds since 1970. */
      createdAtMs: number;
      /** The membership that the send was judged by: who hears of it is decided by the same one. */
      memberVersion: number;
      /** Of messages that may stand in a thread; absent in a batch without such. */
      threadId?: MessageId | null;
      threadSeq?: number | null;
      thread?: ThreadSummary | null;
    }
  /** This clientId was stored before, with the same or with other content. */
  | { place: number; status: 'repeat' | 'conflict'; seq: number }
  /** Stored before, by somebody who is no member any more: to them it is as they sent it. */
  | { place: number; status: 'repeat_of_gone'; seq: number }
  | {
      place: number;
      status:
        | 'not_member'
        | 'may_not_write'
        | 'reply_not_found'
        | 'thread_not_found'
        | 'mention_not_member'
        /** The thread began before the person who is mentioned may read. */
        | 'mention_out_of_reach'
        | 'may_not_call';
    }
  /** Membership changed while the statement waited for the conversation: nothing was stored; run it again. */
  | { place: number; status: 'stale' };

/**
 * Stores a batch of messages of any conversations in one statement and one commit, and gives each its own answer.
 *
 * - `checked` finds repeats and rights under the statement's snapshot; repeats are put aside before numbers are given,
 *   so no number is lost to them.
 * - `moved` locks the conversations' rows in the order of their ids (two batches can never wait for each other in a
 *   circle), passes over those whose membership changed while we waited - rights that were checked against an older
 *   membership store nothing - and takes the next numbers.
 * - `inserted` and `queued` write messages and what is owed to the durable lane; `threaded`, `followed` and `called` keep
 *   the threads.
 *
 * Two batches that carry the same new clientId at once end in a unique violation for the later one, which stores
 * nothing; run again, it sees the first as a repeat.
 */
export async function storeMessages(
  db: Db,
  batch: readonly NewMessageRow[],
  rights: SendRights,
): Promise<StoreResult[]> {
  return (await db.write<StoreResult>(storing(batch, rights))).rows;
}

/** The same within a transaction, where the message is not all that is to be stored. */
export async function storeMessagesIn(
  tx: Tx,
  batch: readonly NewMessageRow[],
  rights: SendRights,
): Promise<StoreResult[]> {
  return (await tx.query<StoreResult>(storing(batch, rights))).rows;
}

function storing(batch: readonly NewMessageRow[], rights: SendRights): Statement {
  const plain = batch.every(isPlain);
  return {
    name: plain ? 'store-plain-messages' : 'store-messages',
    text: plain ? storePlainMessagesSql : storeMessagesSql,
    values: [
      ...plainColumns(batch),
      rights.write,
      rights.announce,
      ...(plain ? [] : [...referringColumns(batch), rights.callChannel]),
    ],
  };
}

/** Refers to nobody and to no other message, as most do. */
const isPlain = ({ replyTo, threadId, forwardedFrom, mentions }: NewMessageRow) =>
  replyTo === null && threadId === null && forwardedFrom === null && mentions === null;

function plainColumns(batch: readonly NewMessageRow[]): Buffer[] {
  return [
    uuidArray(batch.map(({ conversationId }) => conversationId)),
    uuidArray(batch.map(({ senderId }) => senderId)),
    uuidArray(batch.map(({ id }) => id)),
    uuidArray(batch.map(({ clientId }) => clientId)),
    textArray(batch.map(({ text }) => text)),
    byteaArray(batch.map(({ fingerprint }) => fingerprint)),
    textArray(batch.map(({ priority }) => priority)),
  ];
}

function referringColumns(batch: readonly NewMessageRow[]): unknown[] {
  const json = (value: unknown) => (value === null ? null : JSON.stringify(value));
  return [
    uuidArray(batch.map(({ replyTo }) => replyTo)),
    uuidArray(batch.map(({ threadId }) => threadId)),
    batch.map(({ forwardedFrom }) => json(forwardedFrom)),
    batch.map(({ mentions }) => json(mentions)),
  ];
}

/**
 * The statement, for plain messages only or for any: what plain ones do not ask for costs a batch of them nothing, not
 * even its share of the plan.
 */
function statement(kind: 'plain' | 'any'): string {
  const any = (sql: string) => (kind === 'any' ? sql : '');
  return `
with input as (
  select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bytea[], $7::text[]${any(`,
      $10::uuid[], $11::uuid[], $12::jsonb[], $13::jsonb[]`)})
    with ordinality as i(conversation_id, sender_id, id, client_id, text, fingerprint, priority${any(`,
      reply_to, thread_id, forwarded_from, mentions`)}, place)
), checked as (
  select i.*, c.member_version, m.role, known.seq as known_seq,
    known.deleted_at is not null or known.fingerprint = i.fingerprint as same,
    m.role = any(case when c.posting = 'admins' then $9::text[] else $8::text[] end) and not c.blocked as may_write${any(`,
    ${referred}`)}
  from input i
  left join conversations c on c.id = i.conversation_id
  left join members m on m.conversation_id = i.conversation_id and m.user_id = i.sender_id and m.left_at is null
  -- By messages_once and nothing else, hence no plain equality for the conversation: while messages is young or was
  -- analysed at another time, its primary key looks as cheap, and would read the whole conversation for each message.
  left join messages known
    on known.client_id = i.client_id and known.sender_id = i.sender_id
      and known.conversation_id is not distinct from i.conversation_id${any(`
  ${rootLateral}`)}
), judged as materialized (
  -- One word for all: the planner takes each further condition for a filter that hardly anything passes, and would
  -- compare every row with every other for what it believes to be one.
  select *, known_seq is null and may_write${any(` and reply_found and coalesce(mention_fault, 0) = 0 and may_call
    and (thread_id is null or root_seq is not null)`)} as fits from checked
), fresh as (
  select *, row_number() over (partition by conversation_id order by place) as nth from judged where fits
), counted as (
  select conversation_id, member_version, count(*) as n from fresh group by conversation_id, member_version
  order by conversation_id
), moved as (
  update conversations c set version = c.version + l.n, last_seq = c.last_seq + l.n, last_active_at = greatest(c.last_active_at, now())
  from counted l where c.id = l.conversation_id and c.member_version = l.member_version
  returning c.id, c.version - l.n as base_version, c.last_seq - l.n as base_seq, l.n
), inserted as (
  insert into messages (conversation_id, seq, version, changed_version, id, client_id, sender_id, text, priority, fingerprint,
    created_at${any(`, reply_to, thread_id, thread_seq, forwarded_from, mentions`)})
  select f.conversation_id, m.base_seq + f.nth, m.base_version + f.nth, m.base_version + f.nth, f.id, f.client_id,
    f.sender_id, f.text, f.priority, f.fingerprint,
    now()${any(`, f.reply_to, f.root_id, f.root_seq, f.forwarded_from, f.mentions`)}
  from fresh f join moved m on m.id = f.conversation_id
  returning id, seq, version
), queued as (
  insert into outbox (topic, conversation_id, seq_from, seq_to)
  select 'messages.stored', id, base_seq + 1, base_seq + n from moved
)${any(keptThreads)}
select c.place - 1 as place,
  case
    -- A deleted message's fingerprint is gone with its text: whoever repeats that send is told of the tombstone.
    when c.known_seq is not null and c.role is null then case when c.same then 'repeat_of_gone' else 'not_member' end
    when c.known_seq is not null then case when c.same then 'repeat' else 'conflict' end
    when c.role is null then 'not_member'
    when not c.may_write then 'may_not_write'${any(refusals)}
    when i.seq is null then 'stale'
    else 'stored'
  end as status,
  coalesce(i.seq, c.known_seq) as seq, i.version, c.member_version as "memberVersion",
  (select floor(extract(epoch from now()) * 1000)::bigint) as "createdAtMs"${any(told)}
from checked c
left join inserted i on i.id = c.id${any(`
left join threaded t on i.id is not null and t.conversation_id = c.conversation_id and t.root_seq = c.root_seq`)}`;
}

const referred = `i.reply_to is null or exists (
      -- By messages_by_id, for the same reason.
      select from messages r where r.id = i.reply_to and r.conversation_id is not distinct from i.conversation_id
        and r.seq > m.joined_seq
    ) as reply_found,
    root.id as root_id, root.seq as root_seq, root.sender_id as root_sender, c.kind = 'direct' as between_two,
    case when i.mentions is not null then (
      -- The worst of them all: 2 where somebody is no member, 1 where the thread is out of their reach.
      select max(coalesce((
        select case when x.joined_seq >= root.seq then 1 else 0 end from members x
        where x.conversation_id = i.conversation_id and x.user_id = (e->>'userId')::uuid and x.left_at is null
      ), 2)) from jsonb_array_elements(i.mentions) e where e->>'type' = 'user'
    ) end as mention_fault,
    i.mentions is null or c.kind <> 'channel' or m.role = any($14::text[]) or not exists (
      select from jsonb_array_elements(i.mentions) e where e->>'type' <> 'user'
    ) as may_call`;

const rootLateral = `left join lateral (
    -- A reply to a reply stands in the same thread. The offset keeps the planner from joining all messages with all.
    select r.id, r.seq, r.sender_id from messages t
    join messages r on r.conversation_id = t.conversation_id and r.seq = coalesce(t.thread_seq, t.seq)
    where t.id = i.thread_id and t.conversation_id is not distinct from i.conversation_id and t.kind = 'text'
      and r.seq > m.joined_seq
    offset 0
  ) root on true`;

const keptThreads = `, threaded as (
  insert into threads as t (conversation_id, root_seq, reply_count, last_seq)
  select f.conversation_id, f.root_seq, count(*), max(i.seq) from fresh f join inserted i on i.id = f.id
  where f.root_seq is not null group by f.conversation_id, f.root_seq
  on conflict (conversation_id, root_seq) do update
  set reply_count = t.reply_count + excluded.reply_count, last_seq = greatest(t.last_seq, excluded.last_seq)
  returning conversation_id, root_seq, reply_count, last_seq
), people as (
  -- Who writes in a thread follows it, and has read so far; so do, until they say otherwise, who began it, who is mentioned
  -- in it, but by somebody whom they have blocked, and of two the other. What stood there before is not unread to them.
  select conversation_id, root_seq, user_id, max(wrote) as wrote, min(read_before) as read_before from (
    select f.conversation_id, f.root_seq, f.sender_id as user_id, i.seq as wrote, null::bigint as read_before
    from fresh f join inserted i on i.id = f.id where f.root_seq is not null
    union all
    select f.conversation_id, f.root_seq, f.root_sender, null, 0 from fresh f join inserted i on i.id = f.id where f.root_seq is not null
    union all
    select f.conversation_id, f.root_seq, (e->>'userId')::uuid, null, i.seq - 1 from fresh f join inserted i on i.id = f.id
    cross join lateral jsonb_array_elements(f.mentions) e where f.root_seq is not null and e->>'type' = 'user'
      and not exists (select from blocks b where b.user_id = (e->>'userId')::uuid and b.blocked_id = f.sender_id)
    union all
    select f.conversation_id, f.root_seq, o.user_id, null::bigint, i.seq - 1 from fresh f join inserted i on i.id = f.id
    join members o on o.conversation_id = f.conversation_id and o.user_id <> f.sender_id
    where f.root_seq is not null and f.between_two
  ) them group by conversation_id, root_seq, user_id
), followed as (
  insert into thread_members as t (conversation_id, root_seq, user_id, following, read_seq)
  select conversation_id, root_seq, user_id, true, wrote from people where wrote is not null
  on conflict (conversation_id, root_seq, user_id) do update
  set read_seq = greatest(t.read_seq, excluded.read_seq), following = true
), called as (
  -- Apart from who wrote: of one person one row is written once.
  insert into thread_members as t (conversation_id, root_seq, user_id, following, read_seq)
  select conversation_id, root_seq, user_id, true, read_before from people where wrote is null
  on conflict (conversation_id, root_seq, user_id) do update
  set read_seq = greatest(t.read_seq, excluded.read_seq), following = true where t.following is null
)`;

const refusals = `
    when not c.reply_found then 'reply_not_found'
    when c.thread_id is not null and c.root_seq is null then 'thread_not_found'
    when c.mention_fault = 2 then 'mention_not_member'
    when c.mention_fault = 1 then 'mention_out_of_reach'
    when not c.may_call then 'may_not_call'`;

const told = `,
  c.root_id as "threadId", c.root_seq as "threadSeq",
  case when t.root_seq is not null then jsonb_build_object('replyCount', t.reply_count, 'lastSeq', t.last_seq) end as thread`;

const storeMessagesSql = statement('any');
/** Benchmarks run it by other means too, to compare. */
export const storePlainMessagesSql = statement('plain');
