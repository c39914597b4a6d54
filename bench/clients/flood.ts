import { randomUUIDv7 } from 'node:crypto';
import { Agent, request } from 'node:http';
import { serve } from '../lib/child.ts';
import { groupId } from '../lib/people.ts';
import { RawClient } from './raw-client.ts';

/** One person who sends as fast as they can, by REST and by a socket that they open again whenever it is closed. */
export interface Flooding {
  port: number;
  token: string;
  perSecond: number;
}
export interface Flooded {
  asked: number;
  stored: number;
  connects: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: 16 });
const turnMs = 5;
/** One in so many goes by REST. */
const restEvery = 10;
/** Milliseconds until a socket that was closed, or not let in, is opened again. */
const againMs = 50;

let client: RawClient | undefined;
let timer: NodeJS.Timeout | undefined;
let counted: Flooded = { asked: 0, stored: 0, connects: 0 };

function open(flooding: Flooding): void {
  counted.connects += 1;
  const one = new RawClient({
    port: flooding.port,
    auth: () => ({ token: flooding.token }),
    onJoined: () => (client = one),
    onEvent: () => undefined,
    onRefused: () => one.destroy(),
    onAck: (_, { bytes, from, to }) => {
      if (bytes.toString('latin1', from, Math.min(to, from + 100)).includes('"ok":true')) counted.stored += 1;
    },
    onClosed: () => {
      client = undefined;
      if (timer) setTimeout(() => timer && open(flooding), againMs);
    },
  });
}

function post({ port, token }: Flooding): void {
  const body = JSON.stringify({ clientId: randomUUIDv7(), text: 'again' });
  const headers = {
    ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    'content-length': String(Buffer.byteLength(body)),
  };
  const path = `/v1/conversations/${groupId(0)}/messages`;
  request({ agent, port, host: '127.0.0.1', method: 'POST', path, headers }, (response) => {
    response.resume();
    if (response.statusCode === 201) counted.stored += 1;
  })
    .on('error', () => undefined)
    .end(body);
}

const calls = {
  begin(flooding: Flooding): void {
    const began = performance.now();
    let done = 0;
    timer = setInterval(() => {
      const due = Math.floor(((performance.now() - began) / 1_000) * flooding.perSecond);
      for (; done < due; done += 1) {
        counted.asked += 1;
        if (done % restEvery === 0) post(flooding);
        else {
          const input = { conversationId: groupId(0), message: { clientId: randomUUIDv7(), text: 'again' } };
          client?.request(done, 'message.send', JSON.stringify(input));
        }
      }
    }, turnMs);
    open(flooding);
  },
  end(): Flooded {
    clearInterval(timer);
    timer = undefined;
    client?.destroy();
    const all = counted;
    counted = { asked: 0, stored: 0, connects: 0 };
    return all;
  },
};
export type Flood = typeof calls;

serve(calls);
