import type { UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';

export interface IdentityRow {
  userId: UserId;
  provider: string;
  issuer: string;
  subject: string;
  email: string | null;
  displayName: string | null;
  createdAt: Date;
  lastUsedAt: Date | null;
}

const columns = `user_id as "userId", provider, issuer, subject, email, display_name as "displayName",
  created_at as "createdAt", last_used_at as "lastUsedAt"`;

/** Throws a unique violation of `identities_subject` where it is anybody's already, of `identities_pkey` where they have another. */
export async function insertIdentity(tx: Tx, row: IdentityRow): Promise<void> {
  await tx.query({
    name: 'insert-identity',
    text: `insert into identities (user_id, provider, issuer, subject, email, display_name, created_at, last_used_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    values: [
      ...[row.userId, row.provider, row.issuer, row.subject],
      ...[row.email, row.displayName, row.createdAt, row.lastUsedAt],
    ],
  });
}

export async function identitiesOf(db: Queryable, userId: UserId): Promise<IdentityRow[]> {
  const { rows } = await db.query<IdentityRow>({
    name: 'identities-of',
    text: `select ${columns} from identities where user_id = $1 order by created_at, provider`,
    values: [userId],
  });
  return rows;
}

/** Whose it is; keeps when it was used and what the provider calls them by now. */
export async function useIdentity(
  tx: Tx,
  { issuer, subject, email, displayName }: Pick<IdentityRow, 'issuer' | 'subject' | 'email' | 'displayName'>,
  at: Date,
): Promise<UserId | undefined> {
  const { rows } = await tx.query<{ userId: UserId }>({
    name: 'use-identity',
    text: `update identities set last_used_at = $3, email = $4, display_name = $5
      where issuer = $1 and subject = $2 returning user_id as "userId"`,
    values: [issuer, subject, at, email, displayName],
  });
  return rows[0]?.userId;
}

export async function deleteIdentity(tx: Tx, userId: UserId, provider: string): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'delete-identity',
    text: 'delete from identities where user_id = $1 and provider = $2',
    values: [userId, provider],
  });
  return rowCount === 1;
}

export async function deleteIdentities(tx: Tx, userId: UserId): Promise<void> {
  await tx.query({ name: 'delete-identities', text: 'delete from identities where user_id = $1', values: [userId] });
}
