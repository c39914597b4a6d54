import type { UserId } from '../../contracts/ids.ts';
import type { Queryable } from '../client.ts';

/** Whether the person can sign in: with a password and what they are called with it, by a passkey, or elsewhere. */
export async function hasWayIn(db: Queryable, userId: UserId): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'has-way-in',
    text: `select from accounts u where id = $1 and (
      password_hash is not null and (email is not null or phone is not null)
      or exists (select from passkeys p where p.user_id = u.id)
      or exists (select from identities i where i.user_id = u.id))`,
    values: [userId],
  });
  return rowCount === 1;
}
