import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { connect as connectTcp } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Endpoint, endpoints } from '../../contracts/rest/index.ts';
import { serverLimits } from '../../roles.ts';
import { type Person, registerPerson } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { throwBytes } from '../support/raw-socket.ts';

const home = 'https://homing.test';
const id = '01900000-0000-7000-8000-000000000000';
const data = "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'";

/** What each class of routes says beside what all of them say. */
const classes: Record<string, { paths: [method: string, path: string][]; csp: string | RegExp; cache: string }> = {
  'the interface, refused': { paths: pathsOf(Object.values(endpoints)), csp: data, cache: 'no-store' },
  'what is about nobody': {
    paths: ['/livez', '/readyz', '/v1/limits', '/openapi.json', '/asyncapi.json'].map((path) => ['GET', path]),
    csp: data,
    cache: 'no-store',
  },
  'the published keys': { paths: [['GET', '/.well-known/jwks.json']], csp: data, cache: 'public, max-age=60' },
  'what there is not': {
    paths: [
      ['GET', '/nothing'],
      ['PUT', '/v1/me'],
      ['GET', '/v1/users/%E0%A4%A'],
      ['POST', '/v1/auth/login'],
    ],
    csp: data,
    cache: 'no-store',
  },
  'pages behind the links of mails': {
    paths: [
      ['GET', '/unsubscribe/none'],
      ['GET', '/preferences/none'],
      ['GET', '/reset-password'],
      ['GET', '/signed-in'],
      ['GET', '/o?n=none'],
    ],
    csp: /default-src 'none'.*frame-ancestors 'none'/,
    cache: 'no-store',
  },
  'pages for developers': {
    paths: [
      ['GET', '/docs'],
      ['GET', '/docs/errors'],
    ],
    csp: /default-src 'self'.*object-src 'none'.*frame-ancestors 'none'/,
    cache: 'no-store',
  },
  'files that never change': {
    paths: [['GET', '/docs/ui/swagger-ui.css']],
    csp: data,
    cache: 'public, max-age=86400, immutable',
  },
};

function pathsOf(all: Endpoint[]): [string, string][] {
  return all
    .filter(({ auth }) => auth === 'user')
    .map(({ method, path }) => [method.toUpperCase(), path.replaceAll(/\{\w+\}/g, id)]);
}

