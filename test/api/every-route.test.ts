import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { Problem } from '../../contracts/errors.ts';
import { limits } from '../../contracts/limits.ts';
import { type Endpoint, endpoints } from '../../contracts/rest/index.ts';
import { type Person, registerPerson } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { call, expectProblem, expectStatus } from '../support/rest.ts';

/** Paths with an id that is well-formed and names nothing. */
const pathOf = ({ path }: Endpoint) => path.replaceAll(/\{\w+\}/g, '01900000-0000-7000-8000-000000000000');
const all = Object.values(endpoints) as Endpoint[];

describe('every route', () => {
  let app: TestApp;
  let ana: Person;
  before(async () => {
    app = await startApp();
    ana = await registerPerson(app);
  });
  after(() => app.stop());
  afterEach(async () => {
    // Whatever was thrown at it, the process goes on.
    expectStatus(await call(app.url, 'GET', '/livez'), 200);
  });

  for (const endpoint of all) {
    const name = `${endpoint.method.toUpperCase()} ${endpoint.path}`;
    const ask = (options: Parameters<typeof call>[3] = {}, query = '') =>
      call(app.url, endpoint.method.toUpperCase(), pathOf(endpoint) + query, options);

    it(`${name} is mounted`, async () => {
      // Somebody of their own: one of the routes signs out.
      const { status, body } = await ask({ token: (await registerPerson(app)).token });
      const detail = (body as { detail?: string } | undefined)?.detail;
      assert.notEqual(status, 405);
      assert.notEqual(detail, 'There is nothing at this path.');
    });

    if (endpoint.auth === 'user') {
      it(`${name} asks for a token`, async () => {
        expectProblem(await ask(), 401, 'unauthenticated');
      });
    }

    it(`${name} refuses an unknown query parameter and names it`, async () => {
      const paths = expectProblem(await ask({ token: ana.token }, '?surprise=1'), 400, 'invalid_input');
      assert.ok(paths.includes('surprise'));
    });

    if (endpoint.path.endsWith('}')) {
      it(`${name} is not the list where the id was left empty`, async () => {
        const path = pathOf(endpoint).replace(/[^/]+$/, '');
        const answer = await call(app.url, endpoint.method.toUpperCase(), path, { token: ana.token });
        expectProblem(answer, 400, 'invalid_input');
      });
    }

    // What a deployment calls its providers nobody knows: there any word may be one.
    if (endpoint.path.includes('{') && !endpoint.path.includes('{provider}')) {
      it(`${name} refuses an id that is none and names it`, async () => {
        const path = endpoint.path
          .replace(/\{\w+\}/, 'nonsense')
          .replaceAll(/\{\w+\}/g, '01900000-0000-7000-8000-000000000000');
        const paths = expectProblem(
          await call(app.url, endpoint.method.toUpperCase(), path, { token: ana.token }),
          400,
          'invalid_input',
        );
        assert.ok(paths.includes(/\{(\w+)\}/.exec(endpoint.path)?.[1] ?? ''));
      });
    }

    if (endpoint.body) {
      for (const [what, body] of Object.entries({
        'a list': [],
        'an unknown field': { surprise: true },
        'deep nesting': { a: { b: { c: {} } } },
      })) {
        it(`${name} refuses ${what} as its body`, async () => {
          const faults = expectProblem(await ask({ token: ana.token, body }), 400, 'invalid_input');
          assert.ok(faults.length > 0);
        });
      }
      it(`${name} refuses what is no JSON, a body that is too large, and another type`, async () => {
        expectProblem(await ask({ token: ana.token, body: '{"half":' }), 400, 'malformed_json');
        for (const body of ['"a bare word"', 'null', '1', 'true']) {
          expectProblem(await ask({ token: ana.token, body }), 400, 'invalid_input');
        }
        expectProblem(
          await ask({ token: ana.token, body: `{"x":"${'x'.repeat(limits.requestBodyBytes)}"}` }),
          413,
          'payload_too_large',
        );
        const xml = { token: ana.token, body: '<a/>', headers: { 'content-type': 'application/xml' } };
        expectProblem(await ask(xml), 415, 'unsupported_media_type');
      });
    }
  }

  it('a body of the greatest size is read, and is told what is wrong with it in a few words', async () => {
    const frame = Buffer.byteLength(JSON.stringify({ x: '' }));
    const body = JSON.stringify({ x: 'x'.repeat(limits.requestBodyBytes - frame) });
    assert.equal(Buffer.byteLength(body), limits.requestBodyBytes);
    expectProblem(await call(app.url, 'POST', '/v1/auth/login', { body }), 400, 'invalid_input');
    const unknown = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`field${n}`, n]));
    const faults = expectProblem(
      await call(app.url, 'POST', '/v1/auth/login', { body: unknown }),
      400,
      'invalid_input',
    );
    assert.ok(faults.length <= 50);
  });

  const raw = (request: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(app.url);
      const socket = connect(Number(port), hostname, () => socket.write(request));
      let answer = '';
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
      socket.once('close', () => resolve(answer)).once('error', reject);
    });
  const problemOf = (answer: string) => {
    const body = answer.slice(answer.indexOf('\r\n\r\n') + 4);
    return Problem.parse(JSON.parse(body));
  };

  it('what is no HTTP, and headers that are too large, get a coded answer too', async () => {
    assert.equal(problemOf(await raw('nonsense\r\n\r\n')).code, 'malformed_request');
    const large = await raw(`GET /livez HTTP/1.1\r\nhost: x\r\nfiller: ${'x'.repeat(20_000)}\r\n\r\n`);
    assert.deepEqual([problemOf(large).status, problemOf(large).code], [431, 'payload_too_large']);
  });

  it('a body that announces more than the limit is refused before it comes', async () => {
    const head = 'POST /v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
    const answer = await raw(`${head}content-length: 1000000000\r\n\r\n`);
    assert.equal(problemOf(answer).code, 'payload_too_large');
  });

  it('a request that offers another protocol is answered as it is', async () => {
    const answer = await raw('GET /livez HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: h2c\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 200 OK/);
  });

  for (const encoding of ['gzip', 'deflate', 'br']) {
    it(`a body that is not ${encoding}, as it claims, is refused`, async () => {
      const headers = { 'content-encoding': encoding };
      const answer = await call(app.url, 'POST', '/v1/auth/login', { body: '{"identifier":"x"}', headers });
      expectProblem(answer, 400, 'malformed_json');
    });
  }

  it('a control character in a field is a fault of that field', async () => {
    const login = { identifier: 'a\u0000b', password: 'whatever' };
    const refused = await call(app.url, 'POST', '/v1/auth/login', { body: login });
    assert.deepEqual(expectProblem(refused, 400, 'invalid_input'), ['identifier']);
    const device = { platform: 'ios', appVersion: 'a\u0000b' };
    const path = '/v1/me/devices/01900000-0000-7000-8000-000000000000';
    assert.deepEqual(expectProblem(await ana.call('PUT', path, device), 400, 'invalid_input'), ['appVersion']);
    const name = { displayName: '\u200b\u200d' };
    assert.deepEqual(expectProblem(await ana.call('PATCH', '/v1/me', name), 400, 'invalid_input'), ['displayName']);
  });

  it('a path that there is not, and a broken one, are not found', async () => {
    expectProblem(await call(app.url, 'GET', '/v1/nothing'), 404, 'not_found');
    expectProblem(await call(app.url, 'GET', '/v1/users/%E0%A4%A'), 404, 'not_found');
  });

  it('a method that a path does not take is told with those that it takes', async () => {
    const answer = await call(app.url, 'PUT', '/v1/me');
    expectProblem(answer, 405, 'method_not_allowed');
    assert.equal(answer.headers.get('allow'), 'GET, PATCH');
  });

  it('nobody is told what they sent (TRACE)', async () => {
    for (const path of ['/', '/livez', '/v1/me', '/docs']) {
      const answer = await raw(`TRACE ${path} HTTP/1.1\r\nhost: x\r\ncanary: canary\r\nconnection: close\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 40[45] /, path);
      assert.ok(!answer.includes('canary'), path);
    }
  });

  it('a path of its own is no id of its neighbour, whatever the method', async () => {
    const answer = await ana.call('PATCH', '/v1/me/passkeys/begin', { name: 'phone' });
    expectProblem(answer, 405, 'method_not_allowed');
    assert.equal(answer.headers.get('allow'), 'POST');
  });

  it('keeps a sane request id and replaces any other', async () => {
    const id = async (given: string) =>
      (await call(app.url, 'GET', '/livez', { headers: { 'x-request-id': given } })).headers.get('x-request-id');
    assert.equal(await id('client-id-0001'), 'client-id-0001');
    assert.notEqual(await id('<script>'), '<script>');
  });
});
