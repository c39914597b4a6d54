import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';

/** Keeps of which urgent messages a person could be told on no channel. */
export async function insertUnreached(
  tx: Tx,
  userId: UserId,
  messages: readonly { conversationId: ConversationId; seq: number }[],
): Promise<void> {
  if (messages.length === 0) return;
  await tx.query({
    name: 'insert-unreached',
    text: `insert into unreached (user_id, conversation_id, seq)
      select $1, * from unnest($2::uuid[], $3::bigint[]) on conflict do nothing`,
    values: [userId, messages.map(({ conversationId }) => conversationId), messages.map(({ seq }) => seq)],
  });
}

/** Who could be told of the message on no channel. */
export async function unreachedBy(
  db: Queryable,
  { conversationId, seq }: { conversationId: ConversationId; seq: number },
): Promise<UserId[]> {
  const { rows } = await db.query<{ userId: UserId }>({
    name: 'unreached-by',
    text: 'select user_id as "userId" from unreached where conversation_id = $1 and seq = $2',
    values: [conversationId, seq],
  });
  return rows.map(({ userId }) => userId);
}
