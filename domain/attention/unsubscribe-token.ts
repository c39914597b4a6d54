import { timingSafeEqual } from 'node:crypto';
import type { UserId } from '../../contracts/ids.ts';
import type { Deps } from '../deps.ts';

/** Bytes of the signature: half of SHA-256 is beyond guessing, and the link stays short. */
const signatureBytes = 16;
const version = 'v1';

/**
 * Names a person in a link of their mails: signed, so that nobody unsubscribes others, and good for ever, as a mail that
 * was kept for years must still stop the next one (RFC 8058).
 */
export const unsubscribeToken = (deps: Pick<Deps, 'mac'>, userId: UserId): string =>
  [version, userId, signatureOf(deps, userId).toString('base64url')].join('.');

/** The person that a token names; undefined for one that is not ours. */
export function readUnsubscribeToken(deps: Pick<Deps, 'mac'>, token: string): UserId | undefined {
  const [given, userId = '', signature = '', ...more] = token.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  if (given !== version || more.length > 0 || bytes.length !== signatureBytes) return undefined;
  return timingSafeEqual(bytes, signatureOf(deps, userId)) ? (userId as UserId) : undefined;
}

const signatureOf = (deps: Pick<Deps, 'mac'>, userId: string) =>
  deps.mac('unsubscribe', `${version}:${userId}`).subarray(0, signatureBytes);
