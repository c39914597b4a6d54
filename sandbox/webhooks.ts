import { z } from 'zod';
import type { Clock } from './clock.ts';
import type { Ids } from './ids.ts';
import { isOwnMachine } from './own-machine.ts';
import { SendGridKey, newAuthToken, signTwilio } from './signatures.ts';
import type { CallbackRecord, Item, Store } from './store.ts';

/** Milliseconds that the app has for its answer, as Twilio gives it. */
const answerMs = 15_000;
/** Tasks of the clock beyond which nothing more is kept to be told again: the app has been away for long. */
const maxWaiting = 10_000;
/** Milliseconds: 31 days. */
const maxMs = 31 * 24 * 3_600_000;

const ms = z.int().min(0).max(maxMs);
const Knobs = z.strictObject({
  /** From one step of a message's life to the next. */
  delayMs: ms,
  /** Copies beyond the first of each report. */
  duplicate: z.int().min(0).max(10),
  /** Told in the reverse order, when the last has happened. */
  reorder: z.boolean(),
  /** Reports that get lost: all, a share, or those of certain events. */
  drop: z.union([z.boolean(), z.number().min(0).max(1), z.array(z.string()).max(50)]),
  wrongSignature: z.boolean(),
  /** A parameter that no documentation knows. */
  extraParameter: z.boolean(),
  /** How often a report that was not answered with 2xx is told again. */
  retries: z.int().min(0).max(50),
  /** Before the first time that it is told again; each next gap is twice the last. */
  retryGapMs: ms,
  /** For so long SendGrid gathers events before it posts them; 0: each goes by itself. */
  batchMs: ms,
});
export type Knobs = z.infer<typeof Knobs>;

const target = z
  .url()
  .refine(isOwnMachine, { message: 'must be of this machine or of a container beside it: nothing leaves the machine' })
  .nullable();
const Targets = z.strictObject({
  /** SendGrid's event webhook. */
  sendGridEvents: target,
  /** SendGrid's inbound parse webhook. */
  sendGridInbound: target,
  /** Where Twilio's status callbacks are delivered. */
  twilioStatus: target,
  /** Where a messaging service hands on what people reply. */
  twilioInbound: target,
});
export type Targets = z.infer<typeof Targets>;
export type TargetName = keyof Targets;

/** What of the webhooks may be changed while it runs. */
export const WebhookSettings = z.strictObject({
  targets: Targets.partial().optional(),
  sendgrid: Knobs.partial().optional(),
  twilio: Knobs.partial().optional(),
});

export interface WebhookOptions {
  /** Where the app listens; without one nothing is told. */
  targets?: Partial<Targets> | undefined;
  /**
   * Where the app is known to Twilio, when the targets are reached by another way: what has no address of its own is signed
   * over this one.
   */
  publicUrl?: string | undefined;
  /** What Twilio's reports are signed with; a new one when left out. */
  twilioAuthToken?: string | undefined;
  /** What SendGrid's events are signed with, as PKCS#8 PEM; a new one when left out. */
  sendGridKey?: string | undefined;
}

const ordinary: Knobs = {
  ...{ delayMs: 200, duplicate: 0, reorder: false, drop: false, wrongSignature: false, extraParameter: false },
  ...{ retries: 0, retryGapMs: 60_000, batchMs: 0 },
};

/** What is told to the app, before it is signed. */
export interface Report extends Pick<CallbackRecord, 'kind' | 'events'> {
  items: readonly Item[];
  target: TargetName;
  /** Twilio: the address that the message named, which is what is signed; what it asks by `?` goes along. */
  statedUrl?: string | null | undefined;
  content: { json: object[] } | { form: Record<string, string> } | { parts: Record<string, string> };
}

/** Tells the app what became of messages, signed as the provider signs, as well or badly as the knobs say. */
export class Webhooks {
  readonly key: SendGridKey;
  readonly authToken: string;
  readonly targets: Targets = {
    ...{ sendGridEvents: null, sendGridInbound: null, twilioStatus: null, twilioInbound: null },
  };
  readonly knobs: { sendgrid: Knobs; twilio: Knobs };
  readonly #world: { clock: Clock; ids: Ids; store: Store };
  readonly #ended = new AbortController();
  readonly #publicUrl: string | undefined;
  #batch: Report[] = [];

  constructor(world: { clock: Clock; ids: Ids; store: Store }, options: WebhookOptions = {}) {
    this.#world = world;
    this.key = new SendGridKey(options.sendGridKey);
    this.#publicUrl = options.publicUrl;
    this.authToken = options.twilioAuthToken ?? newAuthToken();
    // SendGrid tells again for a day: ten times, with gaps from a minute on, are 17 hours.
    this.knobs = { sendgrid: { ...ordinary, retries: 10 }, twilio: { ...ordinary } };
    this.set({ targets: options.targets });
  }

  set(settings: z.input<typeof WebhookSettings>): void {
    const { targets = {}, sendgrid = {}, twilio = {} } = WebhookSettings.parse(settings);
    Object.assign(this.targets, targets);
    Object.assign(this.knobs.sendgrid, sendgrid);
    Object.assign(this.knobs.twilio, twilio);
  }

  end(): void {
    this.#ended.abort();
  }

