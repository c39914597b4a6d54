import type { SecondFactorNeeded } from '../../contracts/entities/index.ts';
import type { DomainEvent } from '../../contracts/events.ts';
import type { UserId } from '../../contracts/ids.ts';
import type { SignedIn } from '../../contracts/rest/auth.ts';
import type { SecondFactorProof } from '../../contracts/rest/factors.ts';
import type { Tx } from '../../db/client.ts';
import { type FactorsRow, factorsOf } from '../../db/queries/factors.ts';
import { passkeysOf } from '../../db/queries/passkeys.ts';
import { hasFactor, methodsOf } from '../access/index.ts';
import { commit } from '../commit.ts';
import type { Deps } from '../deps.ts';
import { guessAt, openChallenge, settleChallenge } from './challenges.ts';
import { enter, holdEntrant } from './enter.ts';
import type { Entrance } from './sessions.ts';
import { usePasskey } from './passkeys.ts';
import { auditRecoveryCode, useRecoveryCode } from './recovery-codes.ts';
import { spendCode } from './totp.ts';
import { requestFor } from './webauthn.ts';

type AdmitDeps = Pick<Deps, 'now' | 'newId' | 'tokens' | 'mac' | 'publicUrl'>;

/**
 * Lets somebody in whose first factor is proved: with a session, or with a challenge where a second one is switched on.
 * Every way in that is not itself two factors comes by here, in the transaction in which it holds what proved the first
 * one: else a challenge could outlive the password that it was given for.
 */
export async function admit(
  tx: Tx,
  deps: AdmitDeps,
  userId: UserId,
  entrance: Entrance,
): Promise<{ value: SignedIn | SecondFactorNeeded; events?: DomainEvent[] }> {
  const factors = await factorsOf(tx, userId);
  const { deviceName } = entrance;
  if (hasFactor(factors)) return { value: await challenge(tx, deps, userId, deviceName ?? undefined, factors) };
  return enter(tx, deps, userId, { ...entrance, secondFactor: false });
}

async function challenge(
  tx: Tx,
  deps: AdmitDeps,
  userId: UserId,
  deviceName: string | undefined,
  factors: FactorsRow,
): Promise<SecondFactorNeeded> {
  const { token, expiresAt } = await openChallenge({ ...deps, db: tx }, 'sign_in', { userId, deviceName });
  const passkeys = factors.passkeys > 0 ? await passkeysOf(tx, userId) : [];
  return {
    challenge: token,
    expiresAt: expiresAt.toISOString(),
    methods: methodsOf(factors),
    passkey: passkeys.length > 0 ? requestFor(deps, token, passkeys) : null,
  };
}

type ProveDeps = Pick<Deps, 'now' | 'newId' | 'sealing' | 'publicUrl' | 'origins'>;

/** Signs in who answers the challenge of their sign-in. Each guess is counted before it is judged. */
export async function answerSecondFactor(
  deps: AdmitDeps & ProveDeps & Pick<Deps, 'db' | 'publishLive'>,
  proof: SecondFactorProof,
  address?: string,
): Promise<SignedIn> {
  const asked = await guessAt(deps, proof.challenge, 'sign_in');
  return commit(deps, async (tx) => {
    const userId = asked.userId as UserId;
    await holdEntrant(tx, userId);
    await prove(tx, deps, userId, proof, proof.challenge);
    await settleChallenge(tx, asked);
    const entered = await enter(tx, deps, userId, { deviceName: asked.deviceName, address, secondFactor: true });
    await auditRecoveryCode(tx, deps, userId, proof);
    return entered;
  });
}

/** Spends what was given as a proof, or refuses it. A passkey has signed the challenge. */
export async function prove(
  tx: Tx,
  deps: ProveDeps,
  userId: UserId,
  { code, recoveryCode, passkey }: Pick<SecondFactorProof, 'code' | 'recoveryCode' | 'passkey'>,
  challengeToken: string,
): Promise<void> {
  if (code !== undefined) await spendCode(tx, deps, userId, code);
  else if (recoveryCode !== undefined) await useRecoveryCode(tx, deps, userId, recoveryCode);
  else if (passkey) await usePasskey(tx, deps, userId, passkey, challengeToken);
  else throw new TypeError('the contract lets nothing through that proves nothing');
}
