import type {
  Entry,
  Followed,
  Founding,
  Held,
  Operation,
  OperationOf,
  Own,
  Role,
  Roled,
  Seen,
  Settings,
  Standing,
  Stored,
  StoredChange,
  StoredMessage,
} from '../record.ts';
import { Threads } from './threads.ts';

/** A membership in a made-up conversation. */
export interface Membership extends Settings {
  joinedSeq: number;
  present: boolean;
  leftVersion: number | null;
  cameSeq: number;
  readSeq: number;
  unreadMark: number | null;
  role: Role;
}
const newcomer: Membership = {
  role: 'member',
  joinedSeq: 0,
  present: true,
  leftVersion: null,
  cameSeq: 0,
  readSeq: 0,
  unreadMark: null,
  ...{ level: null, pinned: false, archived: false, mutedUntil: null },
};

/** An entry of the log as it was made; what each reader is told of it is `Room.entry`. */
export interface Made {
  version: number;
  type: string;
  actor: string;
  message: StoredMessage | undefined;
  /** The message is the entry itself. */
  isMessage: boolean;
}

type Line = Pick<StoredMessage, 'kind' | 'clientId' | 'text'> &
  Partial<
    Pick<
      StoredMessage,
      'system' | 'joined' | 'left' | 'roles' | 'target' | 'mentions' | 'threadId' | 'threadSeq' | 'forwarded'
    >
  >;
type Touch = Extract<Operation, { what: 'edit' | 'delete' | 'react' | 'pin' }>;
/** What stands of a message that nobody has touched. */
const untouched = { mentions: [], deleted: false, pinned: false, revisions: 0 };
/** What a line says that tells of nothing. */
const plain = {
  forwarded: null,
  system: null,
  joined: [],
  left: [],
  roles: [],
  target: null,
  threadId: null,
  threadSeq: null,
};

/** A made-up conversation of one owner, which does what it promises. Every change is told to `onMade`. */
export class Room {
  readonly id = 'room';
  readonly owner: string;
  readonly members = new Map<string, Membership>();
  readonly blocked = new Map<string, ReadonlySet<string>>();
  readonly drafts = new Map<string, string>();
  readonly messages: StoredMessage[] = [];
  version = 0;
  readonly #changes: StoredChange[] = [];
  readonly #reactions: Stored['reactions'] = [];
  readonly #threads = new Threads(this.messages, this.blocked);
  readonly #history: Founding['history'];
  readonly #onMade: (made: Made) => void;

  constructor(people: readonly [string, ...string[]], history: Founding['history'], onMade: (made: Made) => void) {
    this.owner = people[0];
    this.#history = history;
    this.#onMade = onMade;
    for (const person of people)
      this.members.set(person, person === this.owner ? { ...newcomer, role: 'owner' } : newcomer);
    const roles = people.map((userId) => ({ userId, role: this.role(userId) }));
    this.#change('conversation.created', this.owner, { joined: [...people], roles });
  }

  get present(): string[] {
    return [...this.members].filter(([, { present }]) => present).map(([person]) => person);
  }

  isPresent(person: string): boolean {
    return this.members.get(person)?.present ?? false;
  }

  role(person: string): Role {
    return this.members.get(person)?.role ?? 'member';
  }

  mayWrite(person: string): boolean {
    return this.role(person) !== 'read_only';
  }

  /** Undefined where it is refused. */
  send(who: string, { clientId, text, thread, mention }: OperationOf<'send'>): StoredMessage | undefined {
    const root = thread === undefined ? undefined : this.#threads.rootOf(thread, this.#joinedSeq(who));
    if (thread !== undefined && !root) return undefined;
    if (mention !== undefined && !this.isPresent(mention)) return undefined;
    const mentions = mention === undefined ? [] : [mention];
    const place = root ? { threadId: root.id, threadSeq: root.seq } : {};
    const message = this.#write(who, { kind: 'text', clientId, text, mentions, ...place });
    if (root) this.#threads.follow(root, message);
    return message;
  }

  /** Undefined where it is refused. */
  patchThread(who: string, operation: OperationOf<'follow'>): Followed | undefined {
    return this.#threads.patch(who, operation, this.#joinedSeq(who));
  }

  threads(who: string): Followed[] {
    return this.#threads.of(who, this.#joinedSeq(who));
  }

