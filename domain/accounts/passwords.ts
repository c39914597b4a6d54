import type { SessionId } from '../../contracts/ids.ts';
import type { PasswordChange, PasswordReset } from '../../contracts/rest/auth.ts';
import type { Tx } from '../../db/client.ts';
import { deleteChallenges } from '../../db/queries/challenges.ts';
import { silenceDevices } from '../../db/queries/devices.ts';
import { deleteFactors, factorsOf, lockFactors } from '../../db/queries/factors.ts';
import { deleteIdentities } from '../../db/queries/identities.ts';
import { deleteTickets } from '../../db/queries/oauth-tickets.ts';
import {
  type PasswordResetRow,
  deletePasswordResets,
  insertPasswordReset,
  usablePasswordReset,
  usePasswordReset,
} from '../../db/queries/password-resets.ts';
import { insertOutbox } from '../../db/queries/outbox.ts';
import { revokeSessions } from '../../db/queries/sessions.ts';
import { type UserRow, dropUnprovedContacts, replacePasswordHash, userById } from '../../db/queries/users.ts';
import { deleteVerifications } from '../../db/queries/verifications.ts';
import { hasFactor, requireOpenSession, requireProof, requireStandingProof } from '../access/index.ts';
import { audit } from '../audit/index.ts';
import { commit } from '../commit.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError, notFound } from '../errors.ts';
import { endTokens } from './access-tokens.ts';
import { insistOn, passwordTriesOf, resetsTo } from './allowances.ts';
import { auditGuesses } from './guesses.ts';
import { type Contact, auditTaken, prove } from './contacts.ts';
import { isProvedBy, tellOwner } from './notices.ts';
import { checkNewPassword } from './password-policy.ts';
import { hashToken, tellEnded } from './sessions.ts';
import { refusingTaken } from './taken.ts';
import { voidProofs } from './void-proofs.ts';

type ChangeDeps = Pick<Deps, 'db' | 'now' | 'newId' | 'mac' | 'passwords' | 'publishLive'>;

/** A link to a new password is good for so long, from its sending. */
export const resetLifetimeMs = 30 * 60_000;

/**
 * Another password for who is signed in and knows the one they have. Guessing at that is counted: a session that somebody
 * left open is not the way to its password. The old one is the fresh proof that what matters asks for; who has a second
 * factor proves that as well, for of them the password alone is none. What the former one has proved elsewhere counts no
 * more. Answers with how many other sessions and tokens were ended.
 */
export async function changePassword(
  deps: ChangeDeps,
  actor: Actor,
  { oldPassword, newPassword, endOtherSessions, endTokens: alsoTokens }: PasswordChange,
): Promise<number> {
  const user = await userById(deps.db, actor.userId);
  if (!user) throw notFound();
  if (user.passwordHash === null) throw new DomainError('no_password');
  const secondFactor = hasFactor(await factorsOf(deps.db, user.id));
  if (secondFactor) await requireProof(deps, actor);
  await checkNewPassword(deps, 'newPassword', newPassword, user, secondFactor);
  await takeTry(deps, actor);
  if (!(await deps.passwords.verify(oldPassword, user.passwordHash))) throw wrongOldPassword();
  const passwordHash = await deps.passwords.hash(newPassword);
  const ended = await commit(deps, async (tx) => {
    await holdFactors(tx, actor, secondFactor);
    await takePassword(tx, deps, user, passwordHash);
    const others = { allBut: actor.sessionId };
    const sessionIds = endOtherSessions ? await revokeSessions(tx, user.id, others, 'password_changed') : [];
    const tokenIds = alsoTokens ? await endTokens(tx, user.id, 'password_changed') : [];
    await voidProofs(tx, actor);
    await audit(tx, deps, actor, { action: 'change_password', userId: user.id });
    return { value: [...sessionIds, ...tokenIds] };
  });
  tellEnded(deps, user.id, ended);
  return ended.length;
}

/**
 * Hashing takes a while, in which a factor may have come: then the password alone is no proof any more. Or the last one went:
 * then a password may be too short that was long enough beside it. Or the session ended.
 */
async function holdFactors(tx: Tx, actor: Actor, judgedWithFactor: boolean): Promise<void> {
  await lockFactors(tx, actor.userId);
  const secondFactor = hasFactor(await factorsOf(tx, actor.userId));
  await (secondFactor ? requireStandingProof : requireOpenSession)(tx, actor);
  if (secondFactor !== judgedWithFactor) throw new DomainError('conflict');
}

async function takeTry(deps: ChangeDeps, actor: Actor): Promise<void> {
  try {
    await commit(deps, async (tx) => ({ value: await insistOn(tx, deps, passwordTriesOf(actor)) }));
  } catch (error) {
    if (error instanceof DomainError) await auditGuesses(deps, actor, 'wrong_passwords');
    throw error;
  }
}

const wrongOldPassword = () =>
  new DomainError('invalid_credentials', {
    errors: [
      { path: 'oldPassword', code: 'wrong', message: 'is not your password; where you forgot it, ask for a mail' },
    ],
  });

