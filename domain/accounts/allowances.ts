import type { UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { Tx } from '../../db/client.ts';
import { sweepAllowances, useAllowance } from '../../db/queries/allowances.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Something that may be done so often in a time, by or to whoever the key names. */
interface Allowance {
  key: string;
  most: number;
  windowMs: number;
}
type Contact = { channel: 'email' | 'sms'; target: string };

export const hour = (key: string, most: number): Allowance => ({ key: `${key}:hour`, most, windowMs: hourMs });
const day = (key: string, most: number): Allowance => ({ key: `${key}:day`, most, windowMs: dayMs });

/** By whom: nobody sends codes about by the hundred. */
export const codesOf = (userId: UserId): Allowance[] => [hour(`codes:${userId}`, limits.codesPerHour)];

/**
 * To whom: nobody is flooded with codes, however many accounts ask, and nobody gets more than a few guesses at the codes
 * of one address (five each).
 */
export const codesTo = ({ channel, target }: Contact): Allowance[] => [
  hour(`codes:${channel}:${target}`, limits.codesPerTargetAndHour),
  day(`codes:${channel}:${target}`, limits.codesPerTargetAndDay),
];

export const resetsTo = ({ channel, target }: Contact): Allowance[] => [
  hour(`resets:${channel}:${target}`, limits.resetsPerTargetAndHour),
  day(`resets:${channel}:${target}`, limits.resetsPerTargetAndDay),
];

/** By a session first: whoever guesses in a stolen one keeps its owner from nothing in another. */
export const passwordTriesOf = ({ userId, sessionId }: Actor): Allowance[] => [
  hour(`password-tries:${userId}:${sessionId}`, limits.passwordTriesPerSessionAndHour),
  hour(`password-tries:${userId}`, limits.passwordTriesPerHour),
];

/** Uses one of each. Answers with when there is one of all again, where one was spent. */
export async function allow(
  tx: Tx,
  { mac, now }: Pick<Deps, 'mac' | 'now'>,
  allowances: readonly Allowance[],
): Promise<Date | undefined> {
  const at = now();
  // As everybody: what is counted stands under hashes that tell nobody whose it is, and nobody counts anew by themselves.
  return tx.asEverybody(async (all) => {
    await sweepAllowances(all, at);
    for (const { key, most, windowMs } of allowances) {
      const until = await useAllowance(all, mac('allowance', key), { most, windowMs, at });
      if (until) return until;
    }
    return undefined;
  });
}

/** The same, refused with when to come again. Whoever calls lets its transaction go: nothing of it is used then. */
export async function insistOn(
  tx: Tx,
  deps: Pick<Deps, 'mac' | 'now'>,
  allowances: readonly Allowance[],
): Promise<void> {
  const until = await allow(tx, deps, allowances);
  if (until) throw new DomainError('rate_limited', { retryAfterMs: until.getTime() - deps.now().getTime() });
}
