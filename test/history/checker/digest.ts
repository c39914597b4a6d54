import type {
  Answer,
  Begun,
  Casting,
  Current,
  Entry,
  Founding,
  History,
  HistoryRecord,
  Moved,
  Operation,
  OperationOf,
  Personal,
  Seen,
  State,
  Stored,
} from '../record.ts';
import { Log } from './log.ts';

/** An attempt from its beginning to what became of it. */
export interface Attempt {
  number: number;
  who: string;
  person: string;
  operation: Operation;
  begun: number;
  /** Infinity where it never ended: what it asked for may still happen. */
  ended: number;
  outcome: 'ok' | 'refused' | 'unknown';
  answer: Answer;
  /** The refusal's code, or why it is unknown. */
  why: string;
}

/** Something of the log that somebody was told, unasked or as an answer. */
export interface Telling {
  person: string;
  who: string;
  entry: Entry;
  begun: number;
  ended: number;
  live: boolean;
}

type Told = Extract<HistoryRecord, { kind: 'told' }>;

/** A message that somebody was shown by itself or in a page, a snapshot or a state. */
export interface Sighting {
  person: string;
  who: string;
  conversation: string;
  message: Seen;
  begun: number;
  ended: number;
}

/** A history, put in the order in which the checks look at it. */
export class Digest {
  readonly persons = new Map<string, string>();
  readonly doors = new Map<string, string>();
  /** The device of each process. */
  readonly devices = new Map<string, string>();
  readonly rooms = new Map<string, Founding>();
  readonly attempts: Attempt[] = [];
  readonly moves: Moved[] = [];
  readonly states: State[] = [];
  readonly tellings: Telling[] = [];
  readonly sightings: Sighting[] = [];
  /** Messages that came unasked: they may have been on their way for a while. */
  readonly heard = new Set<Seen>();
  readonly personal: Personal[] = [];
  readonly told: Told[] = [];
  readonly currents: Current[] = [];
  /** By rest, then by conversation. */
  readonly logs = new Map<number, Map<string, Log>>();
  /** The conversations as they stood at the last rest. */
  readonly truth: ReadonlyMap<string, Log>;

  constructor(history: History) {
    const open = new Map<number, Attempt>();
    for (const record of history) {
      switch (record.kind) {
        case 'client':
          this.#cast(record);
          break;
        case 'founded':
          this.rooms.set(record.conversation, record);
          break;
        case 'begin':
          open.set(record.attempt, this.#begin(record));
          break;
        case 'ok':
        case 'refused':
        case 'unknown':
          end(open.get(record.attempt), record);
          break;
        case 'delivered':
          this.#tell(record.who, record.entry, { begun: record.at, ended: record.at, live: true });
          break;
        case 'told':
          this.#hear(record);
          break;
        case 'current':
          this.currents.push(record);
          break;
        case 'applied':
        case 'replaced':
        case 'ended':
          this.moves.push(record);
          break;
        case 'state':
          this.states.push(record);
          break;
        case 'stored':
          this.#store(record);
          break;
        case 'personal':
          this.personal.push(record);
          break;
        case 'fault':
      }
    }
    this.truth = this.logs.get(Math.max(...this.logs.keys())) ?? new Map<string, Log>();
    for (const attempt of this.attempts) this.#look(attempt);
    for (const { who, conversation, held, at } of this.states) {
      for (const message of held?.messages ?? []) this.#sight(who, conversation, message, { begun: at, ended: at });
    }
  }

  /** Attempts of one kind, with the operation's own type. */
  of<What extends Operation['what']>(what: What): (Attempt & { operation: Extract<Operation, { what: What }> })[] {
    return this.attempts.filter(({ operation }) => operation.what === what) as ReturnType<Digest['of']> as (Attempt & {
      operation: Extract<Operation, { what: What }>;
    })[];
  }

  /** Attempts to write something new: sends, and forwards. */
  sends(): (Attempt & { operation: OperationOf<'send' | 'forward'> })[] {
    return [...this.of('send'), ...this.of('forward')].sort((a, b) => a.number - b.number);
  }

  #cast({ who, person, door, device }: Casting): void {
    this.persons.set(who, person);
    this.doors.set(who, door);
    this.devices.set(who, device ?? who);
  }

