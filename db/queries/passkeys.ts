import type { UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';

export interface PasskeyRow {
  userId: UserId;
  id: string;
  credentialId: Buffer;
  publicKey: Buffer;
  counter: number;
  transports: string[];
  name: string;
  createdAt: Date;
  lastUsedAt: Date | null;
}

const columns = `user_id as "userId", id, credential_id as "credentialId", public_key as "publicKey", counter, transports,
  name, created_at as "createdAt", last_used_at as "lastUsedAt"`;

/** Throws a unique violation of `passkeys_credential` where it is registered already. */
export async function insertPasskey(tx: Tx, row: Omit<PasskeyRow, 'lastUsedAt'>): Promise<void> {
  await tx.query({
    name: 'insert-passkey',
    text: `insert into passkeys (user_id, id, credential_id, public_key, counter, transports, name, created_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    values: [
      ...[row.userId, row.id, row.credentialId, row.publicKey],
      ...[row.counter, row.transports, row.name, row.createdAt],
    ],
  });
}

export async function passkeysOf(db: Queryable, userId: UserId): Promise<PasskeyRow[]> {
  const { rows } = await db.query<PasskeyRow>({
    name: 'passkeys-of',
    text: `select ${columns} from passkeys where user_id = $1 order by created_at, id`,
    values: [userId],
  });
  return rows;
}

export async function passkeyByCredential(db: Queryable, credentialId: Buffer): Promise<PasskeyRow | undefined> {
  const { rows } = await db.query<PasskeyRow>({
    name: 'passkey-by-credential',
    text: `select ${columns} from passkeys where credential_id = $1`,
    values: [credentialId],
  });
  return rows[0];
}

/**
 * Takes a use of a passkey, if its counter has gone on since the last one. One that stays or goes back is a copy of the
 * key; authenticators that do not count say nought for ever.
 */
export async function countPasskeyUse(
  tx: Tx,
  { userId, id }: Pick<PasskeyRow, 'userId' | 'id'>,
  counter: number,
  at: Date,
): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'count-passkey-use',
    text: `update passkeys set counter = $3, last_used_at = $4
      where user_id = $1 and id = $2 and (counter < $3 or (counter = 0 and $3 = 0))`,
    values: [userId, id, counter, at],
  });
  return rowCount === 1;
}

export async function renamePasskeyRow(
  db: Queryable,
  userId: UserId,
  id: string,
  name: string,
): Promise<PasskeyRow | undefined> {
  const { rows } = await db.query<PasskeyRow>({
    name: 'rename-passkey',
    text: `update passkeys set name = $3 where user_id = $1 and id = $2 returning ${columns}`,
    values: [userId, id, name],
  });
  return rows[0];
}

export async function deletePasskeyRow(tx: Tx, userId: UserId, id: string): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'delete-passkey',
    text: 'delete from passkeys where user_id = $1 and id = $2',
    values: [userId, id],
  });
  return rowCount === 1;
}
