import assert from 'node:assert/strict';
import type { Item } from '../../sandbox/store.ts';
import type { TestApp } from '../setup/app.ts';

export type { Item };
type Filter = Record<string, string | number>;

/** What the providers took, awaited by the sandbox's long poll. */
export async function waitFor(app: Pick<TestApp, 'sandboxUrl'>, filter: Filter, count = 1): Promise<Item[]> {
  const query = new URLSearchParams({ ...asText(filter), count: String(count), timeoutMs: '25000' }).toString();
  const response = await fetch(`${app.sandboxUrl}/wait?${query}`);
  const { items } = (await response.json()) as { items: Item[] };
  assert.equal(response.status, 200, `waited in vain for ${JSON.stringify(filter)}; there were ${items.length}`);
  return items;
}

export async function inbox(app: Pick<TestApp, 'sandboxUrl'>, filter: Filter = {}): Promise<Item[]> {
  const response = await fetch(`${app.sandboxUrl}/inbox.json?${new URLSearchParams(asText(filter)).toString()}`);
  return ((await response.json()) as { items: Item[] }).items;
}

/** Makes a provider fail, as a rule says; answers with how to end it. */
export async function rule(app: Pick<TestApp, 'sandboxUrl'>, body: object): Promise<() => Promise<void>> {
  const response = await fetch(`${app.sandboxUrl}/rules`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.equal(response.status, 201, await response.clone().text());
  const { id } = (await response.json()) as { id: string };
  return async () => void (await fetch(`${app.sandboxUrl}/rules/${id}`, { method: 'DELETE' }));
}

const asText = (filter: Filter) =>
  Object.fromEntries(Object.entries(filter).map(([name, value]) => [name, String(value)]));
