import type { ClientLimits } from './limits.ts';

/**
 * Milliseconds before the next try: random between zero and a bound that doubles with every try ("full jitter", as the
 * AWS architecture blog measured it). Clients that a stopping server sent away together do not come back together.
 */
export function fullJitter(
  attempt: number,
  { backoffBaseMs, backoffCapMs }: Pick<ClientLimits, 'backoffBaseMs' | 'backoffCapMs'>,
  random: () => number,
): number {
  return Math.floor(random() * Math.min(backoffCapMs, backoffBaseMs * 2 ** attempt));
}
