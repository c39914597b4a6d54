import type { AccessToken, NewToken, TokenMade } from '../../contracts/entities/index.ts';
import type { SessionId, TokenId, UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { Tx } from '../../db/client.ts';
import {
  type AccessTokenRow,
  accessTokenByHash,
  insertAccessToken,
  openAccessTokens,
  revokeAccessToken,
  revokeAccessTokens,
} from '../../db/queries/access-tokens.ts';
import { type UserRow, holdUser } from '../../db/queries/users.ts';
import { requireStandingProof } from '../access/index.ts';
import { type By, audit } from '../audit/index.ts';
import { commit } from '../commit.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError, notFound } from '../errors.ts';
import { tellOwner } from './notices.ts';
import { hashToken, tellEnded } from './sessions.ts';
import { isWellFormed, newToken } from './token-format.ts';

type MakeDeps = Pick<Deps, 'db' | 'now' | 'newId' | 'publishLive'>;

/** A token by which a program does as the actor what it is for. */
export const createToken = (deps: MakeDeps, actor: Actor, input: NewToken): Promise<TokenMade> =>
  commit(deps, async (tx) => {
    const owner = await holdOwner(tx, actor);
    return { value: await makeToken(tx, deps, { owner, userId: actor.userId }, input) };
  });

/**
 * Holds whoever makes a token until it is made. What ends all tokens of a person (a reset, a suspension) holds the same row
 * and ends their sessions: of the two, whichever comes later sees the other, so that no token is left of a session that was
 * ended, or of a proof that was void.
 */
export async function holdOwner(tx: Tx, actor: Actor): Promise<UserRow> {
  const owner = await holdUser(tx, actor.userId);
  if (!owner) throw new DomainError('session_revoked');
  await requireStandingProof(tx, actor);
  return owner;
}

/** Makes a token of the owner's, or of a bot of theirs, in the transaction that holds them: they are counted behind that. */
export async function makeToken(
  tx: Tx,
  deps: Pick<Deps, 'now' | 'newId'>,
  { owner, userId }: { owner: UserRow; userId: UserId },
  { name, scopes, expiresInSeconds }: NewToken,
): Promise<TokenMade> {
  if ((await openAccessTokens(tx, userId)).length >= limits.tokensPerUser) throw tooManyTokens();
  const [token, createdAt] = [newToken(), deps.now()];
  const expiresAt = new Date(createdAt.getTime() + expiresInSeconds * 1_000);
  const row = { userId, id: deps.newId() as TokenId, name, scopes, createdAt, expiresAt };
  await insertAccessToken(tx, { ...row, tokenHash: hashToken(token) });
  await tellOwner(tx, deps, owner, 'token_made');
  await audit(tx, deps, { userId: owner.id }, { action: 'make_token', userId });
  return { token, accessToken: present({ ...row, lastUsedAt: null }) };
}

const tooManyTokens = () =>
  new DomainError('limit_reached', {
    detail: `There may be ${limits.tokensPerUser} open tokens; end one that is no longer used.`,
  });

export const present = ({ id, name, scopes, createdAt, lastUsedAt, expiresAt }: AccessTokenRow): AccessToken => ({
  ...{ id, name, scopes },
  createdAt: createdAt.toISOString(),
  lastUsedAt: lastUsedAt?.toISOString() ?? null,
  expiresAt: expiresAt.toISOString(),
});

export async function listTokens(deps: Pick<Deps, 'db'>, userId: UserId): Promise<AccessToken[]> {
  return (await openAccessTokens(deps.db, userId)).map(present);
}

/**
 * Ends a token of the actor's, or of a bot of theirs, as a session is ended: told at once, and known for sure by every node's
 * look at the table.
 */
export async function endToken(
  deps: Pick<Deps, 'db' | 'newId' | 'publishLive'>,
  actor: Actor,
  id: TokenId,
): Promise<void> {
  const userId = await commit(deps, async (tx) => {
    const whose = await revokeAccessToken(tx, actor.userId, id, 'ended');
    if (!whose) throw notFound();
    await audit(tx, deps, actor, { action: 'end_token', userId: whose });
    return { value: whose };
  });
  tellEnded(deps, userId, [asSession(id)]);
}

/**
 * Ends a token that lies where it must not: whoever found it shows it. Answers with whose it was. Its owner's other tokens and
 * sessions stay, for who has found one has not found those.
 */
export async function endFoundToken(
  deps: Pick<Deps, 'db' | 'newId' | 'publishLive'>,
  by: By,
  token: string,
): Promise<UserId> {
  const found = isWellFormed(token) ? await accessTokenByHash(deps.db, hashToken(token)) : undefined;
  if (!found) throw notFound();
  const { userId, id } = found;
  await commit(deps, async (tx) => {
    if (!(await revokeAccessToken(tx, userId, id, 'found'))) throw notFound();
    return { value: await audit(tx, deps, by, { action: 'end_token', userId }) };
  });
  tellEnded(deps, userId, [asSession(id)]);
  return userId;
}

/** Ends all tokens of a user and of their bots, in the transaction of why. Answers with what is told as ended sessions are. */
export async function endTokens(tx: Tx, userId: UserId, reason: string): Promise<SessionId[]> {
  return (await revokeAccessTokens(tx, userId, reason)).map(asSession);
}

/** What has ended is known by its id, whether it was a session or a token: both are UUIDv7, and never the same. */
export const asSession = (id: TokenId): SessionId => id as string as SessionId;
