import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { serve } from '../lib/child.ts';

/**
 * Refuses whatever is asked, as cheaply as can be: what somebody who asks it takes of the machine, they and the kernel take.
 * What they take of us beyond that is our own.
 */
const http = createServer((request, response) => {
  request.resume();
  response.writeHead(429, { 'content-length': 0 }).end();
});
const server = new WebSocketServer({ server: http, perMessageDeflate: false });
server.on('connection', (socket) => {
  socket.send('0{}');
  socket.on('message', (data: Buffer) => {
    if (data[1] === 48) return socket.send('40');
    const end = data.indexOf('[');
    if (end > 2) socket.send(`43${data.toString('latin1', 2, end)}[{"ok":false}]`);
  });
});
await new Promise<void>((resolve) => http.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, resolve));

const calls = { port: () => (http.address() as AddressInfo).port };
export type Refuser = typeof calls;
serve(calls);
