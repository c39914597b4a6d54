import type { ConversationId, MessageId, UserId } from '../../contracts/ids.ts';
import type { Tx } from '../client.ts';

/** Two transactions that send something urgent of one person follow one another. */
export async function lockUrgentSends(tx: Tx, userId: UserId): Promise<void> {
  await tx.query({
    name: 'lock-urgent-sends',
    text: `select pg_advisory_xact_lock(hashtextextended('urgent:' || $1, 0))`,
    values: [userId],
  });
}

/** Milliseconds until somebody may send one more urgent message: of their own, and to the members of the conversation. */
export interface UrgentFreeIn {
  /** Null where the last day has not seen as many as they may send. */
  sender: number | null;
  /** Null where none of the others has had as many of theirs in the last day. */
  recipients: number | null;
}

/**
 * What is left of a person's urgent messages. A recipient's are counted over all conversations that they share: whoever
 * was in several of them has had those of each. A statement of its own behind the lock: one that waited for the lock
 * itself would not see what its holder has stored.
 */
export async function urgentFreeIn(
  tx: Tx,
  userId: UserId,
  conversationId: ConversationId,
  { perDay, perRecipient }: { perDay: number; perRecipient: number },
): Promise<UrgentFreeIn> {
  const { rows } = await tx.query<UrgentFreeIn>({
    name: 'urgent-free-in',
    text: `
      with sent as materialized (
        select conversation_id, at from urgent_sends where user_id = $1 and at > now() - interval '1 day'
      ), had as (
        select s.at, row_number() over (partition by r.user_id order by s.at desc) as place
        from sent s
        join members r on r.conversation_id = s.conversation_id and r.left_at is null and r.user_id <> $1
        where (select count(*) from sent) >= $4::int
          -- Whoever does not belong there learns nothing of who does.
          and exists (select from members m where m.conversation_id = $2 and m.user_id = $1 and m.left_at is null)
          and exists (select from members m
            where m.conversation_id = $2 and m.user_id = r.user_id and m.left_at is null)
      )
      select ${millisecondsUntil('(select at from sent order by at desc offset $3::int - 1 limit 1)')} as sender,
        ${millisecondsUntil('(select max(at) from had where place = $4::int)')} as recipients`,
    values: [userId, conversationId, perDay, perRecipient],
  });
  return rows[0] ?? { sender: null, recipients: null };
}

const millisecondsUntil = (at: string) => `ceil(extract(epoch from ${at} + interval '1 day' - now()) * 1000)::int`;

/** One more is spent. What is older than a day is of no use any more. */
export async function insertUrgentSend(
  tx: Tx,
  userId: UserId,
  { messageId, conversationId }: { messageId: MessageId; conversationId: ConversationId },
): Promise<void> {
  await tx.query({
    name: 'insert-urgent-send',
    text: `
      with old as (delete from urgent_sends where user_id = $1 and at <= now() - interval '1 day')
      insert into urgent_sends (user_id, message_id, conversation_id, at) values ($1, $2, $3, now())`,
    values: [userId, messageId, conversationId],
  });
}
