import type { Conversation, MembershipEnd, Role } from '../../contracts/entities/index.ts';
import type { ConversationChange } from '../../contracts/events.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { MembersToAdd } from '../../contracts/rest/members.ts';
import type { Tx } from '../../db/client.ts';
import { type LockedConversation, endConversation } from '../../db/queries/changes.ts';
import { type UserStatus, holdStatus } from '../../db/queries/users.ts';
import { candidates, countOwners, endMemberships, joinMembers, roleOf, setRole } from '../../db/queries/memberships.ts';
import { type Held, holdConversation, holdProof, outranks, readableConversation } from '../access/index.ts';
import { callOff } from '../calling-off/index.ts';
import { commit } from '../commit.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError, faultyField, notFound } from '../errors.ts';
import { presentConversation } from './present.ts';
import { recordChange } from './record-change.ts';

type MemberDeps = Pick<Deps, 'db' | 'now' | 'newId' | 'publishLive'>;

/** Adds people. Who belongs to it already stays as they are; who is banned or gone is named as a fault. */
export async function addMembers(
  deps: MemberDeps,
  actor: Actor,
  id: ConversationId,
  { userIds, role = 'member' }: MembersToAdd,
): Promise<Conversation> {
  await commit(deps, async (tx) => {
    const held = await holdConversation(tx, actor, id, 'addMembers');
    if (!outranks(held.role, role)) throw notYourRank();
    const found = await candidates(tx, id, userIds);
    refuseUnfit(userIds, found);
    const fresh = found.filter(({ isMember }) => !isMember).map(({ userId }) => ({ userId, role }));
    return { value: undefined, events: await admit(tx, deps, actor, held.conversation, fresh) };
  });
  return presentConversation(await readableConversation(deps.db, actor, id));
}

function refuseUnfit(userIds: readonly UserId[], found: readonly { userId: UserId; banned: boolean }[]): void {
  const known = new Map(found.map((person) => [person.userId, person]));
  const errors = userIds.flatMap((userId, index) => {
    const path = `userIds.${index}`;
    if (!known.has(userId)) return [{ path, code: 'not_found', message: 'names nobody who can be talked to' }];
    return known.get(userId)?.banned
      ? [{ path, code: 'banned', message: 'may not come back; take the ban away first' }]
      : [];
  });
  if (errors.length > 0) throw new DomainError('invalid_input', { errors });
}

/**
 * The step that makes people members, by whatever way they come. What they may read begins with the change itself, or
 * with the beginning of everything, as the conversation's settings say.
 */
export async function admit(
  tx: Tx,
  deps: Pick<Deps, 'newId'>,
  actor: Actor,
  conversation: LockedConversation,
  people: readonly { userId: UserId; role: Role }[],
): Promise<ConversationChange[]> {
  if (people.length === 0) return [];
  const memberCount = conversation.memberCount + people.length;
  refuseOverfull(conversation, memberCount);
  const change = { type: 'members.added' as const, members: [...people], memberCount };
  const { told, numbers } = await recordChange(tx, deps, actor, conversation, change, { members: people.length });
  const readsAll = conversation.history === 'all';
  const joined = readsAll ? { seq: 0, version: 0 } : { seq: conversation.lastSeq, version: numbers.version - 1 };
  await joinMembers(tx, conversation.id, people, { ...joined, lastSeq: numbers.seq });
  const from = { joinedSeq: joined.seq, joinedVersion: joined.version };
  return [{ ...told, joins: people.map(({ userId }) => ({ userId, ...from })) }];
}

export function refuseOverfull({ kind }: Pick<LockedConversation, 'kind'>, memberCount: number): void {
  const most = kind === 'channel' ? limits.channelMembers : limits.groupMembers;
  if (memberCount <= most) return;
  const remedy = kind === 'channel' ? 'somebody has to leave first' : 'begin a channel, or let somebody leave first';
  throw new DomainError('limit_reached', { detail: `A ${kind} may have ${most} members; ${remedy}.` });
}

/** Removes a member: the change itself is the last thing that they are told. Who removes themselves leaves. */
export async function removeMember(deps: MemberDeps, actor: Actor, id: ConversationId, userId: UserId): Promise<void> {
  if (userId === actor.userId) return leaveConversation(deps, actor, id);
  await commit(deps, async (tx) => {
    const held = await holdConversation(tx, actor, id, 'removeMembers');
    await outrankedMember(tx, held, userId);
    return { value: undefined, events: await dismiss(tx, deps, actor, held.conversation, [userId], 'removed') };
  });
}

