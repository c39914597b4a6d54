import type { Random } from './random.ts';
import type {
  Answer,
  Entry,
  Founding,
  History,
  HistoryRecord,
  Operation,
  Seen,
  Stored,
  StoredChange,
  StoredMessage,
} from './record.ts';

/** How long a made-up history is, and what its newcomers may read. */
export interface Plot {
  steps: number;
  history: Founding['history'];
}

/** People of a made-up history; each has one device, named after them. The first owns the conversation. */
const people = ['ana', 'bob', 'cleo', 'dan'];
const conversation = 'room';
const emojis = ['👍', '🎉'];

/**
 * A history of a system that keeps its promises, made up step by step: what the checker must find nothing in, and what
 * violations are planted in. The clock is a counter.
 */
export function simulate(random: Random, { steps, history }: Plot): History {
  const world = new World(random, history);
  for (let step = 0; step < steps; step += 1) {
    world.step();
    if (step === steps >> 1) world.rest(0);
  }
  world.rest(1);
  return world.records;
}

interface Membership {
  joinedSeq: number;
  present: boolean;
  leftVersion: number | null;
  readSeq: number;
}
type Untimed<One> = One extends HistoryRecord ? Omit<One, 'at'> : never;

class World {
  readonly records: HistoryRecord[] = [];
  readonly #random: Random;
  readonly #history: Founding['history'];
  readonly #members = new Map<string, Membership>();
  readonly #messages: StoredMessage[] = [];
  readonly #changes: StoredChange[] = [];
  readonly #reactions: Stored['reactions'] = [];
  /** What each client holds; none where it belongs to nothing. */
  readonly #held = new Map<string, number>();
  #version = 0;
  #time = 0;
  #attempts = 0;

  constructor(random: Random, history: Founding['history']) {
    this.#random = random;
    this.#history = history;
    for (const person of people) this.#record({ kind: 'client', who: person, person, door: 'made up' });
    this.#record({ kind: 'founded', who: 'stage', conversation, owner: 'ana', history });
    for (const person of people.slice(0, 3)) this.#members.set(person, { ...newcomer, joinedSeq: 0 });
    this.#change('conversation.created', 'ana', { joined: people.slice(0, 3) });
  }

