import { type Socket, connect } from 'node:net';

/** A Socket.IO packet, told by its first bytes, without being parsed. */
export type Packet = { bytes: Buffer; from: number; to: number };

export interface RawClientOptions {
  port: number;
  /** What the client sends as `auth`. */
  auth: () => object;
  /** An event from the server. */
  onEvent: (packet: Packet) => void;
  /** The answer to a request, with the request's number. */
  onAck: (request: number, packet: Packet) => void;
  /** The namespace is joined. */
  onJoined: () => void;
  onClosed?: () => void;
  /** The connect was refused; without it that is a failure of the benchmark. */
  onRefused?: () => void;
}

const code = { zero: 48, two: 50, three: 51, four: 52, bracket: 91 } as const;
/** The opcode by which the server closes (RFC 6455 §5.5.1). */
const closing = 8;
const shared = Buffer.alloc(256 * 1_024);

/**
 * Just enough WebSocket and Socket.IO on a bare TCP socket that thousands of clients cost less than the server which is
 * measured. Sends frames with a mask of zeros, which leaves them as they are.
 */
export class RawClient {
  readonly #socket: Socket;
  readonly #options: RawClientOptions;
  #upgraded = false;
  #rest: Buffer | undefined;

  constructor(options: RawClientOptions) {
    this.#options = options;
    this.#socket = connect({
      port: options.port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer: shared, callback: (length, buffer) => this.#take(Buffer.from(buffer.subarray(0, length))) },
    });
    this.#socket.once('connect', () => this.#socket.write(upgradeRequest));
    this.#socket.on('error', () => undefined);
    this.#socket.once('close', () => options.onClosed?.());
  }

  /** `text` is an engine.io packet. */
  send(text: string): void {
    this.#socket.write(frame(text));
  }

  request(number: number, event: string, payload: string): void {
    this.send(`42${number}["${event}",${payload}]`);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #take(received: Buffer): true {
    let bytes = this.#rest ? Buffer.concat([this.#rest, received]) : received;
    this.#rest = undefined;
    if (!this.#upgraded) {
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) {
        this.#rest = bytes;
        return true;
      }
      this.#upgraded = true;
      bytes = bytes.subarray(end + 4);
    }
    this.#frames(bytes);
    return true;
  }

  #frames(bytes: Buffer): void {
    let at = 0;
    while (bytes.length - at >= 2) {
      const short = (bytes[at + 1] ?? 0) & 127;
      const header = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (bytes.length - at < header) break;
      const length =
        header === 2 ? short : header === 4 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
      const from = at + header;
      if (bytes.length < from + length) break;
      if (((bytes[at] ?? 0) & 15) === closing) return this.destroy();
      this.#packet({ bytes, from, to: from + length });
      at = from + length;
    }
    if (at < bytes.length) this.#rest = bytes.subarray(at);
  }

  #packet(packet: Packet): void {
    const { bytes, from } = packet;
    const [engine, kind] = [bytes[from], bytes[from + 1]];
    if (engine === code.zero) this.send(`40${JSON.stringify(this.#options.auth())}`);
    else if (engine === code.two) this.send('3');
    else if (engine !== code.four) return;
    else if (kind === code.zero) this.#options.onJoined();
    else if (kind === code.two) this.#options.onEvent(packet);
    else if (kind === code.three) {
      const end = bytes.indexOf(code.bracket, from);
      this.#options.onAck(Number(bytes.toString('latin1', from + 2, end)), packet);
    } else if (kind === code.four && this.#options.onRefused) this.#options.onRefused();
    else if (kind === code.four) throw new Error(`refused: ${bytes.toString('utf8', from, packet.to)}`);
  }
}

const upgradeRequest =
  'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  // About what a browser sends.
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n' +
  'Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9,de;q=0.8\r\nCache-Control: no-cache\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';

function frame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const header = length < 126 ? 6 : length < 65_536 ? 8 : 14;
  const bytes = Buffer.alloc(header + length);
  bytes[0] = 0x81;
  if (header === 6) bytes[1] = 0x80 | length;
  else if (header === 8) {
    bytes[1] = 0xfe;
    bytes.writeUInt16BE(length, 2);
  } else {
    bytes[1] = 0xff;
    bytes.writeBigUInt64BE(BigInt(length), 2);
  }
  bytes.write(text, header);
  return bytes;
}
