import { timingSafeEqual } from 'node:crypto';
import type { Me } from '../../contracts/entities/index.ts';
import type { SessionId, UserId } from '../../contracts/ids.ts';
import type { Tx } from '../../db/client.ts';
import { lockFactors } from '../../db/queries/factors.ts';
import { insertOutbox } from '../../db/queries/outbox.ts';
import {
  type VerificationRow,
  deleteVerification,
  putVerification,
  takeVerificationTry,
  verificationOf,
} from '../../db/queries/verifications.ts';
import { type UserRow, setVerifiedContact, userById } from '../../db/queries/users.ts';
import { liftSuppressions } from '../../db/queries/suppressions.ts';
import { provedByCode, targetOf } from '../attention/index.ts';
import { holdProof, requireOwnBeginning } from '../access/index.ts';
import { type By, audit } from '../audit/index.ts';
import { commit } from '../commit.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError, notFound } from '../errors.ts';
import { allow, codesOf, codesTo, insistOn } from './allowances.ts';
import { type Contact, isProvedBy, tellOwner } from './notices.ts';
import { presentMe } from './present.ts';
import { refusingTaken } from './taken.ts';

/** A six-digit code lives this long and takes this many tries: 5 in 1,000,000 to guess this one. */
export const codeLimits = { lifetimeMs: 10 * 60_000, tries: 5 };

export type { Contact };

/** Opens a request for a code and leaves its sending to the durable lane, in the same transaction. */
async function requestCode(
  tx: Tx,
  deps: Pick<Deps, 'now' | 'newId'>,
  { userId, begunBy }: { userId: UserId; begunBy: SessionId | null },
  contact: Contact,
): Promise<void> {
  const id = deps.newId();
  const expiresAt = new Date(deps.now().getTime() + codeLimits.lifetimeMs);
  await putVerification(tx, { userId, id, begunBy, expiresAt, ...contact });
  await insertOutbox(tx, {
    topic: 'verification.requested',
    userId,
    payload: { verificationId: id, channel: contact.channel },
  });
}

/** The code of a request: derived, so that a retried mail carries the same one and no table or history holds it. */
export function codeOf(deps: Pick<Deps, 'mac'>, verificationId: string): string {
  const number = deps.mac('verification-code', verificationId).readUIntBE(0, 6) % 1_000_000;
  return number.toString().padStart(6, '0');
}

/**
 * Sends a code to a contact that shall become the actor's. Answers with how long the code lives, in seconds: also where
 * another account has proved the same one, which its holder is told by a mail instead of a code, and who asks is not.
 */
export async function changeContact(
  deps: Pick<Deps, 'db' | 'now' | 'newId' | 'mac' | 'publishLive'>,
  actor: Actor,
  contact: Contact,
): Promise<{ expiresInSeconds: number }> {
  const { userId, sessionId: begunBy } = actor;
  await commit(deps, async (tx) => {
    await holdProof(tx, actor);
    await insistOn(tx, deps, [...codesOf(userId), ...codesTo(contact)]);
    return { value: await requestCode(tx, deps, { userId, begunBy }, contact) };
  });
  return { expiresInSeconds: codeLimits.lifetimeMs / 1_000 };
}

/**
 * The same for somebody who signs up. Where the contact was sent too many codes already they get none now and ask for
 * one later: signing up is never refused for what others have done to an address.
 */
export async function offerCode(
  tx: Tx,
  deps: Pick<Deps, 'now' | 'newId' | 'mac'>,
  userId: UserId,
  contact: Contact,
): Promise<void> {
  if (!(await allow(tx, deps, codesTo(contact)))) await requestCode(tx, deps, { userId, begunBy: null }, contact);
}

/** Confirms a contact with its code. Each try is counted before it is judged. */
export async function verifyContact(
  deps: Pick<Deps, 'db' | 'now' | 'newId' | 'mac' | 'publishLive'>,
  actor: Actor,
  channel: Contact['channel'],
  code: string,
): Promise<Me> {
  const request = await takeTry(deps, actor, channel);
  const right = timingSafeEqual(Buffer.from(codeOf(deps, request.id)), Buffer.from(code));
  if (!right) throw new DomainError('invalid_code');
  return refusingTaken(() =>
    commit(deps, async (tx) => {
      await lockFactors(tx, actor.userId);
      // Who signed up named it themselves, and proved nothing for it.
      if (request.begunBy) await requireOwnBeginning(tx, actor, request.begunBy, codeOver);
      if (!(await deleteVerification(tx, actor.userId, channel, request.id))) throw codeOver();
      const contact = { channel, target: request.target };
      const before = await userById(tx, actor.userId);
      const { user, former } = await prove(tx, deps, actor.userId, contact);
      if (before && !isProvedBy(before, contact)) await tellOfContact(tx, deps, before);
      await auditTaken(tx, deps, actor, former);
      return { value: presentMe(user) };
    }),
  );
}

const codeOver = () => new DomainError('code_expired');

/**
 * Where somebody is told of things, and signs in by, is another now. Who had the account until then hears of it where that
 * was proved before: at the new one only whoever has changed it would. The entry names no address.
 */
async function tellOfContact(tx: Tx, deps: Pick<Deps, 'now' | 'newId'>, before: UserRow): Promise<void> {
  await tellOwner(tx, deps, before, 'contact_changed');
  await audit(tx, deps, { userId: before.id }, { action: 'change_contact', userId: before.id });
}

/** Whoever got what was sent there has it: it is theirs from now on, and nobody's who only named it (`former`). */
export async function prove(
  tx: Tx,
  deps: Pick<Deps, 'now' | 'mac'>,
  userId: UserId,
  { channel, target }: Contact,
): Promise<{ user: UserRow; former: UserId[] }> {
  // As everybody: who only named it loses it, and what is suppressed stands under hashes that tell nobody whose it is.
  return tx.asEverybody(async (all) => {
    const proved = await setVerifiedContact(all, userId, { channel, target, at: deps.now() });
    if (!proved) throw notFound();
    await liftSuppressions(all, targetOf(deps, channel, target), provedByCode);
    return proved;
  });
}

/** What whoever had only named a contact lost to who proved it. Last in a transaction, as entries of the audit are. */
export async function auditTaken(tx: Tx, deps: Pick<Deps, 'newId'>, by: By, former: readonly UserId[]): Promise<void> {
  for (const userId of former) await audit(tx, deps, by, { action: 'take_contact', userId });
}

async function takeTry(
  deps: Pick<Deps, 'db' | 'now'>,
  actor: Actor,
  channel: Contact['channel'],
): Promise<VerificationRow> {
  const at = deps.now();
  const request = await takeVerificationTry(deps.db, actor.userId, channel, { at, maxTries: codeLimits.tries });
  if (request) return request;
  const standing = await verificationOf(deps.db, actor.userId, channel);
  const spent = standing && standing.expiresAt > at && standing.wrongTries >= codeLimits.tries;
  throw new DomainError(spent ? 'too_many_attempts' : 'code_expired');
}
