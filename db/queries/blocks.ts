import type { UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';
import { keepingPast } from './past-rules.ts';

/** Blocks somebody; false where that was so already. */
export async function insertBlock(tx: Tx, userId: UserId, blockedId: UserId): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'insert-block',
    text: 'insert into blocks (user_id, blocked_id, at) values ($1, $2, now()) on conflict do nothing',
    values: [userId, blockedId],
  });
  return rowCount === 1;
}

export async function deleteBlock(tx: Tx, userId: UserId, blockedId: UserId): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'delete-block',
    text: `
      with ${keepingPast(
        'block',
        `select user_id, blocked_id::text as subject, at as since, null::jsonb as was from blocks
          where user_id = $1 and blocked_id = $2`,
      )}
      delete from blocks where user_id = $1 and blocked_id = $2`,
    values: [userId, blockedId],
  });
  return rowCount === 1;
}

export async function blocksOf(db: Queryable, userId: UserId): Promise<{ userId: UserId; at: Date }[]> {
  const { rows } = await db.query<{ userId: UserId; at: Date }>({
    name: 'blocks-of',
    text: 'select blocked_id as "userId", at from blocks where user_id = $1 order by at desc, blocked_id',
    values: [userId],
  });
  return rows;
}

/**
 * Closes or opens the direct conversation of a pair, as the blocks between them say. Its membership version rises, so a
 * send that was judged before stores nothing afterwards.
 */
export async function setDirectBlocked(tx: Tx, key: string, pair: readonly [UserId, UserId]): Promise<void> {
  await tx.query({
    name: 'set-direct-blocked',
    text: `
      update conversations c set member_version = member_version + 1, blocked = exists (
        select from blocks b where (b.user_id = $2 and b.blocked_id = $3) or (b.user_id = $3 and b.blocked_id = $2))
      from conversation_keys k where k.key = $1 and c.id = k.conversation_id`,
    values: [key, ...pair],
  });
}
