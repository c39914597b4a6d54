import { createHash } from 'node:crypto';
import type { Conversation, ConversationEvent, NewConversation, Role } from '../../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Tx } from '../../db/client.ts';
import { claimConversationKey, insertConversation } from '../../db/queries/conversations.ts';
import { insertEvent } from '../../db/queries/log.ts';
import { activeUsers } from '../../db/queries/users.ts';
import { readableConversation } from '../access/index.ts';
import { commit } from '../commit.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';
import { presentConversation } from './present.ts';

export interface CreatedConversation {
  conversation: Conversation;
  /** False when it existed: a repeat of the same creation, or the pair's direct conversation. */
  created: boolean;
}

/**
 * Makes a conversation, once: a direct one once a pair, whoever asks; a group once a creator and clientId. The key is
 * taken in the transaction, so two requests at the same moment end with one conversation.
 */
export async function createConversation(
  deps: Pick<Deps, 'db' | 'now' | 'newId' | 'publishLive'>,
  actor: Actor,
  input: NewConversation,
): Promise<CreatedConversation> {
  const { id, created } = await commit(deps, async (tx) => {
    const conversationId = deps.newId() as ConversationId;
    const key = keyOf(actor, input);
    const first = await claimConversationKey(tx, { ...key, conversationId });
    if (first && !first.fingerprint.equals(key.fingerprint)) throw new DomainError('idempotency_conflict');
    if (first) return { value: { id: first.conversationId, created: false } };
    const event = await store(tx, deps, actor, conversationId, input);
    const joins = event.data.members.map(({ userId }) => userId);
    return { value: { id: conversationId, created: true }, events: [{ type: 'conversation.event', event, joins }] };
  });
  return { conversation: presentConversation(await readableConversation(deps.db, actor, id)), created };
}

function keyOf(actor: Actor, input: NewConversation): { key: string; fingerprint: Buffer } {
  const people = [...new Set([actor.userId, ...input.memberIds])].sort();
  const content = input.kind === 'direct' ? people : [input.title, ...people];
  const key = input.kind === 'direct' ? `direct:${people.join(':')}` : `group:${actor.userId}:${input.clientId}`;
  return { key, fingerprint: createHash('sha256').update(JSON.stringify(content)).digest() };
}

type Created = Extract<ConversationEvent, { type: 'conversation.created' }>;

async function store(
  tx: Tx,
  deps: Pick<Deps, 'now'>,
  actor: Actor,
  id: ConversationId,
  input: NewConversation,
): Promise<Created> {
  const at = deps.now();
  const members = await loadMembers(tx, actor, input);
  const { kind } = input;
  const title = input.kind === 'group' ? input.title : null;
  const data = { kind, title, members };
  await insertConversation(tx, { id, kind, title, createdBy: actor.userId, at, members });
  await insertEvent(tx, {
    conversationId: id,
    version: 1,
    seq: 0,
    type: 'conversation.created',
    actorId: actor.userId,
    at,
    data,
  });
  return {
    conversationId: id,
    version: 1,
    at: at.toISOString(),
    actorId: actor.userId,
    type: 'conversation.created',
    data,
  };
}

/** Everybody who was named, and the creator, with their roles. A direct conversation has no owner: both are equal. */
async function loadMembers(tx: Tx, actor: Actor, input: NewConversation) {
  const ids = [...new Set([actor.userId, ...input.memberIds])];
  const people = await activeUsers(tx, ids);
  const missing = ids.filter((id) => !people.some((person) => person.id === id));
  if (missing.length > 0) throw unknownMembers(input.memberIds, missing);
  const roleOf = (id: UserId): Role => (input.kind === 'group' && id === actor.userId ? 'owner' : 'member');
  return people
    .map(({ id, displayName }) => ({ userId: id, displayName, role: roleOf(id) }))
    .sort((a, b) => (a.userId < b.userId ? -1 : 1));
}

function unknownMembers(named: readonly UserId[], missing: readonly UserId[]): DomainError {
  const errors = missing.map((id) => ({
    path: `memberIds.${named.indexOf(id)}`,
    code: 'not_found',
    message: 'names nobody who can be talked to',
  }));
  return new DomainError('not_found', { errors });
}
