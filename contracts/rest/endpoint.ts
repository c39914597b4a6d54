import type { z } from 'zod';
import type { ErrorCode } from '../errors.ts';

/** Nothing needed, or a person's access token. What such a person may then do is a row of the domain's policy. */
export type Auth = 'none' | 'user';

/**
 * A REST call as data: the routes mount it, OpenAPI prints it, the typed client calls it, tests walk over it.
 * `success` maps each status that means success to its body; `null` is an empty body.
 */
export interface Endpoint<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Success extends Record<number, z.ZodType | null> = Record<number, z.ZodType | null>,
  Needs extends Auth = Auth,
> {
  readonly operationId: string;
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** OpenAPI form: `/v1/conversations/{id}`. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly auth: Needs;
  /**
   * Only in a session whose person has proved who they are within the last minutes (`proofSeconds`): always, or where the
   * body says one of these words in that field.
   */
  readonly stepUp?: true | Readonly<Record<string, string>>;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  readonly success: Success;
  /** What it may be refused with, beside what every call may be refused with. */
  readonly errors: readonly ErrorCode[];
  /** True where the answer carries an `ETag` and the request may carry `If-Match`. */
  readonly conditional?: boolean;
}

/** Keeps the exact types of a definition while checking its shape. */
export function endpoint<
  Params extends z.ZodType = z.ZodUndefined,
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
  const Success extends Record<number, z.ZodType | null> = Record<number, null>,
  const Needs extends Auth = Auth,
>(definition: Endpoint<Params, Query, Body, Success, Needs>): Endpoint<Params, Query, Body, Success, Needs> {
  return definition;
}
