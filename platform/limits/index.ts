import type { Redis } from 'ioredis';
import type { LimiterName, Price } from '../../contracts/rate-limits.ts';
import type { Budget, Log, Mac, RateLimits, Spender, Spent } from '../../domain/deps.ts';
import type { RateLimitsSetting } from '../config-types.ts';
import { networkOf } from './address.ts';
import { createBreaker } from './breaker.ts';
import { Budgets } from './budgets.ts';
import { type Standing, createShared } from './shared.ts';

export { clientAddress } from './address.ts';

export interface LimitsOptions {
  setting: RateLimitsSetting;
  /** A connection of its own: behind what others ask, the time to answer would be theirs. */
  redis: Redis;
  prefix: string;
  mac: Mac;
  log: Log;
  meter: LimitsMeter;
}

export interface LimitsMeter {
  decided(limiter: LimiterName, result: 'admitted' | 'refused', alone: boolean): void;
  /** Redis is left alone, or asked again. */
  leftAlone(is: boolean): void;
}

/** The rate limits of this deployment, in this process. */
export function createLimits(options: LimitsOptions): RateLimits & { settle(): Promise<unknown> } {
  const { setting, redis, prefix, mac, log, meter } = options;
  const { limits, nodes } = setting;
  const breaker = createBreaker({
    now: () => performance.now(),
    onChange(open) {
      meter.leftAlone(open);
      log.warn(open ? 'Redis does not answer; rate limits are each node’s own' : 'Redis answers for rate limits again');
    },
  });
  const all = new Map<LimiterName, Budgets>();
  for (const [name, limit] of Object.entries(limits) as [LimiterName, (typeof limits)[LimiterName]][]) {
    // A connection's events are counted where it is.
    if (limit === null || limit.key === 'connection') continue;
    all.set(name, new Budgets(limit, createShared(name, limit, { redis, prefix, nodes, breaker }), nodes));
  }

  const take = ([name, points]: Price, by: Spender, ask: boolean) => {
    const budgets = all.get(name);
    const key = budgets && keyOf(budgets.limit.key, by, mac);
    return key === undefined ? undefined : budgets?.take(key, points, ask);
  };
  const note = (spent: Taking, name: LimiterName, { remaining, resetMs, exceeded, alone }: Standing): boolean => {
    const { points = 0, seconds = 0 } = limits[name] ?? {};
    const budget = { name, points, seconds, remaining, resetMs };
    spent.budgets.push(budget);
    if (exceeded) spent.refused = budget;
    spent.waited ||= alone;
    meter.decided(name, exceeded ? 'refused' : 'admitted', alone);
    return exceeded;
  };
  // One after the other, so that who is refused spends nothing of a conversation's; nobody waits for a timeout twice.
  const goOn = (spent: Taking, prices: readonly Price[], by: Spender): Spent | Promise<Spent> => {
    for (const [index, price] of prices.entries()) {
      const taken = take(price, by, !spent.waited);
      if (taken instanceof Promise)
        return taken.then((told) => (note(spent, price[0], told) ? spent : goOn(spent, prices.slice(index + 1), by)));
      if (taken && note(spent, price[0], taken)) return spent;
    }
    return spent;
  };

  return {
    spend: (prices, by, ask = true) => goOn({ budgets: [], refused: undefined, waited: !ask }, prices, by),
    settle: () => Promise.all([...all.values()].map((budgets) => budgets.settle())),
  };
}

interface Taking extends Spent {
  budgets: Budget[];
}

/** Under what a budget stands in Redis, where no address or account is to be read. */
function keyOf(key: string, by: Spender, mac: Mac): string | undefined {
  if (key === 'person') return by.userId;
  if (key === 'session') return by.sessionId;
  if (key === 'conversation') return by.conversationId;
  if (by.address === undefined || (key === 'account-at-address' && by.account === undefined)) return undefined;
  const who = [networkOf(by.address), ...(key === 'account-at-address' ? [by.account] : [])].join(' ');
  return mac('rate-limit', who).toString('base64url').slice(0, 22);
}
