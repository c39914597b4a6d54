import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { brotliCompressSync, constants, createGzip, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { limits } from '../../contracts/limits.ts';
import { EgressError, type EgressOptions, createEgress } from '../../platform/egress.ts';
import { classOf, toNetwork } from '../../platform/networks.ts';
import { type Sentinels, loopbacks, socketsOpened, startSentinels } from '../support/sentinels.ts';

const open = '93.184.215.14';
const { egressBodyBytes, egressHeaderBytes } = limits;

/** Spellings of addresses that are not of the open internet. The sentinels stand at those of this machine. */
const inside: readonly string[] = [
  // This machine, in every spelling that a URL has for it.
  ...['127.0.0.1', '127.0.0.20', '127.255.255.254', '127.0.0.1.', '127.1', '127.0.1', '2130706433', '0x7f000001'],
  ...['0x7f.0.0.1', '0x7f.1', '0177.0.0.1', '0177.0.0.01', '017700000001', '%31%32%37.0.0.1', '127%2e0%2e0%2e1'],
  ...['１２７.０.０.１', '①②⑦.⓪.⓪.①', '127。0。0。1', '127．0．0．1', '127｡0｡0｡1', '0', '0.0.0.0', '0x0', '00.0'],
  ...['[::1]', '[0:0:0:0:0:0:0:1]', '[0000::0001]', '[::]', '[::0.0.0.1]'],
  // IPv4 within IPv6, by each of the ways there are.
  ...['[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:FFFF:7F00:1]', '[::127.0.0.1]', '[::7f00:1]'],
  ...['[::ffff:0:127.0.0.1]', '[64:ff9b::127.0.0.1]', '[64:ff9b::7f00:1]', '[64:ff9b:1::7f00:1]', '[2002:7f00:1::]'],
  ...['[2001:0:7f00:1::]', '[::ffff:169.254.169.254]', '[64:ff9b::a9fe:a9fe]', `[::ffff:${open}]`],
  // What clouds tell their machines.
  ...['169.254.169.254', '2852039166', '0xa9fea9fe', '0xA9.0xFE.0xA9.0xFE', '0251.0376.0251.0376', '169.254.43518'],
  ...['[fd00:ec2::254]', '100.100.100.200', '168.63.129.16', '192.0.0.192'],
  // Networks of somebody's own, and what is no host's at all.
  ...['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.0.1', '100.64.0.1', '169.254.0.1', '192.0.2.1'],
  ...['198.18.0.1', '198.19.255.255', '198.51.100.1', '203.0.113.1', '192.88.99.1', '224.0.0.1', '240.0.0.1'],
  ...['255.255.255.255', '[fe80::1]', '[fec0::1]', '[fc00::1]', '[fdff::1]', '[ff02::1]', '[2001:db8::1]'],
  ...['192.31.196.1', '192.52.193.1', '192.175.48.1', '[2620:4f:8000::1]'],
  ...['[3fff::1]', '[100::1]', '[5f00::1]', '[2001:2::1]', '[2001:20::1]', '[4000::1]'],
];

/** What a name may be told to be, by whoever owns it. */
const told: readonly (readonly [what: string, addresses: readonly string[]])[] = [
  ['this machine', ['127.0.0.1']],
  ['this machine, by IPv6', ['::1']],
  ['a mapped address', ['::ffff:127.0.0.1']],
  ['a compatible address', ['::127.0.0.1']],
  ['an open address within IPv6', [`::${open}`]],
  ['an address that NAT64 translates', ['64:ff9b::7f00:1']],
  ['an address that NAT64 translates, with the IPv4 to be read', ['64:ff9b::127.0.0.1']],
  ['metadata', ['169.254.169.254']],
  ['a network of somebody’s own', ['10.1.2.3']],
  ['an open address and a private one', [open, '127.0.0.1']],
  ['a private address and an open one', ['127.0.0.1', open]],
  ['many open addresses and one that is not', [...Array.from({ length: 30 }, () => open), '::1']],
  ['an address of a zone', ['fe80::1%lo']],
  ['no address at all', ['localhost']],
  ['an address in a spelling of its own', ['0x7f.1']],
];

const schemes = [
  ...['file:///etc/passwd', 'gopher://127.0.0.1/_', 'ftp://127.0.0.1/', 'data:text/plain,x', 'about:blank'],
  ...['blob:http://127.0.0.1/x', 'ws://127.0.0.1/', 'wss://127.0.0.1/', 'unix:/tmp/x', 'dict://127.0.0.1:11211/stats'],
  ...['ldap://127.0.0.1/', 'jar:http://127.0.0.1!/', 'javascript:1'],
];

type Lines = [message: string, fields: Record<string, unknown> | undefined][];

function egressOf(options: Partial<EgressOptions> = {}) {
  const lines: Lines = [];
  const log = { info: () => {}, warn: (...line: Lines[number]) => void lines.push(line), error: () => {} };
  return { ...createEgress({ allow: [], log, ...options }), lines };
}
type TestEgress = ReturnType<typeof egressOf>;

const networks = (...texts: string[]) => texts.map((text) => toNetwork(text) ?? assert.fail(text));

async function errorOf(asked: Promise<Response>): Promise<EgressError> {
  const outcome = await asked.catch((error: unknown) => error);
  assert.ok(outcome instanceof EgressError, `it was answered: ${String(outcome)}`);
  return outcome;
}

describe('requests elsewhere', () => {
  let sentinels: Sentinels;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  const made: TestEgress[] = [];
  const egress = (options?: Partial<EgressOptions>): TestEgress => {
    made.push(egressOf(options));
    return made.at(-1) as TestEgress;
  };
  /** To the first sentinel, which the operator has named. */
  const allowed = (options: Partial<EgressOptions> = {}) => egress({ allow: networks('127.0.0.1/32'), ...options });
  const here = (path = '/') => `http://127.0.0.1:${sentinels.port}${path}`;

  before(async () => {
    sentinels = await startSentinels((request, response) => answer(request, response));
  });
  beforeEach(() => {
    answer = (_request, response) => void response.setHeader('connection', 'close').end('reached');
    sentinels.clear();
  });
  afterEach(async () => {
    await Promise.all(made.splice(0).map(({ close }) => close()));
  });
  after(() => sentinels.stop());

  /** Refused, and nobody was connected to, here or elsewhere. */
  async function expectRefused(address: string, reason: string, options: Partial<EgressOptions> = {}): Promise<void> {
    const asker = egress(options);
    const opened = await socketsOpened(async () => {
      const error = await errorOf(asker.fetch(address));
      assert.deepEqual([error.code, error.reason], ['egress_refused', reason], address);
    });
    assert.deepEqual([opened, [...sentinels.hits]], [0, []]);
  }

  describe('go to no address inside', () => {
    for (const host of inside) it(host, () => expectRefused(`http://${host}:${sentinels.port}/`, 'address'));

    for (const host of ['127.0.0.1', '[::1]', '169.254.169.254', '0'])
      for (const scheme of ['http', 'https'])
        it(`${scheme}://${host} by its usual port`, () => expectRefused(`${scheme}://${host}/`, 'address'));

    for (const host of ['localhost', 'LOCALHOST', 'ｌｏｃａｌｈｏｓｔ', 'lo%63alhost'])
      it(`${host} as this machine knows it`, () => expectRefused(`http://${host}:${sentinels.port}/`, 'address'));

    for (const [what, addresses] of told)
      it(`a name that is ${what}`, () =>
        expectRefused(`http://name.test:${sentinels.port}/`, 'address', { resolve: async () => addresses }));

    it('a name with a dot at its end', () =>
      expectRefused(`http://name.test.:${sentinels.port}/`, 'address', { resolve: async () => ['127.0.0.1'] }));

    it('when all addresses of this machine were tried, then none of them was reached', async () => {
      for (const address of loopbacks)
        await expectRefused(`http://${address.includes(':') ? `[${address}]` : address}:${sentinels.port}/`, 'address');
    });
  });

  describe('are refused by what their address says', () => {
    for (const address of schemes) it(address, () => expectRefused(address, 'scheme'));

    for (const address of [
      '//127.0.0.1/',
      'http://',
      'http://[::1',
      'http://127.0.0.1:99999/',
      'http://256.1.1.1/',
      '',
    ])
      it(`«${address}», which is none`, () => expectRefused(address, 'url'));

    for (const address of [`http://me@${open}/`, `https://me:secret@${open}/`, `http://:secret@${open}/`])
      it(address, () => expectRefused(address, 'userinfo'));

    it('another host before the @', () => expectRefused(`http://${open}@127.0.0.1:${sentinels.port}/`, 'userinfo'));
    it('a host before a backslash', () => expectRefused(`http://127.0.0.1:${sentinels.port}\\@${open}/`, 'address'));
    it('a host before a fragment', () => expectRefused(`http://127.0.0.1:${sentinels.port}#@${open}/`, 'address'));
    it('line ends and tabs within', () => expectRefused(`ht\ntp://127.0\t.0.1:${sentinels.port}/`, 'address'));

    for (const port of [21, 22, 25, 2375, 5432, 6379, 8080, 9200, 11211, 65535])
      it(`port ${port}, also of an open address`, async () => {
        const error = await errorOf(egress().fetch(`http://${open}:${port}/`));
        // The language itself refuses some.
        assert.match(`${error.code} ${error.reason}`, /egress_refused port|egress_failed unreachable/);
        assert.deepEqual([...sentinels.hits], []);
      });
    it('another port than those of the web', () => expectRefused(`https://${open}:8443/`, 'port'));
    it('the same by a name', () => expectRefused('https://name.test:8443/', 'port', { resolve: async () => [open] }));
  });

  describe('are connected where was judged', () => {
    it('when a name is something else a moment later, then its second answer is never connected to', async () => {
      const answers = [['127.0.0.1'], ['127.0.0.2']];
      const asker = allowed({ resolve: async () => answers.shift() ?? [] });
      assert.equal(await (await asker.fetch(`http://name.test:${sentinels.port}/`)).text(), 'reached');
      assert.deepEqual([...sentinels.hits], [['127.0.0.1', 1]]);
      const error = await errorOf(asker.fetch(`http://name.test:${sentinels.port}/`));
      assert.equal(error.reason, 'address');
      assert.deepEqual([...sentinels.hits], [['127.0.0.1', 1]]);
    });

    it('when the machine would find another address than was judged, then that one is not connected to', async () => {
      const asker = egress({ allow: networks('127.0.0.2/32'), resolve: async () => ['127.0.0.2'] });
      assert.equal(await (await asker.fetch(`http://localhost:${sentinels.port}/`)).text(), 'reached');
      assert.deepEqual([...sentinels.hits], [['127.0.0.2', 1]]);
    });

    it('when one of several judged addresses does not answer, then the next is tried', async () => {
      const asker = egress({ allow: networks('127.0.0.0/8'), resolve: async () => ['127.0.0.21', '127.0.0.3'] });
      assert.equal(await (await asker.fetch(`http://name.test:${sentinels.port}/`)).text(), 'reached');
      assert.deepEqual([...sentinels.hits], [['127.0.0.3', 1]]);
    });

    it('when it is asked over TLS, then the server hears the name and must prove it', async () => {
      let heard = '';
      const server = createTlsServer({
        SNICallback(name, done) {
          heard = name;
          done(new Error('that was all'));
        },
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const asker = allowed({ resolve: async () => ['127.0.0.1'] });
      const error = await errorOf(asker.fetch(`https://name.test:${port}/`));
      server.close();
      assert.deepEqual([heard, error.reason], ['name.test', 'unreachable']);
    });
  });

  describe('follow nobody', () => {
    const sendTo = (status: number, to: (request: IncomingMessage) => string) => {
      answer = (request, response) => {
        response.writeHead(status, { location: to(request), connection: 'close' }).end();
      };
    };

    for (const status of [301, 302, 303, 307, 308])
      it(`when they are sent on by ${status}, then that is the answer, even to who would follow`, async () => {
        answer = (request, response) => {
          const isThere = request.headers.host?.startsWith('127.0.0.2');
          if (!isThere) response.writeHead(status, { location: `http://127.0.0.2:${sentinels.port}/` });
          response.end();
        };
        const { fetch: ask } = egress({ allow: networks('127.0.0.0/8') });
        const response = await ask(here(), { redirect: 'follow' });
        assert.equal(response.status, status);
        assert.deepEqual([...sentinels.hits], [['127.0.0.1', 1]]);
      });

    const chains: Record<string, (hop: number) => string> = {
      'to this machine': () => `http://127.0.0.2:${sentinels.port}/`,
      'to metadata': () => 'http://169.254.169.254/latest/meta-data/',
      'to metadata, by IPv6': () => 'http://[fd00:ec2::254]/',
      'to a file': () => 'file:///etc/passwd',
      'with a secret in the address': () => `http://a:b@${open}/`,
      'to this machine, after three hops': (hop) => (hop < 3 ? here(`/${hop}`) : `http://[::1]:${sentinels.port}/`),
    };
    for (const [what, next] of Object.entries(chains))
      it(`when somebody follows by hand ${what}, then each hop is judged`, async () => {
        let hops = 0;
        sendTo(302, () => next((hops += 1)));
        const asker = allowed();
        const follow = async (address: string): Promise<Response> => {
          const response = await asker.fetch(address);
          return follow(new URL(response.headers.get('location') ?? '', address).href);
        };
        assert.equal((await errorOf(follow(here()))).code, 'egress_refused');
        assert.deepEqual([...sentinels.hits.keys()], ['127.0.0.1']);
      });
  });

  describe('wait for no end and take no flood', () => {
    const zeros = Buffer.alloc(egressBodyBytes + 1);
    const small = zeros.subarray(1);
    const packed: Record<string, readonly [encoding: string, pack: (data: Buffer) => Buffer]> = {
      gzip: ['gzip', gzipSync],
      brotli: ['br', (data) => brotliCompressSync(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
      deflate: ['deflate', deflateSync],
      zstandard: ['zstd', zstdCompressSync],
      'gzip twice': ['gzip, gzip', (data) => gzipSync(gzipSync(data))],
    };

    it('when an answer is as large as it may be, then it is taken; when larger by a byte, then not', async () => {
      answer = (_request, response) => void response.end(small);
      assert.equal((await (await allowed().fetch(here())).arrayBuffer()).byteLength, egressBodyBytes);
      answer = (_request, response) => void response.end(zeros);
      assert.equal((await errorOf(allowed().fetch(here()))).reason, 'too_large');
    });

    for (const [name, [encoding, pack]] of Object.entries(packed))
      it(`when an answer unfolds by ${name} to more than it may be, then it is not taken`, async () => {
        answer = (_request, response) => void response.setHeader('content-encoding', encoding).end(pack(small));
        assert.equal((await (await allowed().fetch(here())).arrayBuffer()).byteLength, egressBodyBytes);
        answer = (_request, response) => void response.setHeader('content-encoding', encoding).end(pack(zeros));
        assert.equal((await errorOf(allowed().fetch(here()))).reason, 'too_large');
      });

    it('when an answer has no end, then it is left', async () => {
      answer = (_request, response) => void pour(response);
      assert.equal((await errorOf(allowed().fetch(here()))).reason, 'too_large');
    });

    it('when what comes has no end and unfolds to nothing, then it is left', async () => {
      answer = (_request, response) => {
        response.setHeader('content-encoding', 'gzip');
        pourNothing(response);
      };
      assert.equal((await errorOf(allowed().fetch(here()))).reason, 'too_large');
    });

    it('when a byte comes now and then, then the whole is not waited for longer than an answer may take', async () => {
      answer = (_request, response) => {
        let left = 100;
        const drip = setInterval(() => ((left -= 1) > 0 ? response.write('.') : response.end()), 20);
        response.on('close', () => clearInterval(drip));
      };
      const error = await errorOf(allowed({ timeoutMs: 300 }).fetch(here()));
      assert.equal(error.reason, 'too_slow');
    });

    it('when no header comes, then it is left', async () => {
      answer = () => {};
      assert.equal((await errorOf(allowed({ timeoutMs: 300 }).fetch(here()))).reason, 'too_slow');
    });

    it('when answers before the answer have no end, then it is left', async () => {
      answer = (_request, response) => {
        const hints = setInterval(() => response.writeProcessing(), 10);
        response.on('close', () => clearInterval(hints));
      };
      assert.equal((await errorOf(allowed({ timeoutMs: 300 }).fetch(here()))).reason, 'too_slow');
    });

    it('when a name is looked up without end, then it is left', async () => {
      const asker = egress({ resolve: () => new Promise(() => {}), timeoutMs: 100 });
      assert.equal((await errorOf(asker.fetch('http://name.test/'))).reason, 'too_slow');
    });

    it('when headers are as large as they may be, then they are taken; when larger, then not', async () => {
      const padding = (bytes: number) => ({ 'x-padding': 'x'.repeat(bytes), connection: 'close' });
      answer = (_request, response) => void response.writeHead(200, padding(egressHeaderBytes - 1_000)).end();
      assert.equal((await allowed().fetch(here())).status, 200);
      answer = (_request, response) => void response.writeHead(200, padding(egressHeaderBytes)).end();
      assert.equal((await errorOf(allowed().fetch(here()))).reason, 'too_large');
    });

    it('when there are thousands of headers, then they are not taken', async () => {
      answer = (_request, response) => {
        for (let each = 0; each < 5_000; each += 1) response.setHeader(`x-${each}`, '1');
        response.end();
      };
      assert.equal((await errorOf(allowed().fetch(here()))).reason, 'too_large');
    });

    it('when what answers does not speak HTTP, then it is left', async () => {
      const server = createServer((socket) => void socket.end('SSH-2.0-OpenSSH_9.2\r\n')).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      assert.equal((await errorOf(allowed().fetch(`http://127.0.0.1:${port}/`))).reason, 'unreachable');
      server.close();
    });
  });

  describe('work', () => {
    it('when a network is named, then with method, headers and body as they were asked', async () => {
      const heard: unknown[] = [];
      answer = (request, response) => {
        heard.push(request.method, request.headers['x-one'], request.headers['content-type'], request.headers.cookie);
        request.pipe(response.writeHead(201, { 'x-two': '2' }));
      };
      const body = new URLSearchParams({ code: 'ü' });
      const response = await allowed().fetch(here(), { method: 'POST', headers: { 'x-one': '1' }, body });
      assert.deepEqual([response.status, response.headers.get('x-two')], [201, '2']);
      assert.equal(await response.text(), 'code=%C3%BC');
      assert.deepEqual(heard, ['POST', '1', 'application/x-www-form-urlencoded;charset=UTF-8', undefined]);
    });

    it('when a host is named at a port, then there alone', async () => {
      const options = {
        allow: networks(`name.test:${sentinels.port}`),
        resolve: async () => ['127.0.0.4'],
      };
      const asker = egress(options);
      assert.equal((await asker.fetch(`http://name.test:${sentinels.port}/`)).status, 200);
      sentinels.clear();
      await expectRefused(`http://name.test:${sentinels.port + 1}/`, 'address', options);
      await expectRefused(`http://127.0.0.4:${sentinels.port}/`, 'address', options);
      await expectRefused(`http://other.test:${sentinels.port}/`, 'address', options);
    });

    it('when an IPv6 address is named, then there', async () => {
      for (const text of ['::1/128', `[::1]:${sentinels.port}`]) {
        const asker = egress({ allow: networks(text) });
        assert.equal((await asker.fetch(`http://[0:0::1]:${sentinels.port}/`)).status, 200);
      }
    });

    it('when who asks calls it off, then they hear their own reason', async () => {
      answer = () => {};
      const mine = new Error('enough');
      const stop = new AbortController();
      const asked = allowed().fetch(here(), { signal: stop.signal });
      stop.abort(mine);
      await assert.rejects(asked, (error) => error === mine);
    });

    it('when one is refused, then the log says why and of which kind, and nothing of where', async () => {
      const asker = egress();
      await errorOf(asker.fetch('http://10.1.2.3/path?secret=1'));
      await errorOf(asker.fetch('http://me:pw@name.test/'));
      const message = 'a request elsewhere has no answer';
      assert.deepEqual(asker.lines, [
        [message, { code: 'egress_refused', reason: 'address', range: 'private' }],
        [message, { code: 'egress_refused', reason: 'userinfo' }],
      ]);
    });

    for (const address of [
      open,
      '1.1.1.1',
      '8.8.8.8',
      '172.32.0.1',
      '2606:4700:4700::1111',
      '2a00:1450:4001:81b::200e',
    ])
      it(`${address} is of the open internet`, () => assert.equal(classOf(address), 'unicast'));
  });
});

/** As fast as it is taken. */
function pour(response: ServerResponse): void {
  const chunk = Buffer.alloc(65_536, 'x');
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
}

/** Blocks of a compressed stream that hold nothing: it goes on and on, and is never anything. */
function pourNothing(response: ServerResponse): void {
  const gzip = createGzip();
  gzip.flush(() => {
    const header = gzip.read() as Buffer;
    gzip.destroy();
    response.write(header);
    const nothing = Buffer.alloc(65_535, Buffer.from([0, 0, 0, 0xff, 0xff]));
    const more = () => {
      while (!response.destroyed && response.write(nothing));
    };
    response.on('drain', more);
    more();
  });
}
