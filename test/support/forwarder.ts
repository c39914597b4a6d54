import { once } from 'node:events';
import { type IncomingHttpHeaders, createServer, request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A proxy as an ingress is one: it appends whom it heard to `X-Forwarded-For`, whatever stood there. */
export async function forwarderTo(target: string): Promise<{ url: string; close(): Promise<void> }> {
  const { hostname, port } = new URL(target);
  const server = createServer((incoming, outgoing) => {
    const { method, url: path } = incoming;
    const upstream = ask({
      hostname,
      port,
      method,
      path,
      headers: appended(incoming.headers, incoming.socket.remoteAddress),
    });
    upstream.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    upstream.on('error', () => outgoing.writeHead(502).end());
    incoming.pipe(upstream);
  });
  server.on('upgrade', (incoming, socket, head) => {
    const headers = appended(incoming.headers, incoming.socket.remoteAddress);
    const upstream = ask({ hostname, port, path: incoming.url, headers });
    upstream.on('upgrade', (answer, other, first) => {
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${String(value)}`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
      other.write(head);
      socket.write(first);
      socket.pipe(other).pipe(socket);
    });
    upstream.on('response', () => socket.destroy());
    for (const one of [upstream, socket]) one.on('error', () => socket.destroy());
    upstream.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function appended(headers: IncomingHttpHeaders, peer = 'unknown'): IncomingHttpHeaders {
  const before = headers['x-forwarded-for'];
  return { ...headers, 'x-forwarded-for': before === undefined ? peer : `${String(before)}, ${peer}` };
}
