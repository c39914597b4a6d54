import type { Provider } from './store.ts';

/** An answer as the provider itself would give it. */
export interface ProviderAnswer {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

/** FCM's error object (google.rpc.Status), with its own detail entry where there is one. */
export function fcmError(
  status: number,
  canonical: string,
  message: string,
  errorCode?: string,
  field?: string,
): ProviderAnswer {
  const details = [
    ...(errorCode ? [{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode }] : []),
    ...(field
      ? [{ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ field, description: message }] }]
      : []),
  ];
  return {
    status,
    body: { error: { code: status, message, status: canonical, ...(details.length > 0 ? { details } : {}) } },
  };
}

export const sendGridError = (status: number, message: string, field: string | null = null): ProviderAnswer => ({
  status,
  body: { errors: [{ message, field, help: null }] },
});

export const twilioError = (status: number, code: number, message: string): ProviderAnswer => ({
  status,
  body: { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status },
});

/** Twilio's errors by code: HTTP status and words. The 30000s are what carriers say afterwards, and hardly ever an answer. */
const twilioTable: Record<string, [status: number, message: string]> = {
  '14107': [400, 'SMS send rate limit exceeded'],
  '20003': [401, 'Authenticate'],
  '20005': [401, 'Account not active'],
  '20404': [404, 'The requested resource was not found'],
  '20429': [429, 'Too Many Requests'],
  '20500': [500, 'Internal Server Error'],
  '20503': [503, 'Service Unavailable'],
  '21211': [400, "The 'To' number is not a valid phone number."],
  '21214': [400, "'To' phone number cannot be reached"],
  '21217': [400, 'Phone number does not appear to be valid'],
  '21408': [403, 'Permission to send an SMS has not been enabled for the region'],
  '21602': [400, 'Message body is required.'],
  '21603': [400, "A 'From' phone number is required."],
  '21606': [400, "The 'From' phone number provided is not a valid message-capable Twilio phone number"],
  '21609': [400, 'The StatusCallback URL is not a valid URL.'],
  '21610': [400, 'Attempt to send to unsubscribed recipient'],
  '21611': [429, 'This From number has exceeded the maximum number of queued messages'],
  '21612': [400, "The 'To' phone number is not currently reachable using the 'From' phone number"],
  '21614': [400, "'To' number is not a valid mobile number"],
  '21617': [400, 'The concatenated message body exceeds the 1600 character limit'],
  '21624': [400, 'The validity period is invalid.'],
  '21703': [400, 'The Messaging Service does not have a phone number available to send a message.'],
  '30001': [400, 'Queue overflow'],
  '30002': [400, 'Account suspended'],
  '30003': [400, 'Unreachable destination handset'],
  '30004': [400, 'Message blocked'],
  '30005': [400, 'Unknown destination handset'],
  '30006': [400, 'Landline or unreachable carrier'],
  '30007': [400, 'Message filtered'],
  '30008': [400, 'Unknown error'],
  '30017': [400, 'Carrier network congestion'],
  '30022': [429, 'US A2P 10DLC - Rate limits exceeded'],
  '30023': [429, 'US A2P 10DLC - Daily message cap reached'],
  '30034': [400, 'US A2P 10DLC - Message from an unregistered number'],
  '30409': [409, 'This message cannot be canceled'],
  '30410': [400, 'Provider timeout error'],
  '30450': [400, 'Message delivery blocked'],
  '35114': [400, 'SendAt timestamp is not supported for scheduling.'],
};
const twilioErrors = Object.fromEntries(
  Object.entries(twilioTable).map(([code, [status, message]]) => [code, twilioError(status, Number(code), message)]),
);

