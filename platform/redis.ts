import { Redis } from 'ioredis';
import type { Log } from '../domain/deps.ts';

interface RedisOptions {
  url: string;
  /** The one CA that is believed where the address is rediss://; undefined: those that the machine believes. */
  ca?: string | undefined;
  role: string;
  log: Log;
}

/** The address says whether TLS is spoken. */
const tlsOf = ({ url, ca }: RedisOptions) => (ca && url.startsWith('rediss://') ? { tls: { ca } } : {});

/**
 * A connection that never gives up and never queues: while Redis is away every command fails at once, because all that is
 * in Redis is a hint, and a hint that comes late is worth nothing.
 */
export function openRedis(options: RedisOptions): Redis {
  const { url, role, log } = options;
  const redis = new Redis(url, {
    ...tlsOf(options),
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
export function openSubscriber(options: RedisOptions): Redis {
  const { url, role, log } = options;
  const redis = new Redis(url, {
    ...tlsOf(options),
    connectionName: `homing-${role}-sub`,
    protocol: 2,
    maxRetriesPerRequest: null,
    connectTimeout: 3_000,
    retryStrategy: (tries) => Math.min(50 * 2 ** Math.min(tries, 5), 1_000),
  });
  redis.on('error', (error) => log.warn('the Redis subscriber is away', { reason: error.message }));
  return redis;
}
