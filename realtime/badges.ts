import type { UserId } from '../contracts/ids.ts';
import type { ServerEventPayload } from '../contracts/realtime/index.ts';
import type { Log } from '../domain/deps.ts';
import type { Follows } from './follows.ts';
import { type Outlet, encode } from './outlet.ts';

/** Milliseconds in which what somebody reads on one device is told to all of them once. */
const gatherMs = 500;
/** Milliseconds in which what others do to somebody's counts is told in one sum: clients count along by themselves. */
const leisureMs = 15_000;
/** Milliseconds between rounds of those whose sum has fallen due, and how many one round looks at: a node's share. */
const roundMs = 1_000;
const looksPerRound = 50;

export interface Badges {
  /** Somebody has read or marked something. */
  changed(userId: UserId): void;
  /** Somebody was written to, or others took back what they had not read. */
  moved(userId: UserId): void;
  stop(): void;
}

export interface BadgesOptions {
  follows: Follows;
  outlet: Outlet;
  count: (userId: UserId) => Promise<ServerEventPayload<'attention'>>;
  log: Log;
}

/**
 * Tells somebody's devices what is unread in all: soon after they have read or marked something on one of them, and at
 * leisure after others have written, have taken back what they wrote, or have ended a membership. A busy channel costs a
 * node no more than a few looks a second, one after another, and a person one in 15 s, however many write to however many.
 * A connect costs none: its sync says what each conversation counts, and thousands may come back at once.
 */
export function createBadges({ follows, outlet, count, log }: BadgesOptions): Badges {
  const timers = new Map<UserId, NodeJS.Timeout>();
  /** When the look at each is due. All wait equally long, so they stand in the order of that time. */
  const due = new Map<UserId, number>();
  let busy = false;

  const tell = async (userId: UserId) => {
    clearTimeout(timers.get(userId));
    timers.delete(userId);
    due.delete(userId);
    if (!follows.user(userId)) return;
    try {
      const { unread, mentions, threads, badge } = await count(userId);
      const frame = encode('attention', { unread, mentions, threads, badge });
      for (const socket of follows.user(userId)?.sockets ?? []) outlet.tell(socket, frame);
    } catch (error) {
      log.warn('what is unread could not be told', { userId, reason: (error as Error).message });
    }
  };

  const round = async () => {
    // A slow database is not asked by two at a time.
    if (busy) return;
    busy = true;
    const now = performance.now();
    const ready: UserId[] = [];
    for (const [userId, at] of due) {
      if (at > now || ready.length === looksPerRound) break;
      ready.push(userId);
    }
    for (const userId of ready) await tell(userId);
    busy = false;
  };
  const rounds = setInterval(() => void round(), roundMs).unref();

  return {
    changed(userId) {
      if (!follows.user(userId) || timers.has(userId)) return;
      timers.set(userId, setTimeout(() => void tell(userId), gatherMs).unref());
    },
    moved(userId) {
      if (!due.has(userId)) due.set(userId, performance.now() + leisureMs - roundMs);
    },
    stop() {
      clearInterval(rounds);
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}
