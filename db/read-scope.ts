import type { ConversationId, UserId } from '../contracts/ids.ts';

declare const judged: unique symbol;

/**
 * That somebody may read a conversation, and from where on. Queries of what is written there ask for one, and
 * `domain/access` alone makes one, from a membership that it has read: what nobody has judged does not compile.
 */
export interface ReadScope {
  readonly reader: UserId;
  readonly conversationId: ConversationId;
  /** What stands up to here is not theirs to read. */
  readonly joinedSeq: number;
  readonly [judged]: true;
}

/** For `domain/access` alone, to which the table of imports holds everybody. */
export const judgedScope = (scope: Omit<ReadScope, typeof judged>): ReadScope => scope as ReadScope;
