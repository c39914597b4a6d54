import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';
import { type MessageRow, messageColumns } from './messages.ts';

/** An entry of the log: a change of its own, or a message. */
export interface LogRow {
  conversationId: ConversationId;
  version: number;
  type: string;
  actorId: UserId;
  at: Date;
  data: unknown;
  message: MessageRow | null;
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

type FlatLogRow = Omit<LogRow, 'message'> & Partial<MessageRow> & { isMessage: boolean };

/**
 * The log of several conversations, each after its own version, at most `limit` entries each, ordered by conversation
 * and version. Messages are their own log entries: the seq at a version follows from the last change before it, so
 * both halves are found by their primary keys.
 */
export async function logAfter(
  db: Queryable,
  after: readonly { conversationId: ConversationId; version: number }[],
  limit: number,
): Promise<LogRow[]> {
  const { rows } = await db.query<FlatLogRow>({
    name: 'log-after',
    text: `
      select entry.* from unnest($1::uuid[], $2::bigint[]) as k(conversation_id, version)
      cross join lateral (
        select coalesce((
          select e.seq + (k.version - e.version) from events e
          where e.conversation_id = k.conversation_id and e.version <= k.version order by e.version desc limit 1
        ), 0) as seq
      ) base
      cross join lateral (
        select * from (
          (select ${messageColumns('m')}, true as "isMessage", 'message.created' as type, m.sender_id as "actorId",
            m.created_at as at, null::jsonb as data
          from messages m where m.conversation_id = k.conversation_id and m.seq > base.seq order by m.seq limit $3)
          union all
          (select e.conversation_id, e.seq, e.version, null, null, null, null, null, null, null, null, null, null, null,
            false, e.type, e.actor_id, e.at, e.data
          from events e where e.conversation_id = k.conversation_id and e.version > k.version order by e.version limit $3)
        ) both_halves order by version limit $3
      ) entry
      order by entry."conversationId", entry.version`,
    values: [after.map(({ conversationId }) => conversationId), after.map(({ version }) => version), limit],
  });
  return rows.map(toLogRow);
}

function toLogRow(row: FlatLogRow): LogRow {
  const { isMessage, type, actorId, at, data, ...message } = row;
  const { conversationId, version } = row;
  return { conversationId, version, type, actorId, at, data, message: isMessage ? (message as MessageRow) : null };
}
