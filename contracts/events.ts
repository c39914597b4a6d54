import type {
  ConversationEvent,
  Draft,
  MembershipSettings,
  NotificationSettings,
  Receipt,
  ThreadStanding,
} from './entities/index.ts';
import type { ConversationId, SessionId, UserId } from './ids.ts';

/**
 * What the domain tells after a commit, over the live bus, best effort: losing one costs time, never truth. Nothing
 * here is stored; what must not be lost goes to the outbox in the transaction itself.
 */
export type DomainEvent =
  | ConversationChange
  | { type: 'receipts.moved'; conversationId: ConversationId; memberVersion: number; receipts: Receipt[] }
  | {
      type: 'typing.changed';
      conversationId: ConversationId;
      memberVersion: number;
      userId: UserId;
      /** RFC 3339; null: no longer. */
      until: string | null;
    }
  | { type: 'unread.changed'; userId: UserId }
  | { type: 'receipts.own'; receipt: Receipt }
  | { type: 'thread.changed'; userId: UserId; thread: ThreadStanding }
  | { type: 'draft.changed'; userId: UserId; conversationId: ConversationId; draft: Draft | null }
  | { type: 'membership.changed'; userId: UserId; settings: MembershipSettings }
  | { type: 'settings.changed'; userId: UserId; settings: NotificationSettings; version: number }
  | { type: 'visibility.changed'; userId: UserId }
  | { type: 'session.ended'; userId: UserId; sessionIds: SessionId[] };

/** A new entry of a conversation's log, with what decides who hears of it. */
export interface ConversationChange {
  type: 'conversation.event';
  event: ConversationEvent;
  /** The membership with this change: a node that knows an older one asks before it tells anybody. */
  memberVersion: number;
  /** The message that it is about: who may not read that one hears a `hidden` in its place. */
  messageSeq?: number;
  /** What was there before is unread no more, or mentions others than before: what is unread in all may be another. */
  recounts?: true;
  /** Who hears from this change on, and the last message and the last change that they may not read. */
  joins?: { userId: UserId; joinedSeq: number; joinedVersion: number }[];
  /** Who hears this change and nothing after it. */
  leaves?: UserId[] | 'everybody';
}

/** What stands in the outbox until the relay has seen to it. */
export const outboxTopics = [
  'messages.stored',
  /** The same in a conversation of so many that they are called page by page. */
  'messages.stored.to_many',
  'messages.changed',
  'verification.requested',
  'notice.owed',
] as const;
export type OutboxTopic = (typeof outboxTopics)[number];
