/**
 * Gathers what waits while a statement runs, and runs it together. There is no timer: a lane that is free starts at
 * once, so an idle system adds nothing to the first item's way, and a busy one fills its batches by itself.
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
  /** Items that may wait at most; one more is refused by `onOverflow`. */
  maxWaiting: number;
  onOverflow: () => Error;
  /** Two items with the same key never share a batch; the later one waits for the next. */
  keyOf?: (item: Item) => string;
  /** One result for each item, in their order; an Error in the place of a result rejects that item alone. */
  run: (batch: Item[]) => Promise<(Result | Error)[]>;
}

interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

export function createLane<Item, Result>(options: LaneOptions<Item, Result>): Lane<Item, Result> {
  let queue: Waiting<Item, Result>[] = [];
  let running = false;
  let idleWaiters: (() => void)[] = [];

  const nextBatch = () => {
    const { batch, rest } = takeBatch(queue, options);
    queue = rest;
    return batch;
  };

  const drain = async () => {
    running = true;
    while (queue.length > 0) await runBatch(nextBatch(), options);
    running = false;
    for (const wake of idleWaiters) wake();
    idleWaiters = [];
  };

  return {
    push: (item) =>
      new Promise((resolve, reject) => {
        if (queue.length >= options.maxWaiting) return reject(options.onOverflow());
        queue.push({ item, resolve, reject });
        // Everything that arrives in this turn of the event loop goes into the first batch.
        if (!running) {
          running = true;
          setImmediate(() => void drain());
        }
      }),
    get waiting() {
      return queue.length;
    },
    idle: () => (running ? new Promise((resolve) => idleWaiters.push(resolve)) : Promise.resolve()),
  };
}

function takeBatch<Item, Result>(queue: Waiting<Item, Result>[], { maxBatch, keyOf }: LaneOptions<Item, Result>) {
  if (!keyOf) return { batch: queue.slice(0, maxBatch), rest: queue.slice(maxBatch) };
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
    batch.forEach(({ resolve, reject }, place) => {
      const result = results[place];
      if (result instanceof Error) reject(result);
      else if (result === undefined) reject(new Error('the batch gave no answer for this item'));
      else resolve(result);
    });
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
}
