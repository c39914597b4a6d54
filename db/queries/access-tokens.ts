import type { Scope } from '../../contracts/entities/index.ts';
import type { TokenId, UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';

export interface AccessTokenRow {
  userId: UserId;
  id: TokenId;
  name: string;
  scopes: Scope[];
  createdAt: Date;
  lastUsedAt: Date | null;
  expiresAt: Date;
}

const columns = `t.user_id as "userId", t.id, t.name, t.scopes, t.created_at as "createdAt",
  t.last_used_at as "lastUsedAt", t.expires_at as "expiresAt"`;

export async function insertAccessToken(
  tx: Tx,
  token: Omit<AccessTokenRow, 'lastUsedAt'> & { tokenHash: Buffer },
): Promise<void> {
  await tx.query({
    name: 'insert-access-token',
    text: `insert into access_tokens (user_id, id, token_hash, name, scopes, created_at, expires_at)
      values ($1, $2, $3, $4, $5, $6, $7)`,
    values: [
      ...[token.userId, token.id, token.tokenHash, token.name],
      ...[token.scopes, token.createdAt, token.expiresAt],
    ],
  });
}

/** Those that open something, the latest made first. */
export async function openAccessTokens(db: Queryable, userId: UserId): Promise<AccessTokenRow[]> {
  const { rows } = await db.query<AccessTokenRow>({
    name: 'open-access-tokens',
    text: `select ${columns} from access_tokens t where user_id = $1 and revoked_at is null and expires_at > now()
      order by created_at desc, id desc`,
    values: [userId],
  });
  return rows;
}

/** Whether somebody may come in by it besides its own time: not after it was ended, nor while who answers for it may not. */
const isOpen = `t.revoked_at is null and u.status = 'active'
  and not exists (select from users o where o.id = u.owner_id and o.status <> 'active')`;

export async function accessTokenByHash(
  db: Queryable,
  tokenHash: Buffer,
): Promise<(AccessTokenRow & { open: boolean }) | undefined> {
  const { rows } = await db.query<AccessTokenRow & { open: boolean }>({
    name: 'access-token-by-hash',
    text: `select ${columns}, ${isOpen} as open from access_tokens t join users u on u.id = t.user_id
      where t.token_hash = $1`,
    values: [tokenHash],
  });
  return rows[0];
}

/** Whether it opens something right now: asked when a socket connects. */
export async function isAccessTokenOpen(db: Queryable, userId: UserId, id: TokenId): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'is-access-token-open',
    text: `select 1 from access_tokens t join users u on u.id = t.user_id
      where t.user_id = $1 and t.id = $2 and t.expires_at > now() and ${isOpen}`,
    values: [userId, id],
  });
  return rowCount === 1;
}

/** It was used in this hour; written once for each. */
export async function markAccessTokenUsed(db: Queryable, userId: UserId, id: TokenId, at: Date): Promise<void> {
  await db.query({
    name: 'mark-access-token-used',
    text: `update access_tokens set last_used_at = date_trunc('hour', $3::timestamptz)
      where user_id = $1 and id = $2 and (last_used_at is null or last_used_at < date_trunc('hour', $3::timestamptz))`,
    values: [userId, id, at],
  });
}

const ofThemOrTheirBots = '(user_id = $1 or user_id in (select id from users where owner_id = $1))';

/** Ends one of a user, or of a bot of theirs. Answers with whose it is, if it was open until now. */
export async function revokeAccessToken(
  tx: Tx,
  userId: UserId,
  id: TokenId,
  reason: string,
): Promise<UserId | undefined> {
  const { rows } = await tx.query<{ userId: UserId }>({
    name: 'revoke-access-token',
    text: `update access_tokens set revoked_at = now(), revoke_reason = $3
      where ${ofThemOrTheirBots} and id = $2 and revoked_at is null and expires_at > now() returning user_id as "userId"`,
    values: [userId, id, reason],
  });
  return rows[0]?.userId;
}

/** Ends all of a user, and those of their bots: who had come in as somebody may have made them. */
export async function revokeAccessTokens(tx: Tx, userId: UserId, reason: string): Promise<TokenId[]> {
  const { rows } = await tx.query<{ id: TokenId }>({
    name: 'revoke-access-tokens',
    text: `update access_tokens set revoked_at = now(), revoke_reason = $2
      where ${ofThemOrTheirBots} and revoked_at is null and expires_at > now() returning id`,
    values: [userId, reason],
  });
  return rows.map(({ id }) => id);
}