/** Errors by the names that rules and magic recipients use. */
export const named: Record<Provider, Record<string, ProviderAnswer>> = {
  fcm: {
    UNREGISTERED: fcmError(404, 'NOT_FOUND', 'Requested entity was not found.', 'UNREGISTERED'),
    NOT_FOUND: fcmError(404, 'NOT_FOUND', 'Requested entity was not found.'),
    SENDER_ID_MISMATCH: fcmError(403, 'PERMISSION_DENIED', 'SenderId mismatch', 'SENDER_ID_MISMATCH'),
    PERMISSION_DENIED: fcmError(403, 'PERMISSION_DENIED', 'Permission denied on the resource.'),
    INVALID_TOKEN: fcmError(
      400,
      'INVALID_ARGUMENT',
      'The registration token is not a valid FCM registration token',
      'INVALID_ARGUMENT',
      'message.token',
    ),
    INVALID_ARGUMENT: fcmError(400, 'INVALID_ARGUMENT', 'Message too big', 'INVALID_ARGUMENT', 'message.data'),
    UNAUTHENTICATED: fcmError(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.'),
    THIRD_PARTY_AUTH_ERROR: fcmError(
      401,
      'UNAUTHENTICATED',
      'Auth error from APNS or Web Push Service',
      'THIRD_PARTY_AUTH_ERROR',
    ),
    QUOTA_EXCEEDED: fcmError(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded for quota metric.', 'QUOTA_EXCEEDED'),
    INTERNAL: fcmError(500, 'INTERNAL', 'Internal error encountered.', 'INTERNAL'),
    UNAVAILABLE: fcmError(503, 'UNAVAILABLE', 'The service is currently unavailable.', 'UNAVAILABLE'),
  },
  sendgrid: {
    UNAUTHORIZED: sendGridError(401, 'The provided authorization grant is invalid, expired, or revoked'),
    FORBIDDEN: sendGridError(403, 'The from address does not match a verified Sender Identity.', 'from'),
    BAD_REQUEST: sendGridError(400, 'Bad Request', 'subject'),
    INVALID_TO: sendGridError(400, 'Does not contain a valid address.', 'personalizations.0.to'),
    RATE_LIMITED: { ...sendGridError(429, 'too many requests'), headers: { 'x-ratelimit-remaining': '0' } },
    NOT_FOUND: sendGridError(404, 'not found'),
    METHOD_NOT_ALLOWED: sendGridError(405, 'method not allowed'),
    PAYLOAD_TOO_LARGE: sendGridError(413, 'Payload Too Large'),
    INTERNAL: sendGridError(500, 'Internal Server Error'),
    UNAVAILABLE: sendGridError(503, 'Service Unavailable'),
  },
  twilio: twilioErrors,
};

/** How a provider answers a path that it does not have. */
export const notThere: Record<Provider | 'unknown', ProviderAnswer> = {
  fcm: fcmError(404, 'NOT_FOUND', 'The requested URL was not found on this server.'),
  sendgrid: sendGridError(404, 'not found'),
  twilio: twilioError(404, 20404, 'The requested resource was not found'),
  unknown: { status: 404, body: { error: 'No provider has this path.' } },
};

/** A provider's error of that name. */
export function errorOf(provider: Provider, name: string): ProviderAnswer {
  const answer = named[provider][name];
  if (!answer) throw new Error(`${provider} has no error ${name}`);
  return answer;
}

/** How a provider says that it is asked too often, and for how long. */
export function tooOften(provider: Provider, waitMs: number, now: number): ProviderAnswer {
  const seconds = String(Math.max(1, Math.ceil(waitMs / 1_000)));
  if (provider === 'fcm') return { ...errorOf('fcm', 'QUOTA_EXCEEDED'), headers: { 'retry-after': seconds } };
  if (provider === 'twilio') return errorOf('twilio', '20429');
  const reset = String(Math.ceil((now + waitMs) / 1_000));
  return {
    ...errorOf('sendgrid', 'RATE_LIMITED'),
    headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset },
  };
}

/** How a provider says that it is down. */
export const isDown: Record<Provider, string> = { fcm: 'UNAVAILABLE', sendgrid: 'UNAVAILABLE', twilio: '20503' };

/** How a provider answers a body that it cannot even read. */
export const unreadable: Record<Provider, ProviderAnswer> = {
  fcm: fcmError(400, 'INVALID_ARGUMENT', 'Invalid JSON payload received.'),
  sendgrid: sendGridError(400, 'Bad Request'),
  twilio: twilioError(400, 20001, 'Unknown parameters'),
};
