import { mailKindOf } from './magic.ts';
import type { Item, Step } from './store.ts';

/** What SendGrid says about each event besides who and when. */
const words: Record<string, Record<string, unknown>> = {
  processed: {},
  deferred: { response: '451 4.3.2 Please try again later', attempt: '1' },
  delivered: { response: '250 2.0.0 OK' },
  bounce: {
    ...{ type: 'bounce', status: '5.1.1', bounce_classification: 'Invalid Address' },
    reason: '550 5.1.1 The email account that you tried to reach does not exist.',
  },
  blocked: {
    ...{ type: 'blocked', status: '5.7.1', bounce_classification: 'Reputation' },
    reason: '550 5.7.1 This message was refused by a policy of the receiving server.',
  },
  dropped: { status: '5.0.0', reason: 'Bounced Address' },
  open: { useragent: 'Mozilla/5.0', ip: '192.0.2.1', sg_machine_open: false },
  click: { useragent: 'Mozilla/5.0', ip: '192.0.2.1', url: 'https://example.test/', url_offset: { index: 0 } },
  spamreport: {},
  unsubscribe: {},
  group_unsubscribe: { asm_group_id: 1 },
  group_resubscribe: { asm_group_id: 1 },
};

export const mailEventNames = Object.keys(words);

const steps = (...events: string[]): Step[] => events.map((event) => ({ event, fields: words[event] ?? {} }));
const dropped = (reason: string): Step[] => [{ event: 'dropped', fields: { ...words.dropped, reason } }];

/** What becomes of a mail: by its address, and by the lists that SendGrid keeps. */
export function mailSteps({ to }: Item, dropReason: string | undefined): Step[] {
  if (dropReason) return dropped(dropReason);
  switch (mailKindOf(to)) {
    case 'noevents':
      return [];
    case 'drop-unsub':
      return dropped('Unsubscribed Address');
    case 'bounce':
      return steps('processed', 'bounce');
    case 'block':
      return steps('processed', 'blocked');
    case 'defer':
      return steps('processed', 'deferred', 'delivered');
    case 'spam':
      return steps('processed', 'delivered', 'spamreport');
    default:
      return steps('processed', 'delivered');
  }
}

/** One event by hand, with other words where they are given. */
export const mailStep = (event: string, fields: Record<string, unknown> = {}): Step => ({
  event,
  fields: { ...words[event], ...fields },
});

/** An event as it stands in SendGrid's array. What SendGrid names itself wins over the sender's arguments. */
export function mailEvent(
  { to, providerId, headers = {}, customArgs = {}, categories }: Item,
  { event, fields = {} }: Step,
  id: string,
  now: number,
): Record<string, unknown> {
  const { isBare, ...said } = fields;
  const own = {
    email: to,
    timestamp: Math.floor(now / 1_000),
    event: event === 'blocked' ? 'bounce' : event,
    sg_event_id: Buffer.from(id, 'hex').toString('base64url'),
    ...said,
  };
  // Servers that bounce later name the address and nothing else.
  if (isBare) return own;
  const message = {
    ...{
      'smtp-id': headers['Message-ID'] ?? `<${providerId}@sandbox>`,
      sg_message_id: `${providerId}.recvd-sandbox-0`,
    },
    ...(categories ? { category: categories } : {}),
  };
  return { ...customArgs, ...message, ...own };
}
