import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** A request as it reached a server of this process, and what it was answered. */
export interface Seen {
  method: string;
  path: string;
  origin: string | undefined;
  type: string;
  cookie: string;
  status: number;
}

/** Listens to every request that is answered at that address, until it is closed. */
export function seenRequests(url: string) {
  const port = Number(new URL(url).port);
  const seen: Seen[] = [];
  const note = (message: unknown) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    if (request.socket.localPort !== port) return;
    const { origin, cookie = '', 'content-type': type = '' } = request.headers;
    const { method = '', url: path = '' } = request;
    seen.push({ method, path, origin, type: type.split(';')[0] ?? '', cookie, status: response.statusCode });
  };
  subscribe('http.server.response.finish', note);
  return { seen, close: () => unsubscribe('http.server.response.finish', note) };
}
