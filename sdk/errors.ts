import type { SecondFactorNeeded } from '../contracts/entities/index.ts';
import type { ErrorCode, FieldFault, Problem, SocketError } from '../contracts/errors.ts';

/** What goes wrong on this side of the wire, beside the server's own codes. */
export const clientErrorCodes = {
  network: 'The server could not be reached.',
  timeout: 'The server did not answer in time.',
  disconnected: 'The connection was lost before the answer came.',
  unreadable: 'Something answered that is not the server.',
  signed_out: 'Nobody is signed in.',
  second_factor_required: 'The password is right; go on with a second factor.',
  stopped: 'The client was stopped.',
  queue_full: 'Too many messages wait to be sent.',
  discarded: 'The message was thrown away before it was sent.',
  settled_elsewhere: 'Another client on the same storage has sent the message, had it refused or thrown it away.',
  storage_failed: 'It could not be written to the storage.',
} as const;
export type ClientErrorCode = keyof typeof clientErrorCodes;
export type HomingErrorCode = ErrorCode | ClientErrorCode;

interface Details {
  message?: string | undefined;
  status?: number | undefined;
  retryAfterMs?: number | undefined;
  errors?: FieldFault[] | undefined;
  secondFactor?: SecondFactorNeeded | undefined;
  cause?: unknown;
}

/** Everything that this client rejects with. Switch on `code`; `message` is for people. */
export class HomingError extends Error {
  override name = 'HomingError';
  readonly code: HomingErrorCode;
  /** The HTTP status, where it came over REST. */
  readonly status: number | undefined;
  /** Milliseconds after which a further try makes sense. */
  readonly retryAfterMs: number | undefined;
  /** Each fault of an input, with its path. */
  readonly errors: FieldFault[] | undefined;
  /** Of `second_factor_required`: what `finishSignIn` goes on with, and by which means. */
  readonly secondFactor: SecondFactorNeeded | undefined;

  constructor(code: HomingErrorCode, { message, status, retryAfterMs, errors, secondFactor, cause }: Details = {}) {
    const words = message ?? (code in clientErrorCodes ? clientErrorCodes[code as ClientErrorCode] : code);
    super(words, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
    this.errors = errors;
    this.secondFactor = secondFactor;
  }
}

/** Whether a word is one of the server's codes. */
export const isServerCode = (word: string): word is ErrorCode =>
  Object.hasOwn(meanings, word) && !Object.hasOwn(clientErrorCodes, word);

export const fromProblem = ({ code, detail, status, retryAfterMs, errors }: Problem): HomingError =>
  new HomingError(code, { message: detail, status, retryAfterMs, errors });

export const fromSocketError = ({ code, message, retryAfterMs, errors }: SocketError): HomingError =>
  new HomingError(code, { message, retryAfterMs, errors });

/** Any thrown thing as an error of ours; what is foreign was met on the way to the server. */
export const toHomingError = (thrown: unknown): HomingError =>
  thrown instanceof HomingError ? thrown : new HomingError('network', { cause: thrown });

/**
 * What a code says about a request that may be repeated. `refused`: it took no effect, and will not. `unknown`: it may
 * have taken effect, or may yet; ask again with the same client id. A new code does not compile until it is decided.
 */
const meanings: Record<HomingErrorCode, 'refused' | 'unknown'> = {
  invalid_input: 'refused',
  malformed_json: 'refused',
  malformed_request: 'refused',
  payload_too_large: 'refused',
  unsupported_media_type: 'refused',
  unauthenticated: 'unknown',
  token_expired: 'unknown',
  session_revoked: 'unknown',
  invalid_credentials: 'refused',
  refresh_reused: 'unknown',
  identifier_taken: 'refused',
  invalid_code: 'refused',
  code_expired: 'refused',
  too_many_attempts: 'refused',
  invalid_passkey: 'refused',
  factor_exists: 'refused',
  link_required: 'refused',
  identity_taken: 'refused',
  identity_exists: 'refused',
  provider_refused: 'refused',
  invalid_identity: 'refused',
  sign_in_expired: 'refused',
  no_password: 'refused',
  last_way_in: 'refused',
  step_up_required: 'refused',
  insufficient_scope: 'refused',
  forbidden: 'refused',
  not_found: 'refused',
  method_not_allowed: 'refused',
  conflict: 'refused',
  last_owner: 'refused',
  bot_ended: 'refused',
  last_admin: 'refused',
  idempotency_conflict: 'refused',
  precondition_failed: 'refused',
  job_ended: 'refused',
  nothing_to_mend: 'refused',
  limit_reached: 'refused',
  rate_limited: 'unknown',
  // Most of a day is too long for what was written behind it.
  urgent_limit: 'refused',
  overloaded: 'unknown',
  outcome_unknown: 'unknown',
  unavailable: 'unknown',
  fenced: 'unknown',
  origin_refused: 'unknown',
  internal: 'unknown',
  network: 'unknown',
  timeout: 'unknown',
  disconnected: 'unknown',
  unreadable: 'refused',
  signed_out: 'refused',
  second_factor_required: 'refused',
  stopped: 'refused',
  queue_full: 'refused',
  discarded: 'refused',
  settled_elsewhere: 'refused',
  storage_failed: 'refused',
};

/** Whether the same request should be made again. A code of a newer server, which is not listed, is a refusal. */
export const isUnknown = ({ code }: HomingError): boolean => meanings[code] === 'unknown';

/** These end a session: no token of it will ever be good again, or the one there is will never connect. */
export const endsSession = ({ code }: HomingError): boolean =>
  code === 'session_revoked' || code === 'refresh_reused' || code === 'insufficient_scope';
