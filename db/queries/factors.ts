import type { UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';

export interface FactorsRow {
  totp: boolean;
  passkeys: number;
  recoveryCodes: number;
}

/** What a person can prove themselves by, beside the password. */
export async function factorsOf(db: Queryable, userId: UserId): Promise<FactorsRow> {
  const { rows } = await db.query<FactorsRow>({
    name: 'factors-of',
    text: `select exists(select from totp where user_id = $1 and confirmed_at is not null) as totp,
      (select count(*) from passkeys where user_id = $1) as passkeys,
      (select count(*) from recovery_codes where user_id = $1 and used_at is null) as "recoveryCodes"`,
    values: [userId],
  });
  return rows[0] as FactorsRow;
}

/** Changes of a person's factors take turns: which one is the first, and which the last, is decided by one at a time. */
export async function lockFactors(tx: Tx, userId: UserId): Promise<void> {
  await tx.query({
    name: 'lock-factors',
    text: 'select 1 from users where id = $1 for no key update',
    values: [userId],
  });
}

/** Takes away all that a person can prove themselves by beside the password. */
export async function deleteFactors(tx: Tx, userId: UserId): Promise<void> {
  await tx.query({
    name: 'delete-factors',
    text: `with apps as (delete from totp where user_id = $1), keys as (delete from passkeys where user_id = $1)
      delete from recovery_codes where user_id = $1`,
    values: [userId],
  });
}
