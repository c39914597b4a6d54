import type { Socket } from 'node:net';
import type { ServerEventName } from '../contracts/realtime/index.ts';
import { hasScope, heardBy } from '../domain/access/index.ts';
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

/** The answer to a request: `3` is Socket.IO's ACK packet. */
const encodeAck = (request: number, answer: unknown): Frame => toFrame(`3${request}${JSON.stringify([answer])}`);

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
  /** What is for this socket alone, as the answer to a request is; it goes before what the turn tells to many. */
  answer(socket: IoSocket, frame: Frame): void;
}

/** What waits for a socket until the end of the turn. One list is mostly all: the other is not even made. */
interface Waiting {
  own: Frame[] | undefined;
  shared: Frame[] | undefined;
}

export function createOutlet({ onSlow }: { onSlow: (socket: IoSocket, unsent: number) => void }): Outlet {
  let pending = new Map<IoSocket, Waiting>();
  let scheduled = false;

  // A map of its own for each turn. One that is filled and emptied over and over leaves its former tables behind, each of which
  // holds on to the next: once one is old, all that any of them ever held lives until the next great collection.
  const flush = () => {
    scheduled = false;
    const turn = pending;
    const most = outletLimits.socketsPerTurn;
    pending = new Map(turn.size > most ? [...turn].slice(most) : []);
    if (pending.size > 0) schedule();
    const join = createJoiner();
    let written = 0;
    for (const [socket, waiting] of turn) {
      if (written >= most) break;
      write(socket, waiting, { join, onSlow });
      written += 1;
    }
  };
  const schedule = () => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(flush);
  };

  const waitingFor = (socket: IoSocket): Waiting => {
    const known = pending.get(socket);
    if (known) return known;
    const waiting: Waiting = { own: undefined, shared: undefined };
    pending.set(socket, waiting);
    schedule();
    return waiting;
  };

  return {
    tell(socket, frame) {
      if (mayHear(socket, frame)) (waitingFor(socket).shared ??= []).push(frame);
    },
    answer: (socket, frame) => void (waitingFor(socket).own ??= []).push(frame),
  };
}

/**
 * Here, where all that is told goes by: a new sender of events cannot forget what a token is not for, and since when it is for
 * nothing. The sweep closes its socket a little later.
 */
function mayHear({ data: { actor, expiresAt } }: IoSocket, { text }: Frame): boolean {
  if (!actor.scopes) return true;
  if (expiresAt.getTime() <= Date.now()) return false;
  const needed = heardBy[nameOf(text)];
  return needed === null || hasScope(actor, needed);
}

/** Of `2["name",…]`. */
const nameOf = (text: string) => text.slice(3, text.indexOf('"', 3)) as ServerEventName;

/** Where Socket.IO makes the function that answers a request. Pinned with its version, and proved by the sockets' tests. */
interface Acknowledging {
  ack(request: number): (answer: unknown) => void;
}

/** Lets the socket's acknowledgements go out in the same write as the events of their turn: a sender has both. */
export function acknowledgeThrough(outlet: Outlet, socket: IoSocket): void {
  (socket as unknown as Acknowledging).ack = (request) => (answer) => outlet.answer(socket, encodeAck(request, answer));
}

type Join = (frames: readonly Frame[]) => Buffer;

/**
 * Joins frames into what is written at once. The members of a conversation mostly hear the same in a turn, and come one
 * after another: what was joined for the last socket is then good for the next.
 */
function createJoiner(): Join {
  let last: readonly Frame[] = [];
  let joined: Buffer = Buffer.alloc(0);
  return (frames) => {
    const [only] = frames;
    if (only && frames.length === 1) return only.bytes;
    const same = frames.length === last.length && frames.every((frame, n) => frame === last[n]);
    if (!same) [last, joined] = [frames, Buffer.concat(frames.map(({ bytes }) => bytes))];
    return joined;
  };
}

type Tcp = Pick<Socket, 'writable' | 'writableLength' | 'write' | 'cork' | 'uncork'>;

/** One call to the kernel, whatever it is made of. */
function writeTogether(tcp: Tcp, { own, shared }: Waiting, join: Join): void {
  if (own && shared) tcp.cork();
  if (own) tcp.write(join(own));
  if (shared) tcp.write(join(shared));
  if (own && shared) tcp.uncork();
}

/** What lies below a Socket.IO socket. Pinned with engine.io's version, and proved by the sockets' tests. */
interface Below {
  readyState: string;
  writeBuffer: unknown[];
  transport: {
    name: string;
    writable: boolean;
    socket?: { _socket?: Tcp };
  };
  write(text: string): void;
}

/**
 * Straight into the TCP socket where nothing of engine.io's own waits before it; else through engine.io, so that the
 * order holds.
 */
function write(
  socket: IoSocket,
  waiting: Waiting,
  { join, onSlow }: { join: Join; onSlow: (socket: IoSocket, unsent: number) => void },
): void {
  const conn = socket.conn as unknown as Below;
  if (conn.readyState !== 'open') return;
  const tcp = conn.transport.socket?._socket;
  const unsent = tcp?.writableLength ?? 0;
  if (unsent > outletLimits.unsentBytes) return onSlow(socket, unsent);
  const direct = conn.transport.name === 'websocket' && conn.transport.writable && conn.writeBuffer.length === 0;
  if (direct && tcp?.writable) writeTogether(tcp, waiting, join);
  else for (const { text } of [...(waiting.own ?? []), ...(waiting.shared ?? [])]) conn.write(text);
}
