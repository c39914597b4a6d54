import type { ErrorCode } from '../../contracts/errors.ts';
import { type ClientEventName, clientEvents } from '../../contracts/realtime/index.ts';
import type { Endpoint } from '../../contracts/rest/index.ts';
import type { Place as At } from '../../domain/access/policy.ts';
import { call } from '../support/rest.ts';
import type { TestSocket } from '../support/socket.ts';
import { type Known, sampleOf } from './sample.ts';

/** What came of a call, whichever door it went through. */
export interface Came {
  code: 'done' | ErrorCode;
  /** Without what differs from call to call. */
  told: string;
  body?: unknown;
}

export interface Input {
  params?: Record<string, string>;
  query?: Record<string, string>;
  body?: Record<string, unknown>;
}

/** A whole input of an operation, with these names in their places. */
export function inputOf({ params, query, body }: Endpoint, names: Partial<Record<At, string>>, known: Known): Input {
  const part = (name: 'params' | 'query' | 'body', schema: Endpoint['params']) =>
    schema ? { [name]: sampleOf(schema, { ...known, ...within(name, names) }) } : {};
  return { ...part('params', params), ...part('query', query), ...part('body', body) };
}

/** The same of a socket's own event. */
export const eventInputOf = (event: ClientEventName, names: Partial<Record<At, string>>, known: Known): unknown =>
  sampleOf(clientEvents[event].input, { ...known, ...within('input', names) });

const within = (part: string, names: Partial<Record<At, string>>): Known =>
  Object.fromEntries(
    Object.entries(names)
      .filter(([place]) => place.startsWith(`${part}.`))
      .map(([place, id]) => [place.slice(part.length + 1), id]),
  );

export async function askRest(url: string, endpoint: Endpoint, token: string | null, input: Input): Promise<Came> {
  const { params = {}, query = {}, body } = input;
  const path = endpoint.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  const search = Object.keys(query).length > 0 ? `?${new URLSearchParams(query).toString()}` : '';
  const options = { ...(token === null ? {} : { token }), ...(body === undefined ? {} : { body }) };
  const answer = await call<Record<string, unknown> | undefined>(
    url,
    endpoint.method.toUpperCase(),
    `${path}${search}`,
    options,
  );
  const isDone = answer.status < 400 || answer.body?.code === undefined;
  const code = isDone ? 'done' : (answer.body?.code as ErrorCode);
  return { code, told: JSON.stringify({ ...answer.body, requestId: undefined }), body: answer.body };
}

type Acked = { ok: boolean; error?: { code: ErrorCode }; status?: number; body?: unknown };

export async function askEvent(socket: TestSocket, event: ClientEventName, input: unknown): Promise<Came> {
  const answer = (await socket.ask(event, input)) as Acked;
  if (!answer.ok && answer.error) return { code: answer.error.code, told: JSON.stringify(answer.error) };
  return { code: 'done', told: '', body: event === 'request' ? answer.body : answer };
}

export const askRequest = (socket: TestSocket, { operationId }: Endpoint, input: Input): Promise<Came> =>
  askEvent(socket, 'request', { operation: operationId, ...input });
