import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Account } from './account.ts';
import { forgetSpawned, recordSpawned } from './journal.ts';
import { signalGroup, signalProcess } from './signals.ts';

const pollMs = 40;

/** How a process ended: one of the two is set. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A process that is up and answers. */
export interface Running {
  name: string;
  pid: number;
  /** Asks it to end, insists after its grace, and resolves when the whole process group is gone. */
  stop(graceMs?: number): Promise<void>;
  /** Sends a signal to the process; with SIGKILL to its whole group. */
  kill(signal: NodeJS.Signals): void;
  /** Resolves, and never rejects, when it has ended for whatever reason. */
  exited: Promise<Exit>;
}

export interface ProcessSpec {
  name: string;
  command: string;
  args: readonly string[];
  cwd?: string;
  env: NodeJS.ProcessEnv;
  /** The account to run as; ours when left out. */
  account?: Account | undefined;
  /** Where its output is appended to; our own terminal when left out. */
  logFile?: string | undefined;
  /** Throws, or rejects, for as long as the process does not answer yet. */
  answers: () => Promise<unknown>;
  /** Milliseconds that it may take to answer. */
  answersWithinMs: number;
  /** The polite signals, in turn; the last resort is always KILL. */
  stopSignals?: readonly NodeJS.Signals[];
  signal?: AbortSignal | undefined;
}

/** What `answers` throws when waiting longer cannot help. */
export class Hopeless extends Error {
  override name = 'Hopeless';
}

/** Milliseconds between the polite request and the end, unless the caller says otherwise. */
export const graceMs = 4_000;

const alive = new Set<number>();

// The last line of defence: however we end, short of SIGKILL, no group of ours stays.
process.on('exit', () => {
  for (const pid of alive) signalGroup(pid, 'SIGKILL');
});

/** Starts a child in a process group of its own, so that a Ctrl-C at the terminal reaches us alone and we stop in order. */
export function spawnGroup(
  spec: Pick<ProcessSpec, 'name' | 'command' | 'args' | 'cwd' | 'env' | 'account'>,
  stdio: ['ignore' | 'inherit', number | 'pipe' | 'inherit', number | 'pipe' | 'inherit'],
): { child: ChildProcess; exited: Promise<Exit>; spawnError: () => Error | undefined } {
  let failure: Error | undefined;
  const child = spawn(spec.command, [...spec.args], {
    stdio,
    detached: true,
    env: spec.env,
    ...(spec.cwd ? { cwd: spec.cwd } : {}),
    ...(spec.account ? { uid: spec.account.uid, gid: spec.account.gid } : {}),
  });
  const { pid } = child;
  if (pid !== undefined) {
    alive.add(pid);
    recordSpawned(spec.name, pid);
  }
  const exited = new Promise<Exit>((resolve) => {
    const ended = (exit: Exit) => {
      if (pid !== undefined && !groupExists(pid)) forget(pid);
      resolve(exit);
    };
    child.once('exit', (code, signal) => ended({ code, signal }));
    child.once('error', (error) => {
      failure = error;
      if (pid === undefined) ended({ code: 127, signal: null });
    });
  });
  return { child, exited, spawnError: () => failure };
}

/**
 * Starts a process and resolves when it answers. Rejects, with nothing left running, when it ends first, takes too long
 * or the signal is aborted; the message then carries the end of its log.
 */
export async function startProcess(spec: ProcessSpec): Promise<Running> {
  spec.signal?.throwIfAborted();
  const log = openLog(spec.logFile);
  const { child, exited, spawnError } = spawnGroup(
    spec,
    log ? ['ignore', log.fd, log.fd] : ['inherit', 'inherit', 'inherit'],
  );
  if (log) closeSync(log.fd);
  if (child.pid === undefined) {
    await exited;
    throw new Error(`${spec.name} cannot be started: ${spawnError()?.message ?? spec.command}`);
  }
  const running = runningOf(spec, child.pid, exited);
  try {
    await untilAnswers(spec, exited);
    return running;
  } catch (error) {
    await running.stop(0);
    spec.signal?.throwIfAborted();
    throw new Error(`${(error as Error).message}${log ? logTail(log) : ''}`, { cause: error });
  }
}

