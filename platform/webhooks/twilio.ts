import { createRequire } from 'node:module';
import { z } from 'zod';
import type { ProviderReport, ReadReports, ReportDoor, ReportPost } from '../../domain/deps.ts';
import { classOfTwilioCode } from '../senders/sms.ts';
import { attemptIdOf } from './attempt-id.ts';

type Validate = (token: string, signature: string, url: string, params: Record<string, string | string[]>) => boolean;

/**
 * Twilio's status callbacks and what people reply. Signed are the address that Twilio knows us by, query included, and every
 * parameter, so those that nobody knows yet are checked, too. While a token is changed both are good.
 */
export function twilioReports(options: { authTokens: readonly string[]; publicUrl: string }): ReportDoor {
  return {
    source: 'twilio',
    isSigned({ header, body, pathAndQuery }) {
      const signature = header('x-twilio-signature') ?? '';
      const url = `${options.publicUrl}${pathAndQuery}`;
      const params = valuesOf(body);
      return options.authTokens.some((token) => validate(token, signature, url, params));
    },
    read: readForm,
  };
}

// The whole library takes a second to load; its signatures are a file of their own.
const { validateRequest: validate } = createRequire(import.meta.url)('twilio/lib/webhooks/webhooks.js') as {
  validateRequest: Validate;
};

/** Every parameter; one that comes more than once is a list. */
function valuesOf(body: Buffer): Record<string, string | string[]> {
  const values: Record<string, string | string[]> = Object.create(null) as Record<string, never>;
  const form = new URLSearchParams(body.toString('utf8'));
  for (const name of new Set(form.keys())) {
    const all = form.getAll(name);
    values[name] = all.length === 1 ? (all[0] as string) : all;
  }
  return values;
}

const Status = z.object({
  MessageSid: z.string().min(1).max(100),
  MessageStatus: z.string().min(1).max(50),
  To: z.string().max(100),
  ErrorCode: z
    .string()
    .regex(/^\d{1,6}$/)
    .optional(),
});
const Reply = z.object({
  MessageSid: z.string().min(1).max(100),
  SmsStatus: z.literal('received'),
  From: z.string().max(100),
  Body: z.string().optional(),
  OptOutType: z.string().optional(),
});

function readForm({ body, pathAndQuery }: ReportPost): ReadReports {
  const form = Object.fromEntries(new URLSearchParams(body.toString('utf8')));
  const reply = Reply.safeParse(form);
  if (reply.success) return { reports: [fromReply(reply.data)], unreadable: [] };
  const status = Status.safeParse(form);
  if (!status.success) return { reports: [], unreadable: [{ reason: 'neither a status callback nor a reply', body }] };
  const attempt = new URLSearchParams(pathAndQuery.split('?')[1] ?? '').get('attempt');
  return { reports: [fromStatus(status.data, attemptIdOf(attempt))], unreadable: [] };
}

/** Twilio gives no time and tells each status once, so the pair is the key. */
export function fromStatus(
  { MessageSid, MessageStatus, To, ErrorCode }: z.infer<typeof Status>,
  attemptId: string | null,
): ProviderReport {
  const key = `${MessageSid}:${MessageStatus}`;
  const fact = factOf[MessageStatus] ?? 'other';
  const refused = fact === 'undelivered' || fact === 'failed';
  const said = refused ? meaningOfCode(Number(ErrorCode ?? 0)) : null;
  return {
    ...{ key, channel: 'sms', fact: said === 'opted_out' ? 'opted_out' : fact, says: said },
    ...{ code: ErrorCode ?? null, attemptId, address: To, at: null },
  };
}

const factOf: Record<string, ProviderReport['fact']> = {
  ...{ accepted: 'accepted', scheduled: 'accepted', queued: 'accepted', sending: 'accepted' },
  ...{ sent: 'sent', delivered: 'delivered', read: 'engaged' },
  ...{ undelivered: 'undelivered', failed: 'failed', canceled: 'failed' },
};

/** What a code says of the number; of a carrier's code that nobody knows, that it failed this once. */
function meaningOfCode(code: number): ProviderReport['says'] {
  switch (classOfTwilioCode(code)) {
    case 'recipient_opted_out':
      return 'opted_out';
    case 'recipient_dead':
      // Not for this sender in this country: the number is as good as it was.
      return code === 21612 ? null : 'invalid';
    case 'recipient_soft':
      return 'soft';
    case undefined:
      return code >= 30_000 && code < 31_000 ? 'soft' : null;
    default:
      return null;
  }
}

// What Twilio itself understands, and only where it is the whole text. OptOutType says it in any language.
const stopWords = new Set(['STOP', 'UNSUBSCRIBE', 'END', 'QUIT', 'STOPALL', 'REVOKE', 'OPTOUT', 'CANCEL']);
const startWords = new Set(['START', 'YES', 'UNSTOP']);

/** Of a reply nothing is kept but whether it ends texts or lets them come again. */
function fromReply({ MessageSid, From, Body = '', OptOutType }: z.infer<typeof Reply>): ProviderReport {
  const word = Body.trim().toUpperCase();
  const stops = OptOutType ? OptOutType === 'STOP' : stopWords.has(word);
  const starts = OptOutType ? OptOutType === 'START' : startWords.has(word);
  return {
    ...{ key: `${MessageSid}:received`, channel: 'sms', fact: stops ? 'opted_out' : starts ? 'opted_in' : 'other' },
    ...{ says: stops ? 'opted_out' : null, code: null, attemptId: null, address: From, at: null },
  };
}
