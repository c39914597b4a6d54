import { randomUUID } from 'node:crypto';
import type { ConversationEvent, Message } from '../../contracts/entities/index.ts';
import type { ClientId, MessageId } from '../../contracts/ids.ts';
import { groupId, personId } from '../lib/people.ts';

export const room = 'room';
let seq = 0;

/** An event as the product tells it, field for field, so that what is told has the same length everywhere. */
export function event(text: string): ConversationEvent {
  seq += 1;
  const [conversationId, senderId, createdAt] = [groupId(0), personId(0), new Date().toISOString()];
  const message: Message = {
    ...{ id: randomUUID() as MessageId, conversationId, seq, version: seq, changedVersion: seq },
    ...{ clientId: randomUUID() as ClientId, senderId, kind: 'text', text, system: null, attachments: [] },
    ...{ replyTo: null, threadId: null, thread: null, forwardedFrom: null, mentions: [], priority: 'normal' },
    ...{ reactions: [], createdAt, editedAt: null, edits: 0, deletedAt: null, pinnedAt: null },
  };
  const data = { message, thread: null };
  return { conversationId, version: seq, at: createdAt, actorId: senderId, type: 'message.created', data };
}
