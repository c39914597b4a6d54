import { EventEmitter, once } from 'node:events';
import { Clock } from './clock.ts';
import { Ids } from './ids.ts';

export type Channel = 'push' | 'email' | 'sms';
export type Provider = 'fcm' | 'sendgrid' | 'twilio';

/** Something that became of an item, by the provider's own word. */
export interface ItemEvent {
  event: string;
  at: string;
  /** What a person answered. */
  text?: string;
}

/** One thing that becomes of a message, with what its provider says about it besides. */
export interface Step {
  event: string;
  fields?: Record<string, unknown>;
  errorCode?: number;
}

/** Something that a provider took: what would have reached a person. */
export interface Item {
  id: string;
  seq: number;
  channel: Channel;
  provider: Provider;
  /** The provider's own id of it, as its API answers. */
  providerId: string;
  to: string;
  attemptId: string | null;
  receivedAt: string;
  /** The last that became of it, such as `delivered`; `accepted` when nothing has yet. */
  status: string;
  events: ItemEvent[];
  title: string;
  text: string;
  html?: string;
  data?: Record<string, unknown>;
  headers?: Record<string, string>;
  /** A later push with the same one replaces this on the screen. */
  collapseKey?: string;
  /** What a phone puts together. */
  threadId?: string;
  badge?: number;
  /** The sound that a phone makes of it; none without. */
  sound?: string;
  /** How much of the person's attention it takes, in Apple's words: `passive`, `active`, `time-sensitive`. */
  interruption?: string;
  /** It says nothing to the person; the app on the phone deals with it. */
  silent?: boolean;
  segments?: number;
  encoding?: string;
  /** Mail: what comes back with its events. */
  customArgs?: Record<string, string>;
  categories?: string[];
  /** Who left this group gets it not. */
  unsubscribeGroup?: number;
  /** SMS: the account, the sender, and where its provider reports to. */
  account?: string;
  from?: string | null;
  messagingServiceSid?: string | null;
  statusCallback?: string | null;
  /** When Twilio is to send it, if that is later. */
  sendAt?: string;
  errorCode?: number;
}
export type NewItem = Omit<Item, 'id' | 'seq' | 'receivedAt' | 'providerId' | 'status' | 'events'> & {
  status?: string;
};

/** A call to a provider's face, with what it was answered. Credentials are not kept. */
export interface RequestRecord {
  seq: number;
  at: string;
  provider: Provider | 'unknown';
  method: string;
  path: string;
  to: string | null;
  attemptId: string | null;
  status: number | 'cut' | 'hang';
  rule: string | null;
  /** What was taken by it. */
  itemIds: string[];
  /** As far as they are small enough to be kept. */
  body?: unknown;
  answer?: unknown;
}

/** A report of a provider to the app, one try of it. */
export interface CallbackRecord {
  seq: number;
  at: string;
  provider: Provider;
  kind: 'events' | 'status' | 'inbound' | 'parse';
  itemIds: string[];
  attemptIds: string[];
  events: string[];
  url: string;
  /** Counted from 1. */
  attempt: number;
  /** What the app answered, or why there was no answer: nobody did, or it was dropped on purpose. */
  status: number | 'unreachable' | 'dropped';
  signature: 'right' | 'wrong' | 'none';
  body: string;
}

/** Each list's records. */
export interface Records {
  items: Item;
  requests: RequestRecord;
  callbacks: CallbackRecord;
}
export type Kind = keyof Records;

/** Wanted values by field name; besides, `text` is a part of what is said, `after` a seq, `pattern` a recipient's. */
export type Filter = Record<string, string | number | undefined>;

/** Records of each kind kept at most; the oldest give way. */
export const storeLimit = 5_000;
/** Characters of a body as JSON that are kept beside a request or a report. */
const bodyLimit = 16_000;

/** What the sandbox has taken, was asked and has reported, in memory, in order. Tells each record, and each change of one. */
export class Store extends EventEmitter<{ record: [kind: Kind, record: Records[Kind]]; clear: [] }> {
  readonly #records: { [Name in Kind]: Records[Name][] } = { items: [], requests: [], callbacks: [] };
  readonly #clock: Clock;
  readonly #ids: Ids;
  #seq = 0;