  /** A few things at once, begun, done and answered in orders of their own. */
  step(): void {
    const begun = Array.from({ length: 1 + this.#random.below(3) }, () => this.#begin());
    for (const one of this.#mixed(begun)) one.answer = one.lost === 'before' ? undefined : this.#happen(one);
    for (const one of this.#mixed(begun)) this.#end(one);
    if (this.#random.chance(0.3)) this.#sync(this.#random.pick(people) ?? 'ana');
  }

  /** Everybody catches up, and everything is written down. */
  rest(rest: number): void {
    for (const person of people) this.#sync(person);
    this.#record({ kind: 'stored', who: 'stage', rest, ...this.#stored() });
    for (const person of this.#present()) {
      const state = { rest, conversation, held: this.#view(person) };
      this.#record({ kind: 'state', who: person, fresh: false, ...state });
      const who = `${person}/fresh ${rest}`;
      this.#record({ kind: 'client', who, person, door: 'made up' });
      this.#attempt(who, { what: 'sync' }, { standings: this.#standings(person) });
      this.#record({ kind: 'state', who, fresh: true, ...state });
    }
  }

  #begin(): Doing {
    const who = this.#random.pick(people) ?? 'ana';
    const operation = this.#choose(who);
    this.#attempts += 1;
    this.#record({ kind: 'begin', who, attempt: this.#attempts, operation });
    const lost = this.#random.chance(0.1) ? (this.#random.chance(0.5) ? 'before' : 'after') : undefined;
    return { who, operation, attempt: this.#attempts, lost, answer: undefined };
  }

  #end({ who, attempt, lost, answer }: Doing): void {
    if (lost) this.#record({ kind: 'unknown', who, attempt, why: 'the connection was lost' });
    else if (answer) this.#record({ kind: 'ok', who, attempt, answer });
    else this.#record({ kind: 'refused', who, attempt, code: 'not_found' });
  }

  #choose(who: string): Operation {
    const random = this.#random;
    const target = this.#messages.filter(({ kind, senderId }) => kind === 'text' && senderId === who);
    const messageId = random.pick(target)?.id;
    const words = { clientId: `c${this.#time}`, text: `${who} says ${this.#time}` };
    const emoji = random.pick(emojis) ?? '👍';
    const own: Operation[] = messageId
      ? [
          { what: 'edit', conversation, messageId, ...words },
          { what: 'delete', conversation, messageId },
          { what: 'react', conversation, messageId, emoji, on: random.chance(0.7) },
        ]
      : [];
    const person = random.pick(people.slice(1)) ?? 'bob';
    const repeated = random.pick(
      this.#messages.filter(({ clientId, senderId }) => clientId.startsWith('c') && senderId === who),
    );
    const again: Operation[] = repeated
      ? [{ what: 'send', conversation, clientId: repeated.clientId, text: this.#first.get(repeated.clientId) ?? '' }]
      : [];
    const choices: Operation[] = [
      ...[1, 2, 3].map((): Operation => ({ what: 'send', conversation, ...words })),
      ...own,
      ...again,
      { what: 'read', conversation, seq: random.below(this.#messages.length + 1) },
      { what: 'page', conversation, limit: 5 },
      { what: 'after', conversation, version: 1_000_000 },
      ...(who === 'ana'
        ? [{ what: this.#members.get(person)?.present ? 'remove' : 'add', conversation, person } as Operation]
        : []),
    ];
    return random.pick(choices) ?? { what: 'sync' };
  }

  readonly #first = new Map<string, string>();

  /** What the operation does; undefined where it is refused. */
  #happen({ who, operation }: Doing): Answer | undefined {
    if (!this.#members.get(who)?.present) return undefined;
    switch (operation.what) {
      case 'send':
        return this.#send(who, operation);
      case 'edit':
      case 'delete':
      case 'react':
        return this.#touch(who, operation);
      case 'read': {
        const member = this.#members.get(who) as Membership;
        member.readSeq = Math.max(member.readSeq, operation.seq);
        return { readSeq: member.readSeq };
      }
      case 'page':
        return { messages: this.#view(who).messages.slice(-operation.limit) };
      case 'after':
        return { snapshots: [{ conversation, version: this.#version, messages: this.#view(who).messages }] };
      case 'add':
      case 'remove':
        return this.#move(operation.what, operation.person);
      case 'leave':
      case 'title':
      case 'sync':
        return {};
    }
  }

  #send(who: string, { clientId, text }: { clientId: string; text: string }): Answer {
    const known = this.#messages.find((message) => message.clientId === clientId);
    if (known) return { message: this.#seen(known, who), repeated: true };
    this.#first.set(clientId, text);
    const message = this.#write(who, { kind: 'text', clientId, text, system: null, joined: [], left: [] });
    return { message: this.#seen(message, who), repeated: false };
  }

  #touch(who: string, operation: Extract<Operation, { what: 'edit' | 'delete' | 'react' }>): Answer | undefined {
    const message = this.#messages.find(({ id }) => id === operation.messageId);
    if (!message || message.seq <= (this.#members.get(who)?.joinedSeq ?? 0)) return undefined;
    if (message.deleted) return operation.what === 'delete' ? { message: this.#seen(message, who) } : undefined;
    if (operation.what === 'edit') {
      this.#change('message.edited', who, { message });
      Object.assign(message, { text: operation.text, revisions: message.revisions + 1 });
    }
    if (operation.what === 'delete') {
      this.#change('message.deleted', who, { message });
      Object.assign(message, { text: null, deleted: true, revisions: 0 });
      const left = this.#reactions.filter(({ seq }) => seq !== message.seq);
      this.#reactions.splice(0, this.#reactions.length, ...left);
    }
    if (operation.what === 'react') this.#react(who, message, operation);
    return { message: this.#seen(message, who) };
  }

  #react(who: string, message: StoredMessage, { emoji, on }: { emoji: string; on: boolean }): void {
    const at = this.#reactions.findIndex((row) => row.seq === message.seq && row.emoji === emoji && row.userId === who);
    if (at >= 0 === on) return;
    this.#change(on ? 'reaction.added' : 'reaction.removed', who, { message, emoji });
    if (on) this.#reactions.push({ seq: message.seq, emoji, userId: who });
    else this.#reactions.splice(at, 1);
  }

  #move(what: 'add' | 'remove', person: string): Answer | undefined {
    const present = this.#members.get(person)?.present ?? false;
    if (what === 'add' && present) return {};
    if (what === 'remove' && !present) return undefined;
    const before = this.#messages.length;
    const line = { kind: 'system' as const, clientId: `system ${this.#version}`, text: null };
    if (what === 'add') {
      const joinedSeq = this.#history === 'joining' ? before : 0;
      const readSeq = Math.max(before + 1, this.#members.get(person)?.readSeq ?? 0);
      this.#members.set(person, { ...newcomer, joinedSeq, readSeq });
      this.#write('ana', { ...line, system: 'members.added', joined: [person], left: [] });
    } else {
      this.#write('ana', { ...line, system: 'members.removed', joined: [], left: [person] });
      Object.assign(this.#members.get(person) ?? {}, { present: false, leftVersion: this.#version });
    }
    return {};
  }

  #write(
    senderId: string,
    line: Pick<StoredMessage, 'kind' | 'clientId' | 'text' | 'system' | 'joined' | 'left'>,
  ): StoredMessage {
    this.#version += 1;
    const numbers = { seq: this.#messages.length + 1, version: this.#version, changedVersion: this.#version };
    const message = { ...numbers, ...line, id: `m${this.#version}`, senderId, deleted: false, revisions: 0 };
    this.#messages.push(message);
    this.#deliver(senderId, line.system ?? 'message.created', message, true);
    return message;
  }

  #change(
    type: string,
    actor: string,
    { message, emoji = null, joined = [] }: { message?: StoredMessage; emoji?: string | null; joined?: string[] },
  ): void {
    this.#version += 1;
    const messageSeq = message?.seq ?? null;
    this.#changes.push({
      ...{ version: this.#version, seq: this.#messages.length, type, actor, messageSeq, joined, left: [], emoji },
    });
    if (message) message.changedVersion = this.#version;
    this.#deliver(actor, type, message, false);
  }

  /** To everybody who belongs to it; now and then it is lost on its way. */
  #deliver(actor: string, type: string, message: StoredMessage | undefined, isMessage: boolean): void {
    for (const person of this.#present()) {
      if (this.#random.chance(0.2)) continue;
      const entry = this.#entry(person, { version: this.#version, type, actor, message, isMessage });
      this.#record({ kind: 'delivered', who: person, entry, dropped: false });
      const held = this.#held.get(person) ?? 0;
      if (held !== this.#version - 1) continue;
      if (message?.left.includes(person)) this.#endOf(person);
      else this.#move1(person);
    }
  }

  #move1(person: string): void {
    this.#record({ kind: 'applied', who: person, conversation, version: this.#version });
    this.#held.set(person, this.#version);
  }

  #endOf(person: string): void {
    if (this.#held.delete(person)) this.#record({ kind: 'ended', who: person, conversation, version: this.#version });
  }

  #entry(
    person: string,
    {
      version,
      type,
      actor,
      message,
      isMessage,
    }: { version: number; type: string; actor: string; message: StoredMessage | undefined; isMessage: boolean },
  ): Entry {
    const common = { conversation, version, actor };
    const joinedSeq = this.#members.get(person)?.joinedSeq ?? 0;
    if (message && message.seq <= joinedSeq) return { ...common, type: 'hidden', seq: null, message: null };
    return {
      ...common,
      type,
      seq: message?.seq ?? null,
      message: message && isMessage ? this.#seen(message, person) : null,
    };
  }

  /** The client asks for what it missed, entry by entry or whole. */
  #sync(person: string): void {
    const member = this.#members.get(person);
    if (!member?.present) {
      this.#endOf(person);
      return void this.#attempt(person, { what: 'sync' }, { lost: [conversation] });
    }
    const held = this.#held.get(person);
    if (held === this.#version) return;
    const snapshots = [{ conversation, version: this.#version, messages: this.#view(person).messages }];
    this.#attempt(person, { what: 'sync' }, { snapshots, standings: this.#standings(person) });
    this.#record({ kind: 'replaced', who: person, conversation, version: this.#version });
    this.#held.set(person, this.#version);
  }

  #attempt(who: string, operation: Operation, answer: Answer): void {
    this.#attempts += 1;
    this.#record({ kind: 'begin', who, attempt: this.#attempts, operation });
    this.#record({ kind: 'ok', who, attempt: this.#attempts, answer });
  }

  #standings(person: string): Answer['standings'] & object {
    const { readSeq, joinedSeq } = this.#members.get(person) ?? newcomer;
    const unread = this.#messages.filter(
      ({ seq, senderId, kind, deleted }) =>
        seq > Math.max(readSeq, joinedSeq) && senderId !== person && kind === 'text' && !deleted,
    ).length;
    return [{ conversation, readSeq, unread }];
  }

  #present = () => [...this.#members].filter(([, { present }]) => present).map(([person]) => person);

  #view(person: string) {
    const { joinedSeq } = this.#members.get(person) ?? newcomer;
    const messages = this.#messages.filter(({ seq }) => seq > joinedSeq).map((message) => this.#seen(message, person));
    const members = this.#present()
      .map((member) => `${member} ${member === 'ana' ? 'owner' : 'member'}`)
      .sort();
    return { version: this.#version, lastSeq: this.#messages.length, title: 'room', members, messages };
  }

  #seen(
    { joined: _, left: _left, revisions: _revisions, system: _system, ...message }: StoredMessage,
    person: string,
  ): Seen {
    const of = this.#reactions.filter(({ seq }) => seq === message.seq);
    const kinds = [...Map.groupBy(of, ({ emoji }) => emoji)].sort(([a], [b]) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
    );
    const reactions = kinds.map(
      ([emoji, all]) => `${emoji} ${all.length}${all.some(({ userId }) => userId === person) ? ' mine' : ''}`,
    );
    return { ...message, reactions };
  }

  #stored() {
    const members = [...this.#members].map(([userId, member]) => ({
      ...{ userId, role: userId === 'ana' ? 'owner' : 'member' },
      ...member,
    }));
    const { version, lastSeq, title } = { version: this.#version, lastSeq: this.#messages.length, title: 'room' };
    const rows = { messages: this.#messages, changes: this.#changes, reactions: this.#reactions };
    return { conversation, version, lastSeq, title, members, ...structuredClone(rows) };
  }

  #record(record: Untimed<HistoryRecord>): void {
    this.#time += 1;
    this.records.push({ at: this.#time, ...record } as HistoryRecord);
  }

  #mixed<Item>(items: readonly Item[]): Item[] {
    return items
      .map((item) => ({ item, place: this.#random.next() }))
      .sort((a, b) => a.place - b.place)
      .map(({ item }) => item);
  }
}

interface Doing {
  who: string;
  operation: Operation;
  attempt: number;
  /** Its answer is lost: before it happened, or after. */
  lost: 'before' | 'after' | undefined;
  answer: Answer | undefined;
}

const newcomer: Membership = { joinedSeq: 0, present: true, leftVersion: null, readSeq: 0 };
