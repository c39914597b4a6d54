import { createHash } from 'node:crypto';
import type {
  Conversation,
  ConversationSettings,
  Member,
  NewConversation,
  Role,
} from '../../contracts/entities/index.ts';
import type { ConversationChange } from '../../contracts/events.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { Tx } from '../../db/client.ts';
import { ownerOf } from '../../db/queries/bots.ts';
import { claimConversationKey, insertConversation, isBlockedPair, lockPair } from '../../db/queries/conversations.ts';
import { insertEvent } from '../../db/queries/log.ts';
import { activeUsers } from '../../db/queries/users.ts';
import { readableConversation } from '../access/index.ts';
import { commit } from '../commit.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';
import { firstSeq, newMember } from '../log/index.ts';
import { directKey } from './direct-key.ts';
import { refuseOverfull } from './members.ts';
import { presentConversation } from './present.ts';

export interface CreatedConversation {
  conversation: Conversation;
  /** False when it existed: a repeat of the same creation, or the pair's direct conversation. */
  created: boolean;
}

/**
 * Makes a conversation, once: a direct one once a pair, whoever asks; a group or channel once a creator and clientId. The
 * key is taken in the transaction, so two requests at the same moment end with one conversation.
 */
export async function createConversation(
  deps: Pick<Deps, 'db' | 'now' | 'newId' | 'publishLive'>,
  actor: Actor,
  input: NewConversation,
): Promise<CreatedConversation> {
  const { id, created } = await commit(deps, async (tx) => {
    const conversationId = deps.newId() as ConversationId;
    const key = keyOf(actor, input);
    // A block of the one by the other, at this very moment, must find the conversation or be found by it.
    if (input.kind === 'direct') await lockPair(tx, key.key);
    const first = await claimConversationKey(tx, { ...key, conversationId });
    if (first && !first.fingerprint.equals(key.fingerprint)) throw new DomainError('idempotency_conflict');
    if (first) return { value: { id: first.conversationId, created: false } };
    const change = await store(tx, deps, actor, conversationId, input);
    return { value: { id: conversationId, created: true }, events: [change] };
  });
  return { conversation: presentConversation(await readableConversation(deps.db, actor, id)), created };
}

function keyOf(actor: Actor, input: NewConversation): { key: string; fingerprint: Buffer } {
  const people = [...new Set([actor.userId, ...input.memberIds])].sort();
  const { clientId, ...content } = { ...input, memberIds: people };
  const direct = input.kind === 'direct';
  const key = direct ? directKey(people) : `group:${actor.userId}:${clientId}`;
  const fingerprint = JSON.stringify(direct ? people : content);
  return { key, fingerprint: createHash('sha256').update(fingerprint).digest() };
}

async function store(
  tx: Tx,
  deps: Pick<Deps, 'now'>,
  actor: Actor,
  id: ConversationId,
  input: NewConversation,
): Promise<ConversationChange> {
  const at = deps.now();
  const members = await loadMembers(tx, actor, input);
  const { kind } = input;
  const settings = settingsOf(input);
  const blocked = kind === 'direct' && (await isBlockedPair(tx, actor.userId, input.memberIds[0] ?? actor.userId));
  // As everybody: who founds it leads it no sooner than it is there.
  await tx.asEverybody((all) =>
    insertConversation(all, { id, kind, ...settings, createdBy: actor.userId, at, members, blocked }),
  );
  const data = { kind, ...settings, members: namedMembers(members), memberCount: members.length };
  const entry = { conversationId: id, version: 1, actorId: actor.userId, type: 'conversation.created' as const };
  await insertEvent(tx, { ...entry, seq: 0, at, data: { ...data, members: data.members.map(withoutName) } });
  return {
    type: 'conversation.event',
    event: { ...entry, at: at.toISOString(), data },
    memberVersion: 1,
    joins: members.map(({ userId }) => ({ userId, joinedSeq: 0, joinedVersion: 0 })),
  };
}

function settingsOf(input: NewConversation): ConversationSettings {
  const { title, description, posting, history } = input.kind === 'direct' ? { title: null } : input;
  const { visibility } = input.kind === 'channel' ? input : {};
  return {
    title,
    description: description ?? null,
    visibility: visibility ?? 'invited',
    posting: posting ?? 'members',
    history: history ?? 'all',
  };
}

/** Everybody, where they are few enough to be told at once. */
const namedMembers = (members: Member[]) => (members.length <= limits.namedMembers ? members : []);
const withoutName = ({ userId, role }: Member) => ({ userId, role });

/** Everybody who was named, and who founds it, with their roles. */
async function loadMembers(tx: Tx, actor: Actor, input: NewConversation): Promise<Member[]> {
  const owners = await ownersOf(tx, actor, input);
  const named = [...new Set([actor.userId, ...input.memberIds])];
  const people = await activeUsers(tx, [...new Set([...named, ...owners])]);
  const missing = named.filter((id) => !people.some((person) => person.id === id));
  if (missing.length > 0) throw unknownMembers(input.memberIds, missing);
  refuseOverfull(input, people.length);
  const roleOf = (id: UserId): Role => (owners.includes(id) ? 'owner' : 'member');
  return people
    .map(({ id, ...person }) => newMember({ userId: id, role: roleOf(id) }, person, firstSeq(input)))
    .sort((a, b) => (a.userId < b.userId ? -1 : 1));
}

/**
 * A direct conversation has no owner: both are equal. What a bot founds, who answers for it owns as well: a bot hands over to
 * nobody, and its end would leave it to nobody.
 */
async function ownersOf(tx: Tx, { userId, scopes }: Actor, { kind }: NewConversation): Promise<UserId[]> {
  if (kind === 'direct') return [];
  // Bots come in by tokens alone.
  const answering = scopes && (await ownerOf(tx, userId));
  return answering ? [userId, answering] : [userId];
}

function unknownMembers(named: readonly UserId[], missing: readonly UserId[]): DomainError {
  const errors = missing.map((id) => ({
    path: `memberIds.${named.indexOf(id)}`,
    code: 'not_found',
    message: 'names nobody who can be talked to',
  }));
  return new DomainError('not_found', { errors });
}
