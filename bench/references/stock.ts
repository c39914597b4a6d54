import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { Server, type ServerOptions } from 'socket.io';
import { serve } from '../lib/child.ts';
import { event, room } from './event.ts';

/**
 * Socket.IO as its documentation has it, with nothing behind it: every client joins one room, unless there shall be none,
 * and a message goes out by `io.to(room).emit`, over the Redis adapter where there is a Redis.
 */
const { REDIS_URL: redis = '', BENCH_ROOMS: rooms = '1' } = process.env;
const options: Partial<ServerOptions> = { transports: ['websocket'], serveClient: false, perMessageDeflate: false };
if (redis) options.adapter = createAdapter(new Redis(redis), new Redis(redis));
const http = createServer();
const io = new Server(http, options);
io.on('connection', (socket) => {
  if (rooms !== '0') void socket.join(room);
  socket.on('message.send', ({ message }: { message: { text: string } }, ack: (answer: object) => void) => {
    tell(message.text);
    ack({ ok: true });
  });
  socket.emit('hello', {});
});
await new Promise<void>((resolve) => http.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, resolve));

function tell(text: string): void {
  io.to(room).emit('event', event(text));
}

const calls = {
  port: () => (http.address() as AddressInfo).port,
  /** Emits so many events a second, for so long. */
  async emit({ perSecond, seconds }: { perSecond: number; seconds: number }): Promise<number> {
    const began = performance.now();
    let done = 0;
    while (performance.now() - began < seconds * 1_000) {
      const due = Math.floor(((performance.now() - began) / 1_000) * perSecond);
      for (; done < due; done += 1) tell('x'.repeat(120));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return done;
  },
};
export type Stock = typeof calls;
serve(calls);
