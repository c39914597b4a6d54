import type { IRouter, NextFunction, Request, Response } from 'express';
import { z } from 'zod';
import { type FieldFault, faultsOf } from '../contracts/errors.ts';
import type { Endpoint } from '../contracts/rest/endpoint.ts';
import type { Actor } from '../domain/deps.ts';
import { DomainError } from '../domain/errors.ts';
import type { Authenticate } from './middleware/authenticate.ts';

type Parsed<Schema> = NonNullable<Schema> extends infer Known extends z.ZodType ? z.infer<Known> : undefined;

/** What a handler is given: all of it checked against the contract. */
export interface Call<E extends Endpoint> {
  actor: E['auth'] extends 'user' ? Actor : undefined;
  params: Parsed<E['params']>;
  query: Parsed<E['query']>;
  body: Parsed<E['body']>;
  /** The version that `If-Match` names. */
  ifMatch: number | undefined;
  request: Request;
}

/** What a handler answers with: one of the statuses that the contract knows, and its body. */
export type Answer<E extends Endpoint> = {
  [Status in keyof E['success'] & number]: {
    status: Status;
    body: E['success'][Status] extends z.ZodType ? z.input<E['success'][Status]> : undefined;
    version?: number;
  };
}[keyof E['success'] & number];

export interface RouteOptions {
  authenticate: Authenticate;
  /** Parses every answer against its contract: in development and tests, where a mistake must not pass unseen. */
  checkAnswers: boolean;
}

/** An answer with the exact type of its status. */
export const reply = <const Status extends number, Body>(status: Status, body: Body, version?: number) =>
  version === undefined ? { status, body } : { status, body, version };

export type Handler<E extends Endpoint> = (call: Call<E>) => Promise<Answer<E>> | Answer<E>;

/** Mounts one endpoint: who asks, what they ask, the call, the answer. Throws reach the error handler by themselves. */
export function route<E extends Endpoint>(
  router: IRouter,
  endpoint: E,
  options: RouteOptions,
  handle: Handler<E>,
): void {
  const path = endpoint.path.replaceAll(/\{(\w+)\}/g, ':$1');
  router[endpoint.method](path, async (request: Request, response: Response, next: NextFunction) => {
    response.locals.operation = endpoint.operationId;
    const actor = endpoint.auth === 'user' ? await options.authenticate(request, response, next) : undefined;
    response.locals.actor = actor;
    const input = checkInput(endpoint, request);
    const answer = await handle({ actor, ...input, request } as Call<E>);
    sendAnswer(response, endpoint, answer, options);
  });
}

const nothing = z.strictObject({});

/** Checks every part and names all faults at once. Unknown fields and parameters are faults too. */
function checkInput(endpoint: Endpoint, request: Request) {
  const faults: FieldFault[] = [];
  const check = (schema: z.ZodType | undefined, value: unknown, where: string) => {
    const parsed = (schema ?? nothing).safeParse(value === undefined ? {} : value);
    if (parsed.success) return schema ? parsed.data : undefined;
    faults.push(...faultsOf(parsed.error.issues, where));
    return undefined;
  };
  const input = {
    params: check(endpoint.params, request.params, ''),
    query: check(endpoint.query, request.query, ''),
    body: check(endpoint.body, request.body, ''),
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

function sendAnswer<E extends Endpoint>(
  response: Response,
  endpoint: E,
  answer: Answer<E>,
  { checkAnswers }: RouteOptions,
): void {
  const { status, body, version } = answer as { status: number; body: unknown; version?: number };
  const schema = endpoint.success[status];
  if (checkAnswers && schema) schema.parse(body);
  if (version !== undefined) response.setHeader('etag', `"${version}"`);
  response.status(status);
  if (schema) response.type('application/json').send(JSON.stringify(body));
  else response.end();
}
