import assert from 'node:assert/strict';
import fc from 'fast-check';
import { clientEvents } from '../../contracts/realtime/index.ts';
import { listen } from '../../realtime/on.ts';
import { type Person, makeGroup, registerPeople } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type RawSocket, openRaw, throwBytes, upgrade } from '../support/raw-socket.ts';
import { call, expectStatus } from '../support/rest.ts';
import { type TestSocket, connect } from '../support/socket.ts';
import { withSeed } from '../support/seed.ts';
import { expectNoStall } from '../support/stall.ts';

const nested = (open: string, close: string, depth: number) => `${open.repeat(depth)}${close.repeat(depth)}`;
const events = Object.keys(clientEvents);

/** Packets of engine.io and Socket.IO that no client of ours sends. `4` is a message; what follows is Socket.IO's. */
const packets: Record<string, (string | Uint8Array<ArrayBuffer>)[]> = {
  'of engine.io': ['', '0', '1', '2', '2probe', '3', '3probe', '5', '6', '7', '9', 'x', 'é', '4', '\u0000'],
  'of no known type': ['47', '48', '4x', '4-1', '4\u0000', '4 2["sync",{}]'],
  'that are cut off': [
    '42',
    '42[',
    '42["sync"',
    '42["sync",{"known":',
    '42{',
    '421',
    '42/',
    '42/admin',
    '45',
    '451',
    '451-',
    '40{',
  ],
  'of the wrong shape': [
    '42[]',
    '42{}',
    '42null',
    '42"sync"',
    '42[null]',
    '42[1]',
    '42[{}]',
    '42[["sync"]]',
    '43',
    '43[]',
    '431',
    '431{}',
  ],
  'with reserved names': [
    ...['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener', 'error', ''],
    ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'then'],
  ].map((name) => `42${JSON.stringify([name, {}])}`),
  'with poisoned keys': events.flatMap((name) => [
    `42["${name}",{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}]`,
    `42["${name}",{"conversationId":{"__proto__":null},"message":{"__proto__":{"text":"x"}}}]`,
  ]),
  'with strange acknowledgement numbers': [
    '42-1["sync",{}]',
    `42${'9'.repeat(400)}["sync",{}]`,
    '4299999999999999999999["sync",{}]',
    '430[1]',
    `43${'9'.repeat(400)}[]`,
  ],
  'for other namespaces': [
    '40/admin,',
    '40/admin,{}',
    '42/admin,["sync",{}]',
    '40/__proto__,',
    '41/',
    '41/x,',
    `40/${'n'.repeat(50_000)},{}`,
  ],
  'of a second connect': [
    '40',
    '40{}',
    '40{"token":"x"}',
    '40[]',
    '40null',
    '40"x"',
    '44',
    '44{"message":"x"}',
    '44"x"',
  ],
  'with attachments that never come': [
    '451-["message.send",{"_placeholder":true,"num":0}]',
    '4599999999-["message.send",{"_placeholder":true,"num":0}]',
    '452-["message.send",{"_placeholder":true,"num":99}]',
    '451-["message.send",{"_placeholder":true,"num":"x"}]',
    '45-1-["sync"]',
    '450-["sync",{}]',
  ],
  'in bytes where text is due': [
    new Uint8Array(0),
    new Uint8Array([0]),
    new Uint8Array(100_000),
    new Uint8Array([0x34, 0x32, 0x5b]),
  ],
  'in bytes for an attachment': [
    '451-["message.send",{"_placeholder":true,"num":0}]',
    new Uint8Array(50_000),
    new Uint8Array(1),
  ],
  'that are deep': [
    `42["sync",${nested('[', ']', 30_000)}]`,
    `42["sync",${nested('{"a":', '}', 20_000).replace('}', '1}')}]`,
    `42${nested('[', ']', 60_000)}`,
  ],
  'that are long': [
    `42["message.send",${JSON.stringify({ text: 'x'.repeat(120_000) })}]`,
    `42["sync",${JSON.stringify({ known: Array.from({ length: 20_000 }, () => 1) })}]`,
    `42["sync",{${Array.from({ length: 9_000 }, (_, n) => `"key${n}":${n}`).join()}}]`,
    `42[${Array.from({ length: 50_000 }, () => '1').join()}]`,
    `42["${'e'.repeat(120_000)}",{}]`,
  ],
  'with numbers that are none': [
    '42["sync",{"known":[["x",1e999]]}]',
    '42["receipt.update",{"receipt":{"readSeq":-1e308}}]',
    '42["events.after",{"after":9007199254740993}]',
  ],
};

