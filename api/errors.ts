import { randomUUID } from 'node:crypto';
import type { Response } from 'express';
import { type ErrorCode, type Problem, errorCodes } from '../contracts/errors.ts';
import { type DomainError, toDomainError } from '../domain/errors.ts';

/** Every code's HTTP status. A new code does not compile until it has one. */
export const statusOf: Record<ErrorCode, number> = {
  invalid_input: 400,
  malformed_json: 400,
  malformed_request: 400,
  payload_too_large: 413,
  unsupported_media_type: 415,
  unauthenticated: 401,
  token_expired: 401,
  session_revoked: 401,
  invalid_credentials: 401,
  refresh_reused: 401,
  identifier_taken: 409,
  invalid_code: 400,
  code_expired: 410,
  too_many_attempts: 429,
  invalid_passkey: 400,
  factor_exists: 409,
  link_required: 409,
  identity_taken: 409,
  identity_exists: 409,
  provider_refused: 400,
  invalid_identity: 400,
  sign_in_expired: 410,
  no_password: 409,
  last_way_in: 409,
  step_up_required: 403,
  insufficient_scope: 403,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  last_owner: 409,
  bot_ended: 409,
  last_admin: 409,
  idempotency_conflict: 409,
  precondition_failed: 412,
  job_ended: 409,
  nothing_to_mend: 409,
  limit_reached: 409,
  rate_limited: 429,
  urgent_limit: 429,
  overloaded: 503,
  outcome_unknown: 503,
  unavailable: 503,
  fenced: 503,
  origin_refused: 403,
  internal: 500,
};

/** Answers with RFC 9457's problem+json. What nobody foresaw shows its request id and nothing else. */
export function sendProblem(response: Response, thrown: unknown): DomainError {
  const error = toDomainError(thrown);
  const { code, retryAfterMs, errors } = error;
  const problem: Problem = {
    type: `/docs/errors#${code}`,
    title: errorCodes[code],
    status: statusOf[code],
    detail: code === 'internal' ? errorCodes.internal : error.message,
    code,
    requestId: String(response.getHeader('x-request-id') ?? ''),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(errors === undefined ? {} : { errors }),
  };
  if (retryAfterMs !== undefined) response.setHeader('retry-after', Math.ceil(retryAfterMs / 1_000));
  if (problem.status === 401) response.setHeader('www-authenticate', `Bearer error="invalid_token"`);
  if (code === 'insufficient_scope') response.setHeader('www-authenticate', insufficientScope(error.scope));
  response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  return error;
}

/** RFC 6750 §3.1: what is needed is named, where a token can have it. */
const insufficientScope = (scope: string | undefined) =>
  `Bearer error="insufficient_scope"${scope === undefined ? '' : `, scope="${scope}"`}`;

/** Node's words for what its HTTP parser refuses, with the status that says so. */
const unreadable: Record<string, [status: number, reason: string, code: ErrorCode]> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'payload_too_large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'malformed_request'],
};

/** A whole HTTP answer for what never became a request. */
export function unreadableAnswer(cause: string | undefined, { publicUrl }: { publicUrl: string }): string {
  const [status, reason, code] = unreadable[cause ?? ''] ?? [400, 'Bad Request', 'malformed_request' as const];
  const requestId = randomUUID();
  const problem: Problem = {
    ...{ type: `/docs/errors#${code}`, title: errorCodes[code], status },
    ...{ detail: errorCodes[code], code, requestId },
  };
  const body = JSON.stringify(problem);
  const headers = {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    'x-request-id': requestId,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'",
    ...(publicUrl.startsWith('https:') ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {}),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} ${reason}`, ...lines, '', body].join('\r\n');
}
