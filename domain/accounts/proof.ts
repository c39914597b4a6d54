import type { SecondFactorNeeded } from '../../contracts/entities/index.ts';
import type { SessionId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { Queryable, Tx } from '../../db/client.ts';
import { type FactorsRow, factorsOf } from '../../db/queries/factors.ts';
import { holdProved, isProvedSince } from '../../db/queries/sessions.ts';
import { userById } from '../../db/queries/users.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';
import { hasFactor } from './recovery-codes.ts';

/** For which a proof of who somebody is counts. */
export const proofMs = limits.proofSeconds * 1_000;

/**
 * Refuses unless the session's person has proved who they are within the last minutes, and says how to do so. Where they
 * have a factor that was by a factor: a password that somebody else may know opens nothing from the moment one is switched on.
 */
export async function requireProof(deps: Pick<Deps, 'now'> & { db: Queryable }, actor: Actor): Promise<void> {
  const since = new Date(deps.now().getTime() - proofMs);
  if (await isProvedSince(deps.db, actor.userId, actor.sessionId, since)) return;
  const [factors, user] = [await factorsOf(deps.db, actor.userId), await userById(deps.db, actor.userId)];
  throw hasFactor(factors) || user?.passwordHash !== null ? notProved(factors) : signInAnew();
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
 * What was begun is finished by whom began it, in the same session, and only while that session's proof stands: finishing asks
 * for what beginning asked for, but for the minutes. Whoever calls holds the person's row (`lockFactors`), as all do who void
 * proofs: of the two at once one comes second and sees the other. `over` is what who did not begin it is told.
 */
export async function requireStandingProof(
  tx: Tx,
  { userId, sessionId }: Actor,
  begunBy: SessionId | null,
  over: () => DomainError,
): Promise<void> {
  if (begunBy !== sessionId) throw over();
  if (!(await holdProved(tx, userId, sessionId))) throw notProved(await factorsOf(tx, userId));
}
