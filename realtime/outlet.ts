import type { IoSocket } from './io.ts';

export const outletLimits = {
  /** Bytes that may wait for one slow reader; beyond, it is disconnected and catches up by version. */
  unsentBytes: 4 * 1_024 * 1_024,
  /** Sockets written in one turn of the event loop: about four milliseconds; the rest waits for the next. */
  socketsPerTurn: 500,
};

/** An event as it goes over the wire, encoded once for everybody who hears it. */
export interface Frame {
  /** A Socket.IO event packet without its namespace. */
  text: string;
  /** The same as one unmasked WebSocket text frame. */
  bytes: Buffer;
}

/** Encodes an event: `2` is Socket.IO's EVENT packet, and engine.io's message packet is a `4` before it. */
export function encode(name: string, payload: unknown): Frame {
  return toFrame(`2${JSON.stringify([name, payload])}`);
}

export const toFrame = (text: string): Frame => ({ text, bytes: webSocketFrame(`4${text}`) });

/** One unfragmented, unmasked text frame (RFC 6455 §5.2), as servers send them. */
function webSocketFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const headerLength = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headerLength + length);
  frame[0] = 0x81;
  if (headerLength === 2) frame[1] = length;
  if (headerLength === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  }
  if (headerLength === 10) {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, headerLength);
  return frame;
}

/** Writes what sockets are told: whatever comes for one of them in a turn of the loop goes out in one write. */
export interface Outlet {
  tell(socket: IoSocket, frame: Frame): void;
}

export function createOutlet({ onSlow }: { onSlow: (socket: IoSocket, unsent: number) => void }): Outlet {
  const pending = new Map<IoSocket, Frame[]>();
  let scheduled = false;

  const flush = () => {
    scheduled = false;
    let written = 0;
    for (const [socket, frames] of pending) {
      if (written >= outletLimits.socketsPerTurn) break;
      pending.delete(socket);
      write(socket, frames, onSlow);
      written += 1;
    }
    if (pending.size > 0) schedule();
  };
  const schedule = () => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(flush);
  };

  return {
    tell(socket, frame) {
      const frames = pending.get(socket);
      if (frames) frames.push(frame);
      else pending.set(socket, [frame]);
      schedule();
    },
  };
}

/** What lies below a Socket.IO socket. Pinned with engine.io's version, and proved by the sockets' tests. */
interface Below {
  readyState: string;
  writeBuffer: unknown[];
  transport: {
    name: string;
    writable: boolean;
    socket?: { _socket?: { writable: boolean; writableLength: number; write(bytes: Buffer): boolean } };
  };
  write(text: string): void;
}

/**
 * Straight into the TCP socket where nothing of engine.io's own waits before it; else through engine.io, so that the
 * order holds.
 */
function write(socket: IoSocket, frames: readonly Frame[], onSlow: (socket: IoSocket, unsent: number) => void): void {
  const conn = socket.conn as unknown as Below;
  if (conn.readyState !== 'open') return;
  const tcp = conn.transport.socket?._socket;
  const unsent = tcp?.writableLength ?? 0;
  if (unsent > outletLimits.unsentBytes) return onSlow(socket, unsent);
  const direct = conn.transport.name === 'websocket' && conn.transport.writable && conn.writeBuffer.length === 0;
  if (direct && tcp?.writable) {
    const [only] = frames;
    tcp.write(frames.length === 1 && only ? only.bytes : Buffer.concat(frames.map(({ bytes }) => bytes)));
  } else {
    for (const { text } of frames) conn.write(text);
  }
}
