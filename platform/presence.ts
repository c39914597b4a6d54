import type { Redis } from 'ioredis';
import type { UserId } from '../contracts/ids.ts';
import type { Presence, PresenceState } from '../domain/deps.ts';

/** Milliseconds after which a connection that was not confirmed counts as gone (a node that died with it). */
const expiryMs = 20_000;
/** Milliseconds between confirmations: with Redis lost and back, everything is right again after one of them. */
export const presenceBeatMs = 4_000;

/** A connection and what its person does with it. */
export interface PresentSocket {
  userId: UserId;
  socketId: string;
  idle: boolean;
}

/**
 * Who is connected, in Redis: a sorted set a person, a member a socket and what is done with it, its score the moment at
 * which it stops counting. Nothing durable stands here.
 */
export interface PresenceStore {
  beat(sockets: readonly PresentSocket[]): Promise<void>;
  /** Answers with how many connections each one's person still has. */
  leave(sockets: readonly Pick<PresentSocket, 'userId' | 'socketId'>[]): Promise<number[]>;
  of(userId: UserId): Promise<Presence>;
  /** Of several people; `unknown` for all of them while Redis is away. */
  look(userIds: readonly UserId[]): Promise<Map<UserId, PresenceState>>;
}

const members = (socketId: string) => ({ active: `active:${socketId}`, idle: `idle:${socketId}` });

export function createPresence(redis: Redis, prefix: string): PresenceStore {
  const keyOf = (userId: string) => `${prefix}:presence:${userId}`;
  return {
    async beat(sockets) {
      const now = Date.now();
      const pipeline = redis.pipeline();
      for (const { userId, socketId, idle } of sockets) {
        const key = keyOf(userId);
        const { [idle ? 'idle' : 'active']: is, [idle ? 'active' : 'idle']: was } = members(socketId);
        pipeline.zrem(key, was).zadd(key, now + expiryMs, is);
        pipeline.zremrangebyscore(key, '-inf', now).pexpire(key, expiryMs);
      }
      await pipeline.exec();
    },
    async leave(sockets) {
      const changes = redis.multi();
      for (const { userId, socketId } of sockets) {
        const { active, idle } = members(socketId);
        changes.zrem(keyOf(userId), active, idle).zcount(keyOf(userId), Date.now(), '+inf');
      }
      const answers = await changes.exec();
      return sockets.map((_, n) => Number(answers?.[2 * n + 1]?.[1] ?? 0));
    },
    async of(userId) {
      try {
        return (await redis.zcount(keyOf(userId), Date.now(), '+inf')) > 0 ? 'present' : 'away';
      } catch {
        return 'unknown';
      }
    },
    async look(userIds) {
      const pipeline = redis.pipeline();
      for (const userId of userIds) pipeline.zrangebyscore(keyOf(userId), Date.now(), '+inf');
      const answers = await pipeline.exec().catch(() => null);
      return new Map(userIds.map((userId, index) => [userId, stateOf(answers?.[index])]));
    },
  };
}

function stateOf(answer: [error: Error | null, result: unknown] | undefined): PresenceState {
  if (!answer || answer[0]) return 'unknown';
  const sockets = answer[1] as string[];
  if (sockets.some((member) => member.startsWith('active:'))) return 'active';
  return sockets.length > 0 ? 'idle' : 'offline';
}