  /** Who is told late is shown what was said when it was held back. */
  #hear(record: Told): void {
    this.told.push(record);
    this.heard.add(record.message);
    this.#sight(record.who, record.conversation, record.message, { begun: record.at, ended: record.at });
  }

  #begin({ attempt: number, who, operation, at: begun }: Begun): Attempt {
    const attempt: Attempt = {
      ...{ number, who, person: this.#person(who), operation, begun, ended: Number.POSITIVE_INFINITY },
      ...{ outcome: 'unknown' as const, answer: {}, why: 'no answer' },
    };
    this.attempts.push(attempt);
    return attempt;
  }

  #person(who: string): string {
    return this.persons.get(who) ?? who;
  }

  #store(record: Stored): void {
    const logs = this.logs.get(record.rest) ?? new Map<string, Log>();
    logs.set(record.conversation, new Log(record, this.rooms.get(record.conversation)?.history ?? 'all'));
    this.logs.set(record.rest, logs);
  }

  #look({ who, operation, answer, begun, ended }: Attempt): void {
    const when = { begun, ended };
    const conversation = 'conversation' in operation ? operation.conversation : '';
    for (const message of [...(answer.messages ?? []), ...(answer.message ? [answer.message] : [])])
      this.#sight(who, conversation, message, when);
    for (const snapshot of answer.snapshots ?? [])
      for (const message of snapshot.messages) this.#sight(who, snapshot.conversation, message, when);
    for (const entry of answer.entries ?? []) this.#tell(who, entry, { ...when, live: false });
  }

  #sight(who: string, conversation: string, message: Seen, when: { begun: number; ended: number }): void {
    this.sightings.push({ who, person: this.#person(who), conversation, message, ...when });
  }

  #tell(who: string, entry: Entry, when: { begun: number; ended: number; live: boolean }): void {
    this.tellings.push({ who, person: this.#person(who), entry, ...when });
    if (when.live && entry.message) this.heard.add(entry.message);
    if (entry.message) this.#sight(who, entry.conversation, entry.message, when);
  }
}

type Ending = Extract<History[number], { kind: 'ok' | 'refused' | 'unknown' }>;

function end(attempt: Attempt | undefined, record: Ending): void {
  if (!attempt) return;
  attempt.outcome = record.kind;
  // What is not known to have happened may happen later.
  if (record.kind !== 'unknown') attempt.ended = record.at;
  if (record.kind === 'ok') attempt.answer = record.answer;
  if (record.kind === 'refused') attempt.why = record.code;
  if (record.kind === 'unknown') attempt.why = record.why;
}

/** The highest number that was acked before a moment: what comes later must not fall behind it. */
export class Floor {
  readonly #steps: { at: number; high: number }[] = [];
  readonly #waiting: { at: number; value: number }[] = [];

  add(at: number, value: number): void {
    this.#waiting.push({ at, value });
  }

  before(moment: number): number {
    this.#settle();
    let [low, high] = [0, this.#steps.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#steps[middle]?.at ?? 0) < moment) low = middle + 1;
      else high = middle;
    }
    return this.#steps[low - 1]?.high ?? 0;
  }

  #settle(): void {
    if (this.#waiting.length === 0) return;
    const all = [...this.#waiting.splice(0), ...this.#steps.splice(0).map(({ at, high }) => ({ at, value: high }))];
    let high = 0;
    for (const { at, value } of all.sort((a, b) => a.at - b.at)) {
      high = Math.max(high, value);
      this.#steps.push({ at, high });
    }
  }
}

/** One floor for each key. */
export class Floors {
  readonly #floors = new Map<string, Floor>();

  of(key: string): Floor {
    const floor = this.#floors.get(key) ?? new Floor();
    this.#floors.set(key, floor);
    return floor;
  }
}
