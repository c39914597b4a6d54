import { z } from 'zod';
import { Version } from '../entities/index.ts';
import type { Endpoint } from '../rest/endpoint.ts';
import { endpoints } from '../rest/index.ts';

/** Whatever REST offers to somebody who is signed in, asked over the socket: named by its `operationId`. */
export interface OperationRequest {
  operation: string;
  params?: unknown;
  query?: unknown;
  body?: unknown;
  /** The version that REST would be told in `If-Match`. */
  ifMatch?: number | undefined;
}

const requestFor = ({ operationId, params, query, body, conditional }: Endpoint) =>
  z.strictObject({
    operation: z.literal(operationId),
    ...(params ? { params } : {}),
    // Every query can be left out.
    ...(query ? { query: query.prefault({}) } : {}),
    ...(body ? { body } : {}),
    ...(conditional ? { ifMatch: Version.optional() } : {}),
  });

const [first, ...others] = Object.values<Endpoint>(endpoints)
  .filter(({ auth }) => auth === 'user')
  .map(requestFor);
if (!first) throw new Error('no endpoint is for people who are signed in');

/** One shape for each operation, told apart by its name. */
export const OperationRequest = z
  .discriminatedUnion('operation', [first, ...others])
  .meta({ id: 'OperationRequest' }) as unknown as z.ZodType<OperationRequest>;

export const OperationAnswer = z.strictObject({
  /** As REST would answer. */
  status: z.int(),
  /** As REST's body; left out where it has none. */
  body: z.unknown().optional(),
  /** What REST tells in `ETag`. */
  version: Version.optional(),
});