  /** Resolves when it was told, or is to be told later with others. */
  async tell(report: Report): Promise<void> {
    const { batchMs } = this.knobs.sendgrid;
    if (report.kind !== 'events' || batchMs === 0) return this.#tellAll(report);
    this.#batch.push(report);
    if (this.#batch.length === 1) this.#world.clock.after(batchMs, () => this.#tellBatch());
  }

  #tellBatch(): Promise<void> {
    const reports = this.#batch;
    this.#batch = [];
    return this.#tellAll({
      ...{ kind: 'events', target: 'sendGridEvents' },
      events: reports.flatMap(({ events }) => events),
      items: reports.flatMap(({ items }) => items),
      content: { json: reports.flatMap(({ content }) => ('json' in content ? content.json : [])) },
    });
  }

  async #tellAll(report: Report): Promise<void> {
    const url = this.targets[report.target];
    if (url === null) return;
    const knobs = this.knobs[providerOf(report)];
    if (this.#isLost(knobs.drop, report.events)) return this.#note(report, url, '', 1, 'dropped', 'none');
    const told = Array.from({ length: knobs.duplicate + 1 }, () => this.#try(report, url, 1));
    await Promise.all(told);
  }

  #isLost(drop: Knobs['drop'], events: readonly string[]): boolean {
    if (typeof drop === 'boolean') return drop;
    if (typeof drop === 'number') return this.#world.ids.chance() < drop;
    return events.some((event) => drop.includes(event));
  }

  async #try(report: Report, target: string, attempt: number): Promise<void> {
    const { retries, retryGapMs, wrongSignature } = this.knobs[providerOf(report)];
    const { url, headers, body, shown } = this.#compose(report, target);
    const status = await this.#post(url, headers, body);
    const isUnsigned = report.kind === 'parse';
    this.#note(report, url, shown, attempt, status, isUnsigned ? 'none' : wrongSignature ? 'wrong' : 'right');
    if ((typeof status === 'number' && status < 300) || attempt > retries) return;
    if (this.#world.clock.waiting < maxWaiting)
      this.#world.clock.after(retryGapMs * 2 ** (attempt - 1), () => this.#try(report, target, attempt + 1));
  }

  #compose(report: Report, target: string): Post {
    const { content, statedUrl } = report;
    const { extraParameter, wrongSignature } = this.knobs[providerOf(report)];
    const extra = extraParameter ? { sandbox_extra: 'a parameter that no documentation knows' } : {};
    if ('parts' in content) return multipart(target, { ...content.parts, ...extra });
    if ('json' in content) return this.#composeEvents(target, content.json, extra, wrongSignature);
    const form = { ...content.form, ...extra };
    const stated = statedUrl ?? this.#knownAs(target);
    const signature = signTwilio(this.authToken, wrongSignature ? `${stated}#` : stated, form);
    const body = new URLSearchParams(form).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature };
    const token = { 'i-twilio-idempotency-token': this.#world.ids.uuid() };
    return { url: withQueryOf(target, stated), headers: { ...headers, ...token }, body, shown: body };
  }

  /** A proxy in front of the app takes the host away, and neither path nor query. */
  #knownAs(target: string): string {
    if (this.#publicUrl === undefined) return target;
    const { pathname, search } = new URL(target);
    return new URL(`${pathname}${search}`, this.#publicUrl).href;
  }

  #composeEvents(url: string, events: object[], extra: object, wrongSignature: boolean): Post {
    // The line's end is a part of what is signed: a body that was parsed and printed again does not fit.
    const body = `${JSON.stringify(events.map((event) => ({ ...event, ...extra })))}\r\n`;
    const timestamp = String(Math.floor(this.#world.clock.now() / 1_000));
    const signature = this.key.sign(timestamp, wrongSignature ? `${body} ` : body);
    const headers = {
      'content-type': 'application/json',
      'x-twilio-email-event-webhook-signature': signature,
      'x-twilio-email-event-webhook-timestamp': timestamp,
    };
    return { url, headers, body, shown: body };
  }

  async #post(url: string, headers: Record<string, string>, body: string | FormData) {
    const signal = AbortSignal.any([this.#ended.signal, AbortSignal.timeout(answerMs)]);
    try {
      const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
      await response.body?.cancel();
      return response.status;
    } catch {
      return 'unreachable';
    }
  }

  #note(
    { kind, events, items }: Report,
    url: string,
    body: string,
    attempt: number,
    status: CallbackRecord['status'],
    signature: CallbackRecord['signature'],
  ): void {
    const attemptIds = items.flatMap(({ attemptId }) => (attemptId === null ? [] : [attemptId]));
    const provider = kind === 'events' || kind === 'parse' ? 'sendgrid' : 'twilio';
    const itemIds = items.map(({ id }) => id);
    this.#world.store.reported({ provider, kind, itemIds, attemptIds, events, url, attempt, status, signature, body });
  }
}

interface Post {
  url: string;
  headers: Record<string, string>;
  body: string | FormData;
  shown: string;
}

const providerOf = ({ kind }: Report) => (kind === 'events' || kind === 'parse' ? 'sendgrid' : 'twilio');

function multipart(url: string, parts: Record<string, string>): Post {
  const body = new FormData();
  for (const [name, value] of Object.entries(parts)) body.set(name, value);
  return { url, headers: {}, body, shown: JSON.stringify(parts) };
}

/** As a proxy in front of the app would do: the host is another, what is asked by `?` goes along. */
function withQueryOf(target: string, stated: string): string {
  const url = new URL(target);
  if (stated !== target) url.search = URL.parse(stated)?.search ?? '';
  return url.toString();
}
