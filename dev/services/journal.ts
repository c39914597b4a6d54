import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Holder, isAlive, startedAt } from '../../scripts/lock.mjs';
import { signalGroup, signalProcess } from './signals.ts';

// A folder with a file for each process group that was started, so that whoever comes after a SIGKILL knows what was left
// behind. The test runner's workers inherit theirs from it.
const { HOMING_TEST_SERVICES } = process.env;
let folder = HOMING_TEST_SERVICES ? journalFor(dirname(HOMING_TEST_SERVICES)) : undefined;

/** The journal of whatever keeps its state in that folder. */
export function journalFor(stateFolder: string): string {
  return join(stateFolder, 'processes');
}

/** From here on, every process group that this process starts is written down in that folder. */
export function keepJournal(journal: string): void {
  folder = journal;
}

export function recordSpawned(name: string, pid: number): void {
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, String(pid)), JSON.stringify({ name, pid, started: startedAt(pid) }));
}

export function forgetSpawned(pid: number): void {
  if (folder) rmSync(join(folder, String(pid)), { force: true });
}

/** What was left behind: recorded, never struck off, and still the same process. */
export function leftBehind(journal: string): (Holder & { name: string })[] {
  return read(journal).filter(isAlive);
}

/** Stops what was left behind, politely first, and answers with the names of what there was. */
export async function stopLeftBehind(journal: string, graceMs = 4_000): Promise<string[]> {
  const left = leftBehind(journal);
  // INT is PostgreSQL's fast end, and every other service takes it as it takes TERM.
  for (const { pid } of left) signalProcess(pid, 'SIGINT');
  for (let waited = 0; left.some(isAlive) && waited < graceMs; waited += 50) await sleep(50);
  for (const { pid } of left.filter(isAlive)) signalGroup(pid, 'SIGKILL');
  while (left.some(isAlive)) await sleep(20);
  rmSync(journal, { recursive: true, force: true });
  return left.map(({ name }) => name);
}

function read(journal: string): (Holder & { name: string })[] {
  try {
    return readdirSync(journal).flatMap((file) => {
      try {
        return [JSON.parse(readFileSync(join(journal, file), 'utf8')) as Holder & { name: string }];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}
