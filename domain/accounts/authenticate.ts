import type { Scope } from '../../contracts/entities/index.ts';
import type { SessionId, TokenId } from '../../contracts/ids.ts';
import { accessTokenByHash, isAccessTokenOpen, markAccessTokenUsed } from '../../db/queries/access-tokens.ts';
import { isSessionOpen } from '../../db/queries/sessions.ts';
import type { Actor, Deps, VerifiedToken } from '../deps.ts';
import { DomainError } from '../errors.ts';
import { asSession } from './access-tokens.ts';
import type { Revocations } from './revocations.ts';
import { hashToken } from './sessions.ts';
import { isMeantAsToken, isWellFormed } from './token-format.ts';

/** Who comes with this token, of whatever kind, and until when. At once where nobody has to be asked. */
export type Authenticate = (token: string) => VerifiedToken | Promise<VerifiedToken>;

/**
 * Milliseconds for which what was read of a token is believed. Far less than an ended one stays in the window of what has
 * ended, which is asked each time: so nobody comes in by what was read before it ended.
 */
const believedMs = 5 * 60_000;
/** Tokens that a node remembers at most. */
const rememberedMost = 10_000;

interface Remembered extends VerifiedToken {
  readAt: number;
}

/**
 * Asks who comes, for every door: an access token is proved by its signature, a personal one by its hash in the table,
 * which is read once in a while. What has ended lets nobody in, and a node that does not know what has ended, neither.
 */
export function createAuthenticate(
  deps: Pick<Deps, 'db' | 'now' | 'tokens'>,
  revocations: Pick<Revocations, 'guard'>,
): Authenticate {
  const remembered = new Map<string, Remembered>();
  const judge = (who: VerifiedToken): VerifiedToken => {
    revocations.guard(who.sessionId);
    // To the second: no clock but ours has a part in it.
    if (who.scopes && who.expiresAt <= deps.now()) throw tokenExpired();
    return who;
  };
  const readAnew = async (key: string, tokenHash: Buffer): Promise<VerifiedToken> => {
    const readAt = performance.now();
    const who = await readToken(deps, tokenHash);
    if (remembered.size >= rememberedMost) remembered.delete(remembered.keys().next().value as string);
    remembered.set(key, { ...who, readAt });
    return judge(who);
  };
  return (token) => {
    if (!isMeantAsToken(token)) return judge(deps.tokens.verify(token));
    if (!isWellFormed(token)) throw new DomainError('unauthenticated');
    const tokenHash = hashToken(token);
    const key = tokenHash.toString('base64');
    const known = remembered.get(key);
    if (known && performance.now() - known.readAt < believedMs) return judge(known);
    remembered.delete(key);
    return readAnew(key, tokenHash);
  };
}

const tokenExpired = () => new DomainError('token_expired', { detail: 'This token has run out; make another one.' });

async function readToken(deps: Pick<Deps, 'db' | 'now'>, tokenHash: Buffer): Promise<VerifiedToken> {
  const row = await accessTokenByHash(deps.db, tokenHash);
  if (!row) throw new DomainError('unauthenticated');
  if (!row.open) throw new DomainError('session_revoked', { detail: 'This token was ended; make another one.' });
  const { userId, id, expiresAt } = row;
  const at = deps.now();
  if (expiresAt > at) await markAccessTokenUsed(deps.db, userId, id, at);
  return { userId, sessionId: asSession(id), scopes: new Set<Scope>(row.scopes), expiresAt, kid: null };
}

/** Whether what the actor came in with is open in the table right now; asked once when a socket connects. */
export const isOpen = ({ db }: Pick<Deps, 'db'>, { userId, sessionId, scopes }: Actor): Promise<boolean> =>
  scopes ? isAccessTokenOpen(db, userId, asToken(sessionId)) : isSessionOpen(db, userId, sessionId);

const asToken = (id: SessionId): TokenId => id as string as TokenId;
