import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Problem } from '../../contracts/errors.ts';
import { type Endpoint, endpoints } from '../../contracts/rest/index.ts';
import { type Person, makeGroup, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { throwBytes } from '../support/raw-socket.ts';
import { expectStatus } from '../support/rest.ts';
import { withSeed } from '../support/seed.ts';
import { expectNoStall } from '../support/stall.ts';

const nested = (open: string, close: string, depth: number) => `${open.repeat(depth)}${close.repeat(depth)}`;
const withBody = (Object.values(endpoints) as Endpoint[]).filter(({ body }) => body !== undefined);

/** Bodies that no client of ours sends. */
const bodies: Record<string, string | Uint8Array<ArrayBuffer>> = {
  nothing: '',
  'no JSON': '{',
  'a text': '"text"',
  'a number': '1e999',
  null: 'null',
  'a list': '[]',
  'a list of everything': '[[],{},null,true,1,"x"]',
  'a poisoned prototype': '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
  'keys twice': '{"clientId":1,"clientId":2,"text":[],"text":{}}',
  'deep lists': nested('[', ']', 100_000),
  'deep objects': nested('{"a":', '}', 40_000).replace('}', '1}'),
  'many keys': `{${Array.from({ length: 16_000 }, (_, n) => `"key${n}":${n}`).join()}}`,
  'a long list': `{"known":[${Array.from({ length: 100_000 }, () => '1').join()}]}`,
  'a long text': JSON.stringify({ text: 'x'.repeat(250_000), clientId: 'x'.repeat(5_000) }),
  'too much': JSON.stringify({ text: 'x'.repeat(400_000) }),
  'half a character': '{"text":"\\ud800","displayName":"\\udfff\\u0000"}',
  'no UTF-8': new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
  'a byte order mark': '\ufeff{}',
};

describe('REST', () => {
  let app: TestApp;
  let ana: Person;
  let mallory: Person;
  let ids: { id: string; messageId: string };
  before(async () => {
    app = await startApp();
    [ana, mallory] = await registerPeople(app, 'Ana', 'Mallory');
    const { id } = await makeGroup(ana, [mallory]);
    ids = { id, messageId: (await send(ana, id, 'hello')).id };
  });
  after(() => app.stop());

  /** What exists is named where it can be, so that bodies get as far as they can. */
  const pathOf = ({ path }: Endpoint) =>
    path
      .replace('{id}', ids.id)
      .replace('{messageId}', ids.messageId)
      .replace('{userId}', ana.id)
      .replaceAll(/\{\w+\}/g, '01900000-0000-7000-8000-000000000000');

  /** One request; whatever it says, the answer is no fault of the server's, and a refusal has its shape. */
  const ask = async (
    method: string,
    path: string,
    init: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> } = {},
  ) => {
    const headers = { authorization: `Bearer ${mallory.token}`, 'content-type': 'application/json', ...init.headers };
    const response = await fetch(`${app.url}${path}`, { ...init, method, headers });
    const text = await response.text();
    assert.ok(
      response.status < 500,
      `${method} ${path.slice(0, 100)} answered ${response.status}: ${text.slice(0, 300)}`,
    );
    if (response.status >= 400 && response.headers.get('content-type')?.includes('json'))
      Problem.parse(JSON.parse(text));
    return response.status;
  };
  const othersAreServed = async () => {
    expectStatus(await ana.call('GET', `/v1/conversations/${ids.id}`), 200);
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  };

  for (const [name, body] of Object.entries(bodies)) {
    it(`refuses ${name} for a body, wherever it is sent`, async () => {
      await expectNoStall(name, async () => {
        for (const endpoint of withBody) {
          const status = await ask(endpoint.method.toUpperCase(), pathOf(endpoint), { body });
          assert.ok(status >= 400, `${endpoint.operationId} took it`);
        }
        await othersAreServed();
      });
    }).timeout(60_000);
  }

  it('refuses bodies that are packed, of another type, or of another length than they say', async () => {
    const bomb = gzipSync(JSON.stringify({ text: ' '.repeat(50_000_000) }));
    const path = `/v1/conversations/${ids.id}/messages`;
    const strange: Record<string, string>[] = [
      { 'content-encoding': 'gzip' },
      { 'content-encoding': 'br' },
      { 'content-encoding': 'nothing' },
      { 'content-type': 'application/json; charset=utf-7' },
      { 'content-type': 'text/plain' },
      { 'content-type': 'multipart/form-data; boundary=x' },
      { 'content-type': '' },
    ];
    await expectNoStall('strange bodies', async () => {
      for (const headers of strange) await ask('POST', path, { headers, body: new Uint8Array(bomb) });
      await ask('POST', path, {
        headers: { 'content-encoding': 'gzip' },
        body: new Uint8Array(gzipSync('{}').subarray(0, 12)),
      });
      const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer ${mallory.token}\r\n`;
      await Promise.all([
        throwBytes(app.url, [`${head}Content-Length: 100\r\n\r\n{}`]),
        throwBytes(app.url, [`${head}Content-Length: -1\r\n\r\n{}`]),
        throwBytes(app.url, [`${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`]),
        throwBytes(app.url, [`${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}`]),
        throwBytes(app.url, [`${head}X-Long: ${'x'.repeat(100_000)}\r\n\r\n`]),
        throwBytes(app.url, ['\0\0\0\0\r\n\r\n']),
      ]);
      await othersAreServed();
    });
  }).timeout(60_000);

  it('refuses strange paths and queries', async () => {
    const strange = [
      '/v1/%',
      '/v1/%ff',
      '/v1/conversations/%00',
      '/v1/conversations/..%2f..%2f',
      `/v1/conversations/${'x'.repeat(8_000)}`,
      '/v1/conversations/__proto__',
      '/v1/conversations/constructor/messages',
      '//',
      '/v1//conversations',
      `/v1/${'a/'.repeat(3_000)}`,
      `/v1/conversations?limit=${'9'.repeat(5_000)}`,
      '/v1/conversations?limit[]=1',
      '/v1/conversations?limit=1&limit=2',
      '/v1/conversations?__proto__[polluted]=1',
      `/v1/conversations?cursor=${'A'.repeat(199)}`,
      `/v1/conversations?${'a&'.repeat(4_000)}`,
      '/v1/conversations?limit=%',
      '/v1/channels?q=%00',
      '/v1/channels?q=%25%25%25%25',
      `/v1/conversations/${ids.id}/messages?after=99999999999999999999`,
      `/v1/conversations/${ids.id}/events?after=-1`,
      `/v1/conversations/${ids.id}/messages/${ids.messageId}/reactions/${encodeURIComponent('x'.repeat(2_000))}`,
      `/v1/conversations/${ids.id}/messages/${ids.messageId}/reactions/%F0%9F`,
    ];
    await expectNoStall('strange paths', async () => {
      for (const path of strange)
        for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND']) await ask(method, path);
      await othersAreServed();
    });
  }).timeout(60_000);

  it('answers any JSON at any endpoint with a word of the contract', async () => {
    const json = fc.json({ maxDepth: 5, noUnicodeString: false });
    await withSeed(async (seed) => {
      const samples = fc.sample(fc.tuple(fc.constantFrom(...withBody), json), { numRuns: 250, seed });
      await expectNoStall('any JSON', async () => {
        for (const [endpoint, body] of samples) await ask(endpoint.method.toUpperCase(), pathOf(endpoint), { body });
        await othersAreServed();
      });
    });
  }).timeout(60_000);

  it('answers bodies that are almost right', async () => {
    const junk = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom('', ' ', -1, 1e308, '\u0000', '‮', ids.id, [], {}),
    );
    await withSeed(async (seed) => {
      const almost = fc.sample(
        fc.dictionary(
          fc.constantFrom(
            'clientId',
            'text',
            'replyTo',
            'threadId',
            'mentions',
            'priority',
            'userIds',
            'role',
            'title',
            'known',
            'readSeq',
            'kind',
            'memberIds',
          ),
          junk,
        ),
        { numRuns: 250, seed },
      );
      await expectNoStall('almost right', async () => {
        for (const [index, body] of almost.entries()) {
          const endpoint = withBody[index % withBody.length] as Endpoint;
          await ask(endpoint.method.toUpperCase(), pathOf(endpoint), { body: JSON.stringify(body) });
        }
        await othersAreServed();
      });
    });
  }).timeout(60_000);
});
