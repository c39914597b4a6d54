import type {
  NewPasskeyAnswer,
  Passkey,
  PasskeyAnswer,
  PasskeyCreation,
  PasskeyRequest,
} from '../../contracts/entities/index.ts';
import type { PasskeyId, UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { SignedIn } from '../../contracts/rest/auth.ts';
import type { Tx } from '../../db/client.ts';
import { isUniqueViolation } from '../../db/errors.ts';
import { factorsOf, lockFactors } from '../../db/queries/factors.ts';
import {
  type PasskeyRow,
  countPasskeyUse,
  deletePasskeyRow,
  insertPasskey,
  passkeyByCredential,
  passkeysOf,
  renamePasskeyRow,
} from '../../db/queries/passkeys.ts';
import { markProvedByFactor } from '../../db/queries/sessions.ts';
import { userById } from '../../db/queries/users.ts';
import { hasFactor, holdProof, requireOwnBeginning } from '../access/index.ts';
import { commit } from '../commit.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError, notFound } from '../errors.ts';
import { challengeOver, guessAt, openChallenge, settleChallenge } from './challenges.ts';
import { enter, holdEntrant } from './enter.ts';
import { tellOfFactor } from './notices.ts';
import { voidProofs } from './void-proofs.ts';
import { insistOnWayIn } from './ways-in.ts';
import { dropUselessRecoveryCodes, giveRecoveryCodes } from './recovery-codes.ts';
import { challengeIn, checkNewPasskey, checkPasskey, creationFor, handleOf, notRight, requestFor } from './webauthn.ts';

type CheckDeps = Pick<Deps, 'now' | 'publicUrl' | 'origins'>;

export async function beginPasskey(
  deps: Pick<Deps, 'db' | 'now' | 'publicUrl' | 'publishLive'>,
  actor: Actor,
): Promise<PasskeyCreation> {
  const { userId, sessionId } = actor;
  const [user, passkeys] = [await userById(deps.db, userId), await passkeysOf(deps.db, userId)];
  if (!user) throw notFound();
  if (passkeys.length >= limits.passkeysPerUser) throw tooManyPasskeys();
  const { token } = await commit(deps, async (tx) => {
    await holdProof(tx, actor);
    return { value: await openChallenge({ ...deps, db: tx }, 'passkey_registration', { userId, sessionId }) };
  });
  return creationFor(deps, token, user, passkeys);
}

const tooManyPasskeys = () =>
  new DomainError('limit_reached', {
    detail: `An account may have ${limits.passkeysPerUser} passkeys; remove one that is no longer used.`,
  });

/** Takes a new passkey. With the first factor of a person come recovery codes. */
export async function addPasskey(
  deps: CheckDeps & Pick<Deps, 'db' | 'now' | 'newId' | 'publishLive'>,
  actor: Actor,
  { name, passkey }: { name: string; passkey: NewPasskeyAnswer },
): Promise<{ passkey: Passkey; recoveryCodes: string[] | null }> {
  const { userId } = actor;
  const token = challengeIn(passkey);
  const asked = await guessAt(deps, token, 'passkey_registration', userId);
  const checked = await checkNewPasskey(deps, passkey, token);
  const id = deps.newId() as PasskeyId;
  const { transports = [] } = passkey.response;
  const row = { userId, id, name, transports, createdAt: deps.now(), ...checked };
  return refusingKnown(() =>
    commit(deps, async (tx) => {
      // In the order in which support takes factors away: the person, then what they have begun.
      await lockFactors(tx, userId);
      await requireOwnBeginning(tx, actor, asked.begunBy, challengeOver);
      await settleChallenge(tx, asked);
      return { value: { passkey: present(row), recoveryCodes: await store(tx, deps, actor, row) } };
    }),
  );
}

async function store(
  tx: Tx,
  deps: Pick<Deps, 'now' | 'newId'>,
  actor: Actor,
  row: Omit<PasskeyRow, 'lastUsedAt'>,
): Promise<string[] | null> {
  const before = await factorsOf(tx, row.userId);
  if (before.passkeys >= limits.passkeysPerUser) throw tooManyPasskeys();
  await markProvedByFactor(tx, row.userId, actor.sessionId);
  await insertPasskey(tx, row);
  const codes = hasFactor(before) ? null : await giveRecoveryCodes(tx, row.userId);
  await tellOfFactor(tx, deps, row.userId, 'passkey_added');
  return codes;
}

async function refusingKnown<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isUniqueViolation(error, 'passkeys_credential'))
      throw new DomainError('factor_exists', { detail: 'This passkey is registered already.', cause: error });
    throw error;
  }
}

