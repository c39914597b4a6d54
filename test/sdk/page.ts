import { type Client, createClient, indexedDbStorage } from '../../sdk/index.ts';

/** What the page has among its globals. */
export interface PageGlobals {
  client: Client;
  /** Waits until it holds; whatever the client tells is a reason to look again. */
  holds: (right: () => boolean) => Promise<void>;
  /** How many entries of that prefix the storage keeps. */
  kept: (prefix: 'outbox/' | 'conversations/') => Promise<number>;
}

const { location } = globalThis as unknown as { location: { search: string } };
const url = new URLSearchParams(location.search).get('api') ?? '';
const storage = indexedDbStorage();
const client = createClient({ url, storage, limits: { backoffBaseMs: 20, backoffCapMs: 100 } });

function holds(right: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => right() && resolve();
    for (const event of ['connection', 'conversation', 'outgoing', 'message'] as const) client.on(event, look);
    look();
  });
}

const kept = async (prefix: string) => (await storage.entries(prefix)).length;

Object.assign(globalThis, { client, holds, kept } satisfies PageGlobals);
