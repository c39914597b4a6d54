import { z } from 'zod';
import { wordsOf } from './fault-words.ts';

/**
 * The closed list of what can go wrong for a client. Clients switch on `code`; the text beside it is for people.
 * A new code does not compile until every door has decided what it means there.
 */
export const errorCodes = {
  invalid_input: 'The input does not fit the contract; each fault is named in `errors`.',
  malformed_json: 'The body is not JSON.',
  malformed_request: 'The request is not as HTTP wants it, or did not come in time.',
  payload_too_large: 'The body or frame is larger than the limit.',
  unsupported_media_type: 'Send the body as application/json.',
  unauthenticated: 'A valid access token is needed.',
  token_expired: 'The access token has run out; refresh the session.',
  session_revoked: 'This session was ended; sign in again.',
  invalid_credentials: 'Identifier or password is wrong.',
  refresh_reused: 'This refresh token was used before; the session was ended for safety. Sign in again.',
  identifier_taken: 'An account with this e-mail address or phone number exists.',
  invalid_code: 'The verification code is wrong.',
  code_expired: 'The verification code has run out or was never asked for; ask for a new one.',
  too_many_attempts: 'Too many wrong tries; ask for a new code.',
  invalid_passkey: 'The passkey’s answer is not right for what was asked; begin again.',
  factor_exists: 'This factor is switched on already; remove it before you set it up anew.',
  link_required:
    'An account with this verified address exists: sign in to it as before, then link this provider by POST /v1/me/identities/{provider}.',
  identity_taken: 'This account of the provider signs in somebody else here; remove it there first.',
  identity_exists: 'You sign in by an account of this provider already; remove it before you link another.',
  provider_refused:
    'The provider, or the person there, said no; nothing was changed. Begin again, or sign in otherwise.',
  invalid_identity: 'What came back from the provider does not prove who you are; begin again.',
  sign_in_expired: 'This sign-in was begun too long ago, in another browser, or has ended already; begin again.',
  no_password:
    'This account has no password; POST /v1/auth/password/forgot with its address mails a link that sets a first one.',
  last_way_in: 'You could not sign in any more; set a password or add a passkey first.',
  step_up_required:
    'This needs a proof of who you are that is at most five minutes old: POST /v1/auth/step-up, then ask again; `detail` says with what.',
  insufficient_scope:
    'This token has not the scope that is needed, or none has it; `detail` says which. Make a token with it, or sign in.',
  forbidden: 'You may not do this.',
  not_found: 'It does not exist, or it is not yours.',
  method_not_allowed: 'This path does not take that method.',
  conflict: 'It was changed by somebody else meanwhile; read it again.',
  last_owner: 'It would be left without an owner; make somebody else an owner first.',
  bot_ended: 'This bot was ended for good by its owner or an admin; make another one.',
  last_admin: 'Nobody would be left who administers this deployment; make somebody else an admin first.',
  idempotency_conflict: 'This clientId was used before with other content; nothing was changed.',
  precondition_failed: 'It has changed since the version that If-Match names; read it again.',
  job_ended: 'This job has ended; there is nothing to be done with it any more.',
  nothing_to_mend: 'Nothing of this job is stuck in that way; see `detail`.',
  limit_reached: 'A limit was reached; see `detail`.',
  rate_limited: 'Too many requests; wait as long as `retryAfterMs` says.',
  urgent_limit:
    'As many urgent messages as a day takes were sent, by this person or to one of the recipients; send it as a normal one, or after `retryAfterMs`.',
  overloaded: 'The server is busy; try again shortly.',
  outcome_unknown: 'It is not known whether this took effect; repeat it with the same clientId.',
  unavailable: 'A part that is needed is away for the moment; try again.',
  fenced:
    'This node does not know which sessions have ended and serves nobody until it does; come back, best by another.',
  origin_refused: 'This origin is not allowed to connect.',
  internal: 'Something failed on our side; it was logged under the request id.',
} as const;

export type ErrorCode = keyof typeof errorCodes;
export const ErrorCode = z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]);

/** One fault of an input: where it is (`text`, `mentions.0.userId`), a word for programs, a sentence with the remedy. */
export const FieldFault = z.strictObject({ path: z.string(), code: z.string(), message: z.string() });
export type FieldFault = z.infer<typeof FieldFault>;

/** zod's issue as faults of ours. Each unknown key is a fault of its own, with its own path. */
function toFaults(issue: z.core.$ZodIssue, where = ''): FieldFault[] {
  const path = [...(where ? [where] : []), ...issue.path.map(String)];
  if (issue.code !== 'unrecognized_keys') return [{ path: path.join('.'), code: issue.code, message: wordsOf(issue) }];
  const message = 'is not known here; remove it';
  const keys = issue.keys.slice(0, maxFaults);
  return keys.map((key) => ({ path: [...path, key].join('.'), code: 'unknown_field', message }));
}

/** Faults that one answer names at most: a body of nothing but unknown fields must not be answered at ten times its size. */
const maxFaults = 50;

/** Every fault of an input, as many as an answer names. */
export const faultsOf = (issues: readonly z.core.$ZodIssue[], where = ''): FieldFault[] =>
  issues
    .slice(0, maxFaults)
    .flatMap((issue) => toFaults(issue, where))
    .slice(0, maxFaults);

/** What REST answers with on every refusal: RFC 9457 `application/problem+json`. */
export const Problem = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: ErrorCode,
    requestId: z.string(),
    retryAfterMs: z.int().nonnegative().optional(),
    errors: z.array(FieldFault).optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof Problem>;

/** What a socket answers with on every refusal, inside the ack or in `err.data` of a refused connect. */
export const SocketError = z
  .strictObject({
    code: ErrorCode,
    message: z.string(),
    retryAfterMs: z.int().nonnegative().optional(),
    errors: z.array(FieldFault).optional(),
  })
  .meta({ id: 'SocketError' });
export type SocketError = z.infer<typeof SocketError>;

interface Details {
  detail?: string;
  /** What a token needs and has not. */
  scope?: string;
  retryAfterMs?: number;
  errors?: FieldFault[];
  cause?: unknown;
}

/** A refusal with a code of the closed list, as it travels inside the house before a door turns it into an answer. */
export class CodedError extends Error {
  override name = 'CodedError';
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;
  readonly errors: FieldFault[] | undefined;
  readonly scope: string | undefined;

  constructor(code: ErrorCode, { detail, retryAfterMs, errors, scope, cause }: Details = {}) {
    super(detail ?? errorCodes[code], cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryAfterMs = retryAfterMs;
    this.errors = errors;
    this.scope = scope;
  }
}

/** Milliseconds after which a refusal for a busy or failing part may be tried again. */
export const retrySoonMs = 1_000;
