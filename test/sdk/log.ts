import fc from 'fast-check';
import type {
  Conversation,
  ConversationEvent,
  Member,
  Message,
  Role,
  Snapshot,
  SystemChange,
  ThreadSummary,
} from '../../contracts/entities/index.ts';
import type { ClientId, ConversationId, MessageId, UserId } from '../../contracts/ids.ts';

/** One thing that happens; what it happens to is chosen by a number. */
export interface Step {
  what: 'send' | 'reply' | 'edit' | 'delete' | 'react' | 'unreact' | 'pin' | 'unpin' | 'role' | 'title' | 'come' | 'go';
  by: number;
  pick: number;
}
export const steps = fc.array(
  fc.record<Step>({
    what: fc.constantFrom(
      ...(['send', 'send', 'send', 'reply', 'reply', 'edit', 'edit', 'delete', 'react', 'react', 'unreact'] as const),
      ...(['pin', 'unpin', 'role', 'title', 'come', 'go'] as const),
    ),
    by: fc.nat(2),
    pick: fc.nat(200),
  }),
  { minLength: 15, maxLength: 70 },
);

const id = <Id extends string>(kind: number, n: number) =>
  `0190a000-000${kind}-7000-8000-${String(n).padStart(12, '0')}` as Id;
const people = [0, 1, 2].map((n) => id<UserId>(1, n)) as [UserId, UserId, UserId];
const emojis = ['👍', '🎉', '❤️', '😀'];
const conversationId = id<ConversationId>(2, 0);
/** Who reads: they belong to it all along. */
export const me = people[0];

/** A state of the conversation, as the server would keep it; each is a copy of its own. */
interface World {
  version: number;
  title: string;
  members: Map<UserId, Role>;
  messages: Message[];
  reactors: Map<string, UserId[]>;
}

/** What an entry tells at the time of a later state of the world. */
type Telling = (now: World) => ConversationEvent;

/** A made-up log: what each entry says when it is told at once or late, and the fresh state at each version. */
export interface Log {
  version: number;
  /** The entry as it is told when the conversation has come so far: what people wrote is told as it is then. */
  entry(version: number, toldAt: number): ConversationEvent;
  snapshot(version: number): Snapshot;
}

export function makeLog(program: readonly Step[]): Log {
  const worlds: World[] = [];
  const tellings: Telling[] = [];
  const members = new Map(people.map((person, n): [UserId, Role] => [person, n === 0 ? 'owner' : 'member']));
  let world: World = { version: 1, title: 'title', members, messages: [], reactors: new Map() };
  const commit = (next: World, telling: Telling) => {
    world = next;
    worlds.push(next);
    tellings.push(telling);
  };
  commit(world, () => ({ ...logged(1, me), type: 'conversation.created', data: createdData(worlds[0] as World) }));
  for (const step of program) {
    const next: World = { ...structuredClone(world), version: world.version + 1 };
    const telling = happen(next, step);
    if (telling) commit(next, telling);
  }
  return {
    version: world.version,
    entry: (version, toldAt) => (tellings[version - 1] as Telling)(worlds[toldAt - 1] as World),
    snapshot: (version) => snapshotOf(worlds[version - 1] as World),
  };
}

const at = (version: number) => new Date(Date.UTC(2026, 0, 1) + version * 1_000).toISOString();
const logged = (version: number, actorId: UserId) => ({ conversationId, version, at: at(version), actorId });
const settings = (title: string) => ({
  ...{ title, description: null, visibility: 'invited' as const, posting: 'members' as const, history: 'all' as const },
});
const named = ([userId, role]: [UserId, Role], seq: number): Member => ({
  ...{ userId, displayName: `name of ${userId}`, role },
  ...{ deliveredSeq: seq, readSeq: seq, cameSeq: seq },
});

const createdData = ({ members, title }: World) => ({
  ...{
    kind: 'group' as const,
    ...settings(title),
    members: [...members].map((member) => named(member, 0)),
    memberCount: members.size,
  },
});

