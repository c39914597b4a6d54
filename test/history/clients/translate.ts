import type { FollowedThread } from '../../../contracts/rest/messages.ts';
import type { ErrorCode } from '../../../contracts/errors.ts';
import type {
  ConversationEvent,
  EventsAfter,
  Message,
  Snapshot,
  SyncResponse,
} from '../../../contracts/entities/index.ts';
import type { ClientConversation } from '../../../sdk/index.ts';
import type { ConversationState } from '../../../sdk/reducer.ts';
import type { Answer, Entry, Followed, Held, Own, Seen, Snapshotted } from '../record.ts';
import type { Outcome } from '../recorder.ts';

/** What travels on the wire, as the history keeps it. */

export function seen(message: Message): Seen {
  const { seq, version, changedVersion, id, clientId, senderId, kind, text, deletedAt, reactions } = message;
  const { pinnedAt, threadId, thread, mentions, forwardedFrom, fromBlocked = false } = message;
  return {
    ...{ seq, version, changedVersion, id, clientId, senderId, kind, text, deleted: deletedAt !== null },
    ...{ pinned: pinnedAt !== null, threadId, thread: thread && `${thread.replyCount} to ${thread.lastSeq}` },
    ...{ forwarded: forwardedFrom && 'from somewhere', fromBlocked },
    mentions: mentions.flatMap((mention) => (mention.type === 'user' ? [mention.userId] : [])),
    reactions: reactions.map(({ emoji, count, mine }) => `${emoji} ${count}${mine ? ' mine' : ''}`),
  };
}

export function entry(event: ConversationEvent): Entry {
  const { conversationId: conversation, version, type, actorId: actor } = event;
  const message = 'message' in event.data ? event.data.message : null;
  const seq = message?.seq ?? ('seq' in event.data ? event.data.seq : null);
  return { conversation, version, type, actor, seq, message: message ? seen(message) : null };
}

const snapshotted = ({ conversation, messages }: Snapshot): Snapshotted => ({
  conversation: conversation.id,
  version: conversation.version,
  messages: messages.map(seen),
});

export function synced({ changes, standings }: SyncResponse): Answer {
  return {
    entries: changes.flatMap(({ events }) => events.map(entry)),
    snapshots: changes.flatMap(({ state }) => (state ? [snapshotted(state)] : [])),
    lost: changes.filter(({ how }) => how === 'lost').map(({ conversationId }) => conversationId),
    standings: standings.map(({ conversationId: conversation, readSeq, unread, mentions, unreadMark }) => ({
      ...{ conversation, readSeq, unread, mentions, unreadMark },
    })),
  };
}

export const followedThread = ({ root, following, readSeq, unread, mentions }: FollowedThread): Followed => ({
  ...{ rootSeq: root.seq, following, readSeq, unread, mentions },
});

export const followed = (page: EventsAfter): Answer =>
  page.snapshot ? { snapshots: [snapshotted(page.state)] } : { entries: page.events.map(entry) };

/** What a client holds of a conversation. */
export function held(state: ConversationState): Held {
  const members = [...(state.members ?? [])].map(([id, { role }]) => `${id} ${role}`).sort();
  const messages = [...state.messages.values()].sort((a, b) => a.seq - b.seq).map(seen);
  return { version: state.version, lastSeq: state.lastSeq, title: state.settings.title, members, messages };
}

/** What a client says of its own person in a conversation. Who tells nothing of themselves is not named. */
export function own({ me, receipts, outgoing }: ClientConversation): Own {
  const { role, deliveredSeq, readSeq, unread, mentions, unreadMark, level, pinned, archived, mutedUntil } = me;
  return {
    ...{ role, deliveredSeq, readSeq, unread, mentions, unreadMark, level, pinned, archived, mutedUntil },
    waiting: outgoing.length,
    others: [...receipts].flatMap(([userId, { deliveredSeq: delivered, readSeq: read, cameSeq }]) =>
      delivered === null || read === null || cameSeq === null
        ? []
        : [{ userId, deliveredSeq: delivered, readSeq: read, cameSeq }],
    ),
  };
}

/** Refusals that do not say whether it took effect: the system's own fault, as a 5xx is over REST. */
const indeterminate: ReadonlySet<ErrorCode> = new Set(['outcome_unknown', 'unavailable', 'overloaded', 'internal']);

export const refusedWith = (code: ErrorCode): Outcome =>
  indeterminate.has(code) ? { result: 'unknown', why: code } : { result: 'refused', code };
