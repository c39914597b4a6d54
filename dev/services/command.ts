import { createInterface } from 'node:readline';
import { setPriority } from 'node:os';
import type { Account } from './account.ts';
import type { Context } from './context.ts';
import { describeExit, groupGone, spawnGroup } from './process.ts';
import { signalGroup } from './signals.ts';

export interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Called for each line of output and error output, for progress. */
  onLine?: (line: string) => void;
  /** Leaves the processor to whoever needs it more: a build must not starve what is already being served. */
  nice?: boolean;
  /** The account to run as; ours when left out. */
  account?: Account | undefined;
}

/**
 * Runs a program to its end and answers with its standard output. Rejects with the last lines of its error output when it
 * fails or is not there. On abort the whole process group is killed.
 */
export async function run(
  command: string,
  args: readonly string[],
  context: Context,
  options: CommandOptions = {},
): Promise<string> {
  context.signal?.throwIfAborted();
  const { cwd, account, env = context.env } = options;
  const spec = { name: command, command, args, env, account, ...(cwd ? { cwd } : {}) };
  const { child, exited, spawnError } = spawnGroup(spec, ['ignore', 'pipe', 'pipe']);
  const { pid } = child;
  if (pid === undefined) {
    await exited;
    throw new Error(spawnError()?.message ?? `${command} cannot be run`);
  }
  if (options.nice) setPriority(pid, 10);
  const abort = () => signalGroup(pid, 'SIGKILL');
  context.signal?.addEventListener('abort', abort);
  try {
    const [out, err] = await Promise.all([
      linesOf(child.stdout, options.onLine),
      linesOf(child.stderr, options.onLine),
    ]);
    const exit = await exited;
    context.signal?.throwIfAborted();
    if (exit.code !== 0) throw new Error(`${command} ${args[0] ?? ''}: ${describeExit(exit)}${tail(err, out)}`);
    return out.join('\n');
  } finally {
    context.signal?.removeEventListener('abort', abort);
    await groupGone(pid);
  }
}

async function linesOf(stream: NodeJS.ReadableStream | null, onLine?: (line: string) => void): Promise<string[]> {
  const lines: string[] = [];
  if (!stream) return lines;
  for await (const line of createInterface({ input: stream })) {
    lines.push(line);
    onLine?.(line);
  }
  return lines;
}

function tail(err: string[], out: string[]): string {
  const lines = (err.some((line) => line.trim()) ? err : out).filter((line) => line.trim()).slice(-4);
  return lines.length > 0 ? `: ${lines.join(' | ').slice(-600)}` : '';
}

/** Milliseconds between two lines about a step that takes long. */
const everyMs = 5_000;

/** Does the work, and says every few seconds how long it has taken and, where known, how far it is. */
export async function withProgress<T>(
  context: Context,
  what: string,
  work: (tell: (state: string) => void) => Promise<T>,
): Promise<T> {
  let state = '';
  const began = Date.now();
  const elapsed = () => Math.round((Date.now() - began) / 1000);
  context.report(`${what} …`);
  const timer = setInterval(() => context.report(`${what}: ${elapsed()} s${state && `, ${state}`}`), everyMs);
  try {
    return await work((now) => {
      state = now;
    });
  } finally {
    clearInterval(timer);
  }
}
