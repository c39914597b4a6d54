import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Holder, isAlive, startedAt, withLock } from '../scripts/lock.mjs';
import { journalFor, stopLeftBehind } from './services/index.ts';

/** How far a service is that comes beside the rest. */
export type Arrival = 'coming' | 'up' | 'missing';

/** Milliseconds until the steps of an unread message fall due, by the ladder that runs. */
export interface Steps {
  pushMs: number;
  emailMs: number;
  smsMs: number;
}

/** run.json: what is running and where. Other programs (npm run demo, benchmarks) read it. */
export interface RunFile extends Holder {
  /** ISO time of the start. */
  since: string;
  state: 'starting' | 'up';
  /** Address of REST and sockets. */
  api?: string;
  sandbox?: string;
  /** /metrics of the API's process. */
  metrics?: string;
  metricsByRole?: Record<string, string>;
  /** As the login role homing_app. */
  postgres?: string;
  /** As the role that owns the schema. */
  postgresOwner?: string;
  redis?: string;
  /** Known before it is up; `objectStore` says whether it answers already. */
  s3?: string;
  objectStore?: Arrival;
  /** Where it was asked for; `search` says whether it answers already. */
  elasticsearch?: string;
  search?: Arrival;
  /** host:port; `temporal` says whether it answers already. */
  temporalAddress?: string;
  temporalUi?: string;
  temporal?: Arrival;
  ladder?: Steps;
  pids?: Record<string, number>;
  logs?: string;
}

/** Another npm start holds this state folder. */
export class AlreadyRunning extends Error {
  override name = 'AlreadyRunning';
  readonly run: RunFile;
  constructor(run: RunFile) {
    super(
      `Homing is running already (pid ${run.pid}, since ${run.since})${run.api ? `: ${run.api}` : ''}.\n` +
        `Stop it with Ctrl-C in its terminal, or: kill ${run.pid}`,
    );
    this.run = run;
  }
}

/** Our hold on a state folder. */
export interface Claim {
  /** What a former run that was killed had left running, and we stopped. */
  stopped: string[];
  /** Adds to run.json. */
  write(more: Partial<RunFile>): void;
  /** Takes run.json away. */
  release(): void;
}

/**
 * Takes the state folder for this process, or throws AlreadyRunning. A run.json whose process is gone, or whose pid is by
 * now somebody else's, does not count; what it had left running is stopped first.
 */
export async function claimRun(state: string): Promise<Claim> {
  const file = join(state, 'run.json');
  const journal = journalFor(state);
  mkdirSync(state, { recursive: true });
  return withLock(join(state, 'run.lock'), async () => {
    const former = read(file);
    if (former && isAlive(former)) throw new AlreadyRunning(former);
    const stopped = await stopLeftBehind(journal);
    let run: RunFile = {
      pid: process.pid,
      started: startedAt(process.pid),
      since: new Date().toISOString(),
      state: 'starting',
    };
    let released = false;
    const write = (more: Partial<RunFile>) => {
      // A part that comes up while everything is being stopped must not bring the file back.
      if (released) return;
      run = { ...run, ...more };
      // It holds passwords, and is renamed into place so that no reader sees half of it.
      writeFileSync(`${file}.part`, `${JSON.stringify(run, null, 2)}\n`, { mode: 0o600 });
      renameSync(`${file}.part`, file);
    };
    write({});
    const release = () => {
      released = true;
      rmSync(file, { force: true });
    };
    return { stopped, write, release };
  });
}

/** What run.json of a state folder says; undefined where nothing runs there. */
export function readRun(state: string): RunFile | undefined {
  return read(join(state, 'run.json'));
}

function read(file: string): RunFile | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RunFile;
  } catch {
    return undefined;
  }
}
