import { randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import type { UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { Tx } from '../../db/client.ts';
import { lockFactors } from '../../db/queries/factors.ts';
import { type TotpRow, confirmTotpSecret, deleteTotp, putTotp, spendTotpStep, totpOf } from '../../db/queries/totp.ts';
import { markProvedByFactor } from '../../db/queries/sessions.ts';
import { userById } from '../../db/queries/users.ts';
import { holdProof, requireOwnBeginning } from '../access/index.ts';
import { commit } from '../commit.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError, notFound } from '../errors.ts';
import { dropUselessRecoveryCodes, giveRecoveryCodes } from './recovery-codes.ts';
import { tellOfFactor } from './notices.ts';
import { voidProofs } from './void-proofs.ts';

/** What every authenticator app understands (RFC 6238; SHA-1 is no weakness in HMAC). */
const form = { issuer: 'Homing', algorithm: 'SHA1', digits: 6, period: 30 };
/** Bytes of a secret: as many as SHA-1 gives (RFC 4226 §4). */
const secretBytes = 20;
/** Steps before and after this one whose code is taken: clocks differ, and typing takes time. */
const steps = 1;

const totpFrom = (secret: Uint8Array, label = '') =>
  new TOTP({ ...form, label, secret: new Secret({ buffer: Uint8Array.from(secret).buffer }) });

/** The number of the step whose code it is, near now. */
function stepOf(secret: Uint8Array, code: string, at: Date): number | undefined {
  const timestamp = at.getTime();
  const delta = totpFrom(secret).validate({ token: code, timestamp, window: steps });
  return delta === null ? undefined : TOTP.counter({ period: form.period, timestamp }) + delta;
}

/** Makes a secret and shows it this once. Until its first code comes it is asked of nobody. */
export async function beginTotp(
  deps: Pick<Deps, 'db' | 'now' | 'sealing' | 'publishLive'>,
  actor: Actor,
): Promise<{ secret: string; uri: string; expiresAt: string }> {
  const user = await userById(deps.db, actor.userId);
  if (!user) throw notFound();
  const [secret, begunAt] = [randomBytes(secretBytes), deps.now()];
  const { keyId, sealed } = deps.sealing.seal(secret, actor.userId);
  await commit(deps, async (tx) => {
    await holdProof(tx, actor);
    if (!(await putTotp(tx, actor.userId, { secret: sealed, keyId, begunAt, begunBy: actor.sessionId })))
      throw new DomainError('factor_exists');
    return { value: undefined };
  });
  const totp = totpFrom(secret, user.email ?? user.phone ?? user.displayName);
  return { secret: totp.secret.base32, uri: totp.toString(), expiresAt: endOf(begunAt).toISOString() };
}

const endOf = (begunAt: Date) => new Date(begunAt.getTime() + limits.totpBeginSeconds * 1_000);

/** Switches it on with its first code, and gives out recovery codes for the day on which the app is lost. */
export async function confirmTotp(
  deps: Pick<Deps, 'db' | 'now' | 'newId' | 'sealing' | 'publishLive'>,
  actor: Actor,
  code: string,
): Promise<string[]> {
  const [begun, at] = [await totpOf(deps.db, actor.userId), deps.now()];
  if (begun?.confirmedAt) throw new DomainError('factor_exists');
  if (!begun || endOf(begun.begunAt) <= at) throw nothingBegun();
  const step = stepOf(open(deps, actor.userId, begun), code, at);
  if (step === undefined) throw wrongCode();
  return commit(deps, async (tx) => {
    await lockFactors(tx, actor.userId);
    await requireOwnBeginning(tx, actor, begun.begunBy, nothingBegun);
    await markProvedByFactor(tx, actor.userId, actor.sessionId);
    if (!(await confirmTotpSecret(tx, actor.userId, { secret: begun.secret, step, at })))
      throw new DomainError('conflict');
    const codes = await giveRecoveryCodes(tx, actor.userId);
    await tellOfFactor(tx, deps, actor.userId, 'totp_added');
    return { value: codes };
  });
}

const nothingBegun = () =>
  new DomainError('code_expired', { detail: 'No app is being set up; begin with POST /v1/me/totp.' });

const open = ({ sealing }: Pick<Deps, 'sealing'>, userId: UserId, { keyId, secret }: TotpRow) =>
  sealing.open({ keyId, sealed: secret }, userId);

/** Spends a code of the person's app. A wrong one and one that was used before look the same. */
export async function spendCode(
  tx: Tx,
  deps: Pick<Deps, 'now' | 'sealing'>,
  userId: UserId,
  code: string,
): Promise<void> {
  const totp = await totpOf(tx, userId);
  const step = totp?.confirmedAt ? stepOf(open(deps, userId, totp), code, deps.now()) : undefined;
  if (step === undefined || !(await spendTotpStep(tx, userId, step))) throw wrongCode();
}

const wrongCode = () =>
  new DomainError('invalid_code', { detail: 'The code is wrong, or was used before; wait for the next one.' });

export async function removeTotp(
  deps: Pick<Deps, 'db' | 'now' | 'newId' | 'publishLive'>,
  actor: Actor,
): Promise<void> {
  await commit(deps, async (tx) => {
    await holdProof(tx, actor);
    if (!(await deleteTotp(tx, actor.userId))) throw notFound();
    await dropUselessRecoveryCodes(tx, actor.userId);
    await voidProofs(tx, actor);
    return { value: await tellOfFactor(tx, deps, actor.userId, 'totp_removed') };
  });
}
