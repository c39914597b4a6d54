import type { RecountedMessage, Unreader } from '../../db/queries/recount-messages.ts';

/**
 * Whether a message that a member has not read is one that they are to be told of, by the rules of docs/notifications.md.
 * Written from those alone and for one pair at a time: arming says the same set-based, in SQL, and a fault that both had
 * nobody would find. Nothing of `domain/attention` or of its queries may be asked here.
 */
export function isOwed(message: RecountedMessage, person: Unreader): boolean {
  if (message.kind !== 'text' || message.deleted || message.conversationDeleted) return false;
  if (!person.active || person.blocked || person.userId === message.senderId) return false;
  // Muted when it came; that the time has run out since brings nothing back.
  const cameAt = message.calledAt ?? message.createdAt;
  const isMuted = person.mutedUntil !== null && person.mutedUntil > cameAt;
  if (isMuted && !(person.muteExcept === 'mentions' && isNamed(message, person))) return false;
  return asksFor(message, person);
}

function asksFor(message: RecountedMessage, person: Unreader): boolean {
  switch (levelOf(message, person)) {
    case 'all':
      return message.threadSeq === null || followsThread(person) || isCalled(message, person);
    case 'mentions':
      return message.conversationKind === 'direct' || isCalled(message, person);
    default:
      return false;
  }
}

/** The nearest word counts; in a channel nobody is told of everything who has not asked for it there. */
function levelOf(
  { conversationKind, threadSeq }: RecountedMessage,
  { threadLevel, level, generalLevel }: Unreader,
): string {
  if (threadSeq !== null && threadLevel !== null) return threadLevel;
  if (level !== null) return level;
  return conversationKind === 'channel' ? 'mentions' : (generalLevel ?? 'all');
}

/** Who asks for all of a thread need not follow it. */
const followsThread = ({ following, threadLevel }: Unreader) => following || threadLevel === 'all';

const isNamed = ({ mentions }: RecountedMessage, { userId, mentionKinds }: Unreader): boolean =>
  mentionKinds?.direct !== false && (mentions ?? []).some((mention) => mention.userId === userId);

const isCalled = (message: RecountedMessage, person: Unreader): boolean =>
  isNamed(message, person) ||
  (message.mentions ?? []).some(
    ({ type }) =>
      (type === 'everyone' && person.mentionKinds?.everyone !== false) ||
      (type === 'here' && person.wasHere && person.mentionKinds?.here !== false),
  );
