import type { Queryable, Tx } from '../client.ts';

export interface SigningKeyRow {
  kid: string;
  sealed: string;
  place: 'next' | 'current' | 'previous';
  /** When it begins to sign. */
  signsFrom: Date;
  /** When the one after it does; null where there is none. */
  signsUntil: Date | null;
}

/** Every key with when the one after it begins to sign. */
const inOrder = `select kid, sealed, signs_from, lead(signs_from) over (order by signs_from, kid) as signs_until from signing_keys`;

/** The keys that verify, the latest first: where each stands the clock of the database says, the same for all nodes. */
export async function signingKeys(db: Pick<Queryable, 'query'>, keepSeconds: number): Promise<SigningKeyRow[]> {
  const { rows } = await db.query<SigningKeyRow>({
    name: 'signing-keys',
    text: `select kid, sealed, signs_from as "signsFrom", signs_until as "signsUntil",
        case when signs_from > now() then 'next' when signs_until <= now() then 'previous' else 'current' end as place
      from (${inOrder}) k
      where signs_until is null or signs_until > now() - $1 * interval '1 second'
      order by signs_from desc, kid desc`,
    values: [keepSeconds],
  });
  return rows;
}

/** Changes of the keys follow one another. */
export async function lockSigningKeys(tx: Tx): Promise<void> {
  await tx.query({ name: 'lock-signing-keys', text: 'select pg_advisory_xact_lock(2, 1)', values: [] });
}

/** Stores a key that signs after so many seconds. */
export async function insertSigningKey(
  tx: Tx,
  { kid, sealed }: Pick<SigningKeyRow, 'kid' | 'sealed'>,
  seconds: number,
): Promise<Date> {
  const { rows } = await tx.query<{ signsFrom: Date }>({
    name: 'insert-signing-key',
    text: `insert into signing_keys (kid, sealed, signs_from) values ($1, $2, now() + $3 * interval '1 second')
      returning signs_from as "signsFrom"`,
    values: [kid, sealed, seconds],
  });
  return rows[0]?.signsFrom as Date;
}

/** A key that waits signs after so many seconds at the latest. */
export async function hastenSigningKey(tx: Tx, kid: string, seconds: number): Promise<Date> {
  const { rows } = await tx.query<{ signsFrom: Date }>({
    name: 'hasten-signing-key',
    text: `update signing_keys set signs_from = least(signs_from, now() + $2 * interval '1 second') where kid = $1
      returning signs_from as "signsFrom"`,
    values: [kid, seconds],
  });
  return rows[0]?.signsFrom as Date;
}

/** Whether the latest key has been there for so many seconds, or there is none. */
export async function isNextKeyDue(tx: Tx, afterSeconds: number): Promise<boolean> {
  const { rows } = await tx.query<{ due: boolean }>({
    name: 'is-next-key-due',
    text: `select coalesce(max(signs_from) <= now() - $1 * interval '1 second', true) as due from signing_keys`,
    values: [afterSeconds],
  });
  return rows[0]?.due === true;
}

/** Takes away keys that nothing verifies by any more. */
export async function forgetSigningKeys(tx: Tx, keepSeconds: number): Promise<number> {
  const { rowCount } = await tx.query({
    name: 'forget-signing-keys',
    text: `delete from signing_keys where kid in (
      select kid from (${inOrder}) k where signs_until <= now() - $1 * interval '1 second')`,
    values: [keepSeconds],
  });
  return rowCount ?? 0;
}
