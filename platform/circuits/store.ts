import type { Redis } from 'ioredis';

/** The few things that circuits keep, each for so many milliseconds. */
export interface CircuitStore {
  read(key: string): Promise<string | undefined>;
  write(key: string, value: string, ttlMs: number): Promise<void>;
  /** Whether it was free; it is taken now. */
  take(key: string, ttlMs: number): Promise<boolean>;
  /** Adds one to each, and answers with what each came to. */
  count(keys: readonly string[], ttlMs: number): Promise<number[]>;
  counts(keys: readonly string[]): Promise<number[]>;
  clear(keys: readonly string[]): Promise<void>;
  /** Remembers who waits, and says about how many do: two in a hundred more or less are no matter. */
  wait(key: string, who: string, ttlMs: number): Promise<void>;
  waiting(key: string): Promise<number>;
}

/** What all processes share. */
export function redisStore(redis: Redis): CircuitStore {
  const toNumber = (value: unknown) => Number(value ?? 0);
  return {
    read: async (key) => (await redis.get(key)) ?? undefined,
    write: async (key, value, ttlMs) => void (await redis.set(key, value, 'PX', ttlMs)),
    take: async (key, ttlMs) => (await redis.set(key, '1', 'PX', ttlMs, 'NX')) === 'OK',
    async count(keys, ttlMs) {
      const pipeline = redis.pipeline();
      for (const key of keys) pipeline.incr(key).pexpire(key, ttlMs);
      const answers = (await pipeline.exec()) ?? [];
      const failed = answers.find(([error]) => error);
      if (failed) throw failed[0] as Error;
      return keys.map((_, n) => toNumber(answers[2 * n]?.[1]));
    },
    counts: async (keys) => (await redis.mget(...keys)).map(toNumber),
    clear: async (keys) => void (await redis.del(...keys)),
    async wait(key, who, ttlMs) {
      await redis.pipeline().pfadd(key, who).pexpire(key, ttlMs).exec();
    },
    waiting: (key) => redis.pfcount(key),
  };
}

type Kept = { value: string | number | Set<string>; until: number };

/** The same within this process. */
export function memoryStore(now: () => number): CircuitStore {
  const all = new Map<string, Kept>();
  const get = (key: string) => {
    const kept = all.get(key);
    if (kept && kept.until > now()) return kept.value;
    all.delete(key);
    return undefined;
  };
  const set = (key: string, value: Kept['value'], ttlMs: number) => all.set(key, { value, until: now() + ttlMs });
  const number = (key: string) => Number(get(key) ?? 0);
  return {
    read: async (key) => get(key) as string | undefined,
    write: async (key, value, ttlMs) => void set(key, value, ttlMs),
    async take(key, ttlMs) {
      const free = get(key) === undefined;
      if (free) set(key, '1', ttlMs);
      return free;
    },
    async count(keys, ttlMs) {
      for (const key of keys) set(key, number(key) + 1, ttlMs);
      return keys.map(number);
    },
    counts: async (keys) => keys.map(number),
    clear: async (keys) => keys.forEach((key) => all.delete(key)),
    wait: async (key, who, ttlMs) => void set(key, ((get(key) as Set<string>) ?? new Set()).add(who), ttlMs),
    waiting: async (key) => (get(key) as Set<string> | undefined)?.size ?? 0,
  };
}

/** Milliseconds for which this process goes by what the others knew, while they cannot be asked. */
const rememberMs = 600_000;

/**
 * Shared where that can be reached, and this process's own besides: whatever happens is kept in both, so that losing the
 * shared one loses what the others have seen and nothing more.
 */
export function sharedWithLocal(shared: CircuitStore, local: CircuitStore): CircuitStore {
  const both = async <T>(run: (store: CircuitStore) => Promise<T>): Promise<T> => {
    const ours = await run(local);
    return run(shared).catch(() => ours);
  };
  return {
    ...{
      take: (key, ms) => both((store) => store.take(key, ms)),
      counts: (keys) => both((store) => store.counts(keys)),
    },
    count: (keys, ms) => both((store) => store.count(keys, ms)),
    clear: (keys) => both((store) => store.clear(keys)),
    write: (key, value, ms) => both((store) => store.write(key, value, ms)),
    wait: (key, who, ms) => both((store) => store.wait(key, who, ms)),
    waiting: (key) => both((store) => store.waiting(key)),
    /** What the others know is remembered here as well, for when they cannot be asked. */
    async read(key) {
      try {
        const value = await shared.read(key);
        await (value === undefined ? local.clear([key]) : local.write(key, value, rememberMs));
        return value;
      } catch {
        return local.read(key);
      }
    },
  };
}
