import { statusOf } from '../../api/errors.ts';
import type { SocketError } from '../../contracts/errors.ts';
import { type Endpoint, endpoints } from '../../contracts/rest/index.ts';
import type { TestApp } from '../setup/app.ts';
import type { Answer, Ask } from './rest.ts';
import { type TestSocket, connect } from './socket.ts';

export type Door = 'REST' | 'the socket';
const doors: readonly Door[] = ['REST', 'the socket'];

/** A suite that is written in terms of REST runs over sockets as it stands. */
export function byEachDoor(title: string, suite: (door: Door) => void): void {
  for (const door of doors) describe(`${title}, by ${door}`, () => suite(door));
}

/** The deployment as people find it who register now: all that they ask goes through that door. */
export const by = (door: Door, app: TestApp): TestApp & Entrance => ({ ...app, door });

/** Where people ask. */
export interface Entrance {
  url: string;
  door?: Door;
}

/** Calls of a person over a socket of theirs, which closes with its server. */
export function callBySocket({ url }: Entrance, token: string): Ask {
  let socket: Promise<TestSocket> | undefined;
  return async (method, path, body, headers = {}) => {
    socket ??= connect(url, { token });
    const input = toRequest(method, path, body, headers['if-match']);
    return toAnswer(await (await socket).ask('request', input));
  };
}

const patterns = (Object.values(endpoints) as Endpoint[]).map((endpoint) => ({
  endpoint,
  pattern: new RegExp(`^${endpoint.path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`),
}));

/** What REST says by method, path and query, the socket says by name. */
function toRequest(method: string, path: string, body: unknown, ifMatch: string | undefined) {
  const { pathname, searchParams } = new URL(path, 'http://homing.test');
  const known = patterns.find(
    ({ endpoint, pattern }) => endpoint.method === method.toLowerCase() && pattern.test(pathname),
  );
  if (!known) throw new Error(`no operation is at ${method} ${pathname}`);
  const { endpoint, pattern } = known;
  const params = Object.entries(pattern.exec(pathname)?.groups ?? {});
  return {
    operation: endpoint.operationId,
    ...(params.length > 0 ? { params: Object.fromEntries(params.map(([k, v]) => [k, decodeURIComponent(v)])) } : {}),
    ...(searchParams.size > 0 ? { query: Object.fromEntries(searchParams) } : {}),
    ...(body === undefined ? {} : { body }),
    ...(ifMatch === undefined ? {} : { ifMatch: Number(ifMatch.replaceAll('"', '')) }),
  };
}

type Acked = Awaited<ReturnType<TestSocket['ask']>>;

/** The acknowledgement in the clothes of REST, so that one set of expectations reads both. */
function toAnswer<Body>(ack: Acked): Answer<Body> {
  if (!ack.ok)
    return { status: statusOf[ack.error.code], body: toProblem(ack.error) as Body, headers: problemHeaders(ack.error) };
  const { status, body, version } = ack as { status: number; body?: unknown; version?: number };
  return { status, body: body as Body, headers: new Headers(version === undefined ? {} : { etag: `"${version}"` }) };
}

const problemHeaders = ({ retryAfterMs }: SocketError) =>
  new Headers({
    ...{ 'content-type': 'application/problem+json', 'x-request-id': 'none' },
    ...(retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) }),
  });

function toProblem({ code, message, errors, ...rest }: SocketError) {
  const status = statusOf[code];
  const told = { type: `/docs/errors#${code}`, title: code, status, detail: message, code, requestId: 'none', ...rest };
  // REST names a field within its part; the socket names the part, too.
  const within = errors?.map((fault) => ({ ...fault, path: asInRest(fault.path) }));
  return within ? { ...told, errors: within } : told;
}

const asInRest = (path: string) => (path === 'ifMatch' ? 'If-Match' : path.replace(/^(params|query|body)\.?/, ''));
