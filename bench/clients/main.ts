import { randomUUIDv7 } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { serve } from '../lib/child.ts';
import { groupId } from '../lib/people.ts';
import { type Packet, RawClient } from './raw-client.ts';
import { Tracker } from './tracker.ts';

/** Many clients in one process, each the only device of one person. Client `n` writes in the group of its place. */

export interface Connecting {
  port: number;
  /** A token for each person, by number. */
  tokens: string[];
  /** The first of those who connect now; those before have. */
  from?: number;
  /** Members of each group: client `n` is in group `n / size`. */
  size: number;
  /** Whose first event says that the client is live; a reference has none, and is live when it has joined. */
  hello: boolean;
  /** Follow versions, and come back with them. */
  track?: boolean;
  /** Clients that connect at the same time. */
  ramp?: number;
}

export interface Counted {
  /** Sends that were acknowledged as stored. */
  stored: number;
  /** Sends that were refused with a time to come back. */
  shed: number;
  /** Sends that were refused otherwise. */
  failed: number;
  /** Events that arrived. */
  deliveries: number;
  /** Milliseconds from a send to its acknowledgement, of those stored; of those without an answer, so far. */
  p50Ms: number;
  p99Ms: number;
  seconds: number;
  /** Sends that were due and have not been answered. */
  open: number;
}

interface One {
  client: RawClient;
  live: boolean;
  closed: boolean;
  /** When each request was sent, by its number. */
  sentAt: Map<number, number>;
  tracker: Tracker | undefined;
}

const settings: { size: number; text: string } = { size: 10, text: 'x'.repeat(120) };
const everybody: One[] = [];
let count = nothing();
/** Since the beginning, whatever was marked. */
const ever = { stored: 0, deliveries: 0 };
let latencies: number[] = [];
let since = performance.now();
let closedLoop = false;
let request = 0;
let onDelivery: (() => void) | undefined;
let timer: NodeJS.Timeout | undefined;

function nothing() {
  return { stored: 0, shed: 0, failed: 0, deliveries: 0 };
}

function open(n: number, { port, tokens, hello, track }: Connecting, held?: Tracker): One {
  const tracker = held ?? (track ? new Tracker() : undefined);
  tracker?.connect();
  const one: One = {
    ...{ live: false, closed: false, sentAt: new Map<number, number>(), tracker },
    client: new RawClient({
      port,
      auth: () => ({ token: tokens[n], ...(tracker ? { known: tracker.known() } : {}) }),
      onJoined: () => {
        if (!hello) one.live = true;
      },
      onEvent: (packet) => onEvent(one, packet),
      onAck: (number, packet) => onAck(one, n, number, packet),
      onClosed: () => {
        one.closed = true;
      },
    }),
  };
  return one;
}

function onEvent(one: One, { bytes, from, to }: Packet): void {
  // 42["event", and 42["hello",
  const letter = bytes[from + 4];
  if (letter === 101) {
    count.deliveries += 1;
    ever.deliveries += 1;
    onDelivery?.();
  } else if (letter === 104 && bytes[from + 6] === 108) one.live = true;
  one.tracker?.take(bytes.toString('utf8', from + 2, to));
}

function onAck(one: One, n: number, number: number, { bytes, from, to }: Packet): void {
  const sentAt = one.sentAt.get(number);
  one.sentAt.delete(number);
  const text = bytes.toString('latin1', from, Math.min(to, from + 400));
  if (text.includes('"ok":true')) {
    count.stored += 1;
    ever.stored += 1;
    latencies.push(performance.now() - (sentAt ?? 0));
  } else if (text.includes('retryAfterMs')) count.shed += 1;
  else count.failed += 1;
  if (closedLoop) send(n);
}

/** `due` is the moment from which it is timed: one that was held up has waited already. */
function send(n: number, due = performance.now()): void {
  const one = everybody[n];
  if (!one) return;
  request += 1;
  one.sentAt.set(request, due);
  const conversationId = groupId(Math.floor(n / settings.size));
  const message = { clientId: randomUUIDv7(), text: settings.text };
  one.client.request(request, 'message.send', JSON.stringify({ conversationId, message }));
}

async function allLive(withinMs = 120_000): Promise<void> {
  const began = performance.now();
  while (everybody.some(({ live }) => !live)) {
    const closed = everybody.filter((one) => one.closed).length;
    if (closed > 0 || performance.now() - began > withinMs)
      throw new Error(`${everybody.filter(({ live }) => !live).length} clients are not live, ${closed} were closed`);
    await sleep(2);
  }
}

