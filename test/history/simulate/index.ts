import type { Random } from '../random.ts';
import type {
  Answer,
  Founding,
  History,
  HistoryRecord,
  Operation,
  OperationOf,
  Personal,
  Settings,
} from '../record.ts';
import { type Made, Room } from './room.ts';

/** How long a made-up history is, and what its newcomers may read. */
export interface Plot {
  steps: number;
  history: Founding['history'];
}

/** People of a made-up history; each has one device, named after them. The first owns the conversation. */
const people = ['ana', 'bob', 'cleo', 'dan'] as const;
/** Whose device is the typed client: it sends one after another, and tries until it has an answer. */
const queuer = 'cleo';
const doorOf = (person: string) => (person === queuer ? 'sdk' : 'made up');
const roles = ['admin', 'member', 'member', 'read_only'] as const;
const emojis = ['👍', '🎉'];
const settings: readonly Partial<Settings>[] = [
  ...[{ level: 'mentions' as const }, { level: null }, { pinned: true }, { pinned: false }, { archived: true }],
  ...[{ mutedUntil: '2099-01-01T00:00:00.000Z' }, { mutedUntil: null }],
];

/** Chances of what goes wrong without breaking a promise. */
const chances = { answerLost: 0.1, eventLost: 0.2, sync: 0.3 };

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

/** What was sent, but where. */
type Words = Omit<OperationOf<'send'>, 'what' | 'conversation' | 'clientId'>;
type Untimed<One> = One extends HistoryRecord ? Omit<One, 'at'> : never;

/** Something under way. */
interface Doing {
  who: string;
  operation: Operation;
  attempt: number;
  /** Its answer is lost: before it happened, or after. */
  lost: 'before' | 'after' | undefined;
  answer: Answer | undefined;
}

/** What the typed client sends happens in the order in which it was written. */
function inTurn(doings: readonly Doing[]): Doing[] {
  const isQueued = ({ who, operation }: Doing) => who === queuer && operation.what === 'send';
  const queue = doings.filter(isQueued).sort((a, b) => a.attempt - b.attempt);
  return doings.map((doing) => (isQueued(doing) ? (queue.shift() ?? doing) : doing));
}

/** The clients around a made-up conversation, and the clock. */
class World {
  readonly records: HistoryRecord[] = [];
  readonly #random: Random;
  readonly #room: Room;
  /** The version that each client holds; none where it belongs to nothing. */
  readonly #held = new Map<string, number>();
  /** The words that each clientId was first sent with. */
  readonly #words = new Map<string, Words>();
  #attempts = 0;

