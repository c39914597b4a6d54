import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Gathers what waits while a statement runs, and runs it together. Unless it is asked to gather there is no timer: a lane
 * that is free starts at once, so an idle system adds nothing to the first item's way, and a busy one fills its batches by
 * itself.
 */
export interface Lane<Item, Result> {
  push(item: Item): Promise<Result>;
  /** Items that wait; what a process looks at before it accepts more. */
  readonly waiting: number;
  /** Resolves when nothing waits or runs. */
  idle(): Promise<void>;
}

interface LaneOptions<Item, Result> {
  /** Items in one batch at most: beyond, the last ones' wait grows while the throughput stays. */
  maxBatch: number;
  /** Items that may wait at most, of lanes side by side in all of them; one more is refused by `onOverflow`. */
  maxWaiting: number;
  onOverflow: () => Error;
  /** Two items with the same key never share a batch: the later one waits for the next, or is merged into the first. */
  keyOf?: (item: Item) => string;
  /** Makes one item of two with the same key; both who gave them get its result. */
  merge?: (earlier: Item, later: Item) => Item;
  /** Milliseconds that a batch waits for more, where being merged is worth more than being quick. */
  gatherMs?: number;
  /** One result for each item, in their order; an Error in the place of a result rejects that item alone. */
  run: (batch: Item[]) => Promise<(Result | Error)[]>;
}

interface Waiting<Item, Result> {
  item: Item;
  /** Who waits for its result: several, where items were merged. */
  askers: { resolve: (result: Result) => void; reject: (error: unknown) => void }[];
}

export function createLane<Item, Result>(options: LaneOptions<Item, Result>): Lane<Item, Result> {
  let queue: Waiting<Item, Result>[] = [];
  let running = false;
  let idleWaiters: (() => void)[] = [];
  /** Of those that wait, where they may be merged. */
  const byKey = new Map<string, Waiting<Item, Result>>();

  const nextBatch = () => {
    const { batch, rest } = takeBatch(queue, options);
    queue = rest;
    for (const { item } of batch) if (options.merge && options.keyOf) byKey.delete(options.keyOf(item));
    return batch;
  };

  /** False where no more may wait. */
  const add = (item: Item, asker: Waiting<Item, Result>['askers'][number]): boolean => {
    const key = options.merge && options.keyOf?.(item);
    const known = key === undefined ? undefined : byKey.get(key);
    if (known && options.merge) {
      known.item = options.merge(known.item, item);
      known.askers.push(asker);
      return true;
    }
    if (queue.length >= options.maxWaiting) return false;
    const waiting = { item, askers: [asker] };
    queue.push(waiting);
    if (key !== undefined) byKey.set(key, waiting);
    return true;
  };

  const drain = async () => {
    while (queue.length > 0) {
      await runBatch(nextBatch(), options);
      const fewWait = queue.length > 0 && queue.length < options.maxBatch;
      if (options.gatherMs !== undefined && fewWait) await sleep(options.gatherMs);
    }
    running = false;
    for (const wake of idleWaiters) wake();
    idleWaiters = [];
  };

  return {
    push: (item) =>
      new Promise((resolve, reject) => {
        if (!add(item, { resolve, reject })) return reject(options.onOverflow());
        // Everything that arrives in this turn of the event loop goes into the first batch.
        if (!running) {
          running = true;
          if (options.gatherMs === undefined) setImmediate(() => void drain());
          else setTimeout(() => void drain(), options.gatherMs);
        }
      }),
    get waiting() {
      return queue.length;
    },
    idle: () => (running ? new Promise((resolve) => idleWaiters.push(resolve)) : Promise.resolve()),
  };
}

/**
 * Several lanes side by side: while the database works on one's batch, this process prepares another's. What has the same
 * place keeps to one lane, and with it to the order in which it came.
 */
export function createLanes<Item, Result>(
  count: number,
  placeOf: (item: Item) => number,
  options: LaneOptions<Item, Result>,
): Lane<Item, Result> {
  const lanes = Array.from({ length: count }, () => createLane(options));
  const waiting = () => lanes.reduce((sum, lane) => sum + lane.waiting, 0);
  return {
    push(item) {
      if (waiting() >= options.maxWaiting) return Promise.reject(options.onOverflow());
      return (lanes[placeOf(item) % count] as Lane<Item, Result>).push(item);
    },
    get waiting() {
      return waiting();
    },
    async idle() {
      await Promise.all(lanes.map((lane) => lane.idle()));
    },
  };
}

function takeBatch<Item, Result>(
  queue: Waiting<Item, Result>[],
  { maxBatch, keyOf, merge }: LaneOptions<Item, Result>,
) {
  if (!keyOf || merge) return { batch: queue.slice(0, maxBatch), rest: queue.slice(maxBatch) };
  const batch: Waiting<Item, Result>[] = [];
  const rest: Waiting<Item, Result>[] = [];
  const keys = new Set<string>();
  for (const waiting of queue) {
    const key = keyOf(waiting.item);
    const fits = batch.length < maxBatch && !keys.has(key);
    keys.add(key);
    (fits ? batch : rest).push(waiting);
  }
  return { batch, rest };
}

async function runBatch<Item, Result>(
  batch: Waiting<Item, Result>[],
  { run }: LaneOptions<Item, Result>,
): Promise<void> {
  try {
    const results = await run(batch.map(({ item }) => item));
    batch.forEach(({ askers }, place) => {
      const result = results[place];
      for (const { resolve, reject } of askers) {
        if (result instanceof Error) reject(result);
        else if (result === undefined) reject(new Error('the batch gave no answer for this item'));
        else resolve(result);
      }
    });
  } catch (error) {
    for (const { askers } of batch) for (const { reject } of askers) reject(error);
  }
}
