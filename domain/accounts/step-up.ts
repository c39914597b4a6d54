import type { StepUpProof } from '../../contracts/rest/factors.ts';
import type { PasskeyRequest } from '../../contracts/entities/index.ts';
import { limits } from '../../contracts/limits.ts';
import type { Tx } from '../../db/client.ts';
import { factorsOf, lockFactors } from '../../db/queries/factors.ts';
import { passkeysOf } from '../../db/queries/passkeys.ts';
import { markProved, takeProofTry } from '../../db/queries/sessions.ts';
import { holdPassword, userById } from '../../db/queries/users.ts';
import { hasFactor, notProved, proofMs, signInAnew } from '../access/index.ts';
import { commit } from '../commit.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError, notFound } from '../errors.ts';
import { auditGuesses } from './guesses.ts';
import { challengeOver, guessAt, openChallenge, settleChallenge } from './challenges.ts';
import { auditRecoveryCode } from './recovery-codes.ts';
import { prove } from './second-factor.ts';
import { challengeIn, requestFor } from './webauthn.ts';

type StepUpDeps = Pick<
  Deps,
  'db' | 'now' | 'newId' | 'mac' | 'sealing' | 'passwords' | 'publicUrl' | 'origins' | 'publishLive'
>;

/**
 * Proves anew who is at the session. Where a factor is switched on the password alone is none: who has stolen both a
 * session and the password could switch the factor off. Tries are counted for the session, so that who guesses in a stolen
 * one keeps nobody out elsewhere.
 */
export async function stepUp(deps: StepUpDeps, actor: Actor, proof: StepUpProof): Promise<{ provedUntil: string }> {
  await takeTry(deps, actor);
  const secondFactor = proof.password === undefined;
  const proved =
    proof.password === undefined ? await byFactor(deps, actor, proof) : await byPassword(deps, actor, proof.password);
  const at = deps.now();
  await commit(deps, async (tx) => {
    await proved(tx);
    if (!(await markProved(tx, actor.userId, actor.sessionId, { at, secondFactor })))
      throw new DomainError('session_revoked');
    await auditRecoveryCode(tx, deps, actor.userId, proof);
    return { value: undefined };
  });
  return { provedUntil: new Date(at.getTime() + proofMs).toISOString() };
}

async function takeTry(deps: StepUpDeps, actor: Actor): Promise<void> {
  const { userId, sessionId } = actor;
  const bounds = { at: deps.now(), maxTries: limits.factorGuesses, windowMs: proofMs };
  if (await takeProofTry(deps.db, userId, sessionId, bounds)) return;
  await auditGuesses(deps, actor, 'step_up_failures');
  throw new DomainError('too_many_attempts', {
    detail: 'Too many wrong tries in this session; wait, or sign in anew.',
    retryAfterMs: proofMs,
  });
}

type Proved = (tx: Tx) => Promise<void>;

/** Outside of the transaction: hashing takes a while, and waits its turn. */
async function byPassword(deps: StepUpDeps, actor: Actor, password: string): Promise<Proved> {
  const factors = await factorsOf(deps.db, actor.userId);
  if (hasFactor(factors)) throw notProved(factors);
  const user = await userById(deps.db, actor.userId);
  if (user?.passwordHash === null) throw signInAnew();
  if (!user || !(await deps.passwords.verify(password, user.passwordHash))) throw wrongPassword();
  const { id, passwordHash } = user;
  // It may have become another one meanwhile, which voids what the former one has proved.
  return async (tx) => {
    if (!(await holdPassword(tx, id, passwordHash))) throw wrongPassword();
  };
}

const wrongPassword = () => new DomainError('invalid_credentials', { detail: 'The password is wrong.' });

async function byFactor(deps: StepUpDeps, actor: Actor, proof: StepUpProof): Promise<Proved> {
  // The person before what is theirs, as whoever changes it.
  const held =
    (proved: Proved): Proved =>
    async (tx) => {
      await lockFactors(tx, actor.userId);
      await proved(tx);
    };
  if (!proof.passkey) return held((tx) => prove(tx, deps, actor.userId, proof, ''));
  const token = challengeIn(proof.passkey);
  const asked = await guessAt(deps, token, 'step_up', actor.userId);
  if (asked.begunBy !== actor.sessionId) throw challengeOver();
  return held(async (tx) => {
    await prove(tx, deps, actor.userId, proof, token);
    await settleChallenge(tx, asked);
  });
}

/** What a browser asks one of the person's passkeys. */
export async function beginPasskeyStepUp(
  deps: Pick<Deps, 'db' | 'now' | 'publicUrl'>,
  { userId, sessionId }: Actor,
): Promise<PasskeyRequest> {
  const passkeys = await passkeysOf(deps.db, userId);
  if (passkeys.length === 0) throw notFound();
  const { token } = await openChallenge(deps, 'step_up', { userId, sessionId });
  return requestFor(deps, token, passkeys);
}
