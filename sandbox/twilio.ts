import { type Request, Router } from 'express';
import { type ProviderAnswer, errorOf } from './answers.ts';
import { segmentsOf } from './segments.ts';
import { formOf } from './shapes.ts';
import { poolNumber } from './sms-events.ts';
import type { Item, Store } from './store.ts';
import { type Send, others, sends } from './take.ts';
import type { World } from './world.ts';

/** Characters of a text. */
const maxCharacters = 1_600;
/** Seconds that Twilio tries to deliver a text. */
const validity = { least: 1, most: 36_000 };
/** Milliseconds from now to when a text may be scheduled: 15 minutes to 35 days. */
const schedule = { least: 15 * 60_000, most: 35 * 24 * 3_600_000 };
/** Texts on a page of a list. */
const pageSize = { usual: 50, most: 1_000 };

const root = '/2010-04-01/Accounts/:account';

/** Twilio: texts are sent, looked up, listed, cancelled and blanked; accounts and messaging services are looked up. */
export function twilioFace(world: World): Router {
  const router = Router();
  const answer = (work: (request: Request) => ProviderAnswer) =>
    others(world, 'twilio', (request) => (isAllowed(request) ? work(request) : errorOf('twilio', '20003')));
  router.post(
    `${root}/Messages.json`,
    sends(world, (request) => twilioSend(request, world)),
  );
  router.get(
    `${root}/Messages.json`,
    answer((request) => ({ status: 200, body: list(request, world.store) })),
  );
  router.get(
    `${root}/Messages/:sid.json`,
    answer((request) => one(request, world, toMessage)),
  );
  router.post(
    `${root}/Messages/:sid.json`,
    answer((request) => one(request, world, (item) => change(request, world, item))),
  );
  router.get(
    '/2010-04-01/Accounts/:account.json',
    answer(({ params }) => ({ status: 200, body: toAccount(String(params.account)) })),
  );
  router.get(
    '/v1/Services/:service',
    answer(({ params }) => service(String(params.service))),
  );
  return router;
}

/** An account's own name and some secret; with a messaging service's address no account is named. */
function isAllowed(request: Request): boolean {
  const [, encoded = ''] = /^Basic (.+)$/.exec(request.get('authorization') ?? '') ?? [];
  const [, user, secret] = /^([^:]+):(.+)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
  const account = request.params.account;
  return user !== undefined && secret !== undefined && (account === undefined || user === account);
}

function twilioSend(request: Request, { clock, suppressions }: World): Send {
  const form = formOf(request.body);
  const { To: to = '', Body: text = '', StatusCallback = '' } = form;
  const attemptId = URL.parse(StatusCallback)?.searchParams.get('attempt') ?? null;
  const { encoding, segments } = segmentsOf(text);
  const isLater = form.ScheduleType === 'fixed';
  return {
    provider: 'twilio',
    to,
    attemptId,
    refusal: isAllowed(request)
      ? (checkText(form, clock.now()) ?? (suppressions.hasStopped(to) ? errorOf('twilio', '21610') : undefined))
      : errorOf('twilio', '20003'),
    items: [
      {
        ...{ channel: 'sms', provider: 'twilio', to, attemptId, title: '', text, segments, encoding },
        account: String(request.params.account),
        from: form.From ?? null,
        messagingServiceSid: form.MessagingServiceSid ?? null,
        statusCallback: StatusCallback || null,
        status: isLater ? 'scheduled' : form.MessagingServiceSid ? 'accepted' : 'queued',
        ...(isLater ? { sendAt: form.SendAt ?? '' } : {}),
      },
    ],
    accepted: ([item]) => ({ status: 201, body: item ? toMessage(item) : {} }),
  };
}

function checkText(form: Record<string, string>, now: number): ProviderAnswer | undefined {
  const { To = '', Body = '', MessagingServiceSid, From, ValidityPeriod, StatusCallback } = form;
  if (!/^\+[1-9]\d{6,14}$/.test(To)) return errorOf('twilio', '21211');
  if (!MessagingServiceSid && !From) return errorOf('twilio', '21603');
  if (Body === '') return errorOf('twilio', '21602');
  if (Body.length > maxCharacters) return errorOf('twilio', '21617');
  if (ValidityPeriod !== undefined && !isWithin(Number(ValidityPeriod), validity)) return errorOf('twilio', '21624');
  if (StatusCallback && !isCallback(StatusCallback)) return errorOf('twilio', '21609');
  if (form.ScheduleType !== undefined) return checkSchedule(form, now);
  return undefined;
}

function checkSchedule({ ScheduleType, SendAt = '', MessagingServiceSid }: Record<string, string>, now: number) {
  const isFixed = ScheduleType === 'fixed' && MessagingServiceSid;
  return isFixed && isWithin(Date.parse(SendAt) - now, schedule) ? undefined : errorOf('twilio', '35114');
}

const isWithin = (value: number, { least, most }: { least: number; most: number }) => value >= least && value <= most;

