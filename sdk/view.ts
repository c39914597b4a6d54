import type { ConversationSettings, Message, MyMembership, Role } from '../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../contracts/ids.ts';
import type { OutgoingMessage } from './outbox.ts';
import type { ConversationState } from './reducer.ts';
import { type Held, type Watermarks, activeAt } from './sync/conversations.ts';

/** One conversation as the client holds it at a moment. */
export interface ClientConversation extends ConversationSettings {
  readonly id: ConversationId;
  readonly kind: ConversationState['kind'];
  readonly createdAt: string;
  /** When it was written in last, or made. */
  readonly lastActiveAt: string;
  /** The last entry of its log that was applied. */
  readonly version: number;
  readonly lastSeq: number;
  readonly memberCount: number;
  /** Null where they are too many to be named: page through `listMembers`. */
  readonly members: readonly { userId: UserId; displayName: string; role: Role }[] | null;
  /** How far others are, where it is told. */
  readonly receipts: ReadonlyMap<UserId, Watermarks>;
  /** What it is to me: role, watermarks, unread, settings. */
  readonly me: MyMembership;
  /** The newest stored messages, oldest first; older ones by `history`. */
  readonly messages: readonly Message[];
  /** What I have written and the log does not hold, in the order of writing: show it after `messages`. */
  readonly outgoing: readonly OutgoingMessage[];
}

export function toView(held: Held, outgoing: readonly OutgoingMessage[]): ClientConversation {
  const { state, createdAt, me, receipts } = held;
  const { settings, members, messages, ...rest } = state;
  return {
    ...rest,
    ...settings,
    createdAt,
    lastActiveAt: activeAt(held),
    members: members && [...members].map(([userId, member]) => ({ userId, ...member })),
    receipts,
    me,
    messages: [...messages.values()].sort((a, b) => a.seq - b.seq),
    outgoing,
  };
}
