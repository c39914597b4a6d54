import { placeOf, places } from '../../contracts/ids.ts';
import type { Held } from '../../domain/deps.ts';

/** When a provider counts as out of order, how it is asked whether it is back, and how what waited is let go. */
export const circuitRules = {
  /** Half of at least so many calls within so many milliseconds failed or got no answer. */
  calls: 20,
  windowMs: 30_000,
  windowBucketMs: 5_000,
  /** Or so many said that our configuration is wrong, none between them that all is well, within so many milliseconds. */
  configErrors: 3,
  configMs: 600_000,
  /** Milliseconds between two calls that are let through to ask, and how many must go well. */
  probeMs: 15_000,
  goodProbes: 5,
  /** Milliseconds that a send is put off at most, however long the outage lasts. */
  longestHoldMs: 300_000,
  /** Milliseconds without a call after which nobody knows any more whether it is out of order: longer than anybody waits. */
  idleMs: 900_000,
  /** What the provider takes in normal times is measured over so many milliseconds; calls in a second, at least. */
  normalMs: 600_000,
  normalBucketMs: 60_000,
  leastNormalRate: 10,
  /** Of it what waited is let go at first; the share doubles each so many milliseconds. */
  firstShare: 0.1,
  doublingMs: 60_000,
  /** More than this share of at least so many sends told of dead tokens: then it is not the tokens. */
  deadShare: 0.05,
  deadSends: 200,
} as const;

export const circuitCauses = ['failing', 'configuration', 'dead_tokens'] as const;
export type Cause = (typeof circuitCauses)[number];

/**
 * What all processes know of one circuit; nothing while it is closed. Times are milliseconds since 1970. `untested`: nobody
 * has called for so long that it may as well be back; the next call asks, as any probe does, and nobody else is let through.
 */
export type Circuit =
  | { phase: 'open'; cause: Cause; since: number; normalRate: number; untested?: boolean }
  /** It is back: so many people waited, and are let go one after the other. */
  | { phase: 'recovering'; since: number; waiting: number; normalRate: number };

/**
 * Until when somebody's send waits. While the circuit is open they come back one after the other, the later the longer the
 * outage lasts, so that thousands who wait are not thousands who ask. Afterwards each has a moment of their own.
 */
export function heldUntil(circuit: Circuit, userId: string, now: number): Held | undefined {
  const share = placeOf(userId) / places;
  const since = new Date(circuit.since);
  if (circuit.phase === 'recovering') {
    const until = circuit.since + releaseMs(share * circuit.waiting, circuit.normalRate);
    return until > now ? { why: 'provider_recovering', since, until: new Date(until) } : undefined;
  }
  const { probeMs, longestHoldMs } = circuitRules;
  const spread = Math.min(longestHoldMs - probeMs, Math.max(probeMs, now - circuit.since));
  return { why: 'breaker_open', since, until: new Date(now + probeMs + Math.round(share * spread)) };
}

/**
 * Milliseconds after the recovery at which the n-th of those who waited is let go: at first a tenth of the normal rate, and
 * twice as many each minute. The integral of that rate, solved for the time.
 */
export function releaseMs(n: number, normalRate: number): number {
  const { firstShare, doublingMs } = circuitRules;
  const firstPerDoubling = (normalRate * firstShare * doublingMs) / 1_000;
  return Math.round(doublingMs * Math.log2(1 + (n * Math.LN2) / firstPerDoubling));
}
