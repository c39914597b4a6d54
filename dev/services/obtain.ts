import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from '../../scripts/lock.mjs';
import { run } from './command.ts';
import { cacheFolder, type Context } from './context.ts';
import { fetchRelease } from './fetch.ts';
import type { Releases } from './pins.ts';

/** A program that was found, and where it comes from, in words. */
export interface Program {
  path: string;
  from: string;
}

/** One way to have a program that is not there yet. It throws, with a reason a person understands, where it is no way. */
export interface Way {
  /** In words, such as "the vendor's release". */
  name: string;
  /** Puts the program into an empty folder, which becomes the cache entry when all went well. */
  fill?: (folder: string, context: Context) => Promise<void>;
  /** Puts the program on the machine, where the search then finds it. */
  install?: (context: Context) => Promise<void>;
}

export interface Wanted {
  name: string;
  onMachine: (context: Context) => Promise<string | undefined>;
  /** Name of the cache entry, with the version. */
  entry: string;
  /** The program inside the cache entry. */
  binary: string;
  /** Folder of the cache where it is not the usual one. */
  cache?: string;
  ways: readonly Way[];
  /** The command or two that help a person who has none of the ways. */
  remedy: string;
}

/** No way led to the program. The message says what was tried and what helps. */
export class Unobtainable extends Error {
  override name = 'Unobtainable';
}

/**
 * Finds a program: on the machine, in our cache, then by each way in turn. One process at a time fetches or builds; what
 * is half done stands aside and never counts.
 */
export async function obtain(wanted: Wanted, context: Context): Promise<Program> {
  const onMachine = await wanted.onMachine(context);
  if (onMachine) return { path: onMachine, from: 'this machine' };
  const cache = wanted.cache ?? cacheFolder(context.env);
  const cached = join(cache, wanted.entry, wanted.binary);
  if (existsSync(cached)) return { path: cached, from: 'the cache' };
  return withLock(
    join(cache, `${wanted.entry}.lock`),
    async () => (existsSync(cached) ? { path: cached, from: 'the cache' } : firstWay(wanted, cache, context)),
    {
      signal: context.signal,
      waiting: (pid) => context.report(`${wanted.name}: waiting for process ${pid}, which is fetching it …`),
    },
  );
}

async function firstWay(wanted: Wanted, cache: string, context: Context): Promise<Program> {
  const reasons: string[] = [];
  for (const way of wanted.ways) {
    try {
      const path = way.install ? await install(wanted, way, context) : await fill(wanted, way, cache, context);
      context.report(`${wanted.name}: had from ${way.name}`);
      return { path, from: way.name };
    } catch (error) {
      context.signal?.throwIfAborted();
      reasons.push(`${way.name}: ${(error as Error).message}`);
      context.report(`${wanted.name}: not from ${way.name} (${(error as Error).message})`);
    }
  }
  const tried = reasons.map((reason) => `\n  - ${reason}`).join('');
  throw new Unobtainable(`${wanted.name} is missing and cannot be fetched here.${tried}\n  Remedy: ${wanted.remedy}`);
}

async function fill(wanted: Wanted, way: Way, cache: string, context: Context): Promise<string> {
  const aside = join(cache, `.${wanted.entry}.part`);
  // We hold the lock: what stands there is of a process that was killed.
  await remove(aside);
  await mkdir(aside, { recursive: true });
  try {
    await way.fill?.(aside, context);
    if (!existsSync(join(aside, wanted.binary))) throw new Error(`it brought no ${wanted.binary}`);
    // Under a strict umask the account that root drops to could not read what root fetched.
    await run('chmod', ['-R', 'a+rX', aside], context);
    await remove(join(cache, wanted.entry));
    await rename(aside, join(cache, wanted.entry));
    return join(cache, wanted.entry, wanted.binary);
  } finally {
    await remove(aside);
  }
}

async function install(wanted: Wanted, way: Way, context: Context): Promise<string> {
  await way.install?.(context);
  const path = await wanted.onMachine(context);
  if (!path) throw new Error('it was installed, yet cannot be found');
  return path;
}

// Go's module folders are read-only, which plain removal stumbles over unless it is root.
async function remove(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  if (existsSync(folder)) throw new Error(`${folder} cannot be removed: ${(await readdir(folder)).join(', ')}`);
}

/** The vendor's own release for this platform, checked against the pinned checksum and unpacked without its top folder. */
export function vendorRelease(releases: Releases, topFolder: 0 | 1): Way {
  const platform = `${process.platform}-${process.arch}`;
  return {
    name: "the vendor's release",
    async fill(folder, context) {
      const release = releases[platform];
      if (!release) throw new Error(`none is pinned for ${platform}`);
      await fetchRelease(release, folder, topFolder, context);
    },
  };
}
