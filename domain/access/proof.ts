import type { SecondFactorNeeded } from '../../contracts/entities/index.ts';
import type { SessionId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { Queryable, Tx } from '../../db/client.ts';
import { type FactorsRow, factorsOf, lockFactors } from '../../db/queries/factors.ts';
import { holdSession, isProvedSince } from '../../db/queries/sessions.ts';
import { userById } from '../../db/queries/users.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';

/** For which a proof of who somebody is counts. */
export const proofMs = limits.proofSeconds * 1_000;

export const hasFactor = ({ totp, passkeys }: { totp: boolean; passkeys: number }): boolean => totp || passkeys > 0;

/**
 * Refuses unless the session's person has proved who they are within the last minutes, and says how to do so. Where they
 * have a factor that was by a factor: a password that somebody else may know opens nothing from the moment one is switched on.
 */
export async function requireProof(deps: Pick<Deps, 'now'> & { db: Queryable }, actor: Actor): Promise<void> {
  const since = new Date(deps.now().getTime() - proofMs);
  if (await isProvedSince(deps.db, actor.userId, actor.sessionId, since)) return;
  throw await refusalOf(deps.db, actor);
}

async function refusalOf(db: Queryable, { userId }: Pick<Actor, 'userId'>): Promise<DomainError> {
  const [factors, user] = [await factorsOf(db, userId), await userById(db, userId)];
  return hasFactor(factors) || user?.passwordHash !== null ? notProved(factors) : signInAnew();
}

const words = { totp: '`code` (of the authenticator app)', passkey: '`passkey`', recoveryCode: '`recoveryCode`' };

export function notProved(factors: FactorsRow): DomainError {
  const means = hasFactor(factors) ? methodsOf(factors).map((method) => words[method]) : ['`password`'];
  return new DomainError('step_up_required', {
    detail: `This needs a proof of who you are that is at most five minutes old: POST /v1/auth/step-up with ${means.join(' or ')}, then ask again.`,
  });
}

/** Who has neither a password nor a factor proves themselves where they sign in; a new session is a recent proof. */
export const signInAnew = () =>
  new DomainError('step_up_required', {
    detail:
      'This needs a proof of who you are that is at most five minutes old: sign in again by a provider of yours (GET /v1/auth/oauth/{provider}) and ask in the new session. This account has no password; a passkey, an authenticator app, or a password by POST /v1/auth/password/forgot would do as well.',
  });

export const methodsOf = ({ totp, passkeys, recoveryCodes }: FactorsRow): SecondFactorNeeded['methods'] => [
  ...(totp ? (['totp'] as const) : []),
  ...(passkeys > 0 ? (['passkey'] as const) : []),
  ...(recoveryCodes > 0 ? (['recoveryCode'] as const) : []),
];

/**
 * What needs a recent proof asks again behind the person's row, in the transaction that does it: the proof that let it come
 * so far may be void by now, or its session over. All who void proofs hold that row: of the two at once one comes second and
 * sees the other. The minutes are not asked for again. First of all in a transaction, as everywhere: the person, then what is theirs.
 */
export async function holdProof(tx: Tx, actor: Actor): Promise<void> {
  await lockFactors(tx, actor.userId);
  await requireStandingProof(tx, actor);
}

/** The same of who holds the person's row already. */
export async function requireStandingProof(tx: Tx, actor: Actor): Promise<void> {
  const { proved } = await requireOpenSession(tx, actor);
  if (!proved) throw await refusalOf(tx, actor);
}

/** The session is open, and stays so until the transaction ends. */
export async function requireOpenSession(tx: Tx, { userId, sessionId }: Actor): Promise<{ proved: boolean }> {
  const session = await holdSession(tx, userId, sessionId);
  if (!session) throw new DomainError('session_revoked');
  return session;
}

/**
 * What was begun is finished by whom began it, in the same session, and only while that session's proof stands: finishing asks
 * for what beginning asked for, but for the minutes. `over` is what who did not begin it is told.
 */
export async function requireOwnBeginning(
  tx: Tx,
  actor: Actor,
  begunBy: SessionId | null,
  over: () => DomainError,
): Promise<void> {
  if (begunBy !== actor.sessionId) throw over();
  await requireStandingProof(tx, actor);
}
