import type { UserId } from '../contracts/ids.ts';
import { presenceEnded } from '../domain/attention/index.ts';
import type { Deps } from '../domain/deps.ts';
import { overloaded } from '../domain/errors.ts';
import { type Lane, createLane } from '../domain/lane.ts';
import { lastSeenNow } from '../domain/presence/index.ts';

const goingLimits = {
  /** Sockets of which one statement tells. */
  maxBatch: 256,
  /** Sockets that may wait; beyond, the grace of their people runs its full length. */
  maxWaiting: 100_000,
};

export interface Going {
  userId: UserId;
  socketId: string;
}

/** Takes these sockets out of who is present; answers with how many connections each one's person still has, and is active on. */
type Leave = (goings: readonly Going[]) => Promise<{ connections: number; active: number }[]>;

/** Sockets that closed, noted together: when a network goes, thousands go at once. */
export function createGoings(deps: Deps, leave: Leave): Lane<Going, true> {
  return createLane<Going, true>({
    ...goingLimits,
    onOverflow: () => overloaded,
    async run(goings) {
      const left = await leave(goings).catch(async (error: unknown) => {
        // Whether they are connected elsewhere is not known; that they were seen until now is.
        await lastSeenNow(deps, [...new Set(goings.map(({ userId }) => userId))]);
        throw error;
      });
      const without = (what: 'connections' | 'active') => [
        ...new Set(goings.filter((_, n) => left[n]?.[what] === 0).map(({ userId }) => userId)),
      ];
      const [gone, inactive] = [without('connections'), without('active')];
      if (inactive.length > 0) await presenceEnded(deps, inactive);
      if (gone.length > 0) await lastSeenNow(deps, gone);
      return goings.map(() => true as const);
    },
  });
}
