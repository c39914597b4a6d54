import type { Clock } from './clock.ts';

/** SendGrid's lists of addresses that get no mail. */
export const lists = ['bounces', 'blocks', 'invalid_emails', 'spam_reports', 'unsubscribes'] as const;
export type List = (typeof lists)[number];

/** Addresses on one list at most; the oldest give way. */
const listLimit = 10_000;

export interface Suppression {
  /** Seconds since 1970. */
  created: number;
  email: string;
  reason?: string;
  status?: string;
}

export interface Group {
  id: number;
  name: string;
  description: string;
}

/** The unsubscribe groups that there are from the start. */
export const groups: readonly Group[] = [
  { id: 1, name: 'Notifications', description: 'What you have not read' },
  { id: 2, name: 'News', description: 'What is new' },
];

/** Why SendGrid drops mail to an address on a list. A block is no reason: it is of one message only. */
const dropReasons: Partial<Record<List, string>> = {
  bounces: 'Bounced Address',
  invalid_emails: 'Invalid',
  spam_reports: 'Spam Reporting Address',
  unsubscribes: 'Unsubscribed Address',
};

/** Whom the providers do not send to: SendGrid's lists and groups, and the numbers that told Twilio to stop. */
export class Suppressions {
  readonly #lists = new Map<string, Map<string, Suppression>>();
  readonly #stopped = new Set<string>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(list: List | Group['id'], email: string, more: { reason?: string; status?: string } = {}): void {
    const created = Math.floor(this.#clock.now() / 1_000);
    const addresses = this.#of(list);
    addresses.set(email.toLowerCase(), { created, email, ...more });
    const [oldest] = addresses.keys();
    if (addresses.size > listLimit && oldest !== undefined) addresses.delete(oldest);
  }

  list(list: List | Group['id']): Suppression[] {
    return [...this.#of(list).values()].reverse();
  }

  find(list: List | Group['id'], email: string): Suppression | undefined {
    return this.#of(list).get(email.toLowerCase());
  }

  remove(list: List | Group['id'], email: string): boolean {
    return this.#of(list).delete(email.toLowerCase());
  }

  /** Why mail to this address is dropped, in SendGrid's words. */
  dropReason(email: string, group?: number): string | undefined {
    const list = lists.find((name) => dropReasons[name] && this.find(name, email));
    if (list) return dropReasons[list];
    return group !== undefined && this.find(group, email) ? 'Unsubscribed Address' : undefined;
  }

  stop(number: string): void {
    this.#stopped.add(number);
  }

  start(number: string): void {
    this.#stopped.delete(number);
  }

  hasStopped(number: string): boolean {
    return this.#stopped.has(number);
  }

  forget(): void {
    this.#lists.clear();
    this.#stopped.clear();
  }

  #of(list: List | Group['id']): Map<string, Suppression> {
    const name = String(list);
    const known = this.#lists.get(name) ?? new Map<string, Suppression>();
    this.#lists.set(name, known);
    return known;
  }
}
