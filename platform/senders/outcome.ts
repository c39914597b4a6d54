import type { SendOutcome } from '../../domain/deps.ts';

type Refused = Exclude<SendOutcome, { class: 'ok' }>;
export type Provider = Refused['provider'];
export type RefusalClass = Refused['class'];

/** A refusal in our own words: class, provider's code, and its wish when to come again. Nothing else of an SDK's error. */
export function refused(provider: Provider, kind: RefusalClass, code: string, retryAfterMs?: number): SendOutcome {
  return { class: kind, provider, code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** `Retry-After` as milliseconds: seconds or a date (RFC 9110 §10.2.3). */
export function retryAfter(value: string | undefined, now = Date.now()): number | undefined {
  if (!value) return undefined;
  if (/^\d{1,6}$/.test(value.trim())) return Number(value) * 1_000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** Codes of a connection that was refused or never made: the provider saw nothing. */
const notSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'CERT_HAS_EXPIRED']);

/** A failure without an answer: known not to have been sent, or nobody knows. */
export function withoutAnswer(provider: Provider, code: string | undefined): SendOutcome {
  return refused(provider, code && notSent.has(code) ? 'transient' : 'ambiguous', code ?? 'no_answer');
}
