import { Redis } from 'ioredis';
import type { Log } from '../domain/deps.ts';

/**
 * A connection that never gives up and never queues: while Redis is away every command fails at once, because all that is
 * in Redis is a hint, and a hint that comes late is worth nothing.
 */
export function openRedis({ url, role, log }: { url: string; role: string; log: Log }): Redis {
  const redis = new Redis(url, {
    connectionName: `homing-${role}`,
    // RESP2: with RESP3 the subscriber connection also carries pushes that the Socket.IO adapter does not expect.
    protocol: 2,
    lazyConnect: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 3_000,
    commandTimeout: 1_000,
    retryStrategy: (tries) => Math.min(50 * 2 ** Math.min(tries, 5), 1_000),
  });
  let away = false;
  redis.on('error', (error) => {
    if (!away) log.warn('Redis is away', { reason: error.message });
    away = true;
  });
  redis.on('ready', () => {
    if (away) log.info('Redis is back');
    away = false;
  });
  return redis;
}

/** Subscribing must survive a lost connection: ioredis subscribes anew by itself, if it may queue meanwhile. */
export function openSubscriber({ url, role, log }: { url: string; role: string; log: Log }): Redis {
  const redis = new Redis(url, {
    connectionName: `homing-${role}-sub`,
    protocol: 2,
    maxRetriesPerRequest: null,
    connectTimeout: 3_000,
    retryStrategy: (tries) => Math.min(50 * 2 ** Math.min(tries, 5), 1_000),
  });
  redis.on('error', (error) => log.warn('the Redis subscriber is away', { reason: error.message }));
  return redis;
}
