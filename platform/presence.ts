import type { Redis } from 'ioredis';
import type { UserId } from '../contracts/ids.ts';
import type { Presence } from '../domain/deps.ts';

/** Milliseconds after which a connection that was not confirmed counts as gone (a node that died with it). */
const expiryMs = 45_000;
/** Milliseconds between confirmations. */
export const presenceBeatMs = 15_000;

/**
 * Who is connected, in Redis: a sorted set a person, a member a socket, its score the moment at which it stops counting.
 * Nothing durable stands here; with Redis lost it is right again after one beat.
 */
export interface PresenceStore {
  beat(sockets: readonly { userId: UserId; socketId: string }[]): Promise<void>;
  /** Answers with how many connections the person still has. */
  leave(userId: UserId, socketId: string): Promise<number>;
  of(userId: UserId): Promise<Presence>;
}

export function createPresence(redis: Redis, prefix: string): PresenceStore {
  const keyOf = (userId: string) => `${prefix}:presence:${userId}`;
  return {
    async beat(sockets) {
      const until = Date.now() + expiryMs;
      const pipeline = redis.pipeline();
      for (const { userId, socketId } of sockets) {
        pipeline.zadd(keyOf(userId), until, socketId);
        pipeline.pexpire(keyOf(userId), expiryMs);
      }
      await pipeline.exec();
    },
    async leave(userId, socketId) {
      const key = keyOf(userId);
      const answers = await redis.multi().zrem(key, socketId).zcount(key, Date.now(), '+inf').exec();
      return Number(answers?.[1]?.[1] ?? 0);
    },
    async of(userId) {
      try {
        return (await redis.zcount(keyOf(userId), Date.now(), '+inf')) > 0 ? 'present' : 'away';
      } catch {
        return 'unknown';
      }
    },
  };
}
