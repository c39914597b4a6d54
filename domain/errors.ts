import { CodedError, retrySoonMs } from '../contracts/errors.ts';
import { OutcomeUnknown } from '../db/client.ts';
import { isRetryable, isUnavailable } from '../db/errors.ts';
import type { Budget } from './deps.ts';

/** A refusal in the domain's own words. Doors map the code; nothing here knows HTTP, sockets or Temporal. */
export const DomainError = CodedError;
export type DomainError = CodedError;

/** Also for "not yours": the two must look the same from outside. */
export const notFound = () => new DomainError('not_found');

/** More than can be done at once. One for all: a stack for each was a fifth of the time of a process that refused. */
export const overloaded = new DomainError('overloaded', { retryAfterMs: retrySoonMs });

/** Too often. Without a stack, for the same reason: refusing must cost less than what is refused. */
export function rateLimited({ name, points, seconds, resetMs }: Budget): DomainError {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const detail = `The limit "${name}" is ${points} in ${seconds} s; wait as long as retryAfterMs says.`;
  const error = new DomainError('rate_limited', { detail, retryAfterMs: resetMs });
  Error.stackTraceLimit = stackTraceLimit;
  return error;
}

/** One faulty field that only the domain could judge. */
export const faultyField = (path: string, code: string, message: string) =>
  new DomainError('invalid_input', { errors: [{ path, code, message }] });

/** A provider cannot be reached or asks for patience. Only durable work sees it, and tries again. */
export class ProviderFailing extends Error {
  override name = 'ProviderFailing';
  readonly code: string;
  readonly retryAfterMs: number | undefined;

  constructor(code: string, retryAfterMs?: number) {
    super(`The provider failed: ${code}`);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What any thrown thing means for a client. What nobody foresaw is `internal`, and the caller logs it. */
export function toDomainError(error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  if (error instanceof OutcomeUnknown)
    return new DomainError('outcome_unknown', { retryAfterMs: retrySoonMs, cause: error });
  if (isUnavailable(error) || isRetryable(error))
    return new DomainError('unavailable', { retryAfterMs: retrySoonMs, cause: error });
  return new DomainError('internal', { cause: error });
}