/** Twilio posts to no host with an underscore in its name, which Docker's services often have. */
function isCallback(address: string): boolean {
  const url = URL.parse(address);
  return url !== null && /^https?:$/.test(url.protocol) && !url.hostname.includes('_');
}

/** A text as Twilio's API shows it. Until a sender is chosen it has no number and no segments. */
function toMessage(item: Item) {
  const { providerId: sid, account = '', status, errorCode } = item;
  const isWaiting = ['accepted', 'scheduled', 'canceled'].includes(status);
  const uri = `/2010-04-01/Accounts/${account}/Messages/${sid}.json`;
  const time = (at: string | undefined) => (at === undefined ? null : new Date(at).toUTCString());
  return {
    ...{ sid, account_sid: account, status, to: item.to, body: item.text },
    from: item.from ?? (isWaiting ? null : poolNumber),
    num_segments: String(isWaiting ? 0 : item.segments),
    num_media: '0',
    direction: 'outbound-api',
    messaging_service_sid: item.messagingServiceSid ?? null,
    error_code: errorCode ?? null,
    error_message: errorCode === undefined ? null : messageOf(errorCode),
    ...{ price: null, price_unit: 'USD', api_version: '2010-04-01', uri },
    subresource_uris: { media: uri.replace('.json', '/Media.json') },
    date_created: time(item.receivedAt),
    date_sent: time(item.events.find(({ event }) => event === 'sent')?.at),
    date_updated: time(item.events.at(-1)?.at ?? item.receivedAt),
  };
}

const messageOf = (code: number) => (errorOf('twilio', String(code)).body as { message: string }).message;

function one({ params }: Request, { store }: World, show: (item: Item) => object): ProviderAnswer {
  const item = store.items({ channel: 'sms', providerId: String(params.sid) })[0];
  if (!item || item.account !== params.account) return errorOf('twilio', '20404');
  const shown = show(item);
  return isAnswer(shown) ? shown : { status: 200, body: shown };
}

const isAnswer = (value: object): value is ProviderAnswer =>
  'body' in value && typeof (value as { status?: unknown }).status === 'number';

/** What may be changed: a text that waits for its time is cancelled; one that was sent is blanked. */
function change({ body }: Request, { store }: World, item: Item): object {
  const { Status, Body } = formOf(body);
  if (Status !== undefined) {
    if (Status !== 'canceled' || item.status !== 'scheduled') return errorOf('twilio', '30409');
    store.happened(item, 'canceled', { status: 'canceled' });
  }
  if (Body === '') store.happened(item, 'redacted', { text: '' });
  return toMessage(item);
}

/** Texts by recipient, sender and day, the newest first, a page at a time. */
function list(request: Request, store: Store) {
  const uri = `/2010-04-01/Accounts/${String(request.params.account)}/Messages.json`;
  const given = request.query as Record<string, unknown>;
  const asked = (name: string) => (typeof given[name] === 'string' && given[name] !== '' ? given[name] : undefined);
  const size = Math.min(Math.max(1, Number(asked('PageSize')) || pageSize.usual), pageSize.most);
  const page = Math.max(0, Number(asked('Page')) || 0);
  const found = store
    .items({ channel: 'sms', to: asked('To'), from: asked('From'), account: String(request.params.account) })
    .filter(({ receivedAt }) => isOfDay(receivedAt, asked))
    .reverse();
  const pageUri = (number: number) =>
    `${uri}?${new URLSearchParams({ ...onlyTexts(given), Page: String(number), PageSize: String(size) }).toString()}`;
  const messages = found.slice(page * size, (page + 1) * size).map(toMessage);
  return {
    ...{
      messages,
      page,
      page_size: size,
      start: page * size,
      end: page * size + Math.max(0, messages.length - 1),
      uri,
    },
    first_page_uri: pageUri(0),
    next_page_uri: found.length > (page + 1) * size ? pageUri(page + 1) : null,
    previous_page_uri: page > 0 ? pageUri(page - 1) : null,
  };
}

const onlyTexts = (given: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));

function isOfDay(receivedAt: string, asked: (name: string) => string | undefined): boolean {
  const at = Date.parse(receivedAt);
  const [from, until, day] = [asked('DateSent>'), asked('DateSent<'), asked('DateSent')];
  return (
    (from === undefined || at >= Date.parse(from)) &&
    (until === undefined || at <= Date.parse(until)) &&
    (day === undefined || receivedAt.slice(0, 10) === day.slice(0, 10))
  );
}

const toAccount = (sid: string) => ({
  sid,
  friendly_name: 'Provider sandbox',
  status: 'active',
  type: 'Full',
  owner_account_sid: sid,
});

function service(sid: string): ProviderAnswer {
  if (!/^MG[0-9a-f]{32}$/.test(sid)) return errorOf('twilio', '20404');
  const url = `https://messaging.twilio.com/v1/Services/${sid}`;
  return {
    status: 200,
    body: {
      ...{ sid, friendly_name: 'Provider sandbox', validity_period: validity.most, smart_encoding: true },
      ...{ sticky_sender: true, use_inbound_webhook_on_number: false, usecase: 'notifications', url, links: {} },
    },
  };
}
