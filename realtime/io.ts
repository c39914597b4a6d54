import type { EventEmitter } from 'node:events';
import { Server, type ServerOptions, type Socket } from 'socket.io';
import type { SyncRequest } from '../contracts/entities/index.ts';
import type { SessionId } from '../contracts/ids.ts';
import { limits } from '../contracts/limits.ts';
import type { EmitEvents, ListenEvents } from '../contracts/realtime/index.ts';
import type { Actor, Connection } from '../domain/deps.ts';
import type { BusItem } from './bus.ts';

/** What a socket is once its handshake was accepted. */
export interface SocketData {
  /** What the person does with this device, as it last said. */
  connection: Connection;
  /** The last hint that somebody types here, which is not told again at once. */
  typing?: { conversationId: string; on: boolean; at: number };
  /** What it asked in this window, of whatever kind. */
  events?: { began: number; count: number };
  /** Since when it has been refused for asking too much, again and again. */
  excess?: { since: number; last: number };
  actor: Actor;
  expiresAt: Date;
  /** The key that signed its token: once that is taken away, so is the socket. */
  kid: string | null;
  /** Makes room for the next who connects. */
  greeted: () => void;
  /** The versions that the client holds, if it asked for the sync with the connect. */
  known: SyncRequest['known'] | undefined;
}
/** What nodes tell each other beside broadcasts. */
export interface NodeEvents {
  items: (items: BusItem[]) => void;
  'session.ended': (ids: SessionId[]) => void;
}
export type Io = Server<ListenEvents, EmitEvents, NodeEvents, SocketData>;
export type IoSocket = Socket<ListenEvents, EmitEvents, NodeEvents, SocketData>;

export const socketLimits = {
  /** Milliseconds from the connection to the end of the handshake. */
  handshakeMs: 10_000,
  pingIntervalMs: 25_000,
  pingTimeoutMs: 20_000,
};

export interface IoOptions {
  adapter: NonNullable<ServerOptions['adapter']>;
  allowRequest?: NonNullable<ServerOptions['allowRequest']>;
}

/**
 * The Socket.IO server. A process without sockets of its own has one too, as the sender of live events. Connection state
 * recovery stays off: with its default a revoked session is restored without a check, and rows know better anyway.
 */
export function createIo(options: IoOptions): Io {
  return new Server({
    ...options,
    // WebSocket only: no sticky sessions, and no token in a polling URL.
    transports: ['websocket'],
    serveClient: false,
    perMessageDeflate: false,
    connectTimeout: socketLimits.handshakeMs,
    pingInterval: socketLimits.pingIntervalMs,
    pingTimeout: socketLimits.pingTimeoutMs,
    maxHttpBufferSize: limits.socketFrameBytes,
  });
}

/** What stays behind of a handshake, below Socket.IO. Pinned with engine.io's version; `bench memory` sees the difference. */
interface Handshaken extends EventEmitter {
  request: unknown;
  transport: { socket: EventEmitter & { _socket: EventEmitter } };
}

/**
 * Lets go of the request that a connection began with, with its headers: nobody reads it after the handshake. Besides the
 * field that the documentation names, two listeners that engine.io leaves behind hold it: its guard of the upgrade, and
 * the one by which its response would hear of the close.
 */
export function forgetRequests(io: Io): void {
  io.engine.on('connection', (conn: Handshaken) => {
    conn.request = null;
    const { socket } = conn.transport;
    for (const listener of socket.listeners('error'))
      if (listener.name === 'onUpgradeError') socket.off('error', listener as () => void);
    const tcp = socket._socket;
    for (const listener of tcp.listeners('close'))
      if (listener.name === '' && String(listener).includes('this.emit("close")'))
        tcp.off('close', listener as () => void);
  });
}
