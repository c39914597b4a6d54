import { randomBytes } from 'node:crypto';
import type { SessionId, UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { Queryable, Tx } from '../../db/client.ts';
import {
  type ChallengePurpose,
  type ChallengeRow,
  endChallenge,
  insertChallenge,
  isSpent,
  takeGuess,
} from '../../db/queries/challenges.ts';
import type { Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';
import { hashToken } from './sessions.ts';

/** Bytes of randomness in a challenge (256 bits); WebAuthn asks for sixteen at least. */
const challengeBytes = 32;

/** Asks somebody to prove something within minutes. Its token is what a passkey signs, too. */
export async function openChallenge(
  deps: Pick<Deps, 'now'> & { db: Queryable },
  purpose: ChallengePurpose,
  whose: { userId?: UserId; sessionId?: SessionId; deviceName?: string | undefined } = {},
): Promise<{ token: string; expiresAt: Date }> {
  const at = deps.now();
  const token = randomBytes(challengeBytes).toString('base64url');
  const expiresAt = new Date(at.getTime() + limits.challengeSeconds * 1_000);
  const { userId = null, sessionId: begunBy = null, deviceName = null } = whose;
  const row = { tokenHash: hashToken(token), purpose, userId, deviceName, begunBy, expiresAt };
  await insertChallenge(deps.db, row, at);
  return { token, expiresAt };
}

/** Takes one guess at a challenge, before anything is judged. `of` is who alone may answer it, where that is known. */
export async function guessAt(
  deps: Pick<Deps, 'db' | 'now'>,
  token: string,
  purpose: ChallengePurpose,
  of: UserId | null = null,
): Promise<ChallengeRow> {
  const [tokenHash, bounds] = [hashToken(token), { at: deps.now(), maxTries: limits.factorGuesses }];
  const challenge = await takeGuess(deps.db, { tokenHash, purpose, of }, bounds);
  if (challenge) return challenge;
  if (await isSpent(deps.db, tokenHash, bounds))
    throw new DomainError('too_many_attempts', { detail: 'Too many wrong tries at this challenge; begin again.' });
  throw challengeOver();
}

/** The challenge is answered; of two right answers at once one counts. */
export async function settleChallenge(tx: Tx, { tokenHash }: ChallengeRow): Promise<void> {
  if (!(await endChallenge(tx, tokenHash))) throw challengeOver();
}

export const challengeOver = () =>
  new DomainError('code_expired', {
    detail: 'This challenge has run out, was answered or was never given; begin again.',
  });