export const present = ({
  id,
  name,
  createdAt,
  lastUsedAt = null,
}: Omit<PasskeyRow, 'lastUsedAt'> & Partial<Pick<PasskeyRow, 'lastUsedAt'>>): Passkey => ({
  id: id as PasskeyId,
  name,
  createdAt: createdAt.toISOString(),
  lastUsedAt: lastUsedAt?.toISOString() ?? null,
});

/** What a browser asks for, of whoever is there. */
export async function beginPasskeySignIn(deps: Pick<Deps, 'db' | 'now' | 'publicUrl'>): Promise<PasskeyRequest> {
  const { token } = await openChallenge(deps, 'passkey_sign_in');
  return requestFor(deps, token, []);
}

/** Signs in who has the passkey and is verified by it: that is something one has, and something one is or knows. */
export async function signInWithPasskey(
  deps: CheckDeps & Pick<Deps, 'db' | 'newId' | 'tokens' | 'mac' | 'publishLive'>,
  { passkey, deviceName }: { passkey: PasskeyAnswer; deviceName?: string | undefined },
  address?: string,
): Promise<SignedIn> {
  const token = challengeIn(passkey);
  const asked = await guessAt(deps, token, 'passkey_sign_in');
  return commit(deps, async (tx) => {
    const known = await passkeyByCredential(tx, credentialIdOf(passkey));
    // Who they are the passkey itself must say, too.
    if (!known || passkey.response.userHandle !== handleOf(known.userId)) throw notRight();
    await holdEntrant(tx, known.userId);
    await usePasskey(tx, deps, known.userId, passkey, token);
    await settleChallenge(tx, asked);
    return enter(tx, deps, known.userId, { deviceName, address, secondFactor: true });
  });
}

const credentialIdOf = ({ id }: PasskeyAnswer) => Buffer.from(id, 'base64url');

/** Takes what one of the person's passkeys answered to a challenge. */
export async function usePasskey(
  tx: Tx,
  deps: CheckDeps,
  userId: UserId,
  answer: PasskeyAnswer,
  challenge: string,
): Promise<void> {
  const known = await passkeyByCredential(tx, credentialIdOf(answer));
  if (known?.userId !== userId || challengeIn(answer) !== challenge) throw notRight();
  const counter = await checkPasskey(deps, known, answer, challenge);
  if (!(await countPasskeyUse(tx, known, counter, deps.now()))) throw notRight();
}

export async function renamePasskey(
  deps: Pick<Deps, 'db'>,
  { userId }: Actor,
  id: PasskeyId,
  name: string,
): Promise<Passkey> {
  const row = await renamePasskeyRow(deps.db, userId, id, name);
  if (!row) throw notFound();
  return present(row);
}

export async function removePasskey(
  deps: Pick<Deps, 'db' | 'now' | 'newId' | 'publishLive'>,
  actor: Actor,
  id: PasskeyId,
): Promise<void> {
  const { userId } = actor;
  await commit(deps, async (tx) => {
    await holdProof(tx, actor);
    if (!(await deletePasskeyRow(tx, userId, id))) throw notFound();
    await insistOnWayIn(tx, userId);
    await dropUselessRecoveryCodes(tx, userId);
    await voidProofs(tx, actor);
    return { value: await tellOfFactor(tx, deps, userId, 'passkey_removed') };
  });
}
