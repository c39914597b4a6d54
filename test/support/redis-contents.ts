import { Redis } from 'ioredis';

/** How a value of each type is asked for whole. DUMP would not do: it compresses what is longer than 20 bytes. */
const whole: Readonly<Record<string, readonly [command: string, ...rest: string[]]>> = {
  string: ['GET'],
  hash: ['HGETALL'],
  list: ['LRANGE', '0', '-1'],
  set: ['SMEMBERS'],
  zset: ['ZRANGE', '0', '-1'],
  stream: ['XRANGE', '-', '+'],
};

export interface RedisContents {
  keys: number;
  /** Every key, field and value, a line each. */
  text: string;
}

/** What stands in all databases of a Redis under keys that have this in them. */
export async function redisContents(url: string, prefix: string): Promise<RedisContents> {
  const redis = new Redis(url);
  const [, databases] = (await redis.config('GET', 'databases')) as [string, string];
  const lines: string[] = [];
  let keys = 0;
  for (let database = 0; database < Number(databases); database += 1) {
    await redis.select(database);
    for await (const found of redis.scanStream({ match: `*${prefix}*`, count: 1_000 }))
      for (const key of found as string[]) {
        keys += 1;
        lines.push(key, ...(await valueOf(redis, key)));
      }
  }
  await redis.quit();
  return { keys, text: lines.join('\n') };
}

async function valueOf(redis: Redis, key: string): Promise<string[]> {
  const type = await redis.type(key);
  // It has run out since it was listed.
  if (type === 'none') return [];
  const asked = whole[type];
  if (!asked) throw new Error(`no way is known to read a ${type}`);
  const [command, ...rest] = asked;
  return flat(await redis.call(command, key, ...rest));
}

const flat = (value: unknown): string[] => (Array.isArray(value) ? value.flatMap(flat) : [String(value)]);

export interface RedisListener {
  /** What was written by any command so far, and what was published, to be read by nobody later. */
  written(): string;
  published(): string;
  stop(): void;
}

/** Hears every command that names a key or channel with this in it, those of scripts too: also of what soon runs out. */
export async function listenToRedis(url: string, prefix: string): Promise<RedisListener> {
  const redis = new Redis(url);
  const monitor = await redis.monitor();
  const [written, published]: [string[], string[]] = [[], []];
  monitor.on('monitor', (_time: string, args: string[]) => {
    if (!args.some((arg) => arg.includes(prefix))) return;
    (/^s?publish$/i.test(args[0] ?? '') ? published : written).push(args.join('\n'));
  });
  return {
    written: () => written.join('\n'),
    published: () => published.join('\n'),
    stop: () => {
      monitor.disconnect();
      redis.disconnect();
    },
  };
}
