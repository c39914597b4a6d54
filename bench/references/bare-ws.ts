import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { serve } from '../lib/child.ts';
import { event } from './event.ts';

/** A WebSocket server with no protocol of its own: one string, encoded once, sent to each client in a loop. */
const http = createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate: false });
server.on('connection', (socket) => {
  // What the clients of the benchmark wait for, in Socket.IO's words; nothing else is spoken here.
  socket.send('0{}');
  socket.on('message', (data: Buffer) => {
    const text = data.toString();
    if (text.startsWith('40')) return socket.send('42["hello",{}]');
    if (!text.startsWith('42')) return;
    const [, { message }] = JSON.parse(text.slice(text.indexOf('['))) as [string, { message: { text: string } }];
    const told = `42${JSON.stringify(['event', event(message.text)])}`;
    for (const client of server.clients) client.send(told);
    socket.send(`43${text.slice(2, text.indexOf('['))}[{"ok":true}]`);
  });
});
await new Promise<void>((resolve) => http.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, resolve));

const calls = { port: () => (http.address() as AddressInfo).port };
export type BareWs = typeof calls;
serve(calls);
