import type { SessionId, UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';

export interface TotpRow {
  secret: Buffer;
  keyId: string;
  begunAt: Date;
  /** In which session. */
  begunBy: SessionId | null;
  confirmedAt: Date | null;
}

/** Begins anew, unless one is switched on: false then. */
export async function putTotp(
  db: Queryable,
  userId: UserId,
  { secret, keyId, begunAt, begunBy }: Omit<TotpRow, 'confirmedAt'>,
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'put-totp',
    text: `insert into totp (user_id, secret, key_id, begun_at, begun_by) values ($1, $2, $3, $4, $5)
      on conflict (user_id) do update
      set secret = excluded.secret, key_id = excluded.key_id, begun_at = excluded.begun_at, begun_by = excluded.begun_by
      where totp.confirmed_at is null`,
    values: [userId, secret, keyId, begunAt, begunBy],
  });
  return rowCount === 1;
}

export async function totpOf(db: Queryable, userId: UserId): Promise<TotpRow | undefined> {
  const { rows } = await db.query<TotpRow>({
    name: 'totp-of',
    text: `select secret, key_id as "keyId", begun_at as "begunAt", begun_by as "begunBy",
      confirmed_at as "confirmedAt" from totp where user_id = $1`,
    values: [userId],
  });
  return rows[0];
}

/** Switches on the secret that was read, if nobody has done so or begun anew meanwhile; its code is spent by that. */
export async function confirmTotpSecret(
  tx: Tx,
  userId: UserId,
  { secret, step, at }: { secret: Buffer; step: number; at: Date },
): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'confirm-totp',
    text: `update totp set confirmed_at = $3, last_step = $4
      where user_id = $1 and secret = $2 and confirmed_at is null`,
    values: [userId, secret, at, step],
  });
  return rowCount === 1;
}

/**
 * Spends the code of a step, if none of it or of a later one was. One conditional statement: of fifty who show the same
 * code at once one has it.
 */
export async function spendTotpStep(tx: Tx, userId: UserId, step: number): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'spend-totp-step',
    text: `update totp set last_step = $2 where user_id = $1 and confirmed_at is not null and last_step < $2`,
    values: [userId, step],
  });
  return rowCount === 1;
}

/** Answers whether one was switched on. */
export async function deleteTotp(tx: Tx, userId: UserId): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'delete-totp',
    text: 'delete from totp where user_id = $1 and confirmed_at is not null',
    values: [userId],
  });
  return rowCount === 1;
}
