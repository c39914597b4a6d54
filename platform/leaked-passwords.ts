import { createHash } from 'node:crypto';
import type { Egress } from './egress.ts';

export type LeakLookup = 'leaked' | 'unknown' | 'unanswered';

export interface LeakedPasswordsOptions {
  /** Where ranges are asked for, such as https://api.pwnedpasswords.com; undefined: nobody is asked. */
  url: string | undefined;
  /** The one way out. */
  request: Egress['fetch'];
  /** What came of each look. */
  count: (result: LeakLookup) => void;
}

/** Milliseconds after which a password is taken unasked: who registers shall not wait for somebody else's outage. */
export const leakTimeoutMs = 1_000;
/** Hex digits of the hash that are told: about a thousand leaked passwords have the same (k-anonymity). */
const prefixLength = 5;
/** Answers that are kept, of 40 kB each, and for how long: who is refused tries again at once. */
const kept = { ranges: 100, ms: 3_600_000 };

/** A range as it was answered, or undefined where nobody answered in time. */
type Range = Promise<string | undefined>;

/**
 * Whether a password was leaked somewhere, by the range protocol of Have I Been Pwned: told are the first five hex digits
 * of its SHA-1 and never the password, its hash or whose it is to be; what has these is answered, padded to a length that
 * tells nothing either. SHA-1 is the protocol's, and guards nothing here. Without an answer the password is taken.
 */
export function createLeakedPasswords(options: LeakedPasswordsOptions): (password: string) => Promise<boolean> {
  const { url, count } = options;
  if (url === undefined) return async () => false;
  const rangeOf = keepingRanges((prefix) => ask(`${url}/range/${prefix}`, options));
  return async (password) => {
    const hash = createHash('sha1').update(password).digest('hex').toUpperCase();
    const range = await rangeOf(hash.slice(0, prefixLength));
    const result = range === undefined ? 'unanswered' : holds(range, hash.slice(prefixLength)) ? 'leaked' : 'unknown';
    count(result);
    return result === 'leaked';
  };
}

async function ask(address: string, { request }: LeakedPasswordsOptions): Range {
  try {
    const response = await request(address, {
      headers: { 'add-padding': 'true', 'user-agent': 'homing' },
      signal: AbortSignal.timeout(leakTimeoutMs),
    });
    return response.status === 200 ? await response.text() : undefined;
  } catch {
    return undefined;
  }
}

/** Lines of `SUFFIX:COUNT`; those with a count of nought are padding. */
const holds = (range: string, suffix: string): boolean =>
  range.split(/\r?\n/).some((line) => line.startsWith(`${suffix}:`) && Number(line.slice(suffix.length + 1)) > 0);

/** Asks for each range once, the oldest giving way; what had no answer is asked for again. */
function keepingRanges(askFor: (prefix: string) => Range): (prefix: string) => Range {
  const ranges = new Map<string, { range: Range; at: number }>();
  return (prefix) => {
    const known = ranges.get(prefix);
    if (known && performance.now() - known.at < kept.ms) return known.range;
    const range = askFor(prefix);
    ranges.delete(prefix);
    ranges.set(prefix, { range, at: performance.now() });
    if (ranges.size > kept.ranges) ranges.delete(ranges.keys().next().value ?? '');
    void range.then((answer) => {
      if (answer === undefined && ranges.get(prefix)?.range === range) ranges.delete(prefix);
    });
    return range;
  };
}
