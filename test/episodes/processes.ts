import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Random } from '../history/random.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Processes of `main.ts` that are killed without warning and begin again, for as long as it is wanted. */
export class Mortals {
  readonly #env: NodeJS.ProcessEnv;
  readonly #running = new Map<string, { child: ChildProcess; isUp: Promise<unknown> }>();
  kills = 0;

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  start(role: string, name: string): void {
    const { PATH, HOME } = process.env;
    const env = { ...this.#env, PATH, HOME, HOMING_LOG_LEVEL: 'info' };
    const child = spawn(process.execPath, ['main.ts', role], { cwd: root, env, stdio: ['ignore', 'pipe', 'ignore'] });
    const isUp = says(child, role === 'worker' ? 'workers poll' : 'ready');
    this.#running.set(name, { child, isUp });
  }

  /** Every so often one of them that is up, at whatever it is doing, until the signal. */
  async killOn(random: Random, everyMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(everyMs * (0.5 + random.next()), undefined, { signal }).catch(() => undefined);
      const name = random.pick([...this.#running.keys()]);
      if (signal.aborted || name === undefined) return;
      await this.#running.get(name)?.isUp;
      await this.#kill(name);
      this.kills += 1;
      this.start(name.startsWith('relay') ? 'relay' : 'worker', name);
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.#kill(name)));
  }

  async #kill(name: string): Promise<void> {
    const child = this.#running.get(name)?.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}

/** Until it logs the words, or has ended without. */
function says({ stdout }: ChildProcess, words: string): Promise<void> {
  return new Promise((resolve) => {
    if (!stdout) return resolve();
    const lines = createInterface({ input: stdout });
    lines.on('line', (line) => line.includes(words) && resolve());
    lines.once('close', resolve);
  });
}
