import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Somebody else's site, of another host name: its pages may do whatever a browser lets any page do. */
export interface ForeignSite {
  url: string;
  /** A page that sends its visitor on to there, as a link or a script of it would. */
  sendingTo: (address: string) => string;
  close(): Promise<void>;
}

export async function startForeignSite(): Promise<ForeignSite> {
  const server = createServer((request, response) => {
    const to = new URL(request.url ?? '/', 'http://site').searchParams.get('to');
    const script = to ? `<script>location.replace(${JSON.stringify(to).replaceAll('<', '\\u003c')})</script>` : '';
    response.setHeader('content-type', 'text/html');
    response.end(`<!doctype html><link rel="icon" href="data:,"><body>${script}`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  // What is tested is served at 127.0.0.1: to a browser this is another site, and not only another port.
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  return {
    url,
    sendingTo: (address) => `${url}/?${new URLSearchParams({ to: address }).toString()}`,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
