import { randomBytes } from 'node:crypto';
import type { Request } from 'express';
import { type ProviderAnswer, fcmError, named, sendGridError, twilioError } from './answers.ts';
import { segmentsOf } from './segments.ts';
import { type FcmBody, type MailBody, formOf, shapeFcm, shapeMail } from './shapes.ts';
import type { Item, Provider, Store } from './store.ts';

/** A send as a provider understands it: who it is for, why it is refused, and what is kept of it when it is taken. */
export interface Send {
  provider: Provider;
  to: string;
  attemptId: string | null;
  refusal?: ProviderAnswer | undefined;
  item: Omit<Item, 'id' | 'seq' | 'receivedAt'>;
  accepted(item: Item): ProviderAnswer;
}

const limits = {
  /** Bytes of an FCM message's data and notification. */
  fcmPayload: 4_096,
  /** Characters of a text message. */
  smsBody: 1_600,
  /** Seconds that Twilio keeps a text. */
  smsValidity: 36_000,
  /** Recipients of one mail. */
  mailRecipients: 1_000,
};

/** What recipients of these kinds meet without any rule. */
const magicTokens: [RegExp, string][] = [
  [/^dead-/, 'UNREGISTERED'],
  [/^mismatch-/, 'SENDER_ID_MISMATCH'],
  [/^badarg-/, 'INVALID_TOKEN'],
  [/^quota-/, 'QUOTA_EXCEEDED'],
];
const magicNumber = /(20429|20500|20503|21211|21610|21614|30003|30005|30006|30007)$/;

/** POST /v1/projects/{project}/messages:send */
export function fcmSend(request: Request): Send {
  const { body, fault } = shapeFcm(request.body);
  const { token = '', data = {}, apns, notification } = body.message ?? {};
  const alert = apns?.payload?.aps?.alert ?? notification;
  const collapseKey = apns?.headers?.['apns-collapse-id'];
  const badge = apns?.payload?.aps?.badge;
  const attemptId = typeof data.attemptId === 'string' ? data.attemptId : null;
  const magic = magicTokens.find(([pattern]) => pattern.test(token))?.[1];
  return {
    provider: 'fcm',
    to: token,
    attemptId,
    refusal: checkFcm(request, body, fault) ?? (magic ? named.fcm[magic] : undefined),
    item: {
      channel: 'push',
      provider: 'fcm',
      to: token,
      attemptId,
      title: alert?.title ?? '',
      text: alert?.body ?? '',
      data,
      ...(collapseKey === undefined ? {} : { collapseKey }),
      ...(badge === undefined ? {} : { badge }),
    },
    accepted: ({ id }) => ({ status: 200, body: { name: `projects/${param(request, 'project')}/messages/${id}` } }),
  };
}

function checkFcm(
  request: Request,
  { message }: Partial<FcmBody>,
  fault: ProviderAnswer | undefined,
): ProviderAnswer | undefined {
  if (!/^Bearer .+/.test(request.get('authorization') ?? '')) return named.fcm.UNAUTHENTICATED;
  if (fault) return fault;
  if (!message?.token) {
    return fcmError(400, 'INVALID_ARGUMENT', 'Recipient of the message is not set.', 'INVALID_ARGUMENT', 'message');
  }
  if (Object.values(message.data ?? {}).some((value) => typeof value !== 'string')) {
    return fcmError(400, 'INVALID_ARGUMENT', 'Invalid value at message.data', undefined, 'message.data');
  }
  const bytes = Buffer.byteLength(JSON.stringify([message.data ?? {}, message.notification ?? {}]));
  return bytes > limits.fcmPayload ? named.fcm.INVALID_ARGUMENT : undefined;
}

/** POST /v3/mail/send */
export function sendGridSend(request: Request): Send {
  const { body, fault } = shapeMail(request.body);
  const first = body.personalizations?.[0];
  const to = first?.to?.[0]?.email ?? '';
  const attemptId = first?.custom_args?.attemptId ?? body.custom_args?.attemptId ?? null;
  const content = (type: string) => body.content?.find((part) => part.type === type)?.value ?? '';
  return {
    provider: 'sendgrid',
    to,
    attemptId,
    refusal: checkMail(request, body, fault),
    item: {
      channel: 'email',
      provider: 'sendgrid',
      to,
      attemptId,
      title: first?.subject ?? body.subject ?? '',
      text: content('text/plain'),
      html: content('text/html'),
      headers: { ...body.headers, ...first?.headers },
    },
    accepted: ({ id }) => ({ status: 202, body: '', headers: { 'x-message-id': id.replaceAll('-', '').slice(0, 22) } }),
  };
}

