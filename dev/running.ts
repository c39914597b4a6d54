import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isAlive } from '../scripts/lock.mjs';
import { UsageError } from './flags.ts';
import { readRun, type RunFile } from './run-file.ts';
import { root, type Report } from './services/index.ts';

/** Milliseconds between looks at run.json: it is a file, and tells nobody when it changes. */
const lookMs = 200;

/** Nothing runs there, or not any more. The message says what helps. */
export class NotRunning extends Error {
  override name = 'NotRunning';
}

/** The state folder that a command beside npm start is about: `--state DIR`, or the usual one. */
export function stateFolder(args: readonly string[]): string {
  try {
    const { state = '.homing' } = parseArgs({ args: [...args], options: { state: { type: 'string' } } }).values;
    return resolve(root, state);
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split('.')[0]}. The one flag is --state DIR.`);
  }
}

/** What runs in that state folder, once it serves; waits, and says so, while it starts. */
export async function runThatServes(state: string, report: Report): Promise<RunFile> {
  let told = false;
  for (;;) {
    const run = readRun(state);
    if (!run || !isAlive(run)) throw new NotRunning(notRunning(state, run));
    if (run.state === 'up') return run;
    if (!told) report(`Homing is starting (pid ${run.pid}). Waiting until its API answers …`);
    told = true;
    await sleep(lookMs);
  }
}

function notRunning(state: string, run: RunFile | undefined): string {
  const flag = state === join(root, '.homing') ? '' : ` -- --state ${state}`;
  const why = run ? `What ran in ${state} was killed.` : `Nothing is running in ${state}.`;
  return `${why} Start it first, in another terminal: npm start${flag}`;
}
