import type {
  Conversation,
  ConversationEvent,
  ConversationEventOf,
  ConversationSettings,
  MemberBrief,
  Message,
  Reaction,
  Snapshot,
  ThreadSummary,
} from '../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../contracts/ids.ts';
import { limits } from '../contracts/limits.ts';

/** What a client holds of one conversation. */
export interface ConversationState {
  id: ConversationId;
  kind: Conversation['kind'];
  settings: ConversationSettings;
  version: number;
  lastSeq: number;
  memberCount: number;
  /** Null where they are too many to be named: they are paged through. */
  members: Map<UserId, Pick<MemberBrief, 'displayName' | 'role'>> | null;
  /** By seq: those that were told or paged in. */
  messages: Map<number, Message>;
}

/** The state that a snapshot says. */
export function fromSnapshot({ conversation, members, messages }: Snapshot): ConversationState {
  const { id, kind, version, lastSeq, memberCount } = conversation;
  return {
    ...{ id, kind, version, lastSeq, memberCount, settings: settingsOf(conversation) },
    members: memberCount > limits.namedMembers ? null : toMembers(members),
    messages: new Map(messages.map((message) => [message.seq, message])),
  };
}

/**
 * The state after the next entry of the log. Entries come in the order of their versions, without a gap; the state that
 * was given stays as it was. `undefined` once `me` is no longer a member.
 */
export function applyEvent(
  state: ConversationState | undefined,
  event: ConversationEvent,
  me: UserId,
): ConversationState | undefined {
  if (event.type === 'conversation.created') return created(event);
  if (!state || event.version !== state.version + 1) throw new Error('an entry of the log was applied out of turn');
  if (event.type === 'members.removed' && endsFor(event, me)) return undefined;
  const next = { ...state, version: event.version, messages: new Map(state.messages) };
  reduce(next, event, me);
  return next;
}

const endsFor = ({ data }: ConversationEventOf<'members.removed'>, me: UserId) =>
  data.how === 'conversation_deleted' || data.userIds.includes(me);

function created({ conversationId, version, data }: ConversationEventOf<'conversation.created'>): ConversationState {
  const { kind, memberCount } = data;
  const members = memberCount > limits.namedMembers ? null : toMembers(data.members);
  const settings = settingsOf(data);
  return { ...{ id: conversationId, kind, version, lastSeq: 0, memberCount, settings, members }, messages: new Map() };
}

const settingsOf = ({ title, description, visibility, posting, history }: ConversationSettings) => ({
  ...{ title, description, visibility, posting, history },
});
const toMembers = (members: readonly MemberBrief[]) =>
  new Map(members.map(({ userId, displayName, role }) => [userId, { displayName, role }]));

/** Writes the entry into a state of its own. */
function reduce(state: ConversationState, event: ConversationEvent, me: UserId): void {
  if ('message' in event.data && event.data.message) keep(state, event.data.message);
  switch (event.type) {
    case 'message.created':
      return hang(state, event.data.message.threadId, event.data.thread);
    case 'message.edited': {
      const { text, mentions, editedAt } = event.data;
      return change(state, event, { text, mentions, editedAt });
    }
    case 'message.deleted':
      change(state, event, { ...gone, deletedAt: event.data.deletedAt });
      return hang(state, event.data.threadId, event.data.thread);
    case 'message.pinned':
    case 'message.unpinned':
      return change(state, event, { pinnedAt: event.data.pinnedAt });
    case 'reaction.added':
    case 'reaction.removed':
      return react(state, event, me);
    case 'members.added':
      return setMembers(state, event.data.memberCount, (members) => {
        for (const { userId, displayName, role } of event.data.members) members.set(userId, { displayName, role });
      });
    case 'members.removed':
      return setMembers(state, event.data.memberCount, (members) => {
        for (const userId of event.data.userIds) members.delete(userId);
      });
    case 'members.changed':
      return setMembers(state, state.memberCount, (members) => {
        for (const { userId, role } of event.data.members) {
          const member = members.get(userId);
          if (member) members.set(userId, { ...member, role });
        }
      });
    case 'conversation.updated':
      state.settings = event.data.settings;
      return;
    case 'conversation.created':
    case 'hidden':
  }
}

const gone = { text: null, mentions: [], forwardedFrom: null, reactions: [], pinnedAt: null };

function keep(state: ConversationState, message: Message): void {
  state.lastSeq = Math.max(state.lastSeq, message.seq);
  mergeMessage(state.messages, message);
}

/** Takes a message into what is held, unless a newer state of it stands there: a page may arrive after a live change. */
export function mergeMessage(messages: Map<number, Message>, message: Message): void {
  const known = messages.get(message.seq);
  if (!known || known.changedVersion <= message.changedVersion) messages.set(message.seq, message);
}

type Touch = Exclude<ConversationEvent, { data: Record<string, never> }> & { data: { seq: number } };

/** A change of a message that is held, unless it was told in a newer state already. */
function change(state: ConversationState, event: Touch, changes: Partial<Message>): void {
  const message = state.messages.get(event.data.seq);
  if (!message || message.changedVersion >= event.version) return;
  // Told late, an earlier change may have shown already that the text is gone for good; a later one that was told in time
  // must not bring it back.
  const erased = message.kind === 'text' && message.text === null ? { text: null, mentions: [] } : {};
  state.messages.set(message.seq, { ...message, ...changes, ...erased, changedVersion: event.version });
}

function react(
  state: ConversationState,
  event: ConversationEventOf<'reaction.added' | 'reaction.removed'>,
  me: UserId,
): void {
  const { seq, emoji, userId, count } = event.data;
  const reactions = state.messages.get(seq)?.reactions ?? [];
  const before = reactions.find((reaction) => reaction.emoji === emoji);
  const mine = userId === me ? event.type === 'reaction.added' : (before?.mine ?? false);
  const others = reactions.filter((reaction) => reaction !== before);
  const now = count > 0 ? [...others, { emoji, count, mine }] : others;
  change(state, event, { reactions: now.sort(byCodePoints) });
}

/** As the server sorts: by code points, which UTF-16 units do not follow. */
function byCodePoints({ emoji: a }: Reaction, { emoji: b }: Reaction): number {
  const [left, right] = [Array.from(a), Array.from(b)];
  for (const [index, sign] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    const difference = (sign.codePointAt(0) ?? 0) - (other.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** The thread below a message has come so far. */
function hang(state: ConversationState, threadId: Message['threadId'], thread: ThreadSummary | null): void {
  if (threadId === null || thread === null) return;
  for (const message of state.messages.values()) {
    if (message.id === threadId) return void state.messages.set(message.seq, { ...message, thread });
  }
}

function setMembers(
  state: ConversationState,
  memberCount: number,
  edit: (members: NonNullable<ConversationState['members']>) => void,
): void {
  state.memberCount = memberCount;
  if (memberCount > limits.namedMembers) state.members = null;
  if (state.members === null) return;
  state.members = new Map(state.members);
  edit(state.members);
}