async function untilAnswers(spec: ProcessSpec, exited: Promise<Exit>): Promise<void> {
  const deadline = Date.now() + spec.answersWithinMs;
  let exit: Exit | undefined;
  void exited.then((how) => {
    exit = how;
  });
  for (;;) {
    if (exit) throw new Error(`${spec.name} ended while starting (${describeExit(exit)}).`);
    spec.signal?.throwIfAborted();
    const failure = await Promise.race([
      spec.answers().then(
        () => undefined,
        (error: Error) => error,
      ),
      exited.then(() => new Error('ended')),
    ]);
    if (!failure) return;
    if (failure instanceof Hopeless) throw failure;
    if (Date.now() > deadline) {
      throw new Error(`${spec.name} did not answer within ${spec.answersWithinMs / 1000} s: ${failure.message}`);
    }
    await sleep(pollMs);
  }
}

function runningOf(spec: ProcessSpec, pid: number, exited: Promise<Exit>): Running {
  let stopping: Promise<void> | undefined;
  const stop = async (grace: number) => {
    const signals = spec.stopSignals ?? ['SIGTERM'];
    for (const signal of grace > 0 ? signals : []) {
      signalProcess(pid, signal);
      if (await endsWithin(exited, grace / signals.length)) break;
    }
    // What the leader left behind goes with it.
    signalGroup(pid, 'SIGKILL');
    await exited;
    await groupGone(pid);
  };
  return {
    name: spec.name,
    pid,
    exited,
    stop(grace = graceMs) {
      stopping ??= stop(grace);
      return stopping;
    },
    kill: (signal) => (signal === 'SIGKILL' ? signalGroup(pid, signal) : signalProcess(pid, signal)),
  };
}

async function endsWithin(exited: Promise<Exit>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const late = sleep(ms, false, { signal: timer.signal }).catch(() => false);
  const ended = await Promise.race([exited.then(() => true), late]);
  timer.abort();
  return ended;
}

/** Waits, for a second at most, until no process of the group is left: KILL is not instant for a process in a disk wait. */
export async function groupGone(pid: number): Promise<void> {
  for (let waited = 0; groupExists(pid) && waited < 1_000; waited += 20) await sleep(20);
  forget(pid);
}

function forget(pid: number): void {
  if (alive.delete(pid)) forgetSpawned(pid);
}

function groupExists(pid: number): boolean {
  return signalGroup(pid, 0);
}

/** An exit in words. */
export function describeExit({ code, signal }: Exit): string {
  return signal ? `killed by ${signal}` : `exit code ${code}`;
}

interface OpenLog {
  file: string;
  fd: number;
  /** Its length before this process wrote to it. */
  from: number;
}

function openLog(file: string | undefined): OpenLog | undefined {
  if (!file) return undefined;
  mkdirSync(dirname(file), { recursive: true });
  const fd = openSync(file, 'a');
  return { file, fd, from: fstatSync(fd).size };
}

function logTail({ file, from }: OpenLog): string {
  const lines = readFileSync(file).subarray(from).toString('utf8').trim().split('\n').slice(-12);
  return lines.join('').trim() ? `\n  ${lines.join('\n  ')}\n  (whole log: ${file})` : ` Its log ${file} is empty.`;
}

/** The variables that a service may see. Ours and the person's own (PGPORT, GOFLAGS, ES_JAVA_OPTS …) must not steer it. */
export function plainEnv(env: NodeJS.ProcessEnv, more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const kept = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'LD_LIBRARY_PATH', 'HOSTNAME', 'NODE_COMPILE_CACHE'];
  return { ...Object.fromEntries(kept.flatMap((name) => (env[name] ? [[name, env[name]]] : []))), ...more };
}
