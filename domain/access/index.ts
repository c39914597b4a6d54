import { type ConversationKind, type Role, type UserRole, userRoles } from '../../contracts/entities/index.ts';
import type { ConversationId, MessageId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../../db/client.ts';
import { type LockedConversation, lockConversationOf } from '../../db/queries/changes.ts';
import { type ConversationRow, conversationOf } from '../../db/queries/conversations.ts';
import { type MembershipRow, membershipOf } from '../../db/queries/members.ts';
import { roleOf } from '../../db/queries/memberships.ts';
import { type MessageRow, messageById } from '../../db/queries/messages.ts';
import { userById } from '../../db/queries/users.ts';
import { type ReadScope, judgedScope } from '../../db/read-scope.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError, notFound } from '../errors.ts';
import type { Rule } from './policy.ts';
import { type Right, may, rights } from './rights.ts';

export {
  type MemberRule,
  type PersonRule,
  type Place,
  type Rule,
  eventPolicy,
  eventRuleOf,
  heardBy,
  ruleOf,
  scopeOfSocket,
} from './policy.ts';
export { type Right, may, outranks, sendRights } from './rights.ts';
export {
  hasFactor,
  holdProof,
  methodsOf,
  notProved,
  proofMs,
  requireOpenSession,
  requireOwnBeginning,
  requireProof,
  requireStandingProof,
  signInAnew,
} from './proof.ts';
export { hasScope, requireScope } from './scopes.ts';
export type { ReadScope };

/**
 * The guards: loading and permission are one act, and "not yours" looks exactly like "not there". Rows that a person may
 * touch are loaded through these only.
 */

/** What a right is judged by: the conversation as it is now, and what the actor is in it. */
export type Standing = Pick<MembershipRow, 'kind' | 'posting' | 'blocked' | 'role'>;

/**
 * Refuses whoever has not the right there. Every guard goes through here; the statement that stores messages alone judges
 * for itself, by `sendRights`, since a send is one statement.
 */
export function authorize({ kind, posting, blocked, role }: Standing, right: Right): void {
  if (!may(right, kind, role)) throw forbidden(right, kind);
  if (blocked && saying.has(right)) throw forbidden('write');
  if (posting === 'admins' && announcing.has(right) && !may('announce', kind, role)) throw forbidden('announce');
}

/** By each of these something reaches the other end: between two, one of whom has blocked the other, it is refused to both. */
const saying: ReadonlySet<Right> = new Set<Right>(['write', 'editOwn', 'react', 'unreact', 'pin']);

/** Where only announcements are made, who may make none moves what they said before to nobody's eyes. */
const announcing: ReadonlySet<Right> = new Set<Right>(['write', 'editOwn', 'pin']);

/** A membership as it was read, which is the scope of what its person may read. */
export type Membership = MembershipRow & ReadScope;

/** The actor's membership of a conversation that they may read now, and where they have that right. */
export async function readableMembership(
  db: Queryable,
  actor: Actor,
  id: ConversationId,
  right?: Right,
): Promise<Membership> {
  const membership = await membershipOf(db, actor.userId, id);
  if (!membership) throw notFound();
  if (right) authorize(membership, right);
  const { joinedSeq } = membership;
  return { ...membership, ...judgedScope({ reader: actor.userId, conversationId: id, joinedSeq }) };
}

/** Of conversations that a statement has found by the actor's own memberships, ended ones too: the log tells their end. */
export const scopesOf = (
  { userId: reader }: Pick<Actor, 'userId'>,
  found: readonly { conversationId: ConversationId; joinedSeq: number }[],
): ReadScope[] => found.map(({ conversationId, joinedSeq }) => judgedScope({ reader, conversationId, joinedSeq }));

/** Times that a list is read again because the reader's membership changed under it. */
const maxReadings = 3;

/**
 * A list as a member may read it. Nothing found may only mean that the reader was removed between the two statements, or
 * came back to another beginning: then it is read again, and who is gone is told so.
 */
export async function readAsMember<Row>(
  db: Queryable,
  actor: Actor,
  id: ConversationId,
  read: (membership: Membership) => Promise<Row[]>,
): Promise<Row[]> {
  let membership = await readableMembership(db, actor, id);
  for (let reading = 1; ; reading += 1) {
    const rows = await read(membership);
    if (rows.length > 0) return rows;
    const now = await readableMembership(db, actor, id);
    if (now.memberVersion === membership.memberVersion || reading === maxReadings) return rows;
    membership = now;
  }
}

/** The conversation as it is to the actor. */
export async function readableConversation(
  db: Queryable,
  actor: Pick<Actor, 'userId'>,
  id: ConversationId,
): Promise<ConversationRow> {
  const conversation = await conversationOf(db, actor.userId, id);
  if (!conversation) throw notFound();
  return conversation;
}

/** A message that the actor may read: of a conversation of theirs, from their joining on. */
export async function readableMessage(
  db: Queryable,
  actor: Actor,
  conversationId: ConversationId,
  id: MessageId,
  right?: Right,
): Promise<{ message: MessageRow; membership: Membership }> {
  const membership = await readableMembership(db, actor, conversationId, right);
  return { message: await readableTo(db, membership, id), membership };
}

/** The same by a membership that was read: its reader may have gone since, so what is found is no answer by itself. */
export async function readableTo(db: Queryable, scope: ReadScope, id: MessageId): Promise<MessageRow> {
  const message = await messageById(db, scope, id);
  if (!message) throw notFound();
  return message;
}

/** A conversation held by its lock, with what the actor is in it at this very moment. */
export interface Held {
  conversation: LockedConversation;
  role: Role;
  scope: ReadScope;
}

/**
 * Locks the conversation for a member, then looks once more who asks: whoever was removed by the change that held the lock
 * before is no member any more, and a send that waits sees what this change makes of its rights.
 */
export async function holdConversation(tx: Tx, actor: Actor, id: ConversationId, right?: Right): Promise<Held> {
  const conversation = await lockConversationOf(tx, actor.userId, id);
  const member = conversation && (await roleOf(tx, id, actor.userId));
  if (!conversation || !member) throw notFound();
  if (right) authorize({ ...conversation, ...member }, right);
  const scope = judgedScope({ reader: actor.userId, conversationId: id, joinedSeq: member.joinedSeq });
  return { conversation, role: member.role, scope };
}

/** The same with a message of it that the actor may read. */
export async function holdMessage(
  tx: Tx,
  actor: Actor,
  conversationId: ConversationId,
  id: MessageId,
  right?: Right,
): Promise<Held & { message: MessageRow }> {
  const held = await holdConversation(tx, actor, conversationId, right);
  return { ...held, message: await readableTo(tx, held.scope, id) };
}

const wordsOf: Partial<Record<Right, string>> = {
  write: 'You may read this conversation, but not write in it.',
  editOwn: 'You may read this conversation, but not write in it.',
  react: 'You may read this conversation, but not react in it.',
  announce: 'Only owners and admins write, edit and pin here.',
  pin: 'You may not pin in this conversation.',
  seeReceipts: 'Channels tell no receipts.',
  leave: 'A direct conversation cannot be left.',
  end: 'Only its owner ends a conversation.',
  transfer: 'Only its owner hands a conversation over.',
};

const forbidden = (right: Right, kind: ConversationKind = 'group'): DomainError =>
  new DomainError('forbidden', {
    detail: isForNobody(right, kind)
      ? 'This is for groups and channels: between two people nobody leads.'
      : (wordsOf[right] ?? 'Only owners and admins of this conversation may do this.'),
  });

const isForNobody = (right: Right, kind: ConversationKind) =>
  kind === 'direct' && right !== 'leave' && rights[right].direct.length === 0;

/**
 * Refuses whoever has not this role of the organisation or a higher one. Read anew each time: a role that was taken away
 * counts at once. It is asked before anything is looked up, so that a refusal tells nothing of what there is.
 */
export async function requireRole(db: Queryable, actor: Actor | undefined, role: UserRole): Promise<void> {
  const user = actor && (await userById(db, actor.userId));
  if (user?.status === 'active' && userRoles.indexOf(user.role) >= userRoles.indexOf(role)) return;
  throw new DomainError('forbidden', { detail: `This needs the role ${role} or a higher one.` });
}

/**
 * What a call is done with. The second line behind the guards: whatever a person asks for runs under row-level security in
 * their name, so that what a guard forgets is not there. Staff look at others, and who signs in is nobody yet.
 */
export const depsFor = <D extends Pick<Deps, 'db'>>(deps: D, actor: Actor | undefined, rule: Rule): D =>
  actor && isHeldTo(rule) ? { ...deps, db: deps.db.as(actor.userId) } : deps;

const isHeldTo = (rule: Rule) => rule.who !== 'staff' && rule.who !== 'anybody' && !('alone' in rule);
