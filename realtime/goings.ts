import type { UserId } from '../contracts/ids.ts';
import { presenceEnded } from '../domain/attention/index.ts';
import type { Deps } from '../domain/deps.ts';
import { DomainError } from '../domain/errors.ts';
import { type Lane, createLane } from '../domain/lane.ts';
import { lastSeenNow } from '../domain/presence/index.ts';
import type { PresenceStore } from '../platform/presence.ts';

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

/** Sockets that closed, noted together: when a network goes, thousands go at once. */
export function createGoings(deps: Deps, presence: Pick<PresenceStore, 'leave'>): Lane<Going, true> {
  return createLane<Going, true>({
    ...goingLimits,
    onOverflow: () => new DomainError('overloaded'),
    async run(goings) {
      const left = await presence.leave(goings);
      const gone = new Set(goings.filter((_, n) => left[n] === 0).map(({ userId }) => userId));
      if (gone.size > 0) await Promise.all([presenceEnded(deps, [...gone]), lastSeenNow(deps, [...gone])]);
      return goings.map(() => true as const);
    },
  });
}
