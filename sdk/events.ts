import type {
  ConversationEvent,
  Draft,
  Me,
  Message,
  NotificationSettings,
  PersonPresence,
  Receipt,
  ThreadStanding,
  UnreadCounts,
} from '../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../contracts/ids.ts';
import type { ConnectionState } from './connection.ts';
import type { HomingError } from './errors.ts';
import type { OutgoingMessage } from './outbox.ts';

export type SessionState =
  | { state: 'signed_in'; user: Me }
  | { state: 'signed_out' }
  /** By the server; what waits to be sent stays until the person signs in again. */
  | { state: 'ended'; why: HomingError };

/** What `client.on` tells, by name. */
export interface ClientEvents {
  /** A new message stands in a conversation: one's own too, and what came while the client was away. */
  message: { conversationId: ConversationId; message: Message };
  /** So much was written while the client was away that these messages, from one seq to another, are not told as `message`. */
  missed: { conversationId: ConversationId; fromSeq: number; toSeq: number };
  /** An entry of a conversation's log was applied: every one, in order, unless a whole new state came in their place. */
  change: ConversationEvent;
  /** Something of a conversation is other than before; look at `client.conversation(conversationId)`. */
  conversation: {
    conversationId: ConversationId;
    how: 'added' | 'changed' | 'removed';
    /** What ended the membership, where it is known. */
    last?: ConversationEvent;
  };
  /** A message of one's own began its way, was stored or was refused. */
  outgoing: OutgoingMessage;
  /** Watermarks that moved. */
  receipts: Receipt[];
  /** Whom one has blocked, all of them, after it changed on any device. */
  blocks: { userIds: UserId[] };
  /** Which messages reach one, and how, after it changed on any device or by a link of a mail; the highest version counts. */
  notificationSettings: { settings: NotificationSettings; version: number };
  /** What one has begun to write on another device. */
  draft: { conversationId: ConversationId; draft: Draft | null };
  /** Somebody writes, until the instant unless it is told anew; null: no longer. */
  typing: { conversationId: ConversationId; userId: UserId; until: string | null };
  /** Whose presence changed in the conversation that one looks at. */
  presence: { conversationId: ConversationId; presences: PersonPresence[] };
  /** A thread that one follows, or no longer, or has read in, on any device. */
  thread: ThreadStanding;
  /**
   * What is unread in all: soon after one has read or marked something on any device, at leisure after others wrote; apart,
   * in the threads that one follows.
   */
  attention: UnreadCounts & { threads: UnreadCounts; badge: number };
  connection: ConnectionState;
  session: SessionState;
  /** What went wrong beside any call: the storage fails. */
  error: HomingError;
}
