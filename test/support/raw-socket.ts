import { once } from 'node:events';
import { connect } from 'node:net';
import { within } from './within.ts';

/** A WebSocket below Socket.IO: sends whatever it is told, and waits for nothing. */
export interface RawSocket {
  send(frame: string | Uint8Array<ArrayBuffer>): void;
  /** Waits for a text frame that begins so; undefined where the other end closed instead. */
  until(beginning: string): Promise<string | undefined>;
  readonly isOpen: boolean;
  close(): void;
}

export async function openRaw(url: string): Promise<RawSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  socket.binaryType = 'arraybuffer';
  const heard: string[] = [];
  socket.addEventListener('message', ({ data }) => typeof data === 'string' && heard.push(data));
  const opened = new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', () => reject(new Error('the WebSocket did not open')), { once: true });
  });
  // A server may let it wait, and for ever if it has a fault.
  await within('the WebSocket opens', opened);
  return {
    get isOpen() {
      return socket.readyState === WebSocket.OPEN;
    },
    send: (frame) => socket.readyState === WebSocket.OPEN && socket.send(frame),
    until: (beginning) => untilHeard(socket, heard, beginning),
    close: () => socket.close(),
  };
}

function untilHeard(socket: WebSocket, heard: readonly string[], beginning: string): Promise<string | undefined> {
  const found = () => heard.find((frame) => frame.startsWith(beginning));
  return new Promise((resolve) => {
    const look = () => {
      const frame = found();
      if (frame === undefined && socket.readyState === WebSocket.OPEN) return;
      socket.removeEventListener('message', look);
      socket.removeEventListener('close', look);
      resolve(frame);
    };
    socket.addEventListener('message', look);
    socket.addEventListener('close', look);
    look();
  });
}

/** Bytes on a bare TCP connection; answers with what came back until it was closed, or with nothing once `giveUpMs` is over. */
export async function throwBytes(url: string, parts: readonly (string | Buffer)[], giveUpMs = 300): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  // The other end may cut us off, which is an answer too.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  for (const part of parts) socket.write(part);
  socket.setTimeout(giveUpMs, () => socket.destroy());
  await new Promise((closed) => socket.once('close', closed));
  return answer;
}

/** The request that turns a TCP connection into a WebSocket. */
export const upgrade = (url: string): string =>
  [
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
    `Host: ${new URL(url).host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    '\r\n',
  ].join('\r\n');
