import { createAdapter } from '@socket.io/redis-adapter';
import type { Redis } from 'ioredis';
import type { Log } from '../domain/deps.ts';

/**
 * The Redis adapter of Socket.IO: carries live events between nodes. A hint and no more, so losing Redis must cost
 * nothing but time: the adapter publishes without waiting, and a rejected publish would end the process.
 */
export function createSocketAdapter({
  publisher,
  subscriber,
  prefix,
  log,
}: {
  publisher: Redis;
  subscriber: Redis;
  prefix: string;
  log: Log;
}): ReturnType<typeof createAdapter> {
  let lost = 0;
  const publish = async (channel: string, message: string | Buffer): Promise<number> => {
    try {
      const heard = await publisher.publish(channel, message);
      if (lost > 0) log.info('live events reach other nodes again', { lost });
      lost = 0;
      return heard;
    } catch (error) {
      if (lost === 0) log.warn('live events do not reach other nodes', { reason: (error as Error).message });
      lost += 1;
      return 0;
    }
  };
  const guarded = new Proxy(publisher, {
    get: (target, name) => (name === 'publish' ? publish : Reflect.get(target, name, target)),
  });
  return createAdapter(guarded, subscriber, { key: `${prefix}:sockets`, requestsTimeout: 2_000 });
}
