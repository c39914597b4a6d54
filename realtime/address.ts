import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Io } from './io.ts';

/**
 * Answers a plain request at a path below `/socket.io/` with the address that it is counted under. By the way that sockets
 * come: a node that serves nothing else has none other, and must prove that no made-up address is believed.
 */
export function answerAddress(io: Io, path: string, addressOf: (request: IncomingMessage) => string): void {
  const handle = io.engine.handleRequest.bind(io.engine) as (
    request: IncomingMessage,
    response: ServerResponse,
  ) => void;
  io.engine.handleRequest = (request: IncomingMessage, response: ServerResponse) => {
    if (request.method !== 'GET' || request.url !== path) return handle(request, response);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ address: addressOf(request) }));
  };
}
