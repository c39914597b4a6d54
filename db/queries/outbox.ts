import type { OutboxTopic } from '../../contracts/events.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';

export interface OutboxRow {
  id: number;
  topic: OutboxTopic;
  conversationId: ConversationId | null;
  seqFrom: number | null;
  seqTo: number | null;
  userId: UserId | null;
  payload: unknown;
  createdAt: Date;
  tries: number;
  /** It waited for longer than a relay that keeps up lets anything wait. */
  late: boolean;
  /** Members of its conversation; null where it is about none. */
  memberCount: number | null;
}

/** Milliseconds in which a relay that keeps up has seen to a row. */
export const promptMs = 1_000;

export async function insertOutbox(
  tx: Tx,
  row: { topic: OutboxTopic; userId: UserId | null; payload: unknown },
): Promise<void> {
  await tx.query({
    name: 'insert-outbox',
    text: 'insert into outbox (topic, user_id, payload) values ($1, $2, $3)',
    values: [row.topic, row.userId, JSON.stringify(row.payload)],
  });
}

/** The same about messages of one conversation, both bounds included. */
export async function insertRange(
  tx: Tx,
  row: {
    topic: 'messages.stored' | 'messages.changed';
    conversationId: ConversationId;
    seqFrom: number;
    seqTo: number;
    payload?: unknown;
  },
): Promise<void> {
  await tx.query({
    name: 'insert-range',
    // When it is written and not when its transaction began, which may have waited for others since.
    text: `insert into outbox (topic, conversation_id, seq_from, seq_to, payload, created_at)
      values ($1, $2, $3, $4, $5, clock_timestamp())`,
    values: [row.topic, row.conversationId, row.seqFrom, row.seqTo, JSON.stringify(row.payload ?? null)],
  });
}

/** Gives rows to another loop of the relay. */
export async function moveOutbox(tx: Tx, ids: readonly number[], topic: OutboxTopic): Promise<void> {
  await tx.query({
    name: 'move-outbox',
    text: 'update outbox set topic = $2 where id = any($1::bigint[])',
    values: [ids, topic],
  });
}

/** A part of it is done: the payload says how far. It comes again at once. */
export async function keepOutbox(tx: Tx, id: number, payload: unknown): Promise<void> {
  await tx.query({
    name: 'keep-outbox',
    text: 'update outbox set payload = $2 where id = $1',
    values: [id, JSON.stringify(payload)],
  });
}

/**
 * Claims due rows of one topic for the length of the transaction. Rows that another relay holds are passed over, never
 * waited for; a row that nobody deletes or postpones comes again.
 */
export async function claimOutbox(tx: Tx, topic: OutboxTopic, limit: number): Promise<OutboxRow[]> {
  const { rows } = await tx.query<OutboxRow>({
    name: 'claim-outbox',
    text: `
      select id, topic, conversation_id as "conversationId", seq_from as "seqFrom", seq_to as "seqTo", user_id as "userId",
        payload, created_at as "createdAt", tries, created_at < now() - interval '${promptMs} milliseconds' as late,
        (select member_count from conversations c where c.id = o.conversation_id) as "memberCount"
      from outbox o where topic = $1 and due_at <= now() order by due_at, id limit $2 for update skip locked`,
    values: [topic, limit],
  });
  return rows;
}

export async function deleteOutbox(tx: Tx, ids: readonly number[]): Promise<void> {
  await tx.query({ name: 'delete-outbox', text: 'delete from outbox where id = any($1::bigint[])', values: [ids] });
}

/** Puts rows off after a failed try: they come again after the delay. */
export async function postponeOutbox(tx: Tx, ids: readonly number[], delayMs: number): Promise<void> {
  await tx.query({
    name: 'postpone-outbox',
    text: `update outbox set tries = tries + 1, due_at = now() + $2 * interval '1 millisecond' where id = any($1::bigint[])`,
    values: [ids, delayMs],
  });
}

/** How much is owed and how old the oldest of it is, in seconds: what an operator alarms on. */
export async function outboxBacklog(db: Queryable): Promise<{ rows: number; oldestSeconds: number }> {
  const { rows } = await db.query<{ rows: number; oldestSeconds: number }>({
    name: 'outbox-backlog',
    text: `select count(*) as rows, coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as "oldestSeconds" from outbox`,
    values: [],
  });
  return rows[0] ?? { rows: 0, oldestSeconds: 0 };
}
