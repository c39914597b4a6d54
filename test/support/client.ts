import { AssertionError } from 'node:assert/strict';
import {
  type ClientEvents,
  type ClientOptions,
  type OpenWire,
  type Surroundings,
  createClient,
} from '../../sdk/index.ts';
import type { Client } from '../../sdk/index.ts';
import { surroundings } from '../../sdk/surroundings.ts';
import { type Person, password } from '../factories/person.ts';
import type { TestApp } from '../setup/app.ts';

/** Milliseconds; a digest of what moved comes every fifteen seconds. */
const waitMs = 20_000;

/** The person's client, signed in and connected. */
export async function clientOf(
  app: Pick<TestApp, 'url'>,
  person: Person,
  options: Partial<ClientOptions> = {},
): Promise<Client> {
  const client = createClient({ url: app.url, ...options });
  await client.signIn({ identifier: person.email, password });
  await client.start();
  return client;
}

/** The clients that a test of this suite adds, which stop with it. */
export function clientsOfEachTest(): Client[] {
  const clients: Client[] = [];
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.stop()));
  });
  return clients;
}

/** Waits until the client tells something that matches. */
export function heard<Name extends keyof ClientEvents>(
  client: Client,
  name: Name,
  matches: (payload: ClientEvents[Name]) => boolean = () => true,
): Promise<ClientEvents[Name]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new AssertionError({ message: `no ${name} that matches was heard` })),
      waitMs,
    );
    const stop = client.on(name, (payload) => {
      if (!matches(payload)) return;
      clearTimeout(timer);
      stop();
      resolve(payload);
    });
  });
}

/** Waits until what is held is right; looks again whenever something of it changed. */
export async function holds(client: Client, right: () => boolean): Promise<void> {
  if (!right()) await heard(client, 'conversation', right);
}

/** A wire that lets a test stand between client and server. */
export interface Tap {
  /** What the server tells: pass it on, or not, or twice. */
  hear?: (name: string, payload: unknown, pass: (name: string, payload: unknown) => void) => void;
  /** What the client asks. */
  ask?: (name: string, input: unknown, go: () => Promise<unknown>) => Promise<unknown>;
  /** Where to connect instead. */
  url?: () => string;
  /** Called with every connection. */
  opened?: (auth: Parameters<OpenWire>[1], close: () => void) => void;
}

export const tapped =
  ({ hear, ask, url, opened }: Tap): OpenWire =>
  (given, auth, listener) => {
    const pass = (name: string, payload: unknown) => listener.heard(name, payload);
    const wire = surroundings.open(url ? url() : given, auth, {
      ...listener,
      heard: (name, payload) => (hear ? hear(name, payload, pass) : pass(name, payload)),
    });
    opened?.(auth, () => wire.close());
    return {
      request: (name, input, timeoutMs) => {
        const go = () => wire.request(name, input, timeoutMs);
        return ask ? ask(name, input, go) : go();
      },
      close: () => wire.close(),
    };
  };

/** A clock that a test moves: what has fallen due by then happens at once. */
export function movableClock(): Pick<Surroundings, 'now' | 'wait'> & { move: (ms: number) => void } {
  let ahead = 0;
  const waiting = new Set<{ due: number; done: AbortController }>();
  const now = () => Date.now() + ahead;
  return {
    now,
    async wait(ms, signal) {
      const entry = { due: now() + ms, done: new AbortController() };
      waiting.add(entry);
      await surroundings.wait(ms, signal ? AbortSignal.any([signal, entry.done.signal]) : entry.done.signal);
      waiting.delete(entry);
    },
    move(ms) {
      ahead += ms;
      for (const { due, done } of waiting) if (due <= now()) done.abort();
    },
  };
}

/** Back-off without patience, for tests that lose connections on purpose. */
export const eager = { backoffBaseMs: 20, backoffCapMs: 100 };
