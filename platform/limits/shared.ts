import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { RateLimit } from '../../contracts/rate-limits.ts';
import type { Breaker } from './breaker.ts';

/** Milliseconds that anybody waits for Redis. */
export const redisTimeoutMs = 100;

/** How a budget stands, as whoever was asked knows. */
export interface Standing {
  remaining: number;
  resetMs: number;
  /** More was asked for than there was. */
  exceeded: boolean;
  /** It is of this node alone: Redis was not to be asked, or had no answer. */
  alone: boolean;
}

export interface SharedOptions {
  redis: Redis;
  prefix: string;
  nodes: number;
  breaker: Breaker;
}

/** One limiter's budgets, as all nodes have them in common. */
export interface Shared {
  /** Takes points, and takes them also where there are not enough. Never rejects. `ask` is false where Redis has kept somebody waiting already. */
  consume(key: string, points: number, ask: boolean): Promise<Standing>;
}

/**
 * Budgets in Redis, counted in windows that begin with the first that is spent. While Redis is not there, or does not
 * answer in time, this node counts by itself, up to its share of the points; what may be open then is open.
 */
export function createShared(name: string, limit: RateLimit, { redis, prefix, nodes, breaker }: SharedOptions): Shared {
  const { points, seconds: duration } = limit;
  const store = new RateLimiterRedis({
    ...{ storeClient: redis, keyPrefix: `${prefix}:limit:${name}`, points, duration },
    rejectIfRedisNotReady: true,
  });
  const share = Math.max(1, Math.floor(points / nodes));
  const insurance = new RateLimiterMemory({ points: share, duration });
  const alone = async (key: string, spent: number): Promise<Standing> => {
    const whenOpen = { remaining: points, resetMs: 0, exceeded: false, alone: true };
    return limit.whenAway === 'open'
      ? whenOpen
      : standing(await settled(insurance.consume(key, Math.min(spent, share))), true);
  };
  return {
    async consume(key, spent, ask) {
      if (!ask || redis.status !== 'ready' || !breaker.mayAsk()) return alone(key, spent);
      gather(redis);
      try {
        const answer = await inTime(settled(store.consume(key, spent)));
        breaker.answered();
        return standing(answer, false);
      } catch {
        // Only a Redis that holds its tongue costs time; one that is gone says so at once.
        if (redis.status === 'ready') breaker.timedOut();
        return alone(key, spent);
      }
    },
  };
}

/** What is asked in one turn of the loop goes out in one write: the write is most of what a question costs. */
function gather({ stream }: Redis): void {
  if (stream.writableCorked > 0) return;
  stream.cork();
  setImmediate(() => stream.uncork());
}

/**
 * What comes within the timeout; else it rejects. Before that it lets the loop turn twice: a process that was busy all the
 * while finds its timers due before it has read an answer that came long ago, and under a flood, of all times, would hold
 * Redis for dumb. (The library's own wrapper does.)
 */
function inTime<T>(asked: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new Error('Redis did not answer in time'));
    const timer = setTimeout(() => setImmediate(() => setImmediate(giveUp)), redisTimeoutMs);
    asked.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

interface Settled {
  answer: RateLimiterRes;
  exceeded: boolean;
}

/** A refusal is an answer, too; anything else is thrown. */
const settled = (asked: Promise<RateLimiterRes>): Promise<Settled> =>
  asked.then(
    (answer) => ({ answer, exceeded: false }),
    (thrown: unknown) => {
      if (thrown instanceof RateLimiterRes) return { answer: thrown, exceeded: true };
      throw thrown;
    },
  );

const standing = ({ answer, exceeded }: Settled, alone: boolean): Standing => ({
  ...{ remaining: answer.remainingPoints, resetMs: Math.max(1, Math.ceil(answer.msBeforeNext)), exceeded, alone },
});