function checkMail(
  request: Request,
  { personalizations, from, subject, content }: MailBody,
  fault: ProviderAnswer | undefined,
): ProviderAnswer | undefined {
  if (!request.get('authorization')?.startsWith('Bearer SG.')) return named.sendgrid.UNAUTHORIZED;
  if (fault) return fault;
  if (!personalizations?.length)
    return sendGridError(
      400,
      'The personalizations field is required and must have at least one personalization.',
      'personalizations',
    );
  const addresses = personalizations.flatMap(({ to = [] }) => to.map(({ email = '' }) => email.toLowerCase()));
  if (addresses.length === 0 || addresses.some((email) => !/^[^\s@]+@[^\s@]+$/.test(email)))
    return named.sendgrid.INVALID_TO;
  if (addresses.length > limits.mailRecipients) return sendGridError(400, 'Too many recipients.', 'personalizations');
  if (new Set(addresses).size < addresses.length)
    return sendGridError(400, 'Each email address in the personalization block should be unique.', 'personalizations');
  if (!from?.email) return sendGridError(400, 'The from object must be provided for every email send.', 'from');
  if (!subject && personalizations.some((part) => !part.subject))
    return sendGridError(400, 'The subject is required.', 'subject');
  if (!content?.length || content.some(({ value }) => !value))
    return sendGridError(
      400,
      'The content value must be a string at least one character in length.',
      'content.0.value',
    );
  return undefined;
}

/** POST /2010-04-01/Accounts/{account}/Messages.json */
export function twilioSend(request: Request): Send {
  const { To: to = '', Body: text = '', StatusCallback = '' } = formOf(request.body);
  const attemptId = URL.parse(StatusCallback)?.searchParams.get('attempt') ?? null;
  const magic = magicNumber.exec(to)?.[1];
  const { encoding, segments } = segmentsOf(text);
  return {
    provider: 'twilio',
    to,
    attemptId,
    refusal: checkText(request) ?? (magic ? named.twilio[magic] : undefined),
    item: { channel: 'sms', provider: 'twilio', to, attemptId, title: '', text, segments, encoding },
    accepted: (item) => ({ status: 201, body: toTwilioMessage(request, item) }),
  };
}

function checkText(request: Request): ProviderAnswer | undefined {
  const { To = '', Body = '', MessagingServiceSid, From, ValidityPeriod, StatusCallback } = formOf(request.body);
  const [, encoded = ''] = /^Basic (.+)$/.exec(request.get('authorization') ?? '') ?? [];
  if (
    !Buffer.from(encoded, 'base64')
      .toString()
      .startsWith(`${param(request, 'account')}:`)
  )
    return named.twilio['20003'];
  if (!/^\+[1-9]\d{6,14}$/.test(To)) return named.twilio['21211'];
  if (!MessagingServiceSid && !From) return twilioError(400, 21603, "A 'From' phone number is required.");
  if (Body === '') return twilioError(400, 21602, 'Message body is required.');
  if (Body.length > limits.smsBody) return named.twilio['21617'];
  if (ValidityPeriod !== undefined && !(Number(ValidityPeriod) >= 1 && Number(ValidityPeriod) <= limits.smsValidity)) {
    return twilioError(400, 21624, 'The validity period is invalid.');
  }
  if (StatusCallback && (URL.parse(StatusCallback)?.hostname ?? '_').includes('_'))
    return twilioError(400, 21609, 'The StatusCallback URL is not a valid URL.');
  return undefined;
}

/** A text as Twilio's API shows it. */
export function toTwilioMessage(request: Request, { id, to, text, receivedAt }: Item) {
  const date = new Date(receivedAt).toUTCString();
  return {
    sid: `SM${id.replaceAll('-', '')}`,
    account_sid: param(request, 'account'),
    status: 'accepted',
    to,
    from: null,
    body: text,
    num_segments: '0',
    num_media: '0',
    direction: 'outbound-api',
    messaging_service_sid: formOf(request.body).MessagingServiceSid ?? null,
    error_code: null,
    error_message: null,
    price: null,
    price_unit: 'USD',
    api_version: '2010-04-01',
    uri: `/2010-04-01/Accounts/${param(request, 'account')}/Messages/SM${id.replaceAll('-', '')}.json`,
    subresource_uris: {},
    date_created: date,
    date_sent: null,
    date_updated: date,
  };
}

/** GET /2010-04-01/Accounts/{account}/Messages.json: texts by recipient, the newest first. */
export function twilioList(request: Request, store: Store) {
  const to = query(request, 'To') || undefined;
  const after = Date.parse(query(request, 'DateSent>')) || 0;
  const messages = store
    .items({ channel: 'sms', to })
    .filter(({ receivedAt }) => Date.parse(receivedAt) >= after)
    .reverse()
    .map((item) => toTwilioMessage(request, item));
  const uri = `/2010-04-01/Accounts/${param(request, 'account')}/Messages.json`;
  return {
    messages,
    page: 0,
    page_size: 50,
    start: 0,
    end: Math.max(0, messages.length - 1),
    first_page_uri: uri,
    next_page_uri: null,
    previous_page_uri: null,
    uri,
  };
}

/** A token as Google's OAuth endpoint gives it. */
export const oauthToken = () => ({
  access_token: `ya29.${randomBytes(16).toString('hex')}`,
  expires_in: 3_599,
  token_type: 'Bearer',
});

const param = ({ params }: Request, name: string): string => String(params[name] ?? '');

function query({ query: given }: Request, name: string): string {
  const value = given[name];
  return typeof value === 'string' ? value : '';
}
