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
      return isWithin(message, person) || isCalled(message, person);
    case 'mentions':
      return (message.conversationKind === 'direct' && isWithin(message, person)) || isCalled(message, person);
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

/** It stands in the conversation itself, or in a thread that the person follows. */
const isWithin = ({ threadSeq }: RecountedMessage, { following }: Unreader): boolean => threadSeq === null || following;

const isNamed = ({ mentions }: RecountedMessage, { userId, mentionKinds }: Unreader): boolean =>
  mentionKinds?.direct !== false && (mentions ?? []).some((mention) => mention.userId === userId);

/** By name anywhere; as one of all, in a thread, who follows it. */
const isCalled = (message: RecountedMessage, person: Unreader): boolean =>
  isNamed(message, person) ||
  (isWithin(message, person) &&
    (message.mentions ?? []).some(
      ({ type }) =>
        (type === 'everyone' && person.mentionKinds?.everyone !== false) ||
        (type === 'here' && person.wasHere && person.mentionKinds?.here !== false),
    ));
