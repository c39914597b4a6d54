import type { Redis } from 'ioredis';
import type { ConversationId, UserId } from '../contracts/ids.ts';
import type { Connection, Presence, PresenceState } from '../domain/deps.ts';

/** Milliseconds after which a connection that was not confirmed counts as gone (a node that died with it). */
const expiryMs = 20_000;
/** Milliseconds between confirmations: with Redis lost and back, everything is right again after one of them. */
export const presenceBeatMs = 4_000;

/** A connection and what its person does with it. */
export interface PresentSocket extends Connection {
  userId: UserId;
  socketId: string;
}

/** What somebody still has after a connection of theirs went. */
export interface Left {
  connections: number;
  active: number;
}

/**
 * Who is connected, in Redis: a hash a person, a field a socket, in it the moment at which it stops counting and what is
 * done with it. Nothing durable stands here.
 */
export interface PresenceStore {
  beat(sockets: readonly PresentSocket[]): Promise<void>;
  leave(sockets: readonly Pick<PresentSocket, 'userId' | 'socketId'>[]): Promise<Left[]>;
  of(userId: UserId): Promise<Presence>;
  /** Of several people; `unknown` for all of them while Redis is away. */
  look(userIds: readonly UserId[]): Promise<Map<UserId, PresenceState>>;
}

export function createPresence(redis: Redis, prefix: string): PresenceStore {
  const keyOf = (userId: string) => `${prefix}:connections:${userId}`;
  return {
    async beat(sockets) {
      const until = Date.now() + expiryMs;
      const pipeline = redis.pipeline();
      for (const { userId, socketId, ...connection } of sockets)
        pipeline.hset(keyOf(userId), socketId, toValue(connection, until)).pexpire(keyOf(userId), expiryMs);
      await pipeline.exec();
    },
    async leave(sockets) {
      const changes = redis.multi();
      for (const { userId, socketId } of sockets) changes.hdel(keyOf(userId), socketId).hvals(keyOf(userId));
      const answers = await changes.exec();
      return sockets.map((_, n) => {
        const left = connectionsIn(answers?.[2 * n + 1]?.[1]);
        return { connections: left.length, active: left.filter(({ state }) => state === 'active').length };
      });
    },
    async of(userId) {
      try {
        return connectionsIn(await redis.hvals(keyOf(userId)));
      } catch {
        return 'unknown';
      }
    },
    async look(userIds) {
      const pipeline = redis.pipeline();
      for (const userId of userIds) pipeline.hvals(keyOf(userId));
      const answers = await pipeline.exec().catch(() => null);
      return new Map(userIds.map((userId, index) => [userId, stateOf(answers?.[index])]));
    },
  };
}

const toValue = ({ state, deviceId, viewing }: Connection, until: number) =>
  [until, state, deviceId ?? '', viewing ?? ''].join(' ');

/** Those that still count. What a node left behind that died stays in the hash until the person’s last connection goes. */
function connectionsIn(values: unknown): Connection[] {
  const now = Date.now();
  return ((values ?? []) as string[]).flatMap((value): Connection[] => {
    const [until, state, deviceId, viewing] = value.split(' ');
    if (Number(until) <= now) return [];
    return [
      {
        state: state as Connection['state'],
        deviceId: deviceId || null,
        viewing: (viewing || null) as ConversationId | null,
      },
    ];
  });
}

function stateOf(answer: [error: Error | null, result: unknown] | undefined): PresenceState {
  if (!answer || answer[0]) return 'unknown';
  const connections = connectionsIn(answer[1]);
  if (connections.some(({ state }) => state === 'active')) return 'active';
  return connections.length > 0 ? 'idle' : 'offline';
}
