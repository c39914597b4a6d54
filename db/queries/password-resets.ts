import type { UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';

export interface PasswordResetRow {
  id: string;
  channel: 'email' | 'sms';
  target: string;
  /** Whose password it is; known once it was sent. */
  userId: UserId | null;
}

const columns = 'id, channel, target, user_id as "userId"';

/** Rows whose time is over that each new one takes away. */
const sweep = 3;

export async function insertPasswordReset(
  tx: Tx,
  reset: Omit<PasswordResetRow, 'userId'> & { tokenHash: Buffer; expiresAt: Date },
  at: Date,
): Promise<void> {
  await tx.query({
    name: 'insert-password-reset',
    text: 'insert into password_resets (id, token_hash, channel, target, expires_at) values ($1, $2, $3, $4, $5)',
    values: [reset.id, reset.tokenHash, reset.channel, reset.target, reset.expiresAt],
  });
  await tx.query({
    name: 'sweep-password-resets',
    text: `delete from password_resets where id in (select id from password_resets
      where expires_at <= $1::timestamptz - interval '1 day' order by expires_at limit ${sweep} for update skip locked)`,
    values: [at],
  });
}

export async function passwordReset(db: Queryable, id: string): Promise<PasswordResetRow | undefined> {
  const { rows } = await db.query<PasswordResetRow>({
    name: 'password-reset',
    text: `select ${columns} from password_resets where id = $1`,
    values: [id],
  });
  return rows[0];
}

/** It is about to be sent to this person: with the first sending its time begins. False where it is over. */
export async function beginPasswordReset(
  db: Queryable,
  id: string,
  { userId, at, until }: { userId: UserId; at: Date; until: Date },
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'begin-password-reset',
    text: `update password_resets set user_id = $2, sent_at = coalesce(sent_at, $3),
        expires_at = case when sent_at is null then $4 else expires_at end
      where id = $1 and (sent_at is null or expires_at > $3 and user_id = $2)`,
    values: [id, userId, at, until],
  });
  return rowCount === 1;
}

/** One that may be used at this moment: it was sent, its time is not over, and the address is still the person's. */
const usable = `token_hash = $1 and expires_at > $2 and sent_at is not null and exists (select from users u
  where u.id = r.user_id and u.status = 'active' and case r.channel when 'email' then u.email else u.phone end = r.target)`;

export async function usablePasswordReset(
  db: Queryable,
  tokenHash: Buffer,
  at: Date,
): Promise<(PasswordResetRow & { userId: UserId }) | undefined> {
  const { rows } = await db.query<PasswordResetRow & { userId: UserId }>({
    name: 'usable-password-reset',
    text: `select ${columns} from password_resets r where ${usable}`,
    values: [tokenHash, at],
  });
  return rows[0];
}

/** Uses it up. Of two at the same moment one gets it. */
export async function usePasswordReset(tx: Tx, tokenHash: Buffer, at: Date): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'use-password-reset',
    text: `delete from password_resets r where ${usable}`,
    values: [tokenHash, at],
  });
  return rowCount === 1;
}

/** It is nobody's: there is nothing to keep. */
export async function deletePasswordReset(db: Queryable, id: string): Promise<void> {
  await db.query({
    name: 'delete-password-reset',
    text: 'delete from password_resets where id = $1',
    values: [id],
  });
}

/** The password is another by now: what was mailed to change the former one opens nothing. */
export async function deletePasswordResets(tx: Tx, userId: UserId): Promise<void> {
  await tx.query({
    name: 'delete-password-resets',
    text: 'delete from password_resets where user_id = $1',
    values: [userId],
  });
}
