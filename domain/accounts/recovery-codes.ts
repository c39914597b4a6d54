import { randomBytes } from 'node:crypto';
import type { UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { Tx } from '../../db/client.ts';
import { factorsOf } from '../../db/queries/factors.ts';
import { replaceRecoveryCodes, spendRecoveryCode } from '../../db/queries/recovery-codes.ts';
import { hasFactor, holdProof } from '../access/index.ts';
import { audit } from '../audit/index.ts';
import { commit } from '../commit.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError, notFound } from '../errors.ts';
import { tellOfFactor } from './notices.ts';
import { hashToken } from './sessions.ts';
import { voidProofs } from './void-proofs.ts';

/** Bytes of one code: from 112 bits on a plain hash hides it (ASVS 6.5.2). */
const codeBytes = 16;

/** Ten new codes in place of those that there were, as people are shown them: in groups of four. */
export async function giveRecoveryCodes(tx: Tx, userId: UserId): Promise<string[]> {
  const codes = Array.from({ length: limits.recoveryCodes }, () => randomBytes(codeBytes).toString('hex'));
  await replaceRecoveryCodes(tx, userId, codes.map(hashToken));
  return codes.map((code) => code.replaceAll(/(.{4})(?=.)/g, '$1-'));
}

export async function renewRecoveryCodes(
  deps: Pick<Deps, 'db' | 'now' | 'newId' | 'publishLive'>,
  actor: Actor,
): Promise<string[]> {
  return commit(deps, async (tx) => {
    await holdProof(tx, actor);
    if (!hasFactor(await factorsOf(tx, actor.userId))) throw notFound();
    const codes = await giveRecoveryCodes(tx, actor.userId);
    await voidProofs(tx, actor);
    await tellOfFactor(tx, deps, actor.userId, 'recovery_codes_renewed');
    return { value: codes };
  });
}

/** Uses a code up, which is given without its dashes. */
export async function useRecoveryCode(
  tx: Tx,
  deps: Pick<Deps, 'now' | 'newId'>,
  userId: UserId,
  code: string,
): Promise<void> {
  if (!(await spendRecoveryCode(tx, userId, hashToken(code), deps.now())))
    throw new DomainError('invalid_code', { detail: 'This recovery code is wrong, or was used before.' });
  await tellOfFactor(tx, deps, userId, 'recovery_code_used');
}

/** Where a recovery code was what was proved by. Last in a transaction, as entries of the audit are. */
export async function auditRecoveryCode(
  tx: Tx,
  deps: Pick<Deps, 'newId'>,
  userId: UserId,
  { recoveryCode }: { recoveryCode?: string | undefined },
): Promise<void> {
  if (recoveryCode !== undefined) await audit(tx, deps, { userId }, { action: 'use_recovery_code', userId });
}

/** With the last factor its recovery codes go: they would stand in for nothing. */
export async function dropUselessRecoveryCodes(tx: Tx, userId: UserId): Promise<void> {
  if (!hasFactor(await factorsOf(tx, userId))) await replaceRecoveryCodes(tx, userId, []);
}
