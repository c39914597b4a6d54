import pg from 'pg';
import { OutcomeUnknown } from './client.ts';

const unavailableClasses = ['08', '53', '57'];
const networkCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH']);

/** True when `error` is a unique violation, of that constraint if one is named. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return (
    error instanceof pg.DatabaseError &&
    error.code === '23505' &&
    (constraint === undefined || error.constraint === constraint)
  );
}

/** Two transactions locked in opposite orders, or one was cancelled for the other: running again is safe and right. */
export function isRetryable(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === '40P01' || error.code === '40001');
}

/** The statement was ended before it was through: it took too long, or somebody stopped it. */
export function isCancelled(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '57014';
}

/**
 * True when PostgreSQL is away, full or shutting down (SQLSTATE classes 08, 53, 57), or no connection was to be had:
 * the caller is told to try again, and that nothing took effect.
 */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof OutcomeUnknown) return false;
  if (error instanceof pg.DatabaseError) return unavailableClasses.includes(error.code?.slice(0, 2) ?? '');
  if (!(error instanceof Error)) return false;
  if (networkCodes.has((error as NodeJS.ErrnoException).code ?? '')) return true;
  return /timeout exceeded when trying to connect|Connection terminated|Query read timeout|Client has encountered a connection error/.test(
    error.message,
  );
}