/** Nothing that was sent to change the former one, or begun with it, opens anything, and its owner is told. */
async function takePassword(
  tx: Tx,
  deps: Pick<Deps, 'now' | 'newId'>,
  user: UserRow,
  passwordHash: string,
): Promise<void> {
  if (!(await replacePasswordHash(tx, user.id, user.passwordHash, passwordHash))) throw new DomainError('conflict');
  await deletePasswordResets(tx, user.id);
  await deleteChallenges(tx, user.id);
  await deleteTickets(tx, user.id);
  await tellOwner(tx, deps, user, 'password_changed');
}

/**
 * Somebody forgot the password of whoever has this address or number. What is done and answered is the same whether
 * anybody has it: whose it is, is looked up when it is sent.
 */
export async function forgotPassword(
  deps: Pick<Deps, 'db' | 'now' | 'newId' | 'mac' | 'publishLive'>,
  identifier: string,
): Promise<{ expiresInSeconds: number }> {
  const channel = identifier.includes('@') ? 'email' : 'sms';
  await commit(deps, async (tx) => ({ value: await requestReset(tx, deps, { channel, target: identifier }) }));
  return { expiresInSeconds: resetLifetimeMs / 1_000 };
}

async function requestReset(tx: Tx, deps: Pick<Deps, 'now' | 'newId' | 'mac'>, contact: Contact): Promise<void> {
  await insistOn(tx, deps, resetsTo(contact));
  const [id, at] = [deps.newId(), deps.now()];
  const expiresAt = new Date(at.getTime() + resetLifetimeMs);
  await insertPasswordReset(tx, { id, ...contact, tokenHash: hashToken(resetTokenOf(deps, id)), expiresAt }, at);
  const payload = { noticeId: id, kind: 'password_forgotten', channel: contact.channel };
  await insertOutbox(tx, { topic: 'notice.owed', userId: null, payload });
}

/** 256 bits, derived: a mail that is sent twice carries the same, and no table, queue or history holds it. */
export const resetTokenOf = (deps: Pick<Deps, 'mac'>, id: string): string =>
  deps.mac('password-reset', id).toString('base64url');

/**
 * Another password for who shows what was sent to their address or number, which proves that, too. Whatever let anybody
 * in before lets nobody in now: who has forgotten their password may have lost it to somebody else. It signs nobody in, and
 * second factors stay: a mailbox is no second factor.
 */
export async function resetPassword(deps: ChangeDeps, { token, password }: PasswordReset): Promise<void> {
  const [tokenHash, at] = [hashToken(token), deps.now()];
  const reset = await usablePasswordReset(deps.db, tokenHash, at);
  const user = reset && (await userById(deps.db, reset.userId));
  if (!user) throw resetIsOver();
  const secondFactor = isProvedBy(user, reset) && hasFactor(await factorsOf(deps.db, user.id));
  await checkNewPassword(deps, 'password', password, user, secondFactor);
  const passwordHash = await deps.passwords.hash(password);
  const ended = await refusingTaken(() =>
    commit(deps, async (tx) => {
      if (!(await usePasswordReset(tx, tokenHash, at))) throw resetIsOver();
      return { value: await handOver(tx, deps, { user, passwordHash, proved: reset }) };
    }),
  );
  tellEnded(deps, user.id, ended);
}

const resetIsOver = () =>
  new DomainError('code_expired', { detail: 'This link was used, has run out or never was one; ask for a new one.' });

/**
 * Gives an account to who has proved an address of it. Somebody else may have made it in that one's name, and waited: so
 * what was named and not proved goes, and so do sessions, tokens, those of bots too, push tokens, open codes and sign-ins
 * elsewhere that are on their way. Factors and accounts elsewhere stay where the address had been proved before, for then
 * they are the owner’s, who was told of each; they are else those of who only named it. A new way in must be ended here, too.
 */
async function handOver(
  tx: Tx,
  deps: Pick<Deps, 'now' | 'newId' | 'mac'>,
  { user, passwordHash, proved }: { user: UserRow; passwordHash: string; proved: PasswordResetRow },
): Promise<SessionId[]> {
  const { user: owner, former } = await prove(tx, deps, user.id, proved);
  await takePassword(tx, deps, { ...owner, passwordHash: user.passwordHash }, passwordHash);
  await dropUnprovedContacts(tx, user.id);
  await deleteVerifications(tx, user.id);
  // After the challenges, which `takePassword` ended: no passkey that was on its way comes later than this.
  if (!isProvedBy(user, proved)) await deleteFactors(tx, user.id);
  if (!isProvedBy(user, proved)) await deleteIdentities(tx, user.id);
  await silenceDevices(tx, user.id);
  const sessionIds = await revokeSessions(tx, user.id, { allBut: null }, 'password_reset');
  const tokenIds = await endTokens(tx, user.id, 'password_reset');
  await audit(tx, deps, { userId: user.id }, { action: 'reset_password', userId: user.id });
  await auditTaken(tx, deps, { userId: user.id }, former);
  return [...sessionIds, ...tokenIds];
}
