import { createHash, createPublicKey } from 'node:crypto';
import { EventWebhook } from '@sendgrid/eventwebhook';
import { z } from 'zod';
import type { ProviderReport, ReadReports, ReportDoor } from '../../domain/deps.ts';
import { attemptIdOf } from './attempt-id.ts';

/** SendGrid's own library. */
const webhook = new EventWebhook();
type Key = ReturnType<typeof webhook.convertPublicKeyToECDSA>;

/** A verification key as SendGrid hands it out: SPKI of a P-256 key, in base64. Throws for anything else. */
export function sendGridKey(base64: string): Key {
  const key = createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' });
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('not a P-256 key');
  return webhook.convertPublicKeyToECDSA(base64);
}

/**
 * SendGrid's event webhook. Signed are the timestamp and the body as it came, line ends included. The age of the timestamp
 * says nothing: SendGrid tells again for a day, and a repeat is known by its key.
 */
export function sendGridEvents(keys: readonly string[]): ReportDoor {
  const known = keys.map(sendGridKey);
  return {
    source: 'sendgrid',
    isSigned({ header, body }) {
      const signature = header('x-twilio-email-event-webhook-signature') ?? '';
      const timestamp = header('x-twilio-email-event-webhook-timestamp') ?? '';
      return known.some((key) => isSignedBy(key, body, signature, timestamp));
    },
    read: ({ body }) => readEvents(body),
  };
}

/** What is malformed is as little signed as what is forged: the library throws at it. */
function isSignedBy(key: Key, body: Buffer, signature: string, timestamp: string): boolean {
  try {
    return webhook.verifySignature(key, body, signature, timestamp);
  } catch {
    return false;
  }
}

/** More parameters may come at any time. */
const Event = z.looseObject({
  event: z.string().max(100),
  email: z.string().max(320),
  timestamp: z.number().int().min(0).max(9_999_999_999),
  sg_event_id: z.string().min(1).max(200).optional(),
  type: z.string().optional(),
  status: z.string().optional(),
  reason: z.string().optional(),
  attemptId: z.unknown().optional(),
});
type Event = z.infer<typeof Event>;

function readEvents(body: Buffer): ReadReports {
  const events = parseArray(body);
  if (!events) return { reports: [], unreadable: [{ reason: 'neither events nor one', body }] };
  const parsed = events.map((event) => ({ event, result: Event.safeParse(event) }));
  return {
    reports: parsed.flatMap(({ event, result }) => (result.success ? [toReport(result.data, event)] : [])),
    unreadable: parsed.flatMap(({ event, result }) =>
      result.success ? [] : [{ reason: faultOf(result.error), body: Buffer.from(JSON.stringify(event)) }],
    ),
  };
}

function parseArray(body: Buffer): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (Array.isArray(value)) return value;
    // One of them, as it is kept where it was not understood.
    return typeof value === 'object' && value !== null ? [value] : undefined;
  } catch {
    return undefined;
  }
}

/** Which fields are wrong, and nothing of what stands in them. */
const faultOf = ({ issues }: z.ZodError) => issues.map(({ path, code }) => `${path.join('.')}: ${code}`).join('; ');

function toReport(event: Event, whole: unknown): ProviderReport {
  return {
    key: event.sg_event_id ?? createHash('sha256').update(JSON.stringify(whole)).digest('base64url'),
    channel: 'email',
    ...meaningOf(event),
    attemptId: attemptIdOf(event.attemptId),
    address: event.email.toLowerCase(),
    at: new Date(event.timestamp * 1_000),
  };
}

type Meaning = Pick<ProviderReport, 'fact' | 'says' | 'code'>;

/** The texts beside an event quote addresses, so only the enhanced status (RFC 3463) and words of ours are kept. */
function meaningOf({ event, type, status, reason = '' }: Event): Meaning {
  const code = /^\d\.\d{1,3}\.\d{1,3}$/.test(status ?? '') ? (status as string) : null;
  switch (event) {
    case 'processed':
      return { fact: 'sent', says: null, code: null };
    case 'delivered':
      return { fact: 'delivered', says: null, code: null };
    case 'open':
    case 'click':
      return { fact: 'engaged', says: null, code: null };
    case 'deferred':
      return { fact: 'deferred', says: null, code };
    case 'bounce':
      return type === 'blocked'
        ? { fact: 'blocked', says: 'soft', code }
        : { fact: 'bounced', says: 'hard_bounce', code };
    case 'dropped':
      return { fact: 'dropped', ...whyDropped(reason) };
    case 'spamreport':
      return { fact: 'complained', says: 'complaint', code: null };
    case 'unsubscribe':
    case 'group_unsubscribe':
      return { fact: 'unsubscribed', says: 'unsubscribed', code: null };
    default:
      return { fact: 'other', says: null, code: null };
  }
}

const dropReasons: readonly [pattern: RegExp, says: Meaning['says'], code: string][] = [
  [/bounced address/i, 'hard_bounce', 'bounced_address'],
  [/unsubscribed address/i, 'unsubscribed', 'unsubscribed_address'],
  [/spam reporting address/i, 'complaint', 'spam_reporting_address'],
  [/^invalid$/i, 'invalid', 'invalid_address'],
  [/quota/i, null, 'quota'],
  [/spam content/i, null, 'spam_content'],
];

function whyDropped(reason: string): Omit<Meaning, 'fact'> {
  const [, says, code] = dropReasons.find(([pattern]) => pattern.test(reason)) ?? [undefined, null, 'dropped'];
  return { says, code };
}
