// Plain JavaScript without packages: the bootstrap takes this lock before anything is installed.
import { execFileSync } from 'node:child_process';
import { link, mkdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 250;

/**
 * What tells a process from another that later gets the same pid: when it started. Undefined when there is none.
 * Linux keeps it in field 22 of /proc/PID/stat (man 5 proc); elsewhere ps knows it.
 * @param {number} pid
 * @returns {string | undefined}
 */
export function startedAt(pid) {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return state === 'Z' ? undefined : fields[18];
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether the very process that wrote this down still lives.
 * @param {{ pid: number, started?: string | undefined } | undefined} holder
 */
export function isAlive(holder) {
  const started = holder && startedAt(holder.pid);
  return started !== undefined && (holder?.started === undefined || holder.started === started);
}

/**
 * Does the work while no other process does work under this lock file. A holder that died leaves a file behind: the next
 * one sees that no such process lives and takes over. `waiting` is called once, with the pid of the holder.
 * @template T
 * @param {string} file
 * @param {() => Promise<T>} work
 * @param {{ waiting?: (pid: number) => void, signal?: AbortSignal }} [options]
 * @returns {Promise<T>}
 */
export async function withLock(file, work, options = {}) {
  const mine = JSON.stringify({ pid: process.pid, started: startedAt(process.pid), at: Date.now() });
  await mkdir(dirname(file), { recursive: true });
  let told = false;
  while (!(await taken(file, mine))) {
    options.signal?.throwIfAborted();
    const seen = await read(file);
    if (seen && !isAlive(parse(seen))) await steal(file, seen);
    else {
      if (!told && seen) options.waiting?.(parse(seen)?.pid ?? 0);
      told ||= Boolean(seen);
      await sleep(pollMs, undefined, options.signal ? { signal: options.signal } : {});
    }
  }
  try {
    return await work();
  } finally {
    if ((await read(file)) === mine) await rm(file, { force: true });
  }
}

// A link appears with its content or not at all, so that nobody reads a half-written holder.
async function taken(file, content) {
  const aside = `${file}.${process.pid}-${Math.random().toString(36).slice(2)}`;
  await writeFile(aside, content);
  try {
    await link(aside, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(aside);
  }
}

// Two may see the same dead holder. Only the one whose rename moved that very content has removed it; one that moved a
// newer holder's file puts it back.
async function steal(file, seen) {
  const aside = `${file}.stale-${process.pid}-${Math.random().toString(36).slice(2)}`;
  try {
    await rename(file, aside);
    if ((await read(aside)) !== seen) await link(aside, file).catch(() => {});
    await unlink(aside);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}

async function read(file) {
  return readFile(file, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

function parse(content) {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}
