import type { FactorsRemoved, Me, UserRole } from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import type { Registration } from '../../contracts/rest/auth.ts';
import type { Tx } from '../../db/client.ts';
import { revokeSessions } from '../../db/queries/sessions.ts';
import { holdAdmins, updateUserRole, updateUserStatus } from '../../db/queries/users.ts';
import { holdProof } from '../access/index.ts';
import { endTokens, loseFactors, makeAccount, refuseTaken } from '../accounts/index.ts';
import { type By, audit } from '../audit/index.ts';
import { callOff } from '../calling-off/index.ts';
import { commit } from '../commit.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError, notFound } from '../errors.ts';

type PeopleDeps = Pick<Deps, 'db' | 'now' | 'newId' | 'mac' | 'passwords' | 'publishLive'>;

/** Makes an account with a role, as the first admin is made: whoever signs up has none. */
export async function createUser(
  deps: PeopleDeps,
  by: By,
  { role, ...input }: Registration & { role: UserRole },
): Promise<Me> {
  await refuseTaken(deps, input);
  return makeAccount(deps, input, async (tx, me) => {
    await updateUserRole(tx, me.id, role);
    await audit(tx, deps, by, { action: 'create_user', userId: me.id });
    return me;
  });
}

export async function changeUserRole(
  deps: Pick<Deps, 'db' | 'newId' | 'publishLive'>,
  by: By,
  userId: UserId,
  role: UserRole,
): Promise<void> {
  await commit(deps, async (tx) => {
    if (role !== 'admin') await keepAnAdmin(tx, userId);
    const former = await updateUserRole(tx, userId, role);
    if (former === undefined) throw notFound();
    if (former !== role)
      await audit(tx, deps, by, { action: 'change_role', userId, change: { from: former, to: role } });
    return { value: undefined };
  });
}

/** Without an admin nobody could give the role to another, but at the command line. */
async function keepAnAdmin(tx: Tx, userId: UserId): Promise<void> {
  const admins = await holdAdmins(tx);
  if (admins.length === 1 && admins[0] === userId) throw new DomainError('last_admin');
}

/** Who acts on the accounts of others: an admin in a session, or an operator at the command line. */
type Acting = Actor | { operator: string };

/**
 * An admin acts only while what they proved stands. Behind the lock of all admins, for they hold their own row and then
 * another's: two who act on one another would else wait for each other.
 */
async function holdActing(tx: Tx, by: Acting): Promise<void> {
  if ('operator' in by) return;
  await holdAdmins(tx);
  await holdProof(tx, by);
}

/**
 * Nobody comes in by this account any more: its sessions and tokens end, those of its bots
 * too, and with them the push tokens of its devices; what was to be
 * told is called off. Nothing that was written is touched.
 */
export async function suspendUser(
  deps: Pick<Deps, 'db' | 'now' | 'newId' | 'publishLive'>,
  by: Acting,
  userId: UserId,
): Promise<void> {
  await commit(deps, async (tx) => {
    await keepAnAdmin(tx, userId);
    await holdActing(tx, by);
    await setStatus(tx, userId, 'suspended');
    const sessionIds = [
      ...(await revokeSessions(tx, userId, { allBut: null }, 'suspended')),
      ...(await endTokens(tx, userId, 'suspended')),
    ];
    await callOff(tx, deps, { userIds: [userId] }, 'account_inactive');
    await audit(tx, deps, by, { action: 'suspend_user', userId });
    return { value: undefined, events: sessionIds.length > 0 ? [{ type: 'session.ended', userId, sessionIds }] : [] };
  });
}

async function setStatus(tx: Tx, userId: UserId, status: 'active' | 'suspended'): Promise<void> {
  const former = await updateUserStatus(tx, userId, status);
  if (!former) throw notFound();
  if (former === 'ended') throw new DomainError('bot_ended');
}

/** They may sign in again, and are told of what comes from now on. */
export async function reactivateUser(
  deps: Pick<Deps, 'db' | 'newId' | 'publishLive'>,
  by: Acting,
  userId: UserId,
): Promise<void> {
  await commit(deps, async (tx) => {
    await holdActing(tx, by);
    await setStatus(tx, userId, 'active');
    return { value: await audit(tx, deps, by, { action: 'reactivate_user', userId }) };
  });
}

/**
 * For who has lost their device and their recovery codes. Whether they are who they say is for the admin to find out; so
 * nobody does it to themselves, which would be a way around their own factor, and never of the last admin, whose account
 * would be a password away. The command line may: without it that one would be locked out for good.
 */
export async function removeFactors(
  deps: Pick<Deps, 'db' | 'now' | 'newId' | 'publishLive'>,
  by: Acting,
  userId: UserId,
): Promise<FactorsRemoved> {
  if ('userId' in by && by.userId === userId) throw notOneself();
  return commit(deps, async (tx) => {
    if ('userId' in by) await keepAnAdmin(tx, userId);
    await holdActing(tx, by);
    const { lost, sessionIds } = await loseFactors(tx, deps, userId);
    await audit(tx, deps, by, { action: 'remove_factors', userId });
    const events = sessionIds.length > 0 ? [{ type: 'session.ended' as const, userId, sessionIds }] : [];
    return { value: { ...lost, sessions: sessionIds.length }, events };
  });
}

const notOneself = () =>
  new DomainError('forbidden', {
    detail:
      'Your own factors you take away by DELETE /v1/me/totp and DELETE /v1/me/passkeys/{id}, or another admin does it for you.',
  });
