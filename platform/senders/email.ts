import type { EmailMessage, SendOutcome, Senders } from '../../domain/deps.ts';
import { refused, retryAfter, withoutAnswer } from './outcome.ts';

export interface EmailOptions {
  apiKey: string;
  from: { email: string; name: string };
  /** A stand-in for SendGrid. */
  baseUrl?: string | undefined;
  timeoutMs?: number | undefined;
}

const defaultTimeoutMs = 20_000;

interface Client {
  setApiKey(key: string): void;
  setDefaultRequest(key: string, value: unknown): void;
}
interface MailService {
  setClient(client: Client): void;
  setApiKey(key: string): void;
  setTimeout(ms: number): void;
  send(data: object): Promise<[{ statusCode: number; headers: Record<string, string> }, object]>;
}

/** SendGrid by @sendgrid/mail. */
export function createEmailSender(options: EmailOptions): Senders['email'] {
  let service: Promise<MailService> | undefined;
  return {
    async send(message) {
      service ??= open(options);
      try {
        const [response] = await (await service).send(toMail(message, options.from));
        return { class: 'ok', providerId: response.headers['x-message-id'] ?? '' };
      } catch (error) {
        return classifySendGrid(error);
      }
    },
  };
}

async function open({ apiKey, baseUrl, timeoutMs = defaultTimeoutMs }: EmailOptions): Promise<MailService> {
  const mail = (await import('@sendgrid/mail')).default as unknown as { MailService: new () => MailService };
  const sdk = (await import('@sendgrid/client')).default as unknown as { Client: new () => Client };
  const service = new mail.MailService();
  const client = new sdk.Client();
  service.setClient(client);
  service.setApiKey(apiKey);
  // After the key: setApiKey silently sets the base address back to SendGrid's own.
  if (baseUrl) client.setDefaultRequest('baseUrl', `${baseUrl}/`);
  service.setTimeout(timeoutMs);
  return service;
}

/** Header names are a fixed list: the SDK would carry an `Authorization` among them on its own request. */
function toMail(
  { to, attemptId, subject, text, html, messageId, references, unsubscribeUrl }: EmailMessage,
  from: EmailOptions['from'],
) {
  return {
    to,
    from,
    subject: oneLine(subject),
    text,
    html,
    headers: {
      'Message-ID': oneLine(messageId),
      'Auto-Submitted': 'auto-generated',
      ...(unsubscribeUrl ? unsubscribeHeaders(unsubscribeUrl, from.email) : {}),
      ...(references ? { References: oneLine(references), 'In-Reply-To': oneLine(references) } : {}),
    },
    customArgs: { attemptId },
    // Rewritten links break universal links, and nobody's opening of a mail is our business.
    trackingSettings: {
      clickTracking: { enable: false, enableText: false },
      openTracking: { enable: false },
      subscriptionTracking: { enable: false },
    },
  };
}

/** One POST and no questions (RFC 8058 §3.1), and what a mail program sorts by (RFC 2919). */
const unsubscribeHeaders = (url: string, from: string) => ({
  'List-Unsubscribe': `<${oneLine(url)}>`,
  'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
  'List-Id': `<notifications.${oneLine(from.slice(from.indexOf('@') + 1))}>`,
});

// CR and LF go through the SDK as they are and would end a header.
const oneLine = (value: string) => value.replaceAll(/[\r\n]+/g, ' ');

interface SendGridFailure {
  code?: number | string;
  response?: { headers?: Record<string, string>; body?: { errors?: { message?: string; field?: string | null }[] } };
}

/** What SendGrid's status says. The errors' texts quote what was sent, so only the field is kept. */
export function classifySendGrid(thrown: unknown): SendOutcome {
  const { code, response } = thrown as SendGridFailure;
  if (typeof code !== 'number') return withoutAnswer('sendgrid', code);
  const reset = Number(response?.headers?.['x-ratelimit-reset']);
  const wait =
    retryAfter(response?.headers?.['retry-after']) ?? (reset > 0 ? Math.max(0, reset * 1_000 - Date.now()) : undefined);
  if (code === 429) return refused('sendgrid', 'throttled', '429', wait ?? 60_000);
  if (code === 401 || code === 403) return refused('sendgrid', 'config_outage', String(code));
  if (code === 502 || code === 504) return refused('sendgrid', 'ambiguous', String(code), wait);
  if (code >= 500) return refused('sendgrid', 'transient', String(code), wait);
  const field = response?.body?.errors?.[0]?.field ?? '';
  if (/^personalizations\.\d+\.to/.test(field)) return refused('sendgrid', 'recipient_dead', `${code} to`);
  return refused('sendgrid', 'content_rejected', field ? `${code} ${field}` : String(code));
}
