import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from '../scripts/lock.mjs';
import { UsageError } from './flags.ts';
import { readRun } from './run-file.ts';
import { stateFolder } from './running.ts';
import { journalFor, stopLeftBehind } from './services/index.ts';

// npm stop: stops the npm start of this clone from elsewhere, or what one that was killed has left running.

const say = (line: string) => void process.stdout.write(`${line}\n`);

try {
  await stop(stateFolder(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}

async function stop(state: string): Promise<void> {
  const run = readRun(state);
  if (run && isAlive(run)) {
    process.kill(run.pid, 'SIGTERM');
    while (isAlive(run)) await sleep(100);
    return say(`Stopped npm start (pid ${run.pid}).`);
  }
  const left = await stopLeftBehind(journalFor(state));
  say(left.length > 0 ? `Stopped what a killed start had left running: ${left.join(', ')}.` : 'Nothing is running.');
}
