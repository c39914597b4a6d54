import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { connect } from 'node:net';
import type { Message, Messaging } from 'firebase-admin/messaging';
import type { PushMessage, SendOutcome, Senders, SilentPush } from '../../domain/deps.ts';
import { type RefusalClass, refused, retryAfter } from './outcome.ts';

export interface PushOptions {
  projectId: string;
  /** Path of a service account file; the machine's own identity when left out. */
  credentialsFile?: string | undefined;
  /** A stand-in for FCM. */
  baseUrl?: string | undefined;
}

/** Connections kept open to FCM. */
const maxSockets = 100;
/** Milliseconds that FCM's quota asks to wait when it does not say (its default window is a minute). */
const quotaWaitMs = 60_000;

/**
 * FCM by firebase-admin's `send()`. Not `sendEach()`: that one opens a session a call, ignores the agent, and can stay
 * pending for ever when the server closes the session mid-flight.
 */
export function createPushSender(options: PushOptions): Senders['push'] {
  let messaging: Promise<Messaging> | undefined;
  const give = async (message: Message): Promise<SendOutcome> => {
    messaging ??= open(options);
    try {
      return { class: 'ok', providerId: await (await messaging).send(message) };
    } catch (error) {
      return classifyFcm(error);
    }
  };
  return {
    send: (message) => give(toFcm(message)),
    sendSilently: (message) => give(toSilentFcm(message)),
  };
}

// The SDK takes seconds to load: roles that never push need not wait for it.
async function open({ projectId, credentialsFile, baseUrl }: PushOptions): Promise<Messaging> {
  const { applicationDefault, cert, initializeApp } = await import('firebase-admin/app');
  const { getMessaging } = await import('firebase-admin/messaging');
  const standIn = { getAccessToken: async () => ({ access_token: 'stand-in', expires_in: 3_600 }) };
  const credential = baseUrl ? standIn : credentialsFile ? cert(credentialsFile) : applicationDefault();
  const httpAgent = baseUrl ? agentTo(baseUrl) : new HttpsAgent({ keepAlive: true, maxSockets });
  return getMessaging(initializeApp({ projectId, credential, httpAgent }, `homing-${crypto.randomUUID()}`));
}

/** The SDK speaks to its own host by HTTPS only; this agent carries the very same request to the stand-in as plain HTTP. */
function agentTo(baseUrl: string): HttpAgent {
  const { hostname, port } = new URL(baseUrl);
  const agent = new HttpAgent({ keepAlive: true, maxSockets });
  return Object.assign(agent, {
    protocol: 'https:',
    createConnection: () => connect({ host: hostname, port: Number(port) }),
  });
}

/** Android builds what it shows from the data; iOS shows the alert. Both replace what they show of the conversation. */
function toFcm({ token, conversationKey, title, body, data, badge, ttlSeconds, urgent, sound }: PushMessage): Message {
  return {
    token,
    data: { ...data, title, body, badge: String(badge), tag: conversationKey, sound: sound ? 'on' : 'off' },
    android: { priority: 'high', ttl: ttlSeconds * 1_000 },
    apns: {
      headers: {
        'apns-collapse-id': conversationKey,
        'apns-expiration': expiresIn(ttlSeconds),
        'apns-priority': '10',
      },
      payload: {
        aps: {
          alert: { title, body },
          badge,
          ...(sound ? { sound: 'default' } : {}),
          threadId: conversationKey,
          'interruption-level': urgent ? 'time-sensitive' : sound ? 'active' : 'passive',
        },
      },
    },
  };
}

/**
 * Nothing to show: a number for the icon, which iOS sets whether or not the app runs, and data for the app. Of type alert
 * all the same, since one of type background may carry no number.
 */
function toSilentFcm({ token, data, badge, ttlSeconds }: SilentPush): Message {
  return {
    token,
    data: { ...data, badge: String(badge) },
    android: { priority: 'normal', ttl: ttlSeconds * 1_000 },
    apns: {
      headers: { 'apns-push-type': 'alert', 'apns-expiration': expiresIn(ttlSeconds), 'apns-priority': '5' },
      payload: { aps: { badge, contentAvailable: true } },
    },
  };
}

