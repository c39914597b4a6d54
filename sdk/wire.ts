import { type Socket, io } from 'socket.io-client';
import type { SocketError } from '../contracts/errors.ts';
import type { Handshake } from '../contracts/realtime/index.ts';
import { HomingError, fromSocketError, toHomingError } from './errors.ts';

/** One connection to the server, from its beginning to its end. Who wants another opens another. */
export interface Wire {
  /** Asks, and waits for the acknowledgement. */
  request(name: string, input: unknown, timeoutMs: number): Promise<unknown>;
  close(): void;
}

export interface WireListener {
  /** What the server tells without being asked. */
  heard(name: string, payload: unknown): void;
  /** Once, when it is over or never began. */
  closed(why: HomingError): void;
}

export type OpenWire = (url: string, auth: Handshake, listener: WireListener) => Wire;

/** Socket.IO over WebSocket alone. It never reconnects by itself: each connect has a token and versions of its own. */
export const openSocket: OpenWire = (url, auth, listener) => {
  const socket = io(url, { transports: ['websocket'], auth, reconnection: false, forceNew: true });
  const close = once((why: HomingError) => {
    socket.close();
    listener.closed(why);
  });
  socket.onAny((name: string, payload: unknown) => listener.heard(name, payload));
  socket.on('connect_error', (error: Error & { data?: SocketError }) =>
    close(error.data ? fromSocketError(error.data) : toHomingError(error)),
  );
  socket.on('disconnect', () => close(new HomingError('disconnected')));
  return {
    request: (name, input, timeoutMs) => request(socket, name, input, timeoutMs),
    close: () => close(new HomingError('disconnected')),
  };
};

async function request(socket: Socket, name: string, input: unknown, timeoutMs: number): Promise<unknown> {
  // Socket.IO would keep it and send it on a later connection, whose state may be another.
  if (!socket.connected) throw new HomingError('disconnected');
  try {
    return (await socket.timeout(timeoutMs).emitWithAck(name, input)) as unknown;
  } catch (error) {
    throw new HomingError(socket.connected ? 'timeout' : 'disconnected', { cause: error });
  }
}

function once<T>(act: (argument: T) => void): (argument: T) => void {
  let done = false;
  return (argument) => {
    if (done) return;
    done = true;
    act(argument);
  };
}