/** Leaves. The last owner of what others still use hands over first. */
export async function leaveConversation(deps: MemberDeps, actor: Actor, id: ConversationId): Promise<void> {
  await commit(deps, async (tx) => {
    const { conversation, role } = await holdConversation(tx, actor, id, 'leave');
    if (role === 'owner' && conversation.memberCount > 1) await refuseLastOwner(tx, id);
    return { value: undefined, events: await dismiss(tx, deps, actor, conversation, [actor.userId], 'left') };
  });
}

/**
 * The step that ends memberships, for whatever reason. With the last of them the conversation ends too: otherwise whoever
 * still had an invitation would come into one that nobody owns.
 */
export async function dismiss(
  tx: Tx,
  deps: Pick<Deps, 'now' | 'newId'>,
  actor: Actor,
  conversation: LockedConversation,
  userIds: UserId[],
  how: MembershipEnd,
): Promise<ConversationChange[]> {
  const memberCount = conversation.memberCount - userIds.length;
  const change = { type: 'members.removed' as const, userIds, how, memberCount };
  const { told, numbers } = await recordChange(tx, deps, actor, conversation, change, { members: -userIds.length });
  await endMemberships(tx, conversation.id, userIds, numbers.version);
  // As everybody: the last one has just gone, and it is nobody's.
  if (memberCount === 0) await tx.asEverybody((all) => endConversation(all, conversation.id, numbers.version));
  await callOff(tx, deps, { userIds, conversationId: conversation.id }, 'not_member');
  return [{ ...told, leaves: userIds }];
}

export async function changeRole(
  deps: MemberDeps,
  actor: Actor,
  id: ConversationId,
  userId: UserId,
  role: Role,
): Promise<void> {
  await commit(deps, async (tx) => {
    const heir = role === 'owner' ? await holdHeir(tx, actor, userId) : undefined;
    const held = await holdConversation(tx, actor, id, 'changeRoles');
    // Anybody may step down from what they are.
    const before = userId === actor.userId ? held.role : await outrankedMember(tx, held, userId);
    if (!outranks(held.role, role)) throw notYourRank();
    refuseEnded(heir);
    if (before === role) return { value: undefined };
    if (before === 'owner') await refuseLastOwner(tx, id);
    await setRole(tx, id, userId, role);
    return { value: undefined, events: [await tellRoles(tx, deps, actor, held, [{ userId, role }])] };
  });
}

/** The other becomes an owner, the actor an admin: in one change, so that nobody ever sees it ownerless. */
export async function transferOwnership(
  deps: MemberDeps,
  actor: Actor,
  id: ConversationId,
  userId: UserId,
): Promise<void> {
  await commit(deps, async (tx) => {
    const heir = await holdHeir(tx, actor, userId);
    const held = await holdConversation(tx, actor, id, 'transfer');
    if (userId === actor.userId) throw faultyField('userId', 'self', 'must name another member');
    if (!(await roleOf(tx, id, userId))) throw notFound();
    refuseEnded(heir);
    const members = [
      { userId, role: 'owner' as const },
      { userId: actor.userId, role: 'admin' as const },
    ];
    for (const member of members) await setRole(tx, id, member.userId, member.role);
    return { value: undefined, events: [await tellRoles(tx, deps, actor, held, members)] };
  });
}

/**
 * Holds who hands over and who takes over, until that is done: of the two, whoever ends a bot at the same moment comes second and
 * finds what it owns, or came first. People before conversations, in the order in which a bot is ended.
 */
async function holdHeir(tx: Tx, actor: Actor, userId: UserId): Promise<UserStatus | undefined> {
  await holdProof(tx, actor);
  // As everybody: their row is another's.
  return tx.asEverybody((all) => holdStatus(all, userId));
}

/** A bot that was ended stays a member, and nobody could ask it. */
function refuseEnded(status: UserStatus | undefined): void {
  if (status === 'ended') throw new DomainError('bot_ended');
}

async function tellRoles(
  tx: Tx,
  deps: Pick<Deps, 'newId'>,
  actor: Actor,
  { conversation }: Held,
  members: { userId: UserId; role: Role }[],
): Promise<ConversationChange> {
  const change = { type: 'members.changed' as const, members };
  return (await recordChange(tx, deps, actor, conversation, change, { rights: true })).told;
}

/** The role of a member on whom the actor may act. */
async function outrankedMember(tx: Tx, { conversation, role }: Held, userId: UserId): Promise<Role> {
  const member = await roleOf(tx, conversation.id, userId);
  if (!member) throw notFound();
  if (!outranks(role, member.role)) throw notYourRank();
  return member.role;
}

async function refuseLastOwner(tx: Tx, id: ConversationId): Promise<void> {
  if ((await countOwners(tx, id)) > 1) return;
  throw new DomainError('last_owner');
}

const notYourRank = () =>
  new DomainError('forbidden', { detail: 'Admins act on members only; owners act on everybody.' });
