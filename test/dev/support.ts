import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, startedAt } from '../../scripts/lock.mjs';

const made: string[] = [];

/** A folder of one's own, gone after the file. Open to the account that a service may have to run as. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'homing-dev-'));
  chmodSync(folder, 0o755);
  made.push(folder);
  return folder;
}

/** For an `after`. */
export function removeTempFolders(): void {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** Looks until it is so: files and other processes tell nobody when they change. The test's own limit ends a wait in vain. */
export async function until<T>(holds: () => T): Promise<T> {
  for (;;) {
    const answer = holds();
    if (answer) return answer;
    await sleep(20);
  }
}

export function isRunning(pid: number): boolean {
  return isAlive({ pid, started: startedAt(pid) });
}

/** A Node program that lives until it is killed; what it should do first is given as code. */
export function nodeArgs(code = ''): string[] {
  return ['-e', `${code}; setInterval(() => {}, 1000)`];
}