  constructor(clock = new Clock(), ids = new Ids()) {
    super();
    this.#clock = clock;
    this.#ids = ids;
    // Every page and every waiting test listens.
    this.setMaxListeners(0);
  }

  add(item: NewItem): Item {
    const id = this.#ids.uuid();
    const providerId = item.provider === 'twilio' ? `SM${id.replaceAll('-', '')}` : id.replaceAll('-', '').slice(0, 22);
    const kept = { status: 'accepted', ...item, id, providerId, events: [], receivedAt: this.#clock.iso() };
    return this.#keep('items', kept);
  }

  /** Something became of it. */
  happened(item: Item, event: string, changes: Partial<Item> = {}, text?: string): void {
    Object.assign(item, changes);
    item.events.push({ event, at: this.#clock.iso(), ...(text === undefined ? {} : { text }) });
    this.emit('record', 'items', item);
  }

  note(request: Omit<RequestRecord, 'seq' | 'at' | 'itemIds' | 'answer'> & Partial<RequestRecord>): void {
    const { body, answer, ...rest } = request;
    this.#keep('requests', {
      itemIds: [],
      ...rest,
      ...kept('body', body),
      ...kept('answer', answer),
      at: this.#clock.iso(),
    });
  }

  reported(callback: Omit<CallbackRecord, 'seq' | 'at'>): void {
    const body = callback.body.length > bodyLimit ? tooLarge : callback.body;
    this.#keep('callbacks', { ...callback, body, at: this.#clock.iso() });
  }

  list<Name extends Kind>(kind: Name, filter: Filter = {}): Records[Name][] {
    return this.#records[kind].filter((record) => matches(record, filter));
  }

  items(filter: Filter = {}): Item[] {
    return this.list('items', filter);
  }

  /** The seq of what came last. */
  get lastSeq(): number {
    return this.#seq;
  }

  /** Resolves with what `look` finds once it finds something, or with what it finds in the end: when time is up or aborted. */
  async until<Found>(look: () => Found | undefined, end: number | AbortSignal): Promise<Found | undefined> {
    const signal = typeof end === 'number' ? AbortSignal.timeout(end) : end;
    for (;;) {
      const found = look();
      if (found !== undefined || signal.aborted) return found;
      try {
        await once(this, 'record', { signal });
      } catch {
        return look();
      }
    }
  }

  clear(): void {
    for (const list of Object.values(this.#records)) list.length = 0;
    this.emit('clear');
  }

  #keep<Name extends Kind>(kind: Name, record: Omit<Records[Name], 'seq'>): Records[Name] {
    const whole = { ...record, seq: (this.#seq += 1) } as unknown as Records[Name];
    const list: Records[Name][] = this.#records[kind];
    list.push(whole);
    if (list.length > storeLimit) list.shift();
    this.emit('record', kind, whole);
    return whole;
  }
}

const tooLarge = '(too large to be kept)';

/** A body, unless it is too large to be kept for each of thousands of calls. */
function kept(name: 'body' | 'answer', value: unknown): { body?: unknown; answer?: unknown } {
  if (value === undefined) return {};
  return (JSON.stringify(value) ?? '').length > bodyLimit ? { [name]: tooLarge } : { [name]: value };
}

function matches(record: object, { text, after, pattern, ...fields }: Filter): boolean {
  const known = record as Record<string, unknown>;
  return (
    (text === undefined || `${String(known.title)}\n${String(known.text)}`.includes(String(text))) &&
    (after === undefined || Number(known.seq) > Number(after)) &&
    (pattern === undefined || new RegExp(String(pattern)).test(String(known.to))) &&
    Object.entries(fields).every(([name, wanted]) => wanted === undefined || holds(known, name, String(wanted)))
  );
}

/** A list is asked by the name of one: `event` is among its `events`. */
function holds(record: Record<string, unknown>, name: string, wanted: string): boolean {
  const several = record[`${name}s`];
  if (!Array.isArray(several)) return String(record[name]) === wanted;
  return several.some((one: unknown) => (typeof one === 'string' ? one : (one as ItemEvent).event) === wanted);
}
