import type { UserId } from '../contracts/ids.ts';
import type { ServerEventPayload } from '../contracts/realtime/index.ts';
import type { Log } from '../domain/deps.ts';
import type { Follows } from './follows.ts';
import { type Outlet, encode } from './outlet.ts';

/** Milliseconds in which what somebody reads on one device is told to all of them once. */
const gatherMs = 500;

/** Tells somebody's devices what is unread in all, after they have read or marked something on one of them. */
export function createBadges({
  follows,
  outlet,
  count,
  log,
}: {
  follows: Follows;
  outlet: Outlet;
  count: (userId: UserId) => Promise<ServerEventPayload<'attention'>>;
  log: Log;
}): { changed(userId: UserId): void; stop(): void } {
  const timers = new Map<UserId, NodeJS.Timeout>();

  const tell = async (userId: UserId) => {
    timers.delete(userId);
    try {
      const { unread, mentions, threads, badge } = await count(userId);
      const frame = encode('attention', { unread, mentions, threads, badge });
      for (const socket of follows.user(userId)?.sockets ?? []) outlet.tell(socket, frame);
    } catch (error) {
      log.warn('what is unread could not be told', { userId, reason: (error as Error).message });
    }
  };

  return {
    changed(userId) {
      if (!follows.user(userId) || timers.has(userId)) return;
      timers.set(userId, setTimeout(() => void tell(userId), gatherMs).unref());
    },
    stop() {
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}
