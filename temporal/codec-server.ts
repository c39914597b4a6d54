import { timingSafeEqual } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { Payload } from '@temporalio/common';
import { z } from 'zod';
import type { Log } from '../domain/deps.ts';
import { createCodec } from './codec.ts';

/** Bytes of one request; the UI asks for a page of a history at a time. */
const maxBytes = 4 * 1_024 * 1_024;

export interface CodecServerOptions {
  host: string;
  port: number;
  keys: readonly { kid: string; key: string }[];
  /** The one origin that is answered: the Temporal UI's. */
  uiUrl: string;
  /** Asked for as a bearer token, unless undefined (development, on loopback). */
  token: string | undefined;
  log: Log;
}

const Body = z.object({
  payloads: z.array(z.object({ metadata: z.record(z.string(), z.string()).optional(), data: z.string().optional() })),
});

/**
 * Lets the Temporal UI show, and support write, what histories hold encrypted: `POST /decode` and `/encode`, in the remote
 * codec protocol. It answers the UI's origin only, and each look is logged, without what was seen.
 */
export async function serveCodec(options: CodecServerOptions): Promise<Server> {
  const codec = createCodec(options.keys);
  const origin = new URL(options.uiUrl).origin;
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.headersSent || response.writeHead(400).end());
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    if (request.headers.origin !== undefined && request.headers.origin !== origin) return response.writeHead(403).end();
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-allow-headers', 'content-type, x-namespace, authorization');
    response.setHeader('access-control-allow-credentials', 'true');
    response.setHeader('vary', 'origin');
    if (request.method === 'OPTIONS') return response.writeHead(204).end();
    // The UI adds the namespace as a query.
    const { pathname } = new URL(request.url ?? '/', 'http://codec');
    const action = pathname === '/decode' ? 'decode' : pathname === '/encode' ? 'encode' : undefined;
    if (request.method !== 'POST' || !action) return response.writeHead(404).end();
    if (!authorized(request, options.token)) return response.writeHead(401).end();
    const { payloads } = Body.parse(JSON.parse(await readAll(request)));
    const result = await codec[action](payloads.map(fromJson));
    options.log.info('payloads were shown', {
      action,
      payloads: payloads.length,
      namespace: request.headers['x-namespace'],
    });
    return response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ payloads: result.map(toJson) }));
  }

  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(options.port, options.host, resolve),
  );
  return server;
}

function authorized(request: IncomingMessage, token: string | undefined): boolean {
  if (token === undefined) return true;
  const given = Buffer.from(request.headers.authorization ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new Error('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

// Bytes travel as base64 in this protocol.
const fromJson = ({ metadata = {}, data }: z.infer<typeof Body>['payloads'][number]): Payload => ({
  metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value, 'base64')])),
  ...(data === undefined ? {} : { data: Buffer.from(data, 'base64') }),
});
const toJson = ({ metadata, data }: Payload) => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
  ),
  data: Buffer.from(data ?? new Uint8Array()).toString('base64'),
});
