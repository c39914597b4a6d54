import { createHash } from 'node:crypto';
import type { Message, NewMessage } from '../../contracts/entities/index.ts';
import type { ConversationId, MessageId } from '../../contracts/ids.ts';
import { type MessageRow, type NewMessageRow, messageBySeq } from '../../db/queries/messages.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError, faultyField, notFound } from '../errors.ts';
import { presentMessage } from './present.ts';

export interface SentMessage {
  message: Message;
  /** This clientId was stored before; the message is the first one's, and nothing was changed. */
  repeated: boolean;
}

/**
 * Stores a message and tells it to whoever is connected. Rights, numbers and repeats are judged by the one statement that
 * stores it, so nothing can change between the check and the commit. What must be done for those who are away follows
 * from the outbox row of the same commit.
 */
export async function sendMessage(
  deps: Pick<Deps, 'db' | 'newId' | 'storeMessage' | 'publishLive'>,
  actor: Actor,
  conversationId: ConversationId,
  input: NewMessage,
): Promise<SentMessage> {
  const row = toRow(deps, actor, conversationId, input);
  const result = await deps.storeMessage(row);
  switch (result.status) {
    case 'stored':
      return tell(deps, actor, { ...row, kind: 'text', ...result, editedAt: null, deletedAt: null });
    case 'repeat':
      return { message: await storedMessage(deps, conversationId, result.seq), repeated: true };
    case 'conflict':
      throw new DomainError('idempotency_conflict');
    case 'read_only':
      throw new DomainError('forbidden', { detail: 'You may read this conversation, but not write in it.' });
    case 'reply_not_found':
      throw faultyField('replyTo', 'not_found', 'names no message of this conversation');
    case 'not_member':
    case 'stale':
      throw notFound();
  }
}

function toRow(
  deps: Pick<Deps, 'newId'>,
  actor: Actor,
  conversationId: ConversationId,
  input: NewMessage,
): NewMessageRow {
  const { clientId, text, replyTo = null, mentions = [], priority = 'normal' } = input;
  return {
    conversationId,
    senderId: actor.userId,
    id: deps.newId() as MessageId,
    clientId,
    text,
    replyTo,
    mentions: mentions.length > 0 ? mentions : null,
    priority,
    // Of the content as sent, so that a repeat is told from another message even after an edit.
    fingerprint: createHash('sha256')
      .update(JSON.stringify([text, replyTo, mentions, priority]))
      .digest(),
  };
}

function tell(deps: Pick<Deps, 'publishLive'>, actor: Actor, row: MessageRow): SentMessage {
  const message = presentMessage(row);
  const { conversationId, version, createdAt: at } = message;
  const event = {
    conversationId,
    version,
    at,
    actorId: actor.userId,
    type: 'message.created' as const,
    data: { message },
  };
  deps.publishLive([{ type: 'conversation.event', event }]);
  return { message, repeated: false };
}

async function storedMessage(deps: Pick<Deps, 'db'>, conversationId: ConversationId, seq: number): Promise<Message> {
  const row = await messageBySeq(deps.db, conversationId, seq);
  if (!row) throw notFound();
  return presentMessage(row);
}