describe('a socket', () => {
  let app: TestApp;
  let mallory: Person;
  let witness: TestSocket;
  let group: string;
  before(async () => {
    app = await startApp();
    const [ana, bob] = await registerPeople(app, 'Ana', 'Mallory');
    mallory = bob;
    group = (await makeGroup(ana, [bob])).id;
    witness = await connect(app.url, { token: ana.token });
  });
  after(async () => {
    witness.close();
    await app.stop();
  });

  /** Somebody else is served, over socket and REST, and nothing of theirs was touched. */
  const othersAreServed = async () => {
    assert.ok((await witness.ask('events.after', { conversationId: group, after: 0 })).ok);
    expectStatus(await call(app.url, 'GET', '/livez'), 200);
    assert.ok(witness.raw.connected);
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  };

  /** A socket of somebody who is signed in, below Socket.IO. */
  const signedIn = async (): Promise<RawSocket> => {
    const socket = await openRaw(app.url);
    socket.send(`40${JSON.stringify({ token: mallory.token })}`);
    await socket.until('42["hello"');
    return socket;
  };

  /** Each on a connection of its own, so that one that closes it spares the next nothing. */
  const throwAll = async (frames: readonly (string | Uint8Array<ArrayBuffer>)[], open: () => Promise<RawSocket>) => {
    for (const frame of frames) {
      const socket = await open();
      socket.send(frame);
      await othersAreServed();
      socket.close();
    }
  };

  for (const [name, frames] of Object.entries(packets)) {
    it(`that sends packets ${name} harms nobody`, async () => {
      await expectNoStall(name, () => throwAll(frames, signedIn));
    });
  }

  it('that sends such packets before it has signed in harms nobody', async () => {
    const some = Object.values(packets).flatMap(([first, second]) => [first ?? '', second ?? '']);
    await expectNoStall('before the handshake', () => throwAll(some, () => openRaw(app.url)));
  });

  it('that sends all of them on one connection harms nobody', async () => {
    await expectNoStall('one after another', async () => {
      const socket = await signedIn();
      for (const frame of Object.values(packets).flat()) socket.send(frame);
      await othersAreServed();
      socket.close();
    });
  });

  it('that sends anything at all is answered with a refusal, or closed, or not at all', async () => {
    const value = fc.anything({ withNullPrototype: false, withSparseArray: false, maxDepth: 4 }).map(safeJson);
    const event = fc.tuple(fc.constantFrom(...events, 'unknown'), fc.array(value, { maxLength: 3 }), fc.boolean());
    const packet = fc.oneof(
      event.map(([name, args, acked]) => `42${acked ? 7 : ''}[${[JSON.stringify(name), ...args].join()}]`),
      fc
        .tuple(fc.constantFrom('40', '41', '42', '43', '44', '45', '451-'), value)
        .map(([type, json]) => `${type}${json}`),
      fc.string({ unit: 'binary', maxLength: 60 }),
    );
    await withSeed(async (seed) => {
      const many = fc.sample(packet, { numRuns: 300, seed });
      await expectNoStall('anything', async () => {
        let sockets = await Promise.all(Array.from({ length: 12 }, signedIn));
        for (const [index, frame] of many.entries()) {
          sockets[index % sockets.length]?.send(frame);
          if (index % sockets.length > 0) continue;
          await othersAreServed();
          // Who speaks nonsense is closed, and comes back.
          sockets = await Promise.all(sockets.map(async (socket) => (socket.isOpen ? socket : signedIn())));
        }
        await othersAreServed();
        for (const socket of sockets) socket.close();
      });
    });
  }).timeout(90_000);

  it('that speaks no WebSocket harms nobody', async () => {
    const hello = upgrade(app.url);
    const frames: Record<string, (string | Buffer)[]> = {
      garbage: [Buffer.from([0x16, 0x03, 0x01, 0x00, 0xff, 0xff])],
      'half a request': ['GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\n'],
      'an upgrade to something else': [hello.replace('websocket\r\nSec', 'h2c\r\nSec')],
      'a frame that is not masked': [hello, Buffer.from([0x81, 0x02, 0x34, 0x30])],
      'a frame of 2^63 bytes': [
        hello,
        Buffer.from([0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
      ],
      'reserved bits': [hello, Buffer.from([0xf1, 0x82, 0, 0, 0, 0, 0x34, 0x30])],
      'an unknown opcode': [hello, Buffer.from([0x8b, 0x80, 0, 0, 0, 0])],
      'a continuation of nothing': [hello, Buffer.from([0x80, 0x81, 0, 0, 0, 0, 0x34])],
      'a message that never ends': [
        hello,
        ...Array.from({ length: 200 }, (_, n) => Buffer.from([n === 0 ? 1 : 0, 0x80, 0, 0, 0, 0])),
      ],
      'text that is no UTF-8': [hello, Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28])],
      'a flood of pings': [
        hello,
        Buffer.concat(Array.from({ length: 2_000 }, () => Buffer.from([0x89, 0x80, 0, 0, 0, 0]))),
      ],
      'a close with a code that there is not': [hello, Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x00, 0x01])],
      'polling, which is not offered': [
        'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      ],
      'a session that there is not': [hello.replace('transport', 'sid=nobody&transport')],
      'another version': [hello.replace('EIO=4', 'EIO=__proto__')],
    };
    await expectNoStall('raw bytes', async () => {
      await Promise.all(Object.values(frames).map((parts) => throwBytes(app.url, parts)));
      await othersAreServed();
    });
  }).timeout(90_000);
});

describe('the listener of a socket', () => {
  it('calls no acknowledgement that is none', () => {
    let take: (packet: unknown[]) => void = () => assert.fail('nothing listens');
    const socket = { use: (listener: typeof take) => (take = listener) };
    listen(socket as never, {} as never, { events: null } as never);
    const answers: unknown[] = [];
    for (const last of [{}, null, 7, 'text', []]) {
      assert.doesNotThrow(() => take(['unknown', last]));
      take(['unknown', (answer: unknown) => answers.push(answer), last]);
    }
    assert.equal(answers.length, 5, 'one that is a function is called, wherever it stands');
  });
});

/** JSON of anything: what has none is a text. */
function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? String(one) : one)) ?? '"nothing"';
  } catch {
    return '"nothing"';
  }
}