  #joinedSeq(person: string): number {
    return this.members.get(person)?.joinedSeq ?? 0;
  }

  /** False where it is refused. */
  changeRole(person: string, role: Role): boolean {
    const member = this.members.get(person);
    if (!member?.present) return false;
    if (member.role !== role) this.#tellRole(person, role, member);
    return true;
  }

  #tellRole(userId: string, role: Role, member: Membership): void {
    this.members.set(userId, { ...member, role });
    this.#tellLine(this.owner, { system: 'members.changed', roles: [{ userId, role }] });
  }

  /** Undefined where it is refused. */
  touch(who: string, operation: Touch): StoredMessage | undefined {
    const message = this.messages.find(({ id }) => id === operation.messageId);
    if (!message || message.seq <= (this.members.get(who)?.joinedSeq ?? 0)) return undefined;
    if (message.deleted) return operation.what === 'delete' ? message : undefined;
    if (operation.what === 'edit') {
      this.#change('message.edited', who, { message });
      // Every text begins as the one before, and that is where mentions stand.
      Object.assign(message, { text: operation.text, revisions: message.revisions + 1 });
    }
    if (operation.what === 'delete') this.#erase(who, message);
    if (operation.what === 'react') this.#react(who, message, operation);
    if (operation.what === 'pin') this.#pin(who, message, operation.on);
    return message;
  }

  read(who: string, seq: number): number {
    const member = this.members.get(who) ?? newcomer;
    const readSeq = Math.max(member.readSeq, seq);
    const unmarked = readSeq > member.readSeq || seq >= Math.max(member.unreadMark ?? 0, 1);
    const unreadMark = unmarked ? null : member.unreadMark;
    this.members.set(who, { ...member, readSeq, unreadMark });
    return readSeq;
  }

  /** Undefined where it is refused. */
  forward(who: string, { clientId, messageId }: OperationOf<'forward'>): StoredMessage | undefined {
    const origin = this.messages.find(({ id }) => id === messageId);
    if (!origin || origin.deleted || origin.seq <= (this.members.get(who)?.joinedSeq ?? 0)) return undefined;
    return this.#write(who, { kind: 'text', clientId, text: origin.text, forwarded: origin.forwarded ?? origin.id });
  }

  mark(who: string, seq: number | null): void {
    const unreadMark = seq === null ? null : Math.min(seq, this.messages.length);
    this.members.set(who, { ...(this.members.get(who) ?? newcomer), unreadMark });
  }

  set(who: string, settings: Partial<Settings>): void {
    this.members.set(who, { ...(this.members.get(who) ?? newcomer), ...settings });
  }

  block(who: string, person: string, on: boolean): void {
    const blocked = new Set(this.blocked.get(who));
    if (on) blocked.add(person);
    else blocked.delete(person);
    this.blocked.set(who, blocked);
  }

  /** False where it is refused. */
  move(what: 'add' | 'remove', person: string): boolean {
    if (this.isPresent(person) === (what === 'add')) return what === 'add';
    const before = this.messages.length;
    if (what === 'add') {
      const known = this.members.get(person) ?? newcomer;
      const { level, pinned, archived, mutedUntil } = known;
      const came = { cameSeq: before + 1, readSeq: Math.max(before + 1, known.readSeq) };
      const joinedSeq = this.#history === 'joining' ? before : 0;
      this.members.set(person, { ...newcomer, ...{ level, pinned, archived, mutedUntil }, joinedSeq, ...came });
      this.#threads.comeBack(person);
      const roles: Roled[] = [{ userId: person, role: 'member' }];
      this.#tellLine(this.owner, { system: 'members.added', joined: [person], roles });
    } else {
      // Whoever goes hears of it.
      this.#tellLine(this.owner, { system: 'members.removed', left: [person] });
      const member = this.members.get(person) ?? newcomer;
      this.members.set(person, { ...member, present: false, leftVersion: this.version });
    }
    return true;
  }

  /** What this person is told of an entry. */
  entry(person: string, { version, type, actor, message, isMessage }: Made): Entry {
    const common = { conversation: this.id, version, actor };
    const hidden = message && message.seq <= (this.members.get(person)?.joinedSeq ?? 0);
    if (hidden) return { ...common, type: 'hidden', seq: null, message: null };
    const whole = message && isMessage ? this.seen(message, person) : null;
    return { ...common, type, seq: message?.seq ?? null, message: whole };
  }

  seen(stored: StoredMessage, person: string): Seen {
    const { joined: _, left: _left, roles: _roles, target: _target, ...shown } = stored;
    const { revisions: _revisions, system: _system, threadSeq: _threadSeq, ...message } = shown;
    const of = this.#reactions.filter(({ seq }) => seq === message.seq);
    const kinds = [...Map.groupBy(of, ({ emoji }) => emoji)].sort(([a], [b]) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
    );
    const mine = (all: Stored['reactions']) => (all.some(({ userId }) => userId === person) ? ' mine' : '');
    const { replyCount, lastSeq } = this.#threads.summary(message.seq);
    const thread = lastSeq > 0 ? `${replyCount} to ${lastSeq}` : null;
    const fromBlocked = message.kind === 'text' && (this.blocked.get(person)?.has(message.senderId) ?? false);
    return {
      ...message,
      fromBlocked,
      thread,
      reactions: kinds.map(([emoji, all]) => `${emoji} ${all.length}${mine(all)}`),
    };
  }

  /** What this person may read. */
  view(person: string): Held {
    const { joinedSeq } = this.members.get(person) ?? newcomer;
    const messages = this.messages.filter(({ seq }) => seq > joinedSeq).map((message) => this.seen(message, person));
    const members = this.present.map((member) => `${member} ${this.role(member)}`).sort();
    return { version: this.version, lastSeq: this.messages.length, title: 'room', members, messages };
  }

  own(person: string): Own {
    const { role, readSeq, level, pinned, archived, mutedUntil } = this.members.get(person) ?? newcomer;
    const { unread, mentions, unreadMark } = this.standing(person);
    const others = this.present.filter((other) => other !== person).map((other) => this.#watermarks(other));
    const counts = { deliveredSeq: readSeq, readSeq, unread, mentions, unreadMark };
    return { role, ...counts, level, pinned, archived, mutedUntil, waiting: 0, others };
  }

  #watermarks(userId: string) {
    const { readSeq, cameSeq } = this.members.get(userId) ?? newcomer;
    return { userId, deliveredSeq: readSeq, readSeq, cameSeq };
  }

  standing(person: string): Standing {
    const { readSeq, joinedSeq, unreadMark } = this.members.get(person) ?? newcomer;
    const after = this.messages.filter(({ seq }) => seq > Math.max(readSeq, joinedSeq));
    const unread = after
      .filter(({ senderId, kind, deleted }) => senderId !== person && kind === 'text' && !deleted)
      .filter(({ threadSeq, senderId }) => threadSeq === null && !this.blocked.get(person)?.has(senderId));
    const mentions = unread.filter((message) => message.mentions.includes(person)).length;
    return { conversation: this.id, readSeq, unread: unread.length, mentions, unreadMark };
  }

  stored() {
    const members = [...this.members].map(([userId, member]) => {
      const { unread, mentions } = this.standing(userId);
      return { userId, ...member, deliveredSeq: member.readSeq, unread, mentions };
    });
    const rows = structuredClone({ messages: this.messages, changes: this.#changes, reactions: this.#reactions });
    const head = { version: this.version, lastSeq: this.messages.length, title: 'room' };
    const owed = this.messages.filter(({ kind }) => kind === 'text').map(({ seq }) => ({ seqFrom: seq, seqTo: seq }));
    return { conversation: this.id, ...head, members, ...rows, ...this.#threads.stored(), owed };
  }

  #erase(who: string, message: StoredMessage): void {
    this.#change('message.deleted', who, { message });
    Object.assign(message, { text: null, mentions: [], forwarded: null, deleted: true, pinned: false, revisions: 0 });
    const others = this.#reactions.filter(({ seq }) => seq !== message.seq);
    this.#reactions.splice(0, this.#reactions.length, ...others);
  }

  #react(who: string, message: StoredMessage, { emoji, on }: { emoji: string; on: boolean }): void {
    const at = this.#reactions.findIndex((row) => row.seq === message.seq && row.emoji === emoji && row.userId === who);
    if (at >= 0 === on) return;
    this.#change(on ? 'reaction.added' : 'reaction.removed', who, { message, emoji });
    if (on) this.#reactions.push({ seq: message.seq, emoji, userId: who });
    else this.#reactions.splice(at, 1);
  }

  #pin(who: string, message: StoredMessage, on: boolean): void {
    if (message.pinned === on) return;
    const line = this.#tellLine(who, { system: on ? 'message.pinned' : 'message.unpinned', target: message.seq });
    Object.assign(message, { pinned: on, changedVersion: line.version });
  }

  #tellLine(who: string, line: Omit<Line, 'kind' | 'clientId' | 'text'>): StoredMessage {
    return this.#write(who, { kind: 'system', clientId: `system ${this.version}`, text: null, ...line });
  }

  #write(senderId: string, line: Line): StoredMessage {
    this.version += 1;
    const numbers = { seq: this.messages.length + 1, version: this.version, changedVersion: this.version };
    const message = { ...numbers, ...plain, ...untouched, ...line, id: `m${this.version}`, senderId };
    this.messages.push(message);
    const type = line.system ?? 'message.created';
    this.#onMade({ version: this.version, type, actor: senderId, message, isMessage: true });
    return message;
  }

  #change(
    type: string,
    actor: string,
    {
      message,
      emoji = null,
      joined = [],
      roles = [],
    }: Partial<Pick<StoredChange, 'emoji' | 'joined' | 'roles'>> & {
      message?: StoredMessage;
    },
  ): void {
    this.version += 1;
    const { version } = this;
    const messageSeq = message?.seq ?? null;
    this.#changes.push({ version, seq: this.messages.length, type, actor, messageSeq, joined, left: [], roles, emoji });
    if (message) message.changedVersion = version;
    this.#onMade({ version, type, actor, message, isMessage: false });
  }
}