const calls = {
  /** Resolves with the milliseconds until all are live. */
  async connect(options: Connecting): Promise<number> {
    const began = performance.now();
    settings.size = options.size;
    for (let n = options.from ?? 0; n < options.tokens.length; n += 1) {
      everybody[n] = open(n, options);
      if (n % (options.ramp ?? 100) === 0) await allLive();
    }
    await allLive();
    return performance.now() - began;
  },
  /** So many send at the same time, each again when it has its answer. */
  begin({ senders }: { senders: number }): void {
    closedLoop = true;
    const present = Object.keys(everybody).map(Number);
    const step = Math.max(1, Math.floor(present.length / senders));
    for (let n = 0; n < senders; n += 1) send(present[(n * step) % present.length] ?? 0);
  },
  /** So many a second from all of them in turn, whether they are answered or not. */
  rate({ perSecond }: { perSecond: number }): void {
    const began = performance.now();
    let done = 0;
    // An array of clients that begins at a later number has holes.
    const present = Object.keys(everybody).map(Number);
    timer = setInterval(() => {
      const due = Math.floor(((performance.now() - began) / 1_000) * perSecond);
      // A stride that meets every group before it meets one twice.
      for (; done < due; done += 1) {
        send(present[(done * 7_919) % present.length] ?? 0, began + ((done + 1) / perSecond) * 1_000);
      }
    }, 2);
  },
  mark(): Counted {
    const now = performance.now();
    // What was not answered has waited for at least so long: to leave it out would leave out the slowest.
    const unanswered = everybody.flatMap(({ sentAt }) => [...sentAt.values()].map((due) => now - due));
    const sorted = Float64Array.from([...latencies, ...unanswered]).sort();
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    const seconds = (performance.now() - since) / 1_000;
    const counted = { ...count, p50Ms: at(0.5), p99Ms: at(0.99), seconds, open: unanswered.length };
    [count, latencies, since] = [nothing(), [], performance.now()];
    return counted;
  },
  /** Resolves when so many events have arrived since the last mark. */
  async heard(deliveries: number): Promise<void> {
    const began = performance.now();
    while (count.deliveries < deliveries) {
      if (performance.now() - began > 30_000) throw new Error(`${count.deliveries} of ${deliveries} events arrived`);
      await sleep(2);
    }
  },
  /** Resolves when everybody has heard of every stored message, once. */
  async allTold({ size }: { size: number }): Promise<void> {
    const began = performance.now();
    const expected = () => ever.stored * size;
    while (ever.deliveries < expected() && performance.now() - began < 30_000) await sleep(5);
    if (ever.deliveries !== expected()) throw new Error(`${ever.deliveries} events arrived of ${expected()}`);
  },
  /** Sends that were acknowledged as stored since the beginning. */
  storedEver: () => ever.stored,
  /** Nobody sends any more; resolves when every send was answered. */
  async rest(): Promise<void> {
    closedLoop = false;
    clearInterval(timer);
    const began = performance.now();
    while (everybody.some(({ sentAt }) => sentAt.size > 0) && performance.now() - began < 30_000) await sleep(5);
  },
  /** One sends, and again when all have heard of it; resolves after so many times. */
  async oneByOne({ times, listeners }: { times: number; listeners: number }): Promise<void> {
    for (let sent = 0; sent < times; sent += 1) {
      let heard = 0;
      await new Promise<void>((resolve) => {
        onDelivery = () => {
          heard += 1;
          if (heard === listeners) resolve();
        };
        send(0);
      });
    }
    onDelivery = undefined;
  },
  /** Cuts so many of the clients, and lets them come back at once with what they hold; resolves when all are live. */
  async cut(options: Connecting & { count: number }): Promise<number> {
    const began = performance.now();
    const gone = everybody.slice(0, options.count);
    for (const { client } of gone) client.destroy();
    for (const [n, { tracker }] of gone.entries()) everybody[n] = open(n, options, tracker);
    await allLive();
    return performance.now() - began;
  },
  /** What the clients hold that is not what stands in the database, by conversation and version, and what broke the order. */
  astray(versions: Record<string, number>): string[] {
    const stale = everybody.flatMap(({ tracker }, n) =>
      (tracker?.known() ?? []).filter(([id, version]) => versions[id] !== version).map(([id]) => `client ${n}: ${id}`),
    );
    return [...stale, ...everybody.flatMap(({ tracker }) => tracker?.faults ?? [])];
  },
};
export type Clients = typeof calls;

serve(calls);