/** Does it to the world; nothing where it makes no sense. */
function happen(world: World, { what, by, pick }: Step): Telling | undefined {
  const actor = people[by] ?? me;
  if (!world.members.has(actor)) return undefined;
  const target = world.messages
    .filter(({ kind, deletedAt }) => kind === 'text' && deletedAt === null)
    .at(-1 - (pick % 6));
  switch (what) {
    case 'send':
      return write(world, actor, null, pick);
    case 'reply':
      return write(world, actor, target?.threadId ?? target?.id ?? null, pick);
    case 'edit':
      return target && edit(world, actor, target, pick);
    case 'delete':
      return target && erase(world, actor, target);
    case 'react':
    case 'unreact':
      return target && react(world, actor, target, emojis[pick % emojis.length] ?? '👍', what === 'react');
    case 'pin':
    case 'unpin':
      return target && pin(world, actor, target, what === 'pin');
    case 'role':
    case 'come':
    case 'go':
      return moveMember(world, actor, people[1 + (pick % 2)] ?? me, what);
    case 'title':
      world.title = `title ${pick}`;
      return system(world, actor, { type: 'conversation.updated', settings: settings(world.title) }, (message) => ({
        type: 'conversation.updated',
        data: { settings: settings(world.title), message },
      }));
  }
}

function blank(world: World, senderId: UserId): Message {
  const { version } = world;
  const numbers = { seq: world.messages.length + 1, version, changedVersion: version };
  return {
    ...{ id: id<MessageId>(3, version), conversationId, ...numbers, clientId: id<ClientId>(4, version), senderId },
    ...{ kind: 'text', text: null, system: null, attachments: [], replyTo: null, threadId: null, thread: null },
    ...{ forwardedFrom: null, mentions: [], priority: 'normal', reactions: [] },
    ...{ createdAt: at(version), editedAt: null, deletedAt: null, pinnedAt: null },
  };
}

const now = (world: World, seq: number): Message => world.messages[seq - 1] as Message;
const byId = (world: World, wanted: MessageId | null) => world.messages.find((message) => message.id === wanted);

function write(world: World, actor: UserId, threadId: MessageId | null, pick: number): Telling {
  const message = { ...blank(world, actor), text: `words ${pick}`, threadId };
  world.messages.push(message);
  const root = byId(world, threadId);
  if (root) root.thread = { replyCount: (root.thread?.replyCount ?? 0) + 1, lastSeq: message.seq };
  const { version, seq } = message;
  return (later) => ({
    ...logged(version, actor),
    type: 'message.created',
    data: { message: now(later, seq), thread: threadOf(later, threadId) },
  });
}

const threadOf = (world: World, threadId: MessageId | null): ThreadSummary | null =>
  byId(world, threadId)?.thread ?? null;

function touch(world: World, message: Message, changes: Partial<Message>): void {
  Object.assign(message, changes, { changedVersion: world.version });
}

function edit(world: World, actor: UserId, message: Message, pick: number): Telling {
  const { version } = world;
  touch(world, message, { text: `other words ${pick}`, editedAt: at(version) });
  const { id: messageId, seq } = message;
  return (later) => {
    const { text, mentions, editedAt } = now(later, seq);
    const data = { messageId, seq, text, mentions, editedAt: editedAt ?? at(version) };
    return { ...logged(version, actor), type: 'message.edited', data };
  };
}

function erase(world: World, actor: UserId, message: Message): Telling {
  const { version } = world;
  touch(world, message, {
    text: null,
    mentions: [],
    forwardedFrom: null,
    reactions: [],
    pinnedAt: null,
    deletedAt: at(version),
  });
  const { id: messageId, seq, threadId } = message;
  const root = byId(world, threadId);
  if (root?.thread) root.thread = { ...root.thread, replyCount: root.thread.replyCount - 1 };
  return (later) => ({
    ...logged(version, actor),
    type: 'message.deleted',
    data: { messageId, seq, deletedAt: at(version), threadId, thread: threadOf(later, threadId) },
  });
}

