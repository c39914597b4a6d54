import type { NextFunction, Request, Response } from 'express';
import findMyWay, { type HTTPMethod } from 'find-my-way';
import { z } from 'zod';
import { CodedError, type ErrorCode, type FieldFault, faultsOf } from '../contracts/errors.ts';
import type { Endpoint } from '../contracts/rest/endpoint.ts';
import { DomainError } from '../domain/errors.ts';
import type { Authenticate } from './middleware/authenticate.ts';
import { readBody } from './middleware/body.ts';
import type { Limiter } from './middleware/limit.ts';
import type { Operation, Outcome } from './operations.ts';

type Params = Record<string, string | undefined>;

/** Longer than any path that Node's parser lets through (16 KiB): what is too long the contract says, and not a 404. */
const maxParamLength = 16_384;

/**
 * Answers a request for one of the operations: who asks, whether so often, what they ask, the call, the answer. What is at none of their
 * paths goes on to the next handler. Throws reach the error handler by themselves.
 *
 * The operation is found in find-my-way's tree: Express tries its routes one after the other, and the last of seventy
 * would pay for all before it.
 */
export function createRouter(operations: Iterable<Operation>, authenticate: Authenticate, limit: Limiter) {
  // Without leniency for a slash at the end: an id that a client left empty must not name the list, nor all of it.
  const tree = findMyWay({ maxParamLength });
  const paths = new Set<string>();
  for (const operation of operations) {
    const { method, path } = operation.endpoint;
    paths.add(path);
    tree.on(method.toUpperCase() as HTTPMethod, path.replaceAll(/\{(\w+)\}/g, ':$1'), () => undefined, operation);
  }
  return async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    // HEAD is GET whose body is not sent (RFC 9110 §9.3.2); Node leaves it out.
    const found = tree.find((request.method === 'HEAD' ? 'GET' : request.method) as HTTPMethod, request.path);
    if (!found) return next();
    const { endpoint, run } = found.store as Operation;
    // A path of its own that does not take this method is no id of its neighbour's: `PATCH …/passkeys/begin`.
    if (endpoint.path !== request.path && paths.has(request.path)) return next();
    response.locals.operation = endpoint.operationId;
    const signedIn = async () => {
      try {
        return await authenticate(request, response, next);
      } catch (error) {
        if (isRefusedToken(error))
          await limit('refused', endpoint, request, response, { actor: undefined, params: found.params });
        throw error;
      }
    };
    const actor = endpoint.auth === 'user' ? await signedIn() : undefined;
    response.locals.actor = actor;
    const whose = { actor, params: found.params };
    await limit('before', endpoint, request, response, whose);
    await readBody(request, response);
    const input = checkInput(endpoint, request, found.params);
    await limit('after', endpoint, request, response, { ...whose, body: input.body });
    const outcome = await run({ actor, ...input, request });
    if (!actor) response.locals.signedIn = whoSignedIn(outcome);
    sendAnswer(response, endpoint, outcome);
  };
}

/** Of an answer with a session, whose it is. */
const whoSignedIn = ({ body }: Outcome) => {
  const { session, user } = (body ?? {}) as { session?: unknown; user?: { id: string } };
  return session ? user?.id : undefined;
};

const refusedTokens: ReadonlySet<unknown> = new Set([
  'unauthenticated',
  'token_expired',
  'session_revoked',
] satisfies ErrorCode[]);
/** Else the node lets in nobody right now, whoever asks. */
const isRefusedToken = (error: unknown): boolean => error instanceof CodedError && refusedTokens.has(error.code);

const nothing = z.strictObject({});

/** Checks every part and names all faults at once. Unknown fields and parameters are faults too. */
function checkInput(endpoint: Endpoint, request: Request, params: Params) {
  const faults: FieldFault[] = [];
  const check = (schema: z.ZodType | undefined, value: unknown) => {
    const parsed = (schema ?? nothing).safeParse(value === undefined ? {} : value);
    if (parsed.success) return schema ? parsed.data : undefined;
    faults.push(...faultsOf(parsed.error.issues));
    return undefined;
  };
  const input = {
    params: check(endpoint.params, params),
    query: check(endpoint.query, request.query),
    body: check(endpoint.body, request.body),
    ifMatch: endpoint.conditional ? ifMatch(request, faults) : undefined,
  };
  if (faults.length > 0) throw new DomainError('invalid_input', { errors: faults });
  return input;
}

function ifMatch(request: Request, faults: FieldFault[]): number | undefined {
  const header = request.get('if-match');
  if (header === undefined || header === '*') return undefined;
  const match = /^"(\d{1,15})"$/.exec(header);
  if (!match)
    faults.push({ path: 'If-Match', code: 'invalid_header', message: 'must be an ETag as it was answered, or *' });
  return match ? Number(match[1]) : undefined;
}

function sendAnswer(response: Response, endpoint: Endpoint, { status, body, version }: Outcome): void {
  if (version !== undefined) response.setHeader('etag', `"${version}"`);
  response.statusCode = status;
  if (!endpoint.success[status]) return void response.end();
  const json = Buffer.from(JSON.stringify(body), 'utf8');
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.setHeader('content-length', json.length);
  response.end(json);
}
