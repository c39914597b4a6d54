/** Milliseconds: what `setTimeout` can hold at most. */
const maxTimerMs = 2 ** 31 - 1;

interface Task {
  at: number;
  run: () => unknown;
}

/**
 * The sandbox's own time: it goes with the machine's, or stands still, and can be moved forward either way. What is due
 * meanwhile runs in order and is awaited, so whoever has moved it by a day finds the day's events told.
 */
export class Clock {
  #ahead = 0;
  #standsAt: number | undefined;
  readonly #tasks: Task[] = [];
  #timer: NodeJS.Timeout | undefined;
  #moving: Promise<void> = Promise.resolve();

  now(): number {
    return (this.#standsAt ?? Date.now()) + this.#ahead;
  }

  iso(): string {
    return new Date(this.now()).toISOString();
  }

  get stands(): boolean {
    return this.#standsAt !== undefined;
  }

  /** From now on only `advance` moves it. */
  stop(): void {
    this.#standsAt ??= Date.now();
    this.#arm();
  }

  /** Goes on with the machine's time, without a jump back. */
  go(): void {
    if (this.#standsAt !== undefined) this.#ahead -= Date.now() - this.#standsAt;
    this.#standsAt = undefined;
    this.#arm();
  }

  /** Runs it when so many milliseconds have passed. */
  after(ms: number, run: () => unknown): void {
    const at = this.now() + ms;
    const place = this.#tasks.findIndex((task) => task.at > at);
    this.#tasks.splice(place < 0 ? this.#tasks.length : place, 0, { at, run });
    this.#arm();
  }

  /** How many tasks wait. */
  get waiting(): number {
    return this.#tasks.length;
  }

  forget(): void {
    this.#tasks.length = 0;
    this.#arm();
  }

  /** Moves forward; one move at a time, each resolved once all that fell due has run. */
  advance(ms: number): Promise<void> {
    this.#moving = this.#moving.then(() => this.#move(ms));
    return this.#moving;
  }

  async #move(ms: number): Promise<void> {
    const end = this.now() + ms;
    for (let next = this.#tasks[0]; next && next.at <= end; next = this.#tasks[0]) {
      this.#tasks.shift();
      this.#jumpTo(next.at);
      await next.run();
    }
    this.#jumpTo(end);
    this.#arm();
  }

  /** Never back: the machine's time goes on while a task runs. */
  #jumpTo(at: number): void {
    this.#ahead += Math.max(0, at - this.now());
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const [next] = this.#tasks;
    if (!next || this.stands) return;
    const wait = Math.min(Math.max(0, next.at - this.now()), maxTimerMs);
    this.#timer = setTimeout(() => void this.#runDue(), wait).unref();
  }

  #runDue(): void {
    while (this.#tasks[0] && this.#tasks[0].at <= this.now()) void this.#tasks.shift()?.run();
    this.#arm();
  }
}
