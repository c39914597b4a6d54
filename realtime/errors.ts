import { type ErrorCode, type SocketError, errorCodes } from '../contracts/errors.ts';
import { type DomainError, toDomainError } from '../domain/errors.ts';

/** What a code does to the socket that met it. A new code does not compile until it is decided. */
export const afterError: Record<ErrorCode, 'keep' | 'close'> = {
  invalid_input: 'keep',
  malformed_json: 'keep',
  malformed_request: 'keep',
  payload_too_large: 'keep',
  unsupported_media_type: 'keep',
  unauthenticated: 'close',
  token_expired: 'close',
  session_revoked: 'close',
  invalid_credentials: 'keep',
  refresh_reused: 'close',
  identifier_taken: 'keep',
  invalid_code: 'keep',
  code_expired: 'keep',
  too_many_attempts: 'keep',
  invalid_passkey: 'keep',
  factor_exists: 'keep',
  link_required: 'keep',
  identity_taken: 'keep',
  identity_exists: 'keep',
  provider_refused: 'keep',
  invalid_identity: 'keep',
  sign_in_expired: 'keep',
  no_password: 'keep',
  last_way_in: 'keep',
  step_up_required: 'keep',
  insufficient_scope: 'keep',
  forbidden: 'keep',
  not_found: 'keep',
  method_not_allowed: 'keep',
  conflict: 'keep',
  last_owner: 'keep',
  bot_ended: 'keep',
  last_admin: 'keep',
  idempotency_conflict: 'keep',
  precondition_failed: 'keep',
  job_ended: 'keep',
  nothing_to_mend: 'keep',
  limit_reached: 'keep',
  rate_limited: 'keep',
  urgent_limit: 'keep',
  overloaded: 'keep',
  outcome_unknown: 'keep',
  unavailable: 'keep',
  fenced: 'close',
  origin_refused: 'close',
  internal: 'keep',
};

/** A thrown thing as a socket's answer. What nobody foresaw shows nothing of itself. */
export function toSocketError(thrown: unknown): { error: SocketError; cause: DomainError } {
  const cause = toDomainError(thrown);
  const { code, retryAfterMs, errors } = cause;
  return {
    cause,
    error: {
      code,
      message: code === 'internal' ? errorCodes.internal : cause.message,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(errors === undefined ? {} : { errors }),
    },
  };
}
