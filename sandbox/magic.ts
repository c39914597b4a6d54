import { type ProviderAnswer, errorOf } from './answers.ts';
import type { Provider } from './store.ts';

/** Milliseconds that a `slow-` token waits for its answer. */
export const slowMs = 3_000;
/** How often a `flaky2-` token fails before it works. */
const flakyTimes = 2;

const tokens: [RegExp, string][] = [
  [/^dead-/, 'UNREGISTERED'],
  [/^mismatch-/, 'SENDER_ID_MISMATCH'],
  [/^badarg-/, 'INVALID_TOKEN'],
  [/^quota-/, 'QUOTA_EXCEEDED'],
];

/** Numbers that end so are refused by Twilio's API itself. */
const refusedNumber = /(20003|20429|20500|20503|21211|21214|21217|21408|21610|21611|21612|21614)$/;
/** Numbers that end so are taken, and the carrier does not deliver. */
const undeliverableNumber = /(30001|30003|30004|30005|30006|30007|30008|30017|30022|30023|30034|30410|30450)$/;

const mailKinds = ['bounce', 'block', 'defer', 'drop-unsub', 'spam', 'noevents', 'twice'] as const;
export type MailKind = (typeof mailKinds)[number];
const mailName = new RegExp(`^(${mailKinds.join('|')})(?![a-z])`);

/** What recipients of certain names meet without any rule. */
export class Magic {
  readonly #failures = new Map<string, number>();

  /** The error that the provider's API answers for this recipient. */
  refusal(provider: Provider, to: string): ProviderAnswer | undefined {
    if (provider === 'fcm') return this.#tokenRefusal(to);
    const code = provider === 'twilio' ? refusedNumber.exec(to)?.[1] : undefined;
    return code ? errorOf('twilio', code) : undefined;
  }

  /** Milliseconds that the answer is held back. */
  delayMs(provider: Provider, to: string): number {
    return provider === 'fcm' && to.startsWith('slow-') ? slowMs : 0;
  }

  forget(): void {
    this.#failures.clear();
  }

  #tokenRefusal(token: string): ProviderAnswer | undefined {
    const name = tokens.find(([pattern]) => pattern.test(token))?.[1];
    if (name) return errorOf('fcm', name);
    const failures = this.#failures.get(token) ?? 0;
    if (!token.startsWith('flaky2-') || failures >= flakyTimes) return undefined;
    this.#failures.set(token, failures + 1);
    // Not UNAVAILABLE: the SDK would try that again by itself, and nobody would see it fail.
    return errorOf('fcm', 'INTERNAL');
  }
}

/** What becomes of mail to this address. */
export function mailKindOf(email: string): MailKind | undefined {
  return mailName.exec(email.toLowerCase().split('@')[0] ?? '')?.[1] as MailKind | undefined;
}

/** The code with which a carrier fails to deliver to this number. */
export function undeliverable(number: string): number | undefined {
  const code = undeliverableNumber.exec(number)?.[1];
  return code === undefined ? undefined : Number(code);
}
