import { randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { CodedError } from '../contracts/errors.ts';
import type { SessionId, UserId } from '../contracts/ids.ts';
import type { Tokens, SignedToken } from '../domain/deps.ts';
import type { KeySet } from './key-set.ts';

/** Seconds that an access token lives. Rights are never in it, so it may live this long. */
export const accessTokenSeconds = 15 * 60;
/** Seconds by which clocks may differ. */
const leewaySeconds = 60;
/** The type of an access token (RFC 9068 §2.1), so that no other token of ours passes for one. */
const tokenType = 'at+jwt';
/** Verified tokens kept at most; each by its own lifetime. */
const cacheSize = 50_000;

export interface TokenOptions {
  keys: Pick<KeySet, 'signing' | 'find'>;
  issuer: string;
  audience: string;
}

/**
 * Access tokens: ES256 with a key id of our own set. The algorithm, issuer, audience and type are fixed; what a token's
 * header says of keys (`jwk`, `jku`, `x5u`) is never followed. A verified token is remembered for as long as it lives,
 * because one ES256 check costs as much as the rest of a request.
 */
export function createTokens({ keys, issuer, audience }: TokenOptions): Tokens {
  const verified = new Map<string, SignedToken>();
  const isGood = ({ expiresAt, kid }: SignedToken) =>
    expiresAt.getTime() + leewaySeconds * 1_000 > Date.now() && keys.find(kid) !== undefined;

  return {
    sign({ userId, sessionId }) {
      const issuedAt = Math.floor(Date.now() / 1_000);
      const expiresAt = issuedAt + accessTokenSeconds;
      const { kid, privateKey } = keys.signing;
      const token = jwt.sign({ sid: sessionId, iat: issuedAt, exp: expiresAt }, privateKey, {
        algorithm: 'ES256',
        issuer,
        audience,
        subject: userId,
        jwtid: randomUUID(),
        header: { alg: 'ES256', typ: tokenType, kid },
      });
      return { token, expiresAt: new Date(expiresAt * 1_000) };
    },
    knows: (kid) => keys.find(kid) !== undefined,
    verify(token) {
      const known = verified.get(token);
      if (known && isGood(known)) return known;
      if (known) verified.delete(token);
      const fresh = verifyFresh(token, keys, { issuer, audience });
      remember(verified, token, fresh);
      return fresh;
    },
  };
}

function verifyFresh(
  token: string,
  keys: Pick<KeySet, 'find'>,
  expected: { issuer: string; audience: string },
): SignedToken {
  try {
    const header = jwt.decode(token, { complete: true })?.header;
    const kid = header?.kid ?? '';
    const key = keys.find(kid);
    if (!key || header?.typ !== tokenType) throw new CodedError('unauthenticated');
    const claims = jwt.verify(token, key, {
      ...expected,
      algorithms: ['ES256'],
      clockTolerance: leewaySeconds,
    }) as jwt.JwtPayload;
    if (typeof claims.sub !== 'string' || typeof claims.sid !== 'string' || !isShortLived(claims)) {
      throw new CodedError('unauthenticated');
    }
    return {
      userId: claims.sub as UserId,
      sessionId: claims.sid as SessionId,
      expiresAt: new Date(claims.exp * 1_000),
      kid,
    };
  } catch (error) {
    if (error instanceof jwt.TokenExpiredError) throw new CodedError('token_expired');
    // The library's own words may quote the token.
    throw new CodedError('unauthenticated');
  }
}

/** We make none that lives longer: who signs one otherwise has a key of ours, and would have it for years. */
function isShortLived(claims: jwt.JwtPayload): claims is jwt.JwtPayload & { exp: number } {
  const { iat, exp } = claims;
  if (typeof iat !== 'number' || typeof exp !== 'number') return false;
  return exp - iat <= accessTokenSeconds + leewaySeconds && iat <= Date.now() / 1_000 + leewaySeconds;
}

/** A Map keeps the order of insertion, so the first entry is the oldest. */
function remember(verified: Map<string, SignedToken>, token: string, value: SignedToken): void {
  if (verified.size >= cacheSize) verified.delete(verified.keys().next().value as string);
  verified.set(token, value);
}
