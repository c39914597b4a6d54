import type { Message, NewMessage } from '../../contracts/entities/index.ts';
import type { ConversationChange } from '../../contracts/events.ts';
import type { ConversationId, MessageId } from '../../contracts/ids.ts';
import type { Forward } from '../../contracts/rest/messages.ts';
import {
  type MessageRow,
  type SentRow,
  type StoredOrigin,
  messageByClientId,
  ownMessage,
} from '../../db/queries/messages.ts';
import type { NewMessageRow, StoreResult } from '../../db/queries/store-messages.ts';
import { readableMessage } from '../access/index.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError, faultyField, notFound } from '../errors.ts';
import { presentMessage } from '../log/index.ts';
import { fingerprint } from './fingerprint.ts';
import { mayNotCall, mentionsNoMember, mentionsOutOfReach } from './mentions.ts';

export interface SentMessage {
  message: Message;
  /** This clientId was stored before; the message is the first one's, and nothing was changed. */
  repeated: boolean;
}

type SendDeps = Pick<Deps, 'db' | 'newId' | 'storeMessage' | 'publishLive'>;

/**
 * Stores a message and tells it to whoever is connected. Rights, numbers and repeats are judged by the one statement that
 * stores it, so nothing can change between the check and the commit. What must be done for those who are away follows
 * from the outbox row of the same commit.
 */
export async function sendMessage(
  deps: SendDeps,
  actor: Actor,
  conversationId: ConversationId,
  input: NewMessage,
): Promise<SentMessage> {
  return store(deps, actor, toRow(deps, actor, conversationId, input));
}

/**
 * Sends a message on, with its origin: the first one where it was forwarded before. A repeat is told by the message that
 * it names: what that says by now, and whether it can be read still, is no matter to what was stored.
 */
export async function forwardMessage(
  deps: SendDeps,
  actor: Actor,
  from: ConversationId,
  id: MessageId,
  { clientId, conversationId }: Forward,
): Promise<SentMessage> {
  const known = await messageByClientId(deps.db, actor.userId, conversationId, clientId);
  const { text, origin } = known ? { text: '', origin: null } : await readOrigin(deps, actor, from, id);
  // Mentions are of people there: here they are words.
  const row = toRow(deps, actor, conversationId, { clientId, text }, origin);
  return store(deps, actor, { ...row, fingerprint: fingerprint('forwarded', id) });
}

async function readOrigin(
  deps: Pick<Deps, 'db'>,
  actor: Actor,
  from: ConversationId,
  id: MessageId,
): Promise<{ text: string; origin: StoredOrigin }> {
  const { message } = await readableMessage(deps.db, actor, from, id);
  if (message.kind !== 'text' || message.text === null) throw notFound();
  const { senderId, createdAt, forwardedFrom, text } = message;
  const first = { conversationId: from, messageId: id, senderId, createdAt: createdAt.toISOString() };
  return { text, origin: forwardedFrom ?? first };
}

function toRow(
  deps: Pick<Deps, 'newId'>,
  actor: Actor,
  conversationId: ConversationId,
  { clientId, text, replyTo, threadId, mentions = [], priority = 'normal' }: NewMessage,
  forwardedFrom: StoredOrigin | null = null,
): NewMessageRow {
  return {
    conversationId,
    senderId: actor.userId,
    id: deps.newId() as MessageId,
    clientId,
    text,
    replyTo: replyTo ?? null,
    threadId: threadId ?? null,
    forwardedFrom,
    mentions: mentions.length > 0 ? mentions : null,
    priority,
    fingerprint: fingerprint(text, replyTo, threadId, mentions, priority, forwardedFrom?.messageId),
  };
}

async function store(deps: SendDeps, actor: Actor, row: NewMessageRow): Promise<SentMessage> {
  const result = await deps.storeMessage(row);
  switch (result.status) {
    case 'stored':
      return tell(deps, row, result);
    case 'repeat':
      return { message: await storedMessage(deps, actor, row.conversationId, result.seq), repeated: true };
    case 'repeat_of_gone':
      return { message: await asSent(deps, row), repeated: true };
    case 'conflict':
      throw new DomainError('idempotency_conflict');
    case 'may_not_write':
      throw new DomainError('forbidden', { detail: 'You may read this conversation, but not write in it.' });
    case 'reply_not_found':
      throw faultyField('replyTo', 'not_found', 'names no message of this conversation');
    case 'thread_not_found':
      throw faultyField('threadId', 'not_found', 'names no message of this conversation');
    case 'mention_not_member':
      throw mentionsNoMember();
    case 'mention_out_of_reach':
      throw mentionsOutOfReach();
    case 'may_not_call':
      throw mayNotCall();
    case 'not_member':
    case 'stale':
      throw notFound();
  }
}

type Stored = Extract<StoreResult, { status: 'stored' }>;

function tell(deps: Pick<Deps, 'publishLive'>, row: NewMessageRow, stored: Stored): SentMessage {
  const { createdAtMs, threadId = null, threadSeq = null, ...numbers } = stored;
  const { seq, version } = numbers;
  const sent = { seq, version, createdAt: new Date(createdAtMs), threadId, threadSeq };
  const message = presentMessage(freshRow(row, sent));
  const { conversationId, createdAt: at, senderId: actorId } = message;
  const data = { message, thread: stored.thread ?? null };
  const change: ConversationChange = {
    type: 'conversation.event',
    event: { conversationId, version, at, actorId, type: 'message.created', data },
    memberVersion: stored.memberVersion,
    messageSeq: seq,
  };
  deps.publishLive([change]);
  return { message, repeated: false };
}

/** The message as it was written: nobody has touched it yet. */
function freshRow({ fingerprint: _, ...row }: NewMessageRow, sent: SentRow): MessageRow {
  return {
    ...{ ...row, ...sent, changedVersion: sent.version },
    ...{ kind: 'text', system: null, edits: 0, editedAt: null, deletedAt: null, pinnedAt: null },
    ...{ reactions: null, thread: null, fromBlocked: false },
  };
}

/**
 * To who was removed since: what became of their message afterwards is not theirs to see, but that it was stored is. Told
 * that it was refused they would write it again. A deletion is final for them, too.
 */
async function asSent({ db }: Pick<Deps, 'db'>, row: NewMessageRow): Promise<Message> {
  const known = await messageByClientId(db, row.senderId, row.conversationId, row.clientId);
  if (!known) throw notFound();
  // The repeat of a forward names what was sent on, and does not hold its words.
  const { id, text, forwardedFrom, deletedAt, changedVersion, ...sent } = known;
  if (deletedAt) {
    const gone = { text: null, mentions: null, forwardedFrom: null, deletedAt, changedVersion };
    return presentMessage({ ...freshRow({ ...row, id }, sent), ...gone });
  }
  return presentMessage(
    freshRow({ ...row, id, text: forwardedFrom && text !== null ? text : row.text, forwardedFrom }, sent),
  );
}

async function storedMessage(
  deps: Pick<Deps, 'db'>,
  actor: Actor,
  conversationId: ConversationId,
  seq: number,
): Promise<Message> {
  const row = await ownMessage(deps.db, actor.userId, conversationId, seq);
  if (!row) throw notFound();
  return presentMessage(row);
}
