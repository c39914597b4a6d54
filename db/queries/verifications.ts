import type { SessionId, UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';

export interface VerificationRow {
  userId: UserId;
  channel: 'email' | 'sms';
  id: string;
  target: string;
  /** In which session it was asked for; null where it was offered at the sign-up. */
  begunBy: SessionId | null;
  expiresAt: Date;
  wrongTries: number;
}

const columns = `user_id as "userId", channel, id, target, begun_by as "begunBy", expires_at as "expiresAt",
  wrong_tries as "wrongTries"`;

/** Opens a request for a code; an older one on the same channel is replaced and its code worth nothing. */
export async function putVerification(tx: Tx, request: Omit<VerificationRow, 'wrongTries'>): Promise<void> {
  await tx.query({
    name: 'put-verification',
    text: `insert into verifications (user_id, channel, id, target, begun_by, expires_at) values ($1, $2, $3, $4, $5, $6)
      on conflict (user_id, channel) do update
      set id = excluded.id, target = excluded.target, begun_by = excluded.begun_by, expires_at = excluded.expires_at,
        wrong_tries = 0, sent_at = null`,
    values: [request.userId, request.channel, request.id, request.target, request.begunBy, request.expiresAt],
  });
}

/**
 * The code of this request is about to be sent: with the first sending its time begins. Answers with the request, or with
 * nothing where a newer one has taken its place or its time is over.
 */
export async function beginVerification(
  db: Queryable,
  request: { userId: UserId; channel: 'email' | 'sms'; id: string },
  { at, until }: { at: Date; until: Date },
): Promise<VerificationRow | undefined> {
  const { rows } = await db.query<VerificationRow>({
    name: 'begin-verification',
    text: `update verifications set sent_at = coalesce(sent_at, $4), expires_at = case when sent_at is null then $5 else expires_at end
      where user_id = $1 and channel = $2 and id = $3 and (sent_at is null or expires_at > $4) returning ${columns}`,
    values: [request.userId, request.channel, request.id, at, until],
  });
  return rows[0];
}

export async function verificationOf(
  db: Queryable,
  userId: UserId,
  channel: 'email' | 'sms',
): Promise<VerificationRow | undefined> {
  const { rows } = await db.query<VerificationRow>({
    name: 'verification-of',
    text: `select ${columns} from verifications where user_id = $1 and channel = $2`,
    values: [userId, channel],
  });
  return rows[0];
}

/**
 * Takes one try, if one is left and time has not run out: counted before the code is compared, so that a thousand
 * guesses at once are a thousand tries.
 */
export async function takeVerificationTry(
  db: Queryable,
  userId: UserId,
  channel: 'email' | 'sms',
  { at, maxTries }: { at: Date; maxTries: number },
): Promise<VerificationRow | undefined> {
  const { rows } = await db.query<VerificationRow>({
    name: 'take-verification-try',
    text: `update verifications set wrong_tries = wrong_tries + 1
      where user_id = $1 and channel = $2 and expires_at > $3 and wrong_tries < $4 returning ${columns}`,
    values: [userId, channel, at, maxTries],
  });
  return rows[0];
}

export async function deleteVerification(
  tx: Tx,
  userId: UserId,
  channel: 'email' | 'sms',
  id: string,
): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'delete-verification',
    text: 'delete from verifications where user_id = $1 and channel = $2 and id = $3',
    values: [userId, channel, id],
  });
  return rowCount === 1;
}

/** Codes that were asked for are worth nothing any more. */
export async function deleteVerifications(tx: Tx, userId: UserId): Promise<void> {
  await tx.query({
    name: 'delete-verifications',
    text: 'delete from verifications where user_id = $1',
    values: [userId],
  });
}
