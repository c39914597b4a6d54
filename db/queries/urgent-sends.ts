import type { MessageId, UserId } from '../../contracts/ids.ts';
import type { Tx } from '../client.ts';

/** Two transactions that send something urgent of one person follow one another. */
export async function lockUrgentSends(tx: Tx, userId: UserId): Promise<void> {
  await tx.query({
    name: 'lock-urgent-sends',
    text: `select pg_advisory_xact_lock(hashtextextended('urgent:' || $1, 0))`,
    values: [userId],
  });
}

/**
 * Milliseconds until the person has one more urgent message, where the last hour has seen as many as they may send. A
 * statement of its own behind the lock: one that waited for the lock itself would not see what its holder has stored.
 */
export async function urgentFreeIn(tx: Tx, userId: UserId, perHour: number): Promise<number | undefined> {
  const { rows } = await tx.query<{ freeInMs: number }>({
    name: 'urgent-free-in',
    text: `
      select ceil(extract(epoch from at + interval '1 hour' - now()) * 1000)::int as "freeInMs" from urgent_sends
      where user_id = $1 and at > now() - interval '1 hour' order by at desc offset $2::int - 1 limit 1`,
    values: [userId, perHour],
  });
  return rows[0]?.freeInMs;
}

/** One more is spent. What is older than the hour is of no use any more. */
export async function insertUrgentSend(tx: Tx, userId: UserId, messageId: MessageId): Promise<void> {
  await tx.query({
    name: 'insert-urgent-send',
    text: `
      with old as (delete from urgent_sends where user_id = $1 and at <= now() - interval '1 hour')
      insert into urgent_sends (user_id, message_id, at) values ($1, $2, now())`,
    values: [userId, messageId],
  });
}
