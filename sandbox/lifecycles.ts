import type { Clock } from './clock.ts';
import type { Ids } from './ids.ts';
import { mailKindOf } from './magic.ts';
import { mailEvent, mailSteps } from './mail-events.ts';
import type { Item, Step, Store } from './store.ts';
import type { Suppressions } from './suppressions.ts';
import { smsSteps, statusForm } from './sms-events.ts';
import type { Knobs, Report, Webhooks } from './webhooks.ts';

interface Parts {
  clock: Clock;
  ids: Ids;
  store: Store;
  suppressions: Suppressions;
  webhooks: Webhooks;
}

/** What becomes of messages after they were taken, by the sandbox's clock, and that the app is told of it. */
export class Lifecycles {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  begin(item: Item): void {
    const { suppressions, webhooks } = this.#parts;
    if (item.provider === 'sendgrid') {
      const steps = mailSteps(item, suppressions.dropReason(item.to, item.unsubscribeGroup));
      this.#play(item, steps, webhooks.knobs.sendgrid, 0);
    }
    if (item.provider === 'twilio') {
      this.#play(item, smsSteps(item), webhooks.knobs.twilio, this.#untilDue(item));
    }
  }

  /** One more thing becomes of it, by hand. Resolves when the app was told, or could not be. */
  async happen(item: Item, step: Step): Promise<void> {
    for (const report of this.#happened(item, step)) await this.#parts.webhooks.tell(report);
  }

  #untilDue({ sendAt }: Item): number {
    return sendAt ? Math.max(0, Date.parse(sendAt) - this.#parts.clock.now()) : 0;
  }

  #play(item: Item, steps: readonly Step[], { delayMs, reorder }: Knobs, startMs: number): void {
    const { clock, webhooks } = this.#parts;
    const reports: Report[] = [];
    const tell = async (some: readonly Report[]) => {
      for (const report of some) await webhooks.tell(report);
    };
    steps.forEach((step, index) =>
      clock.after(startMs + delayMs * (index + 1), () => {
        if (item.status === 'canceled') return undefined;
        const now = this.#happened(item, step);
        reports.push(...now);
        if (!reorder) return tell(now);
        return index === steps.length - 1 ? tell(reports.reverse()) : undefined;
      }),
    );
  }

  /** The provider's own books first: what it reports can be looked up by then. */
  #happened(item: Item, step: Step): Report[] {
    const { store } = this.#parts;
    this.#keepLists(item, step);
    const { errorCode } = step;
    store.happened(item, step.event, {
      ...(step.event === 'open' || step.event === 'click' ? {} : { status: step.event }),
      ...(errorCode === undefined ? {} : { errorCode }),
    });
    return item.provider === 'sendgrid' ? this.#mailReports(item, step) : this.#smsReports(item, step);
  }

  #keepLists({ to }: Item, { event, fields = {} }: Step): void {
    const { suppressions } = this.#parts;
    const why = { reason: textOf(fields.reason), status: textOf(fields.status) };
    if (event === 'bounce') suppressions.add('bounces', to, why);
    if (event === 'blocked') suppressions.add('blocks', to, why);
    if (event === 'spamreport') suppressions.add('spam_reports', to);
    if (event === 'unsubscribe') suppressions.add('unsubscribes', to);
    if (event === 'group_unsubscribe') suppressions.add(Number(fields.asm_group_id), to);
    if (event === 'group_resubscribe') suppressions.remove(Number(fields.asm_group_id), to);
  }

  #mailReports(item: Item, step: Step): Report[] {
    const { ids, clock } = this.#parts;
    const content = { json: [mailEvent(item, step, ids.hex(), clock.now())] };
    const report: Report = { kind: 'events', target: 'sendGridEvents', items: [item], events: [step.event], content };
    return mailKindOf(item.to) === 'twice' ? [report, report] : [report];
  }

  #smsReports(item: Item, step: Step): Report[] {
    if (item.provider !== 'twilio') return [];
    const content = { form: statusForm(item, step, this.#parts.clock.now()) };
    const { statusCallback: statedUrl } = item;
    return [{ kind: 'status', target: 'twilioStatus', items: [item], events: [step.event], statedUrl, content }];
  }
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : '');
