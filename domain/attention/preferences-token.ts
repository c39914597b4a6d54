import { timingSafeEqual } from 'node:crypto';
import type { UserId } from '../../contracts/ids.ts';
import type { Deps } from '../deps.ts';

/** Bytes of the signature, as in the link that unsubscribes. */
const signatureBytes = 16;
const version = 'v1';

/** Whose mails a link is about, and the mail that it stood in: its conversations are the ones that it can switch. */
export interface PreferencesScope {
  userId: UserId;
  /** `all` for a link that stands in no mail of its own. */
  attemptId: string;
}

/** A link of a mail to its reader's preferences: signed, without an end, and good for nothing else. */
export const preferencesToken = (deps: Pick<Deps, 'mac'>, scope: PreferencesScope): string =>
  [version, scope.userId, scope.attemptId, signatureOf(deps, scope).toString('base64url')].join('.');

/** What a token names; undefined for one that is not ours. */
export function readPreferencesToken(deps: Pick<Deps, 'mac'>, token: string): PreferencesScope | undefined {
  const [given, userId = '', attemptId = '', signature = '', ...more] = token.split('.');
  const [scope, bytes] = [{ userId: userId as UserId, attemptId }, Buffer.from(signature, 'base64url')];
  if (given !== version || more.length > 0 || bytes.length !== signatureBytes) return undefined;
  return timingSafeEqual(bytes, signatureOf(deps, scope)) ? scope : undefined;
}

const signatureOf = (deps: Pick<Deps, 'mac'>, { userId, attemptId }: PreferencesScope) =>
  deps.mac('preferences', [version, userId, attemptId].join(':')).subarray(0, signatureBytes);
