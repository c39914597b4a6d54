import type { ConversationEvent, Receipt } from './entities/index.ts';
import type { SessionId, UserId } from './ids.ts';

/**
 * What the domain tells after a commit, over the live bus, best effort: losing one costs time, never truth. Nothing
 * here is stored; what must not be lost goes to the outbox in the transaction itself.
 */
export type DomainEvent =
  | {
      type: 'conversation.event';
      event: ConversationEvent /** Whose sockets must follow it from now on. */;
      joins?: UserId[];
    }
  | { type: 'receipts.moved'; receipts: Receipt[] }
  | { type: 'session.ended'; userId: UserId; sessionIds: SessionId[] };

/** What stands in the outbox until the relay has seen to it. */
export const outboxTopics = ['messages.stored', 'verification.requested'] as const;
export type OutboxTopic = (typeof outboxTopics)[number];