  constructor(random: Random, history: Founding['history']) {
    this.#random = random;
    for (const person of people) this.#record({ kind: 'client', who: person, person, door: doorOf(person) });
    this.#record({ kind: 'founded', who: 'stage', conversation: 'room', owner: people[0], history, channel: false });
    const [ana, bob, cleo] = people;
    // Nobody has heard of it before it is there.
    const early: Made[] = [];
    let tell = (made: Made): unknown => early.push(made);
    this.#room = new Room([ana, bob, cleo], history, (made) => tell(made));
    tell = (made) => this.#tell(made);
    early.forEach((made) => this.#tell(made));
  }

  /** A few things at once, begun, done and answered in orders of their own. */
  step(): void {
    const begun = Array.from({ length: 1 + this.#random.below(3) }, () => this.#begin());
    for (const one of inTurn(this.#mixed(begun))) one.answer = one.lost === 'before' ? undefined : this.#happen(one);
    for (const one of this.#mixed(begun)) this.#end(one);
    if (this.#random.chance(chances.sync)) this.#sync(this.#random.pick(people) ?? 'ana');
  }

  /** Everybody catches up, and everything is written down. */
  rest(rest: number): void {
    for (const person of people) this.#sync(person);
    for (const person of people) this.#record({ kind: 'personal', who: 'stage', rest, person, ...this.#own(person) });
    this.#record({ kind: 'stored', who: 'stage', rest, ...this.#room.stored() });
    for (const person of this.#room.present) {
      const state = { rest, conversation: this.#room.id, held: this.#room.view(person) };
      const own = person === queuer ? { own: this.#room.own(person) } : {};
      this.#record({ kind: 'state', who: person, fresh: false, ...state, ...own });
      this.#record({ kind: 'current', who: person, rest, looks: 15 });
      const who = `${person}/fresh ${rest}`;
      this.#record({ kind: 'client', who, person, door: 'made up' });
      this.#attempt(who, { what: 'sync' }, { standings: [this.#room.standing(person)] });
      const { blocked, drafts } = this.#own(person);
      this.#attempt(who, { what: 'blocks' }, { blocked });
      this.#attempt(who, { what: 'drafts' }, { drafts });
      const threads = { what: 'threads' as const, conversation: this.#room.id, limit: 200 };
      this.#attempt(who, threads, { threads: this.#room.threads(person) });
      this.#record({ kind: 'state', who, fresh: true, ...state });
    }
  }

  #own(person: string): Pick<Personal, 'blocked' | 'drafts'> {
    const draft = this.#room.drafts.get(person);
    const blocked = [...(this.#room.blocked.get(person) ?? [])].sort();
    return { blocked, drafts: draft === undefined ? [] : [`${this.#room.id} ${draft}`] };
  }

  #begin(): Doing {
    const random = this.#random;
    const who = random.pick(people) ?? 'ana';
    const operation = random.pick(this.#choices(who)) ?? { what: 'sync' };
    this.#attempts += 1;
    this.#record({ kind: 'begin', who, attempt: this.#attempts, operation });
    const insists = who === queuer && operation.what === 'send';
    const lost = !insists && random.chance(chances.answerLost) ? (random.chance(0.5) ? 'before' : 'after') : undefined;
    return { who, operation, attempt: this.#attempts, lost, answer: undefined };
  }

  #end({ who, attempt, lost, answer }: Doing): void {
    if (lost) this.#record({ kind: 'unknown', who, attempt, why: 'the connection was lost' });
    else if (answer) this.#record({ kind: 'ok', who, attempt, answer });
    else this.#record({ kind: 'refused', who, attempt, code: this.#room.mayWrite(who) ? 'not_found' : 'forbidden' });
  }

  #choices(who: string): Operation[] {
    const random = this.#random;
    const { id: conversation, messages, owner } = this.#room;
    const time = this.records.length;
    const words = { clientId: `c${time}`, text: `${who} says ${time}` };
    const own = messages.filter(({ kind, senderId }) => kind === 'text' && senderId === who);
    const [one, again] = [random.pick(own), random.pick(own.filter(({ clientId }) => this.#words.has(clientId)))];
    const person = random.pick(people.slice(1)) ?? 'bob';
    const at = { conversation, messageId: one?.id ?? '' };
    const emoji = random.pick(emojis) ?? '👍';
    const touches: Operation[] = [
      { what: 'edit', ...at, ...words },
      { what: 'delete', ...at },
      { what: 'react', ...at, emoji, on: random.chance(0.7) },
      { what: 'pin', ...at, on: random.chance(0.7) },
    ];
    const send: Operation = { what: 'send', conversation, ...words };
    const [shown, named] = [random.pick(messages.filter(({ kind }) => kind === 'text')), random.pick(people) ?? 'ana'];
    const thread = shown ? { thread: shown.id } : {};
    const forwarded = { conversation, clientId: words.clientId, from: conversation };
    const follow = random.chance(0.5) ? { following: random.chance(0.6) } : { seq: random.below(messages.length + 1) };
    const clientId = again?.clientId ?? '';
    return [
      ...[
        send,
        send,
        send,
        { ...send, ...thread },
        { ...send, mention: named },
        { ...send, ...thread, mention: named },
      ],
      { what: 'mark', conversation, seq: random.chance(0.7) ? random.below(messages.length + 1) : null },
      { what: 'set', conversation, settings: random.pick(settings) ?? {} },
      { what: 'draft', conversation, text: random.chance(0.7) ? words.text : null },
      { what: 'block', person: random.pick(people.filter((other) => other !== who)) ?? '', on: random.chance(0.5) },
      ...(shown ? [{ what: 'forward' as const, ...forwarded, messageId: shown.id }] : []),
      ...(shown ? [{ what: 'follow' as const, conversation, messageId: shown.id, ...follow }] : []),
      ...(one ? touches : []),
      ...(again && who !== queuer
        ? [{ what: 'send' as const, conversation, clientId, text: '', ...this.#words.get(clientId) }]
        : []),
      { what: 'read', conversation, seq: random.below(messages.length + 1) },
      { what: 'page', conversation, limit: 5 },
      { what: 'after', conversation, version: 1_000_000 },
      ...(who === owner
        ? [
            { what: this.#room.isPresent(person) ? 'remove' : 'add', conversation, person } as const,
            { what: 'role', conversation, person, role: random.pick(roles) ?? 'member' } as const,
          ]
        : []),
    ];
  }

  /** Who was removed is answered what they had sent, as they sent it. */
  #repeatOfGone(who: string, operation: Operation): Answer | undefined {
    if (operation.what !== 'send') return undefined;
    const known = this.#room.messages.find(
      ({ clientId, senderId }) => clientId === operation.clientId && senderId === who,
    );
    if (!known) return undefined;
    const sinceThen = { pinned: false, thread: null, fromBlocked: false, reactions: [] };
    if (known.deleted) return { message: { ...this.#room.seen(known, who), ...sinceThen }, repeated: true };
    const { text, mention } = operation;
    const asSent = { text, mentions: mention ? [mention] : [], changedVersion: known.version, ...sinceThen };
    return { message: { ...this.#room.seen(known, who), ...asSent }, repeated: true };
  }

  /** What the operation does; undefined where it is refused. */
  #happen({ who, operation }: Doing): Answer | undefined {
    const room = this.#room;
    if (!room.isPresent(who)) return this.#repeatOfGone(who, operation);
    switch (operation.what) {
      case 'send': {
        if (!room.mayWrite(who)) return undefined;
        const known = room.messages.find(({ clientId }) => clientId === operation.clientId);
        const message = known ?? room.send(who, operation);
        if (!message) return undefined;
        if (!known) this.#words.set(operation.clientId, operation);
        return { message: room.seen(message, who), repeated: known !== undefined };
      }
      case 'forward': {
        if (!room.mayWrite(who)) return undefined;
        const known = room.messages.find((message) => message.clientId === operation.clientId);
        const message = known ?? room.forward(who, operation);
        return message && { message: room.seen(message, who), repeated: known !== undefined };
      }
      case 'mark':
        room.mark(who, operation.seq);
        return {};
      case 'set':
        room.set(who, operation.settings);
        return {};
      case 'draft':
        if (operation.text === null) room.drafts.delete(who);
        else room.drafts.set(who, operation.text);
        return {};
      case 'block':
        room.block(who, operation.person, operation.on);
        return {};
      case 'edit':
      case 'delete':
      case 'pin':
      case 'react': {
        if (!room.mayWrite(who) && operation.what !== 'delete') return undefined;
        const message = room.touch(who, operation);
        return message && { message: room.seen(message, who) };
      }
      case 'read':
        return { readSeq: room.read(who, operation.seq) };
      case 'follow': {
        const thread = room.patchThread(who, operation);
        return thread && { threads: [thread] };
      }
      case 'threads':
        return { threads: room.threads(who) };
      case 'page':
        return { messages: room.view(who).messages.slice(-operation.limit) };
      case 'after':
        return { snapshots: [this.#snapshot(who)] };
      case 'add':
      case 'remove':
        return room.move(operation.what, operation.person) ? {} : undefined;
      case 'role':
        return room.changeRole(operation.person, operation.role) ? {} : undefined;
      case 'drafts':
      case 'blocks':
      case 'leave':
      case 'title':
      case 'sync':
        return {};
    }
  }

  #snapshot(person: string) {
    const { version, messages } = this.#room.view(person);
    return { conversation: this.#room.id, version, messages };
  }

  /** To everybody who belongs to it; now and then it is lost on its way. */
  #tell(made: Made): void {
    for (const person of this.#room.present) {
      if (this.#random.chance(chances.eventLost)) continue;
      this.#record({ kind: 'delivered', who: person, entry: this.#room.entry(person, made), dropped: false });
      if ((this.#held.get(person) ?? 0) !== made.version - 1) continue;
      if (made.message?.left.includes(person)) this.#part(person);
      else this.#hold('applied', person);
      if (person === queuer) this.#show(made);
    }
  }

  /** The typed client tells its person of what is written. */
  #show({ message, isMessage }: Made): void {
    if (!message || !isMessage || !this.#room.isPresent(queuer)) return;
    const seen = this.#room.seen(message, queuer);
    this.#record({ kind: 'told', who: queuer, conversation: this.#room.id, message: seen });
  }

  #hold(kind: 'applied' | 'replaced', person: string): void {
    const { id: conversation, version } = this.#room;
    this.#record({ kind, who: person, conversation, version });
    this.#held.set(person, version);
  }

  #part(person: string): void {
    const { id: conversation, version } = this.#room;
    if (this.#held.delete(person)) this.#record({ kind: 'ended', who: person, conversation, version });
  }

  /** The client asks for what it missed, and is told it whole. */
  #sync(person: string): void {
    if (!this.#room.isPresent(person)) {
      this.#part(person);
      return this.#attempt(person, { what: 'sync' }, { lost: [this.#room.id] });
    }
    if (this.#held.get(person) === this.#room.version) return;
    const answer = { snapshots: [this.#snapshot(person)], standings: [this.#room.standing(person)] };
    this.#attempt(person, { what: 'sync' }, answer);
    this.#hold('replaced', person);
  }

  #attempt(who: string, operation: Operation, answer: Answer): void {
    this.#attempts += 1;
    this.#record({ kind: 'begin', who, attempt: this.#attempts, operation });
    this.#record({ kind: 'ok', who, attempt: this.#attempts, answer });
  }

  #record(record: Untimed<HistoryRecord>): void {
    this.records.push({ at: this.records.length + 1, ...record } as HistoryRecord);
  }

  #mixed<Item>(items: readonly Item[]): Item[] {
    return items
      .map((item) => ({ item, place: this.#random.next() }))
      .sort((a, b) => a.place - b.place)
      .map(({ item }) => item);
  }
}
