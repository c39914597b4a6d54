import { undeliverable } from './magic.ts';
import { segmentsOf } from './segments.ts';
import type { Item, Step } from './store.ts';

/** The sender that a messaging service takes: Twilio's own number for tests. */
export const poolNumber = '+15005550006';

export const smsEventNames = ['queued', 'sending', 'sent', 'delivered', 'undelivered', 'failed', 'read'];

/** Codes with which a message fails before it leaves Twilio. */
const neverLeft = new Set([30001, 30022, 30023, 30034, 30450]);

/** What becomes of a text. Its first status was in the API's answer, and no callback tells of that one. */
export function smsSteps({ to, messagingServiceSid }: Item): Step[] {
  const errorCode = undeliverable(to);
  const queued = messagingServiceSid ? [{ event: 'queued' }] : [];
  if (errorCode !== undefined && neverLeft.has(errorCode)) return [...queued, { event: 'failed', errorCode }];
  const onTheWay = [...queued, { event: 'sending' }, { event: 'sent' }];
  return [...onTheWay, errorCode === undefined ? { event: 'delivered' } : { event: 'undelivered', errorCode }];
}

/** The parameters of a status callback. */
export function statusForm(item: Item, { event, errorCode }: Step, now: number): Record<string, string> {
  return {
    ...common(item),
    MessageSid: item.providerId,
    SmsSid: item.providerId,
    MessageStatus: event,
    SmsStatus: event,
    From: item.from ?? poolNumber,
    To: item.to,
    ...(errorCode === undefined ? {} : { ErrorCode: String(errorCode) }),
    // Of the carrier's receipt, to the minute.
    ...(event === 'delivered' ? { RawDlrDate: new Date(now).toISOString().replaceAll(/\D/g, '').slice(2, 12) } : {}),
  };
}

const stopWords = new Set(['STOP', 'UNSUBSCRIBE', 'END', 'QUIT', 'STOPALL', 'REVOKE', 'OPTOUT', 'CANCEL']);
const startWords = new Set(['START', 'YES', 'UNSTOP']);
const helpWords = new Set(['HELP', 'INFO']);

/** What Twilio itself understands of a reply: in any letters, and only when it is the whole text. */
export function optOutType(text: string): 'STOP' | 'START' | 'HELP' | undefined {
  const word = text.trim().toUpperCase();
  if (stopWords.has(word)) return 'STOP';
  if (startWords.has(word)) return 'START';
  return helpWords.has(word) ? 'HELP' : undefined;
}

/** The parameters of a text that came in as an answer to this one. */
export function inboundForm(item: Item, text: string, sid: string): Record<string, string> {
  const type = optOutType(text);
  return {
    ...common(item),
    MessageSid: sid,
    SmsSid: sid,
    SmsMessageSid: sid,
    SmsStatus: 'received',
    From: item.to,
    To: item.from ?? poolNumber,
    Body: text,
    NumMedia: '0',
    NumSegments: String(segmentsOf(text).segments),
    ...(type ? { OptOutType: type } : {}),
  };
}

function common({ account, messagingServiceSid }: Item): Record<string, string> {
  return {
    AccountSid: account ?? '',
    ApiVersion: '2010-04-01',
    ...(messagingServiceSid ? { MessagingServiceSid: messagingServiceSid } : {}),
  };
}
