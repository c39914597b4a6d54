import { z } from 'zod';
import { filters, maxWaitMs } from './filters.ts';
import type { Filter, Item, Records, Store } from './store.ts';
import type { World } from './world.ts';

const where = filters.items;
const timeoutMs = z.int().min(0).max(maxWaitMs).default(10_000);
/** Milliseconds of the sandbox's clock: 31 days. */
const durationMs = z
  .int()
  .min(0)
  .max(31 * 24 * 3_600_000);

/** What a test may ask to hold of the items. */
export const Assertion = z.union([
  /** So many come within `timeoutMs`, and no more: not afterwards either, while the clock goes on by `quietMs`. */
  z.strictObject({
    exactly: z.int().min(0).max(5_000),
    where,
    timeoutMs,
    quietMs: durationMs.default(0),
    advance: z.boolean().default(false),
  }),
  /** None comes while the sandbox's clock goes on by `noneForMs`. With `advance` this moves it; else somebody does, or time. */
  z.strictObject({ noneForMs: durationMs, where, advance: z.boolean().default(false) }),
  /** One of each, each after the one before it. */
  z.strictObject({ order: z.array(where).min(2).max(100) }),
  /** No attempt reached one recipient twice. */
  z.strictObject({ noDuplicates: z.literal('attemptId'), where }),
]);
export type Assertion = z.infer<typeof Assertion>;

export interface Finding {
  holds: boolean;
  detail: string;
  items: Item[];
}

/** Looks whether it holds, waiting where it says so. */
export function look(world: World, assertion: Assertion): Promise<Finding> | Finding {
  if ('exactly' in assertion) return exactly(world, assertion);
  if ('noneForMs' in assertion) return none(world, assertion);
  if ('order' in assertion) return order(world.store, assertion.order);
  return noDuplicates(world.store.items(assertion.where));
}

async function exactly(
  world: World,
  { exactly: count, where: filter, timeoutMs: waitMs, quietMs, advance }: Extract<Assertion, { exactly: number }>,
): Promise<Finding> {
  const { store } = world;
  const enough = () => (store.items(filter).length >= count ? true : undefined);
  await store.until(enough, waitMs);
  if (quietMs > 0 && store.items(filter).length === count) {
    const seq = store.items(filter).at(-1)?.seq ?? 0;
    await none(world, { noneForMs: quietMs, where: { ...filter, after: Math.max(seq, filter.after ?? 0) }, advance });
  }
  const items = store.items(filter);
  return { holds: items.length === count, detail: `there are ${items.length}, not ${count}`, items };
}

async function none(
  { clock, store }: World,
  { noneForMs, where: filter, advance }: { noneForMs: number; where: Filter; advance: boolean },
): Promise<Finding> {
  const after = Number(filter.after ?? store.lastSeq);
  const found = () => {
    const items = store.items({ ...filter, after });
    return items.length > 0 ? items : undefined;
  };
  const over = new AbortController();
  const passed = advance
    ? clock.advance(noneForMs)
    : new Promise<void>((resolve) => clock.after(noneForMs, () => resolve()));
  const came = store.until(found, over.signal);
  await Promise.race([passed, came]);
  over.abort();
  const items = found() ?? [];
  return { holds: items.length === 0, detail: `there came ${items.length}`, items };
}

function order(store: Store, wanted: readonly Filter[]): Finding {
  const items: Records['items'][] = [];
  for (const [index, filter] of wanted.entries()) {
    const next = store.items({ ...filter, after: items.at(-1)?.seq ?? 0 })[0];
    if (!next) return { holds: false, detail: `after the first ${index} none matches order.${index}`, items };
    items.push(next);
  }
  return { holds: true, detail: '', items };
}

function noDuplicates(items: readonly Item[]): Finding {
  const byAttempt = Map.groupBy(
    items.filter(({ attemptId }) => attemptId !== null),
    ({ attemptId, channel, to }) => `${attemptId} ${channel} ${to}`,
  );
  const twice = [...byAttempt.values()].filter((group) => group.length > 1).flat();
  return { holds: twice.length === 0, detail: `${twice.length} came by an attempt that had come before`, items: twice };
}
