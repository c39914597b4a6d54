import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';

export type Channel = 'push' | 'email' | 'sms';
export type Provider = 'fcm' | 'sendgrid' | 'twilio';

/** Something that a provider took: what would have reached a person. */
export interface Item {
  id: string;
  seq: number;
  channel: Channel;
  provider: Provider;
  to: string;
  attemptId: string | null;
  receivedAt: string;
  title: string;
  text: string;
  html?: string;
  data?: Record<string, unknown>;
  headers?: Record<string, string>;
  /** A later push with the same one replaces this on the screen. */
  collapseKey?: string;
  badge?: number;
  segments?: number;
  encoding?: string;
}

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
}

export interface Filter {
  to?: string | undefined;
  channel?: string | undefined;
  attemptId?: string | undefined;
  text?: string | undefined;
  after?: number | undefined;
}

/** Items and requests kept at most; the oldest give way. */
export const storeLimit = 5_000;

/** What the sandbox has taken and was asked, in memory, in order. */
export class Store extends EventEmitter {
  readonly #items: Item[] = [];
  readonly #requests: RequestRecord[] = [];
  #seq = 0;

  constructor() {
    super();
    // Every page and every waiting test listens.
    this.setMaxListeners(0);
  }

  add(item: Omit<Item, 'id' | 'seq' | 'receivedAt'>): Item {
    const kept = { ...item, id: randomUUID(), seq: (this.#seq += 1), receivedAt: new Date().toISOString() };
    push(this.#items, kept);
    this.emit('item', kept);
    return kept;
  }

  note(request: Omit<RequestRecord, 'seq' | 'at'>): void {
    const kept = { ...request, seq: (this.#seq += 1), at: new Date().toISOString() };
    push(this.#requests, kept);
    this.emit('request', kept);
  }

  items(filter: Filter = {}): Item[] {
    return this.#items.filter((item) => matches(item, filter));
  }

  requests(): RequestRecord[] {
    return [...this.#requests];
  }

  /** Resolves with the matching items once there are `count` of them, or with those there are when time is up. */
  async wait(filter: Filter, count: number, timeoutMs: number): Promise<{ enough: boolean; items: Item[] }> {
    const signal = AbortSignal.timeout(timeoutMs);
    for (;;) {
      const items = this.items(filter);
      if (items.length >= count) return { enough: true, items };
      try {
        await once(this, 'item', { signal });
      } catch {
        return { enough: false, items: this.items(filter) };
      }
    }
  }

  clear(): void {
    this.#items.length = 0;
    this.#requests.length = 0;
    this.emit('clear');
  }
}

function push<T>(list: T[], entry: T): void {
  list.push(entry);
  if (list.length > storeLimit) list.shift();
}

function matches(item: Item, { to, channel, attemptId, text, after }: Filter): boolean {
  return (
    (to === undefined || item.to === to) &&
    (channel === undefined || item.channel === channel) &&
    (attemptId === undefined || item.attemptId === attemptId) &&
    (text === undefined || item.text.includes(text) || item.title.includes(text)) &&
    (after === undefined || item.seq > after)
  );
}