function react(world: World, actor: UserId, message: Message, emoji: string, on: boolean): Telling | undefined {
  const key = `${message.seq} ${emoji}`;
  const before = world.reactors.get(key) ?? [];
  if (before.includes(actor) === on) return undefined;
  const after = on ? [...before, actor] : before.filter((person) => person !== actor);
  world.reactors.set(key, after);
  const others = message.reactions.filter((reaction) => reaction.emoji !== emoji);
  const count = after.length;
  const kinds = count > 0 ? [...others, { emoji, count, mine: after.includes(me) }] : others;
  touch(world, message, {
    reactions: kinds.sort((a, b) => Buffer.compare(Buffer.from(a.emoji), Buffer.from(b.emoji))),
  });
  const data = { messageId: message.id, seq: message.seq, emoji, userId: actor, count };
  const { version } = world;
  return () => ({ ...logged(version, actor), type: on ? 'reaction.added' : 'reaction.removed', data });
}

function pin(world: World, actor: UserId, message: Message, on: boolean): Telling | undefined {
  if ((message.pinnedAt !== null) === on) return undefined;
  const { id: messageId, seq } = message;
  touch(world, message, { pinnedAt: on ? at(world.version) : null });
  const pinnedAt = at(world.version);
  return system(world, actor, { type: on ? 'message.pinned' : 'message.unpinned', messageId, seq }, (line) =>
    on
      ? { type: 'message.pinned', data: { messageId, seq, pinnedAt, message: line } }
      : { type: 'message.unpinned', data: { messageId, seq, pinnedAt: null, message: line } },
  );
}

type Typed<Event> = Event extends ConversationEvent ? Pick<Event, 'type' | 'data'> : never;

/** A change with a line in the timeline. */
function system(
  world: World,
  actor: UserId,
  change: SystemChange,
  tell: (line: Message) => Typed<ConversationEvent>,
): Telling {
  const line: Message = { ...blank(world, actor), kind: 'system', system: change };
  world.messages.push(line);
  return (later) => ({ ...logged(line.version, actor), ...tell(now(later, line.seq)) }) as ConversationEvent;
}

function moveMember(world: World, actor: UserId, person: UserId, what: 'role' | 'come' | 'go'): Telling | undefined {
  const there = world.members.has(person);
  if (there === (what === 'come')) return undefined;
  if (what === 'go') world.members.delete(person);
  else world.members.set(person, what === 'role' && world.members.get(person) === 'member' ? 'admin' : 'member');
  const memberCount = world.members.size;
  const role = world.members.get(person) ?? 'member';
  const members = [{ userId: person, role }];
  if (what === 'role')
    return system(world, actor, { type: 'members.changed', members }, (message) => ({
      type: 'members.changed',
      data: { members, message },
    }));
  if (what === 'come')
    return system(world, actor, { type: 'members.added', members, memberCount }, (message) => ({
      type: 'members.added',
      data: { members: [named([person, role], message.seq)], memberCount, message },
    }));
  const gone = { userIds: [person], how: 'removed' as const, memberCount };
  return system(world, actor, { type: 'members.removed', ...gone }, (message) => ({
    type: 'members.removed',
    data: { ...gone, message },
  }));
}

function snapshotOf({ version, title, members, messages }: World): Snapshot {
  const mine = { role: 'owner' as const, deliveredSeq: 0, readSeq: 0, unread: 0, mentions: 0, unreadMark: null };
  const conversation: Conversation = {
    ...{
      id: conversationId,
      kind: 'group',
      ...settings(title),
      createdBy: me,
      createdAt: at(1),
      lastActiveAt: at(1),
      version,
    },
    ...{ lastSeq: messages.length, memberCount: members.size, digest: [], lastMessage: messages.at(-1) ?? null },
    me: {
      ...mine,
      level: null,
      mutedUntil: null,
      muteExcept: null,
      channels: { push: null, email: null, sms: null },
      archived: false,
      pinned: false,
    },
  };
  const all = [...members].map((member) => named(member, 0));
  return { conversation, members: all, messages };
}
