import type { SendOutcome, Senders, SmsMessage } from '../../domain/deps.ts';
import { type RefusalClass, refused, withoutAnswer } from './outcome.ts';

export interface SmsOptions {
  accountSid: string;
  authToken: string;
  messagingServiceSid: string;
  /** Where Twilio tells what became of a text; left out where nothing outside can reach us. */
  statusCallbackUrl?: string | undefined;
  /** A stand-in for Twilio. */
  baseUrl?: string | undefined;
  timeoutMs?: number | undefined;
}

const defaultTimeoutMs = 20_000;
/** Milliseconds by which our clock and Twilio's may differ. */
const clockSkewMs = 60_000;

/** What Twilio says of a text when it is asked. */
export interface TextResource {
  sid: string;
  status: string;
  to: string;
  errorCode: number | null;
}

export interface Messages {
  (sid: string): { fetch(): Promise<TextResource> };
  create(params: Record<string, unknown>): Promise<{ sid: string }>;
  list(params: Record<string, unknown>): Promise<{ sid: string; body: string; dateCreated: Date }[]>;
}

/** Twilio Programmable Messaging by the official library, always through a messaging service. */
export function createSmsSender(options: SmsOptions): Omit<Senders['sms'], 'status'> {
  let messages: Promise<Messages> | undefined;
  const open = () => (messages ??= openTwilio(options));
  return {
    async send(message) {
      try {
        const { sid } = await (await open()).create(toTwilio(message, options));
        return { class: 'ok', providerId: sid };
      } catch (error) {
        return classifyTwilio(error);
      }
    },
    async find({ to, holding, since }) {
      try {
        const dateSentAfter = new Date(since.getTime() - clockSkewMs);
        const found = (await (await open()).list({ to, dateSentAfter, limit: 20 })).find(({ body }) =>
          body.includes(holding),
        );
        return found ? { providerId: found.sid } : null;
      } catch {
        return undefined;
      }
    },
  };
}

export async function openTwilio({
  accountSid,
  authToken,
  baseUrl,
  timeoutMs = defaultTimeoutMs,
}: SmsOptions): Promise<Messages> {
  const { default: twilio } = await import('twilio');
  // The way that the library's maintainers recommend: the request is as always, its host is another.
  class ToStandIn extends twilio.RequestClient {
    override request: typeof twilio.RequestClient.prototype.request = (options) => {
      const { pathname, search } = new URL(options.uri);
      options.uri = `${baseUrl}${pathname}${search}`;
      return twilio.RequestClient.prototype.request.call(this, options) as never;
    };
  }
  const httpClient = baseUrl ? new ToStandIn({ timeout: timeoutMs }) : new twilio.RequestClient({ timeout: timeoutMs });
  return twilio(accountSid, authToken, { httpClient }).messages as unknown as Messages;
}

function toTwilio(
  { to, attemptId, body, validitySeconds }: SmsMessage,
  { messagingServiceSid, statusCallbackUrl }: SmsOptions,
) {
  return {
    to,
    body,
    messagingServiceSid,
    validityPeriod: validitySeconds,
    // The attempt's id stands in the address, so that a report is understood even when our own answer was lost.
    ...(statusCallbackUrl ? { statusCallback: `${statusCallbackUrl}?attempt=${attemptId}` } : {}),
  };
}

/** Twilio's error dictionary, as far as a send can meet it. */
const byCode: Record<
  RefusalClass &
    (
      | 'recipient_dead'
      | 'recipient_opted_out'
      | 'recipient_soft'
      | 'content_rejected'
      | 'config_outage'
      | 'throttled'
      | 'transient'
    ),
  readonly number[]
> = {
  recipient_opted_out: [21610],
  recipient_dead: [30005, 30006, 21211, 21214, 21217, 21612, 21614],
  recipient_soft: [30003, 30004, 30008],
  content_rejected: [30007, 30010, 30012, 30013, 30019, 21602, 21617, 21618, 21624],
  throttled: [20429, 14107, 21611, 30001, 30022, 30023, 30027, 63038, 30450],
  transient: [20500, 20503, 21730, 30020, 30021, 30500, 30017, 30410],
  config_outage: [
    20003, 20005, 20006, 30002, 21408, 21603, 21606, 21609, 21701, 21702, 21703, 21704, 21705, 21711, 30018, 30024,
    30032, 30033, 30034, 30035,
  ],
};
const classOf = new Map(
  Object.entries(byCode).flatMap(([kind, codes]) => codes.map((code) => [code, kind as RefusalClass] as const)),
);

/** What a code of Twilio's means; undefined for one that is not in the dictionary. */
export const classOfTwilioCode = (code: number): RefusalClass | undefined => classOf.get(code);

interface TwilioFailure {
  status?: number;
  code?: number | string;
}

/** What Twilio's code says; an answer without one is judged by its status. 429 is documented as never processed. */
export function classifyTwilio(thrown: unknown): SendOutcome {
  const { status, code } = thrown as TwilioFailure;
  if (status === undefined) return withoutAnswer('twilio', typeof code === 'string' ? code : undefined);
  const known = typeof code === 'number' ? classOf.get(code) : undefined;
  const word = String(code ?? status);
  if (known) return refused('twilio', known, word, known === 'throttled' ? 30_000 : undefined);
  if (status === 429) return refused('twilio', 'throttled', word, 30_000);
  if (status === 401 || status === 403) return refused('twilio', 'config_outage', word);
  if (status === 502 || status === 504) return refused('twilio', 'ambiguous', word);
  if (status >= 500) return refused('twilio', 'transient', word);
  return refused('twilio', 'content_rejected', word);
}
