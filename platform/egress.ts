import { lookup } from 'node:dns/promises';
import { type LookupFunction, isIP } from 'node:net';
import { Agent, type Dispatcher, buildConnector, fetch as send } from 'undici';
import { limits } from '../contracts/limits.ts';
import type { Log } from '../domain/deps.ts';
import { type Destination, type Network, bare, classOf, isAllowed, isNamed } from './networks.ts';

/** Why a request did not go out. */
type Refusal = 'url' | 'scheme' | 'userinfo' | 'port' | 'address';
/** Why one that did has no answer. */
type Failure = 'too_large' | 'too_slow' | 'unreachable';

/** Holds nothing of where it would have gone: such addresses are somebody's secret, or somebody's probe. */
export class EgressError extends Error {
  override name = 'EgressError';
  readonly code: 'egress_refused' | 'egress_failed';
  readonly reason: Refusal | Failure;
  constructor(code: EgressError['code'], reason: EgressError['reason'], cause?: unknown) {
    super(`${code}: ${reason}`, cause === undefined ? {} : { cause });
    this.code = code;
    this.reason = reason;
  }
}

export interface EgressOptions {
  /** Where requests may go to besides the open internet. */
  allow: readonly Network[];
  log: Log;
  /** All addresses of a host; what the machine itself would ask, when left out. */
  resolve?: (host: string) => Promise<readonly string[]>;
  maxBytes?: number;
  timeoutMs?: number;
}

export interface Egress {
  /**
   * As the language's own, but for three things: it has the whole body when it answers, follows no redirect, and throws
   * an `EgressError`. Who wants to follow one asks again, and is judged again.
   */
  fetch: typeof fetch;
  close: () => Promise<void>;
}

const openPorts: readonly number[] = [80, 443];
/** Connections to one place at once. */
const connections = 32;

/**
 * The one way out for every request to an address that a person or another's document has a say in. A name is resolved
 * once and all its addresses are judged; the socket is then given these and never the name, so that DNS which answers
 * otherwise a moment later changes nothing. Every connection is judged, and so is every hop.
 */
export function createEgress(options: EgressOptions): Egress {
  const { maxBytes = limits.egressBodyBytes, timeoutMs = limits.egressSeconds * 1_000 } = options;
  const dispatcher = new Agent({
    connect: judgingConnector(options, timeoutMs),
    // Bytes as they come; what they unfold to is counted when it is read.
    maxResponseSize: maxBytes,
    maxHeaderSize: limits.egressHeaderBytes,
    allowH2: false,
    connections,
  });
  const ask = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    assertPlain(input instanceof Request ? input.url : String(input));
    const request = new Request(input, init);
    const late = AbortSignal.timeout(timeoutMs);
    try {
      return await exchange(request, { dispatcher, late, maxBytes });
    } catch (thrown) {
      throw toError(thrown, late, request.signal);
    }
  };
  return {
    fetch: (input, init) =>
      ask(input, init).catch((error: unknown) => {
        if (error instanceof EgressError) report(options.log, error);
        throw error;
      }),
    close: () => dispatcher.destroy(),
  };
}

/** What an address says of itself, before anybody is asked about it. */
function assertPlain(address: string): void {
  const url = URL.parse(address);
  if (!url) throw new EgressError('egress_refused', 'url');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new EgressError('egress_refused', 'scheme');
  if (url.username !== '' || url.password !== '') throw new EgressError('egress_refused', 'userinfo');
}

interface Exchange {
  dispatcher: Dispatcher;
  late: AbortSignal;
  maxBytes: number;
}

async function exchange(request: Request, { dispatcher, late, maxBytes }: Exchange): Promise<Response> {
  const body = await request.arrayBuffer();
  const response = await send(request.url, {
    method: request.method,
    headers: [...request.headers],
    body: body.byteLength > 0 ? body : null,
    redirect: 'manual',
    signal: AbortSignal.any([request.signal, late]),
    dispatcher,
  });
  const { status, headers } = response;
  return new Response(await readWithin(response.body, maxBytes), { status, headers: [...headers] });
}

/** A small answer may unfold to any size: what is counted is what it has become. */
async function readWithin(
  body: AsyncIterable<Uint8Array> | null,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new EgressError('egress_failed', 'too_large');
    chunks.push(chunk);
  }
  return bytes > 0 ? Buffer.concat(chunks) : null;
}

/** Judges each connection before it is opened. */
function judgingConnector(options: EgressOptions, timeout: number): buildConnector.connector {
  return (destination, done) => {
    const port = Number(destination.port || (destination.protocol === 'https:' ? 443 : 80));
    judge({ host: bare(destination.hostname), port }, options).then(
      (addresses) => buildConnector({ ...pinnedTo(addresses), allowH2: false, timeout })(destination, done),
      (error: Error) => done(error, null),
    );
  };
}

/** The addresses that a connection may be opened to. One that it may not condemns all: they are of one owner. */
async function judge(to: Destination, { allow, resolve = resolveHere }: EgressOptions): Promise<readonly string[]> {
  const addresses = isIP(to.host) === 0 ? await resolve(to.host) : [to.host];
  if (addresses.length === 0) throw new EgressError('egress_failed', 'unreachable');
  if (isNamed(allow, to)) return addresses;
  const foreign = addresses.filter((address) => !isAllowed(allow, address));
  const range = foreign.map(classOf).find((each) => each !== 'unicast');
  if (range) throw new EgressError('egress_refused', 'address', new Error(range));
  if (foreign.length > 0 && !openPorts.includes(to.port)) throw new EgressError('egress_refused', 'port');
  return addresses;
}

async function resolveHere(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/** Whoever looks the name up again is told what was judged. */
function pinnedTo(addresses: readonly string[]): { lookup: LookupFunction; autoSelectFamily: boolean } {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return { lookup: (_host, _options, done) => done(null, all), autoSelectFamily: true };
}

const tooLarge: readonly unknown[] = ['UND_ERR_RES_EXCEEDED_MAX_SIZE', 'UND_ERR_HEADERS_OVERFLOW'];
const tooSlow: readonly unknown[] = ['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'];

/** What was thrown, by whomever, in our own words; but who called it off hears their own. */
function toError(thrown: unknown, late: AbortSignal, callers: AbortSignal): unknown {
  const errors = chain(thrown);
  const ours = errors.find((each) => each instanceof EgressError);
  if (ours) return ours;
  if (callers.aborted) return callers.reason;
  const codes = errors.map((each) => (each as NodeJS.ErrnoException).code);
  const isLate = late.aborted || codes.some((code) => tooSlow.includes(code));
  const reason = codes.some((code) => tooLarge.includes(code)) ? 'too_large' : isLate ? 'too_slow' : 'unreachable';
  return new EgressError('egress_failed', reason, thrown);
}

const chain = (error: unknown): Error[] => (error instanceof Error ? [error, ...chain(error.cause)] : []);

/** Of an address that was refused its kind, and of nothing else anything. */
function report(log: Log, { code, reason, cause }: EgressError): void {
  const range = reason === 'address' && cause instanceof Error ? { range: cause.message } : {};
  log.warn('a request elsewhere has no answer', { code, reason, ...range });
}
