import type { SessionId, UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';

export type ChallengePurpose = 'sign_in' | 'passkey_sign_in' | 'passkey_registration' | 'step_up';

export interface ChallengeRow {
  tokenHash: Buffer;
  purpose: ChallengePurpose;
  userId: UserId | null;
  deviceName: string | null;
  /** In which session; null where nobody is signed in yet. */
  begunBy: SessionId | null;
  expiresAt: Date;
}

/** Expired ones that each new one takes along: more go than come, so that they need no round of their own. */
const sweptAtOnce = 10;

export async function insertChallenge(db: Queryable, row: ChallengeRow, at: Date): Promise<void> {
  await db.query({
    name: 'insert-challenge',
    text: `
      with swept as (
        delete from challenges where token_hash in (
          select token_hash from challenges where expires_at <= $7 order by expires_at limit ${sweptAtOnce}
          for update skip locked
        )
      )
      insert into challenges (token_hash, purpose, user_id, device_name, begun_by, expires_at) values ($1, $2, $3, $4, $5, $6)`,
    values: [row.tokenHash, row.purpose, row.userId, row.deviceName, row.begunBy, row.expiresAt, at],
  });
}

/**
 * Takes one guess at a challenge, if one is left and time has not run out: counted before it is judged, so that a
 * thousand guesses at once are a thousand. `of` is who alone may answer it; null where the challenge says who it is.
 */
export async function takeGuess(
  db: Queryable,
  { tokenHash, purpose, of }: { tokenHash: Buffer; purpose: ChallengePurpose; of: UserId | null },
  { at, maxTries }: { at: Date; maxTries: number },
): Promise<ChallengeRow | undefined> {
  const { rows } = await db.query<ChallengeRow>({
    name: 'take-guess',
    text: `update challenges set tries = tries + 1
      where token_hash = $1 and purpose = $2 and ($3::uuid is null or user_id = $3) and expires_at > $4 and tries < $5
      returning token_hash as "tokenHash", purpose, user_id as "userId", device_name as "deviceName",
        begun_by as "begunBy", expires_at as "expiresAt"`,
    values: [tokenHash, purpose, of, at, maxTries],
  });
  return rows[0];
}

/** Whether its guesses are spent; false for one that is not there. */
export async function isSpent(db: Queryable, tokenHash: Buffer, { at, maxTries }: { at: Date; maxTries: number }) {
  const { rowCount } = await db.query({
    name: 'is-challenge-spent',
    text: 'select 1 from challenges where token_hash = $1 and expires_at > $2 and tries >= $3',
    values: [tokenHash, at, maxTries],
  });
  return rowCount === 1;
}

/** Whatever somebody was asked to prove, they need no more: whoever was asked may be another. */
export async function deleteChallenges(tx: Tx, userId: UserId): Promise<void> {
  await tx.query({ name: 'delete-challenges', text: 'delete from challenges where user_id = $1', values: [userId] });
}

/** The same of what was begun in all sessions but this one, and of sign-ins that are under way. */
export async function deleteOtherChallenges(tx: Tx, userId: UserId, but: SessionId): Promise<void> {
  await tx.query({
    name: 'delete-other-challenges',
    text: 'delete from challenges where user_id = $1 and begun_by is distinct from $2',
    values: [userId, but],
  });
}

/** It is answered: once. */
export async function endChallenge(tx: Tx, tokenHash: Buffer): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'end-challenge',
    text: 'delete from challenges where token_hash = $1',
    values: [tokenHash],
  });
  return rowCount === 1;
}
