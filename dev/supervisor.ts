import { setTimeout as sleep } from 'node:timers/promises';
import { type Context, describeExit, type Exit, type Report, type Running } from './services/index.ts';

export const supervisorLimits = {
  /** Milliseconds before the first restart; each further one waits twice as long. */
  firstPauseMs: 500,
  longestPauseMs: 15_000,
  /** Milliseconds after which a process counts as steady, and a crash as its first. */
  steadyMs: 60_000,
  /** Milliseconds that roles, then services, have to end before they are killed. Together below ten seconds. */
  roleGraceMs: 6_000,
  serviceGraceMs: 3_000,
};

/** A process to keep up. */
export interface Part {
  name: string;
  /** Roles are stopped first, while the services that they use still answer. */
  kind: 'role' | 'service';
  /** It may end by itself: then nothing is said and nothing started. */
  ends?: true;
  /** Starts it, at first and after a crash. Must give up at once when the signal is aborted. */
  start: (signal: AbortSignal) => Promise<Running>;
}

/** Keeps processes up: says when one crashed, starts it anew with growing pauses, and stops all in order. */
export class Supervisor {
  readonly #report: Report;
  readonly #limits: typeof supervisorLimits;
  readonly #up = new Map<Part, Running>();
  readonly #busy = new Set<Promise<unknown>>();
  readonly #abort = new AbortController();
  #stopped: Promise<void> | undefined;

  constructor(report: Report, limits: Partial<typeof supervisorLimits> = {}) {
    this.#report = report;
    this.#limits = { ...supervisorLimits, ...limits };
  }

  /** Aborted as soon as stopping begins: for downloads, builds and whatever else is under way. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** What is up now. */
  pids(): Record<string, number> {
    return Object.fromEntries([...this.#up].map(([{ name }, { pid }]) => [name, pid]));
  }

  /** Starts a part and keeps it up. Rejects when its first start fails: only what was up once is restarted. */
  async run(part: Part): Promise<Running> {
    this.signal.throwIfAborted();
    const running = await this.#track(part.start(this.signal));
    this.#up.set(part, running);
    // Stopping may have begun between the last look and now: then nobody else knows of this one.
    if (this.signal.aborted) await running.stop(0);
    else void this.#track(this.#keepUp(part, running, Date.now()));
    return running;
  }

  /** Stops everything, roles before services, and resolves when nothing is left. Further calls wait for the first. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#abort.abort(new Error('stopping'));
    await this.#stopKind('role', this.#limits.roleGraceMs);
    await this.#stopKind('service', this.#limits.serviceGraceMs);
    await Promise.allSettled(this.#busy);
  }

  async #stopKind(kind: Part['kind'], graceMs: number): Promise<void> {
    const ones = [...this.#up].filter(([part]) => part.kind === kind);
    await Promise.all(ones.map(([, running]) => running.stop(graceMs)));
  }

  async #keepUp(part: Part, first: Running, since: number): Promise<void> {
    let running: Running | undefined = first;
    let upSince = since;
    let pauseMs = this.#limits.firstPauseMs;
    while (running) {
      const exit: Exit = await running.exited;
      this.#up.delete(part);
      if (this.signal.aborted || part.ends) return;
      // What the dead leader's group still holds (a port, a data folder) must go before the next start.
      await running.stop(0);
      if (Date.now() - upSince > this.#limits.steadyMs) pauseMs = this.#limits.firstPauseMs;
      this.#report(`${part.name} crashed (${describeExit(exit)}); starting it again in ${pauseMs / 1000} s`);
      [running, pauseMs] = await this.#restart(part, pauseMs);
      upSince = Date.now();
    }
  }

  /** Tries until it is up or everything stops; answers with the pause that a next crash would take. */
  async #restart(part: Part, firstPauseMs: number): Promise<[Running | undefined, number]> {
    const longer = (ms: number) => Math.min(ms * 2, this.#limits.longestPauseMs);
    for (let pauseMs = firstPauseMs; ; pauseMs = longer(pauseMs)) {
      try {
        await sleep(pauseMs, undefined, { signal: this.signal });
        const running = await part.start(this.signal);
        this.#up.set(part, running);
        if (this.signal.aborted) await running.stop(0);
        else this.#report(`${part.name} is up again (pid ${running.pid})`);
        return [running, longer(pauseMs)];
      } catch (error) {
        if (this.signal.aborted) return [undefined, pauseMs];
        this.#report(`${part.name} does not come up again: ${(error as Error).message}`);
      }
    }
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#busy.add(work);
    const done = () => this.#busy.delete(work);
    work.then(done, done);
    return work;
  }
}

/** The context of a step that ends when the supervisor stops. */
export function contextIn(supervisor: Supervisor, context: Context): Context {
  return { ...context, signal: supervisor.signal };
}
