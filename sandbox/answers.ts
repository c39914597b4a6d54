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
    INTERNAL: sendGridError(500, 'Internal Server Error'),
    UNAVAILABLE: sendGridError(503, 'Service Unavailable'),
  },
  twilio: {
    '20003': twilioError(401, 20003, 'Authenticate'),
    '20429': twilioError(429, 20429, 'Too Many Requests'),
    '20500': twilioError(500, 20500, 'Internal Server Error'),
    '20503': twilioError(503, 20503, 'Service Unavailable'),
    '21211': twilioError(400, 21211, "The 'To' number is not a valid phone number."),
    '21408': twilioError(403, 21408, 'Permission to send an SMS has not been enabled for the region'),
    '21610': twilioError(400, 21610, 'Attempt to send to unsubscribed recipient'),
    '21614': twilioError(400, 21614, "'To' number is not a valid mobile number"),
    '21617': twilioError(400, 21617, 'The concatenated message body exceeds the 1600 character limit'),
    '30003': twilioError(400, 30003, 'Unreachable destination handset'),
    '30005': twilioError(400, 30005, 'Unknown destination handset'),
    '30006': twilioError(400, 30006, 'Landline or unreachable carrier'),
    '30007': twilioError(400, 30007, 'Message filtered'),
  },
};

/** How a provider answers a path that it does not have. */
export const notThere: Record<Provider | 'unknown', ProviderAnswer> = {
  fcm: fcmError(404, 'NOT_FOUND', 'The requested URL was not found on this server.'),
  sendgrid: sendGridError(404, 'not found'),
  twilio: twilioError(404, 20404, 'The requested resource was not found'),
  unknown: { status: 404, body: { error: 'No provider has this path.' } },
};

/** How a provider answers a body that it cannot even read. */
export const unreadable: Record<Provider, ProviderAnswer> = {
  fcm: fcmError(400, 'INVALID_ARGUMENT', 'Invalid JSON payload received.'),
  sendgrid: sendGridError(400, 'Bad Request'),
  twilio: twilioError(400, 20001, 'Unknown parameters'),
};
