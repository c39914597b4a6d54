import type { z } from 'zod';
import type { Problem } from '../contracts/errors.ts';
import { HomingError, fromProblem, toHomingError } from './errors.ts';
import type { ClientLimits } from './limits.ts';
import { type Endpoints, type Operation, routes } from './routes.ts';
import type { Surroundings } from './surroundings.ts';

/** What a contract's part takes; nothing where it has no such part. */
type Taken<Schema> = NonNullable<Schema> extends infer Known extends z.ZodType ? z.input<Known> : undefined;
/** Query strings carry text; a number may be given for it. */
type Written<Query> = {
  [Name in keyof Query]: Query[Name] extends string | undefined ? Query[Name] | number : Query[Name];
};
type Part<Name extends string, Value> = [Value] extends [undefined]
  ? unknown
  : Record<never, never> extends Value
    ? { [Key in Name]?: Value }
    : { [Key in Name]: Value };

/** What a call is given, by the name of its operation: checked against the contract by the compiler. */
export type RestInput<Op extends Operation> = Part<'params', Taken<Endpoints[Op]['params']>> &
  Part<'query', Written<Taken<Endpoints[Op]['query']>>> &
  Part<'body', Taken<Endpoints[Op]['body']>> & {
    /** The version that the change is of: told as `If-Match`, where the operation knows it. */
    ifMatch?: number;
  };

/** What it answers with; undefined where success has no body. */
export type RestOutput<Op extends Operation> = {
  [Status in keyof Endpoints[Op]['success']]: Endpoints[Op]['success'][Status] extends z.ZodType
    ? z.output<Endpoints[Op]['success'][Status]>
    : undefined;
}[keyof Endpoints[Op]['success']];

/** The input may be left out where nothing of it is needed. */
export type RestArguments<Op extends Operation> =
  Record<never, never> extends RestInput<Op> ? [input?: RestInput<Op>] : [input: RestInput<Op>];

/** Calls the server by the name of the operation. */
export type Rest = <Op extends Operation>(operation: Op, ...given: RestArguments<Op>) => Promise<RestOutput<Op>>;

export interface RestOptions {
  url: string;
  fetch: Surroundings['fetch'];
  limits: ClientLimits;
}

interface AnyInput {
  params?: Record<string, string>;
  query?: Record<string, string | number | undefined>;
  body?: unknown;
  ifMatch?: number;
}

/** One call, with or without a token. Rejects with a `HomingError` whatever goes wrong. */
export async function request<Op extends Operation>(
  { url, fetch, limits }: RestOptions,
  operation: Op,
  input: RestInput<Op>,
  token?: string,
): Promise<RestOutput<Op>> {
  const { params = {}, query = {}, body, ifMatch } = input as AnyInput;
  const [method = '', path = ''] = routes[operation].split(' ');
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => part(name, params[name]));
  const init: RequestInit = {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(ifMatch === undefined ? {} : { 'if-match': `"${ifMatch}"` }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(limits.answerMs),
  };
  try {
    return await read(await fetch(`${url}${filled}${search(query)}`, init));
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') throw new HomingError('timeout', { cause: error });
    throw toHomingError(error);
  }
}

/** An id that is missing would ask for something else: the list, or all of it. */
function part(name: string, value: string | undefined): string {
  if (value) return encodeURIComponent(value);
  throw new HomingError('invalid_input', {
    errors: [{ path: `params.${name}`, code: 'missing', message: 'must be given' }],
  });
}

function search(query: NonNullable<AnyInput['query']>): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) words.append(name, String(value));
  return words.size === 0 ? '' : `?${words.toString()}`;
}

async function read<Output>(response: Response): Promise<Output> {
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  if (response.ok && (text === '' || type.startsWith('application/json'))) {
    return (text === '' ? undefined : JSON.parse(text)) as Output;
  }
  if (type.startsWith('application/problem+json')) throw fromProblem(JSON.parse(text) as Problem);
  // A proxy speaks: busy and failing ones say nothing about the request itself.
  const { status } = response;
  throw new HomingError(status >= 500 || status === 429 ? 'network' : 'unreadable', { status });
}
