import type {
  ConversationEvent,
  ConversationEventOf,
  Message,
  MyMembership,
  SyncStanding,
} from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import type { ConversationState } from '../reducer.ts';

/** What a conversation is to somebody who has just heard of its making. */
export function newMembership(
  { data, actorId }: ConversationEventOf<'conversation.created'>,
  me: UserId,
): MyMembership {
  // Where they are too many to be named, the one who makes it is the owner, and the others are members.
  const unnamed = actorId === me ? 'owner' : 'member';
  return {
    role: data.members.find(({ userId }) => userId === me)?.role ?? unnamed,
    ...{ deliveredSeq: 0, readSeq: 0, unread: 0, mentions: 0, unreadMark: null },
    ...{ level: null, mutedUntil: null, muteExcept: null, archived: false, pinned: false },
    channels: { push: null, email: null, sms: null },
  };
}

/** Role and unread after one entry of the log: the message that it is about counted before, and counts now, or not. */
export function afterEvent(
  membership: MyMembership,
  event: ConversationEvent,
  { before, after, me }: { before: ConversationState | undefined; after: ConversationState; me: UserId },
): MyMembership {
  const seq = touched(event);
  const count = (state: ConversationState | undefined) => countUnread(membership, me, state?.messages.get(seq));
  const [was, is] = [count(before), count(after)];
  return {
    ...membership,
    role: roleAfter(membership, event, me),
    unread: Math.max(0, membership.unread + is.unread - was.unread),
    mentions: Math.max(0, membership.mentions + is.mentions - was.mentions),
  };
}

/** Whether the entry changes an unread message of which nobody here knows how it was counted. */
export function isUncounted(
  { unread, readSeq }: MyMembership,
  event: ConversationEvent,
  before: ConversationState | undefined,
): boolean {
  if (event.type !== 'message.edited' && event.type !== 'message.deleted') return false;
  const { seq } = event.data;
  return unread > 0 && seq > readSeq && !before?.messages.has(seq);
}

function touched({ data }: ConversationEvent): number {
  if ('seq' in data) return data.seq;
  return 'message' in data ? (data.message?.seq ?? 0) : 0;
}

function roleAfter(membership: MyMembership, event: ConversationEvent, me: UserId): MyMembership['role'] {
  if (event.type !== 'members.changed') return membership.role;
  return event.data.members.find(({ userId }) => userId === me)?.role ?? membership.role;
}

/**
 * Watermarks and unread after reading up to a message; they only move forward. Where the messages after it are not all
 * held, the counts are guessed, and to be asked for.
 */
export function afterReceipt(
  membership: MyMembership,
  { deliveredSeq, readSeq }: { deliveredSeq: number; readSeq: number },
  { messages }: ConversationState,
  me: UserId,
): MyMembership {
  const delivered = Math.max(membership.deliveredSeq, deliveredSeq, readSeq);
  if (readSeq <= membership.readSeq) return { ...membership, deliveredSeq: delivered };
  const moved = { ...membership, deliveredSeq: delivered, readSeq, unreadMark: null };
  const sum = sumUnread(moved, me, messages.values());
  const unseen = notHeld(readSeq, messages);
  if (unseen === 0) return { ...moved, ...sum };
  const atMost = (before: number, counted: number) => Math.min(before, counted + unseen);
  return {
    ...moved,
    unread: atMost(membership.unread, sum.unread),
    mentions: atMost(membership.mentions, sum.mentions),
  };
}

/** Messages between what was read and what is held. */
const notHeld = (readSeq: number, messages: ReadonlyMap<number, Message>) =>
  messages.size === 0 ? 0 : Math.max(0, Math.min(...messages.keys()) - 1 - readSeq);

/** Whether all that is unread is held: where it is not, what a block takes away is not known here. */
export const holdsUnread = ({ readSeq }: MyMembership, { messages }: ConversationState): boolean =>
  notHeld(readSeq, messages) === 0;

/** Whether the counts are guessed, once something was read. */
export const isGuess = (membership: MyMembership, state: ConversationState): boolean =>
  membership.unread > 0 && !holdsUnread(membership, state);

/** Unread after some of the messages that are held were marked as of somebody blocked, or no longer. */
export function afterMarks(
  membership: MyMembership,
  { before, after, me }: { before: Iterable<Message>; after: Iterable<Message>; me: UserId },
): MyMembership {
  const [was, is] = [sumUnread(membership, me, before), sumUnread(membership, me, after)];
  return {
    ...membership,
    unread: Math.max(0, membership.unread + is.unread - was.unread),
    mentions: Math.max(0, membership.mentions + is.mentions - was.mentions),
  };
}

function sumUnread(membership: MyMembership, me: UserId, messages: Iterable<Message>) {
  const sum = { unread: 0, mentions: 0 };
  for (const message of messages) {
    const { unread, mentions } = countUnread(membership, me, message);
    sum.unread += unread;
    sum.mentions += mentions;
  }
  return sum;
}

export type Settings = Pick<
  MyMembership,
  'level' | 'mutedUntil' | 'muteExcept' | 'channels' | 'archived' | 'pinned' | 'unreadMark' | 'readSeq'
>;

/**
 * What the person has set. The answer that says so may have been overtaken: role and unread are as the log has told, and
 * a mark that was set before something was read is gone.
 */
export function afterSettings(membership: MyMembership, settings: Settings): MyMembership {
  const { level, mutedUntil, muteExcept, channels, archived, pinned, unreadMark } = settings;
  const set = { ...membership, level, mutedUntil, muteExcept, channels, archived, pinned };
  return settings.readSeq < membership.readSeq ? set : { ...set, unreadMark };
}

/** What a sync says of where one stands, which is newer than what was counted here; reads not yet told stay. */
export function afterStanding(membership: MyMembership, standing: SyncStanding): MyMembership {
  const { level, mutedUntil, muteExcept, channels, archived, pinned, readSeq, unread, mentions, unreadMark } = standing;
  const deliveredSeq = Math.max(membership.deliveredSeq, standing.deliveredSeq);
  const settled = { ...membership, deliveredSeq, level, mutedUntil, muteExcept, channels, archived, pinned };
  if (readSeq < membership.readSeq) return settled;
  return { ...settled, readSeq, unread, mentions, unreadMark };
}

/** As the server counts: not one's own, nothing of the blocked, not what was deleted, no system lines, nothing in threads. */
function countUnread(
  { readSeq }: MyMembership,
  me: UserId,
  message: Message | undefined,
): { unread: number; mentions: number } {
  if (!message || message.seq <= readSeq || message.senderId === me) return none;
  if (message.fromBlocked || message.kind !== 'text' || message.deletedAt !== null || message.threadId !== null)
    return none;
  const called = message.mentions.some((mention) => mention.type !== 'user' || mention.userId === me);
  return { unread: 1, mentions: called ? 1 : 0 };
}

const none = { unread: 0, mentions: 0 };