describe('what answers say to browsers', () => {
  let app: TestApp;
  let ana: Person;
  before(async () => {
    app = await startApp({ env: { HOMING_PUBLIC_URL: home, HOMING_ALLOWED_ORIGINS: 'https://web.homing.test' } });
    ana = await registerPerson(app);
  });
  after(() => app.stop());

  function assertSafe({ headers }: Response, csp: string | RegExp, cache: string, where: string): void {
    const said = (name: string) => headers.get(name);
    assert.equal(said('strict-transport-security'), 'max-age=31536000; includeSubDomains', where);
    assert.equal(said('x-content-type-options'), 'nosniff', where);
    assert.equal(said('referrer-policy'), 'no-referrer', where);
    assert.equal(said('cross-origin-resource-policy'), 'same-origin', where);
    assert.equal(said('cross-origin-opener-policy'), 'same-origin', where);
    assert.deepEqual([said('server'), said('x-powered-by')], [null, null], where);
    assert.equal(said('cache-control'), cache, where);
    const policy = said('content-security-policy') ?? '';
    if (typeof csp === 'string') assert.equal(policy, csp, where);
    else assert.match(policy, csp, where);
    assert.match(policy, /frame-ancestors 'none'/, where);
  }

  for (const [title, { paths, csp, cache }] of Object.entries(classes))
    it(`${title}: ${paths.length} routes`, async () => {
      assert.ok(paths.length > 0);
      for (const [method, path] of paths)
        assertSafe(await fetch(app.url + path, { method }), csp, cache, `${method} ${path}`);
    });

  it('the interface, answered', async () => {
    const headers = { authorization: `Bearer ${ana.token}` };
    for (const path of ['/v1/me', '/v1/sessions', '/v1/conversations', '/v1/me/drafts', '/v1/me/notifications']) {
      const answer = await fetch(app.url + path, { headers });
      assert.equal(answer.status, 200, path);
      assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8', path);
      assertSafe(answer, data, 'no-store', path);
    }
  });

  it('no version, of ours or of others, where nobody asked for the documents', async () => {
    const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
    for (const path of ['/nothing', '/livez', '/v1/me']) {
      const answer = await fetch(app.url + path);
      const all = JSON.stringify([...answer.headers]) + (await answer.text());
      assert.ok(!all.includes(version) && !/express|node\b/i.test(all), path);
    }
  });

  describe('a page of another origin', () => {
    const preflight = (origin: string) =>
      fetch(`${app.url}/v1/me`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'PATCH',
          'access-control-request-headers': 'authorization',
        },
      });
    const allowed = async (origin: string) => (await preflight(origin)).headers.get('access-control-allow-origin');

    it('may ask where it is named, and nowhere else', async () => {
      for (const origin of [home, 'https://web.homing.test']) assert.equal(await allowed(origin), origin);
      for (const origin of [
        ...['https://evil.test', 'http://homing.test', 'https://homing.test.evil.test', 'https://evil-homing.test'],
        ...['https://homing.test:8443', 'https://sub.web.homing.test', 'null'],
      ])
        assert.equal(await allowed(origin), null, origin);
      const { headers } = await preflight(home);
      assert.equal(headers.get('access-control-allow-credentials'), null, 'there are no cookies to send along');
    });

    /** The first of the two requests by which Socket.IO would begin without WebSocket, and the upgrade itself. */
    const begin = (transport: string, origin: string | undefined) =>
      raw([
        `GET /socket.io/?EIO=4&transport=${transport} HTTP/1.1`,
        'host: homing.test',
        ...(origin ? [`origin: ${origin}`] : []),
        ...(transport === 'websocket'
          ? [
              'connection: upgrade',
              'upgrade: websocket',
              'sec-websocket-version: 13',
              `sec-websocket-key: ${'A'.repeat(22)}==`,
            ]
          : ['connection: close']),
      ]);

    it('begins no socket, by whatever way', async () => {
      for (const transport of ['websocket', 'polling'])
        for (const origin of ['https://evil.test', 'null']) {
          const answer = await begin(transport, origin);
          assert.match(answer, /^HTTP\/1\.1 4\d\d /, `${transport} ${origin}`);
          assert.doesNotMatch(answer, /access-control-allow-origin|"sid"/i);
        }
      assert.match(await begin('polling', home), /^HTTP\/1\.1 4\d\d /, 'polling is off for all');
      for (const origin of [home, undefined]) assert.match(await begin('websocket', origin), /^HTTP\/1\.1 101 /);
    });
  });

  /** Sends lines; answers with what comes until the server closes, or until the upgrade is through. */
  async function raw(lines: string[]): Promise<string> {
    const { hostname, port } = new URL(app.url);
    const socket = connectTcp(Number(port), hostname);
    await once(socket, 'connect');
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    const [first] = (await once(socket, 'data')) as [Buffer];
    if (first.includes('101 Switching')) {
      socket.destroy();
      return first.toString();
    }
    return first.toString() + (await text(socket));
  }

  it('what names no host, expects something strange, or is no request gets a whole answer all the same', async () => {
    const head = 'GET /livez HTTP/1.1\r\n';
    const noHost = await throwBytes(app.url, [`${head}Connection: close\r\n\r\n`], 2_000);
    assert.match(
      noHost,
      /^HTTP\/1\.1 400 [^]*\r\ncontent-security-policy: default-src 'none'[^]*"code":"malformed_request"/i,
    );
    const strange = await throwBytes(
      app.url,
      [`${head}Host: x\r\nExpect: 200-maybe\r\nConnection: close\r\n\r\n`],
      2_000,
    );
    assert.match(strange, /^HTTP\/1\.1 200 [^]*\r\nx-content-type-options: nosniff/i);
    const none = await throwBytes(app.url, ['\0\0\r\n\r\n'], 2_000);
    assert.match(none, /^HTTP\/1\.1 400 [^]*\r\ncontent-security-policy: default-src 'none'/i);
    const socket = await fetch(`${app.url}/socket.io/?EIO=4&transport=polling`);
    assert.equal(socket.status, 400);
    assert.equal(socket.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(socket.headers.get('cache-control'), 'no-store');
    await socket.text();
  });

  it('headers of the greatest size are read, and larger ones are refused as a problem', async () => {
    const filled = (bytes: number) =>
      raw(['GET /livez HTTP/1.1', 'host: x', 'connection: close', `filler: ${'x'.repeat(bytes)}`]);
    assert.match(await filled(serverLimits.http.maxHeaderSize - 200), /^HTTP\/1\.1 200 /);
    const refused = await filled(serverLimits.http.maxHeaderSize);
    assert.match(refused, /^HTTP\/1\.1 431 [^]*application\/problem\+json[^]*nosniff[^]*payload_too_large/);
    assert.match(refused, /cache-control: no-store/);
  });
});
