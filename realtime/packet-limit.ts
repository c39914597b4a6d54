import type { Socket as Tcp } from 'node:net';
import { limits } from '../contracts/limits.ts';
import type { Log } from '../domain/deps.ts';
import type { Io } from './io.ts';
import { closeSoon } from './on.ts';

const windowMs = 1_000;
/** Milliseconds in which a client that was cut off may read why, before its connection is thrown away unread. */
const lingerMs = 500;

/** A connection below Socket.IO. Pinned with engine.io's version, and proved by the tests. */
interface Conn {
  transport: {
    socket: { prependListener(name: 'message' | 'ping' | 'pong', listener: () => void): unknown; _socket: Tcp };
  };
  removeAllListeners(name: 'data'): unknown;
  close(): void;
}

/**
 * Cuts off who sends more packets in a second than any client of ours would. Every handler has its own checks, but a packet
 * costs before it comes to one: a ping is answered, an event is parsed.
 */
export function limitPackets(io: Io, log: Log): void {
  io.engine.on('connection', (conn: Conn) => {
    let [began, packets] = [0, 0];
    const count = () => {
      const now = performance.now();
      if (now - began >= windowMs) [began, packets] = [now, 0];
      packets += 1;
      if (packets === limits.socketPacketsPerSecond + 1) cutOff(io, conn, log);
    };
    for (const kind of ['message', 'ping', 'pong'] as const) conn.transport.socket.prependListener(kind, count);
  });
}

function cutOff(io: Io, conn: Conn, log: Log): void {
  const tcp = conn.transport.socket._socket;
  // What has arrived already is not looked at, and no more is read.
  conn.removeAllListeners('data');
  tcp.pause();
  setTimeout(() => tcp.destroy(), lingerMs).unref();
  const socket = [...io.sockets.sockets.values()].find((one) => (one.conn as unknown) === conn);
  log.warn('a socket that sent too many packets was closed', { userId: socket?.data.actor.userId });
  if (socket) closeSoon(socket, 'rate_limited');
  else conn.close();
}
