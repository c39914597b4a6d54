import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';
import type { ReadScope } from '../read-scope.ts';
import { type MessageRow, messageColumns } from './messages.ts';

/** An entry of the log: a message, or a change of its own, with the message that it is about where it is about one. */
export interface LogRow {
  conversationId: ConversationId;
  version: number;
  type: string;
  actorId: UserId;
  at: Date;
  data: unknown;
  /** A message is its own entry. */
  isMessage: boolean;
  message: MessageRow | null;
  /** It is about something from before the reader joined. */
  hidden: boolean;
}

export interface NewEventRow {
  conversationId: ConversationId;
  version: number;
  seq: number;
  type: string;
  actorId: UserId;
  at: Date;
  data: unknown;
}

export async function insertEvent(tx: Tx, event: NewEventRow): Promise<void> {
  await tx.query({
    name: 'insert-event',
    text: `insert into events (conversation_id, version, seq, type, actor_id, at, data) values ($1, $2, $3, $4, $5, $6, $7)`,
    values: [
      event.conversationId,
      event.version,
      event.seq,
      event.type,
      event.actorId,
      event.at,
      JSON.stringify(event.data),
    ],
  });
}

/** A place in the log of a conversation that the reader may read. */
export interface LogPlace {
  scope: ReadScope;
  version: number;
}

interface EntryColumns {
  entryVersion: number;
  isMessage: boolean;
  type: string;
  actorId: UserId;
  at: Date;
  data: unknown;
  hidden: boolean;
}
type FlatLogRow = EntryColumns & { ofConversation: ConversationId } & (MessageRow | { id: null });

/**
 * The log of several conversations for a reader, each after its own version, at most `limit` entries each, ordered by
 * conversation and version. Messages are their own log entries: the seq at a version follows from the last change before
 * it, so both halves are found by their primary keys. There is no gap between seqs, so a page of them ends by its last one: a
 * limit would go on through all that row-level security holds back.
 *
 * The membership is looked at in the same snapshot: where it is not any more the one that `joinedSeq` was taken from,
 * nothing is told, but to who holds everything up to its end the change that ended it.
 */
export async function logAfter(
  db: Queryable,
  reader: UserId,
  after: readonly LogPlace[],
  limit: number,
): Promise<LogRow[]> {
  const { rows } = await db.query<FlatLogRow>({
    name: 'log-after',
    text: `
      select entry.conversation_id as "ofConversation", entry.version as "entryVersion", entry.is_message as "isMessage",
        entry.type, entry.actor_id as "actorId", entry.at, entry.data,
        coalesce(entry.message_seq <= entry.joined_seq, false) as hidden, ${messageColumns('m', '$2')}
      from unnest($1::uuid[], $3::bigint[], $4::bigint[]) as k(conversation_id, version, joined_seq)
      join members r on r.conversation_id = k.conversation_id and r.user_id = $2 and r.joined_seq = k.joined_seq
        and (r.left_at is null or k.version = r.left_version - 1)
      cross join lateral (
        -- Who came where the past is not theirs sees no change from before: they came at that version with that seq. Within one
        -- subquery, for a bound that is computed outside of it leaves the index: see messages.ts.
        select greatest((select coalesce((
          select e.seq + (k.version - e.version) from events e
          where e.conversation_id = k.conversation_id and e.version <= k.version order by e.version desc limit 1
        ), r.joined_seq + (k.version - r.joined_version))), 0) as seq
      ) base
      cross join lateral (
        select k.conversation_id, k.joined_seq, both_halves.* from (
          (select g.version, true as is_message, 'message.created' as type, g.sender_id as actor_id, g.created_at as at,
            null::jsonb as data, g.seq as message_seq
          from messages g where g.conversation_id = k.conversation_id and g.seq > base.seq and g.seq <= base.seq + $5 order by g.seq)
          union all
          (select e.version, false, e.type, e.actor_id, e.at, e.data, e.message_seq
          from events e where e.conversation_id = k.conversation_id and e.version > k.version order by e.version limit $5)
        ) both_halves where r.left_version is null or version <= r.left_version order by version limit $5
      ) entry
      left join messages m on m.conversation_id = entry.conversation_id and m.seq = entry.message_seq
      order by entry.conversation_id, entry.version`,
    values: [
      after.map(({ scope }) => scope.conversationId),
      reader,
      after.map(({ version }) => version),
      after.map(({ scope }) => scope.joinedSeq),
      limit,
    ],
  });
  return rows.map(toLogRow);
}

function toLogRow(row: FlatLogRow): LogRow {
  const { ofConversation, entryVersion, isMessage, type, actorId, at, data, hidden, ...message } = row;
  const entry = { conversationId: ofConversation, version: entryVersion, isMessage, type, actorId, at, data, hidden };
  return { ...entry, message: message.id === null ? null : (message as MessageRow) };
}

export interface NamedPerson {
  displayName: string;
  /** Whether others are told how far this person has read. */
  tellRead: boolean;
}

/** People by their ids, for events that tell who came. */
export async function namedPeople(db: Queryable, ids: readonly UserId[]): Promise<Map<UserId, NamedPerson>> {
  if (ids.length === 0) return new Map();
  const { rows } = await db.query<NamedPerson & { id: UserId }>({
    name: 'named-people',
    text: 'select id, display_name as "displayName", tell_read as "tellRead" from users where id = any($1::uuid[])',
    values: [ids],
  });
  return new Map(rows.map(({ id, ...person }) => [id, person]));
}