const expiresIn = (seconds: number) => String(Math.floor(Date.now() / 1_000) + seconds);

interface FcmFailure {
  code?: string;
  httpResponse?: { status?: number; headers?: Record<string, string>; data?: unknown };
}
interface FcmBody {
  error?: {
    status?: string;
    message?: string;
    details?: { '@type'?: string; errorCode?: string; fieldViolations?: { field?: string }[] }[];
  };
}

const byDetail: Record<string, RefusalClass> = {
  UNREGISTERED: 'recipient_dead',
  SENDER_ID_MISMATCH: 'recipient_dead',
  QUOTA_EXCEEDED: 'throttled',
  UNAVAILABLE: 'transient',
  INTERNAL: 'transient',
  THIRD_PARTY_AUTH_ERROR: 'config_outage',
};

/**
 * The raw answer decides, not the SDK's code: a wrong project and a dead token have the same one, and obedient code would
 * delete every token there is. Only FCM's own detail entry may call a token dead.
 */
export function classifyFcm(thrown: unknown): SendOutcome {
  const { code, httpResponse } = thrown as FcmFailure;
  const status = httpResponse?.status;
  if (status === undefined) return withoutStatus(code);
  const { error } = bodyOf(httpResponse?.data);
  const detail = error?.details?.find(({ '@type': type }) => type?.endsWith('FcmError'))?.errorCode;
  const wait = retryAfter(httpResponse?.headers?.['retry-after']);
  if (detail === 'INVALID_ARGUMENT' || (detail === undefined && error?.status === 'INVALID_ARGUMENT'))
    return invalidArgument(error);
  const known = detail === undefined ? undefined : byDetail[detail];
  if (known === 'throttled') return refused('fcm', known, detail as string, wait ?? quotaWaitMs);
  if (known) return refused('fcm', known, detail as string, wait);
  return byStatus(status, error?.status ?? String(status), wait);
}

function byStatus(status: number, code: string, wait: number | undefined): SendOutcome {
  // A yes that cannot be read: it may well have been taken.
  if (status < 300) return refused('fcm', 'ambiguous', code);
  if (status === 429) return refused('fcm', 'throttled', code, wait ?? quotaWaitMs);
  if (status === 400) return refused('fcm', 'content_rejected', code);
  if (status === 401 || status === 403 || status === 404) return refused('fcm', 'config_outage', code);
  if (status === 502 || status === 504) return refused('fcm', 'ambiguous', code, wait);
  return refused('fcm', status >= 500 ? 'transient' : 'content_rejected', code, wait);
}

/** The same code stands for a bad token and for a bad payload; the named field tells them apart. */
function invalidArgument(error: FcmBody['error']): SendOutcome {
  const fields = error?.details?.flatMap(({ fieldViolations = [] }) => fieldViolations.map(({ field }) => field)) ?? [];
  const namesToken = fields.includes('message.token') || /registration token/i.test(error?.message ?? '');
  return refused('fcm', namesToken ? 'recipient_dead' : 'content_rejected', 'INVALID_ARGUMENT');
}

function withoutStatus(code: string | undefined): SendOutcome {
  if (code === 'app/invalid-credential') return refused('fcm', 'config_outage', 'invalid_credential');
  if (code === 'messaging/invalid-payload' || code === 'messaging/invalid-argument') {
    return refused('fcm', 'content_rejected', code.replace('messaging/', ''));
  }
  // A push that comes twice replaces itself on the screen: unknown is as good as failed.
  return refused('fcm', 'ambiguous', code?.replace(/^\w+\//, '') ?? 'no_answer');
}

function bodyOf(data: unknown): FcmBody {
  try {
    return (typeof data === 'string' ? JSON.parse(data) : (data ?? {})) as FcmBody;
  } catch {
    // A proxy answered, not FCM.
    return {};
  }
}
