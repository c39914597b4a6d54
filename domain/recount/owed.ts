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
  if (person.mutedUntil !== null && person.mutedUntil > message.createdAt) return false;
  return asksFor(message, person);
}

function asksFor(message: RecountedMessage, person: Unreader): boolean {
  switch (levelOf(message, person)) {
    case 'all':
      return message.threadSeq === null || person.following || isCalled(message, person);
    case 'mentions':
      return message.conversationKind === 'direct' || isCalled(message, person);
    default:
      return false;
  }
}

/** The nearest word counts; in a channel nobody is told of everything who has not asked for it there. */
function levelOf({ conversationKind }: RecountedMessage, { level, generalLevel }: Unreader): string {
  if (level !== null) return level;
  return conversationKind === 'channel' ? 'mentions' : (generalLevel ?? 'all');
}

const isCalled = ({ mentions }: RecountedMessage, { userId, wasHere }: Unreader): boolean =>
  (mentions ?? []).some(
    (mention) => mention.userId === userId || mention.type === 'everyone' || (mention.type === 'here' && wasHere),
  );
