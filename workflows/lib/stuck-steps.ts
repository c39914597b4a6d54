import { defineSearchAttributeKey } from '@temporalio/common';
import { upsertSearchAttributes } from '@temporalio/workflow';
import type { EscalateUnreadInput, NotifyResult, StuckStep } from '../../contracts/workflows/escalate-unread.ts';
import { type Channel, providerOf, searchAttributes } from '../../contracts/workflows/names.ts';

const NeedsAttention = defineSearchAttributeKey('NeedsAttention', searchAttributes.NeedsAttention);
const AttentionReason = defineSearchAttributeKey('AttentionReason', searchAttributes.AttentionReason);
const AttentionProvider = defineSearchAttributeKey('AttentionProvider', searchAttributes.AttentionProvider);

export type Carried = NonNullable<EscalateUnreadInput['carried']>;

/** Several pushes may be stuck: what is urgent waits behind none. */
export const channelsOf = (steps: readonly StuckStep[]): Channel[] => [...new Set(steps.map(({ channel }) => channel))];

/** The steps that a person must look at, and what was said of them. Whatever changes here can be searched for. */
export class StuckSteps {
  stuck: readonly StuckStep[];
  closed: boolean;
  /** The last thing that somebody did, in words. */
  lastAction: string | undefined;
  /** Attempts: what comes after one that was struck off has steps of its own. */
  readonly struckOff: string[];
  #retries: StuckStep[];
  /** Those that are tried again: what becomes of them is owed to whoever asked for it. */
  readonly #trying = new Map<string, StuckStep>();
  readonly #snoozed: Map<Channel, string>;
  #cannotDecide: string | undefined;

  constructor({ stuck, retries, struckOff, snoozed, closed, lastAction }: Partial<Carried> = {}) {
    this.stuck = stuck ?? [];
    this.closed = closed ?? false;
    this.lastAction = lastAction;
    this.struckOff = [...(struckOff ?? [])];
    this.#retries = [...(retries ?? [])];
    this.#snoozed = new Map((snoozed ?? []).map(({ channel, until }) => [channel, until]));
    if (this.stuck.length > 0) this.#publish();
  }

  report(step: StuckStep): void {
    // It came of a step that close has ended: nobody need look.
    if (this.closed) return;
    this.stuck = [...this.stuck.filter(({ attemptId }) => attemptId !== step.attemptId), step];
    this.#publish();
  }

  /** What became of these attempts has been told after all. */
  settle(attemptIds: readonly string[]): void {
    const settled = this.stuck.filter(({ attemptId }) => attemptIds.includes(attemptId));
    if (settled.length > 0) this.#remove(settled);
  }

  retry(channel: Channel | undefined): StuckStep[] {
    const taken = this.#take(channel);
    this.#retries.push(...taken);
    return taken;
  }

  skip(channel: Channel | undefined): StuckStep[] {
    const taken = this.#take(channel);
    this.struckOff.push(...taken.map(({ attemptId }) => attemptId));
    return taken;
  }

  snooze(channel: Channel | undefined, until: string): StuckStep[] {
    const meant = this.#meant(channel);
    for (const step of meant) this.#snoozed.set(step.channel, until);
    return meant;
  }

  close(): void {
    this.closed = true;
    this.#retries = [];
    this.#trying.clear();
    this.#remove(this.stuck);
  }

  /** Takes the steps that shall be tried again now: one on each channel, and where something is tried already none yet. */
  takeRetries(busy: readonly Channel[]): StuckStep[] {
    const now = Date.now();
    const due = this.stuck.filter(({ channel }) => Date.parse(this.#snoozed.get(channel) ?? '') <= now);
    if (due.length > 0) this.#remove(due);
    const all = [...this.#retries, ...due];
    const isFirst = (step: StuckStep) => all.find(({ channel }) => channel === step.channel) === step;
    const taken = all.filter((step) => isFirst(step) && !busy.includes(step.channel));
    this.#retries = all.filter((step) => !taken.includes(step));
    for (const step of taken) this.#trying.set(step.attemptId, step);
    return taken;
  }

  /** A step is through. Of one that was to be tried again, and was not, it is said why. */
  tried(attemptId: string, result: NotifyResult): void {
    const step = this.#trying.get(attemptId);
    if (step && result.result === 'not-needed') this.#tellUntried([step], result.reason);
    this.#trying.delete(attemptId);
  }

  /** What is urgent takes the place of a step, and tells its messages along. */
  overtaken(attemptId: string): void {
    const step = this.#trying.get(attemptId);
    if (step) this.#tellUntried([step], 'something urgent was sent in its place');
    this.#trying.delete(attemptId);
  }

  /** The story is at its end: what was to be tried again is not. */
  ended(outcome: string): void {
    this.#tellUntried([...this.#trying.values(), ...this.#retries], outcome);
  }

  #tellUntried(steps: readonly StuckStep[], why: string): void {
    if (steps.length > 0) this.lastAction = `${channelsOf(steps).join(' and ')} was not tried again after all (${why})`;
  }

  /** When the first snoozed step comes back by itself. */
  get snoozedUntil(): string | undefined {
    return [...this.#snoozed.values()].sort()[0];
  }

  /** Tells a person that it cannot be decided what comes next, and no more when it can again. */
  undecided(code: string | undefined): void {
    if (code === this.#cannotDecide) return;
    this.#cannotDecide = code;
    this.#publish();
  }

  /** All of it, for a new run. */
  carry(): Carried {
    return {
      stuck: [...this.stuck],
      retries: [...this.#retries],
      struckOff: [...this.struckOff],
      snoozed: [...this.#snoozed].map(([channel, until]) => ({ channel, until })),
      closed: this.closed,
      ...(this.lastAction === undefined ? {} : { lastAction: this.lastAction }),
    };
  }

  #meant = (channel: Channel | undefined): StuckStep[] =>
    this.stuck.filter((step) => channel === undefined || step.channel === channel);

  #take(channel: Channel | undefined): StuckStep[] {
    const taken = this.#meant(channel);
    this.#remove(taken);
    return taken;
  }

  #remove(steps: readonly StuckStep[]): void {
    this.stuck = this.stuck.filter((step) => !steps.includes(step));
    for (const { channel } of steps) if (this.#meant(channel).length === 0) this.#snoozed.delete(channel);
    this.#publish();
  }

  #publish(): void {
    const { stuck } = this;
    const reason = stuck[0]?.reason ?? (this.#cannotDecide === undefined ? undefined : 'decision_failing');
    upsertSearchAttributes([
      { key: NeedsAttention, value: reason !== undefined },
      { key: AttentionReason, value: reason ?? null },
      { key: AttentionProvider, value: stuck.length > 0 ? channelsOf(stuck).map((one) => providerOf[one]) : null },
    ]);
  }
}
