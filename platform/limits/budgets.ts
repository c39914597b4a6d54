import type { RateLimit } from '../../contracts/rate-limits.ts';
import type { Shared, Standing } from './shared.ts';

/** Part of a budget that all nodes together may admit beyond it, for not waiting for Redis. */
const overAdmission = 0.05;
/** Until Redis is told of what was admitted without asking it: a part of the window, and milliseconds at most. */
const report = { part: 0.5, maxMs: 1_000 };
/** Keys that a limiter remembers on one node; what is forgotten Redis knows. */
const maxViews = 100_000;

/** What this node knows of one budget. */
interface View {
  remaining: number;
  endsAt: number;
  /** Admitted here, and not told to Redis yet. */
  unreported: number;
  /** Questions whose answer may say that nothing is left. */
  asked: number;
}

/**
 * The budgets of one limiter as this node spends them. A question to Redis for each message would stand in every send; so a
 * node admits a little on its own (`slack`) as long as the budget is not nearly spent, as far as it knows, and tells Redis
 * within a second. Whoever is near their limit is asked for, point by point, and whoever is beyond it is refused here until
 * their time is over: a flood costs Redis no more than the limit itself.
 *
 * The slack of all other nodes is at most 5 % of the budget, so that is what may be admitted beyond it. Small budgets have
 * none, and are exact.
 */
export class Budgets {
  readonly limit: RateLimit;
  readonly #shared: Shared;
  readonly #slack: number;
  readonly #reportMs: number;
  readonly #views = new Map<string, View>();
  readonly #unreported = new Set<string>();
  #report: NodeJS.Timeout | undefined;

  constructor(limit: RateLimit, shared: Shared, nodes: number) {
    this.limit = limit;
    this.#shared = shared;
    this.#reportMs = Math.min(report.maxMs, limit.seconds * 1_000 * report.part);
    this.#slack = Math.floor((limit.points * overAdmission) / Math.max(1, nodes - 1));
  }

  /** Takes the points, at once where it need not ask. `ask` is false where Redis has kept somebody waiting already. */
  take(key: string, price: number, ask: boolean): Standing | Promise<Standing> {
    const now = performance.now();
    const view = this.#view(key, now);
    // What costs more than there ever is takes all of it.
    const points = Math.min(price, this.limit.points);
    if (view.remaining < points) return standing(view, now, true);
    const spent = view.unreported + points;
    const alone = view.asked === 0 && spent <= this.#slack && view.remaining - points >= this.#slack;
    view.remaining -= points;
    view.unreported = alone ? spent : 0;
    if (!alone) return this.#tell(key, spent, ask);
    this.#unreported.add(key);
    this.#report ??= setTimeout(() => void this.#reportAll(), this.#reportMs).unref();
    return standing(view, now, false);
  }

  /** Tells Redis of what it has not heard, and waits for that. */
  async settle(): Promise<void> {
    clearTimeout(this.#report);
    await this.#reportAll();
  }

  #view(key: string, now: number): View {
    const found = this.#views.get(key);
    if (found && found.endsAt > now) return found;
    const { points, seconds } = this.limit;
    // What was admitted in the last moment of a window counts in the next.
    const { unreported, asked } = found ?? { unreported: 0, asked: 0 };
    const view = { remaining: points, endsAt: now + seconds * 1_000, unreported, asked };
    if (this.#views.size >= maxViews) this.#forget(now);
    this.#views.set(key, view);
    return view;
  }

  async #tell(key: string, points: number, ask: boolean): Promise<Standing> {
    this.#view(key, performance.now()).asked += 1;
    const told = await this.#shared.consume(key, points, ask);
    const now = performance.now();
    const view = this.#view(key, now);
    view.asked = Math.max(0, view.asked - 1);
    const left = told.remaining - view.unreported;
    // What Redis said last holds beside what this node counts alone: one that answers now and then gives no second budget.
    view.remaining = told.alone ? Math.min(view.remaining, left) : left;
    view.endsAt = told.alone ? Math.min(view.endsAt, now + told.resetMs) : now + told.resetMs;
    // Without slack each is asked for: only who is near their limit need be known here.
    if (this.#slack === 0 && view.remaining > this.limit.points / 2 && view.asked === 0) this.#views.delete(key);
    return told;
  }

  async #reportAll(): Promise<void> {
    this.#report = undefined;
    const keys = [...this.#unreported];
    this.#unreported.clear();
    await Promise.all(keys.map((key) => this.#reportOne(key)));
  }

  async #reportOne(key: string): Promise<void> {
    const view = this.#views.get(key);
    if (!view || view.unreported === 0) return;
    const { unreported } = view;
    view.unreported = 0;
    await this.#tell(key, unreported, true);
  }

  /** Lets go of what is over, and where that is not enough of everything. */
  #forget(now: number): void {
    for (const [key, view] of this.#views) if (view.endsAt <= now) this.#views.delete(key);
    if (this.#views.size >= maxViews) this.#views.clear();
  }
}

const standing = (view: View, now: number, exceeded: boolean): Standing => ({
  ...{ remaining: Math.max(0, view.remaining), resetMs: Math.max(1, Math.ceil(view.endsAt - now)) },
  ...{ exceeded, alone: false },
});
