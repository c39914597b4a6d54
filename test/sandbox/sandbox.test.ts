import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { type Sandbox, startSandbox } from '../../sandbox/index.ts';
import { segmentsOf } from '../../sandbox/segments.ts';
import { Store, storeLimit } from '../../sandbox/store.ts';

describe('the provider sandbox', () => {
  let sandbox: Sandbox;
  beforeEach(async () => {
    sandbox = await startSandbox();
  });
  afterEach(() => sandbox.close());

  const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${sandbox.url}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: (text.startsWith('{') ? JSON.parse(text) : text) as Record<string, unknown>,
    };
  };
  const push = (token: string, data: Record<string, unknown> = {}) =>
    ask('POST', '/v1/projects/p/messages:send', { message: { token, data } }, { authorization: 'Bearer x' });
  const mail = (to: string[], extra: object = {}) => {
    const body = {
      personalizations: [{ to: to.map((email) => ({ email })) }],
      from: { email: 'a@b.test' },
      subject: 's',
      content: [{ type: 'text/plain', value: 't' }],
      ...extra,
    };
    return ask('POST', '/v3/mail/send', body, { authorization: 'Bearer SG.x' });
  };
  const inbox = async (query = '') =>
    (await ask('GET', `/inbox.json${query}`)).body.items as { to: string; channel: string; seq: number }[];

  it('does not run in production', async () => {
    await assert.rejects(startSandbox({ production: true }), /does not run in production/);
  });

  it('takes an environment that is not named for production, as the app does', () => {
    const { NODE_ENV: _unset, ...env } = process.env;
    const entry = fileURLToPath(new URL('../../sandbox/main.ts', import.meta.url));
    for (const more of [{}, { NODE_ENV: 'production' }, { NODE_ENV: 'prod' }]) {
      const { status, stderr } = spawnSync(process.execPath, [entry], { env: { ...env, ...more, PORT: '0' } });
      assert.equal(status, 1);
      assert.match(stderr.toString(), /^The provider sandbox does not run in production\.[^\n]*\n$/);
    }
  });

  it('keeps what was taken, and finds it by recipient, channel, attempt and words', async () => {
    await push('ok-1', { attemptId: 'a1' });
    await mail(['bob@example.test'], { subject: 'needle', custom_args: { attemptId: 'a2' } });
    assert.deepEqual(
      (await inbox('?to=ok-1')).map(({ channel }) => channel),
      ['push'],
    );
    assert.deepEqual(
      (await inbox('?channel=email')).map(({ to }) => to),
      ['bob@example.test'],
    );
    assert.equal((await inbox('?attemptId=a2')).length, 1);
    assert.equal((await inbox('?text=needle')).length, 1);
    assert.equal((await inbox(`?after=${(await inbox())[0]?.seq}`)).length, 1);
    assert.equal((await ask('GET', '/inbox.json?colour=red')).status, 400);
  });

  it('waits for what comes later, and says with 408 what there was when time is up', async () => {
    const waiting = ask('GET', '/wait?to=ok-1&count=2&timeoutMs=10000');
    await push('ok-1');
    await push('ok-1');
    assert.equal((await waiting).status, 200);
    const vain = await ask('GET', '/wait?to=ok-1&count=3&timeoutMs=50');
    assert.equal(vain.status, 408);
    assert.equal((vain.body.items as unknown[]).length, 2);
    assert.equal((await ask('GET', '/wait?timeoutMs=120001')).status, 400);
  });

  it('forgets when it is told to', async () => {
    await push('ok-1');
    await ask('POST', '/clear');
    assert.deepEqual(await inbox(), []);
  });

  describe('knows what a provider would refuse', () => {
    it('FCM: no credentials, no recipient, data that are no texts, too much of it', async () => {
      assert.equal((await ask('POST', '/v1/projects/p/messages:send', { message: { token: 'ok' } })).status, 401);
      assert.equal(
        (await ask('POST', '/v1/projects/p/messages:send', { message: {} }, { authorization: 'Bearer x' })).status,
        400,
      );
      assert.equal((await push('ok', { n: 1 })).status, 400);
      assert.equal((await push('ok', { x: 'y'.repeat(4_000) })).status, 200);
      assert.equal((await push('ok', { x: 'y'.repeat(4_100) })).status, 400);
    });

    it('FCM: tokens that are dead, of another sender, malformed or over their quota', async () => {
      for (const [token, status] of [
        ['dead-1', 404],
        ['mismatch-1', 403],
        ['badarg-1', 400],
        ['quota-1', 429],
      ] as const) {
        assert.equal((await push(token)).status, status, token);
      }
    });

    it('Google: a token for anything but a statement of a service account', async () => {
      const tokenFor = async (form: Record<string, string>) => {
        const response = await fetch(`${sandbox.url}/token`, { method: 'POST', body: new URLSearchParams(form) });
        const { error, access_token: token } = (await response.json()) as { error?: string; access_token?: string };
        return error ?? token?.slice(0, 5);
      };
      const grant = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
      assert.equal(await tokenFor({ grant_type: grant, assertion: 'head.body.signature' }), 'ya29.');
      assert.equal(await tokenFor({ grant_type: grant, assertion: 'nonsense' }), 'invalid_grant');
      assert.equal(await tokenFor({ grant_type: 'password' }), 'unsupported_grant_type');
      const all = JSON.stringify((await ask('GET', '/requests.json')).body);
      assert.ok(!all.includes('head.body.signature') && !all.includes('ya29.'), 'neither is kept');
    });

    it('SendGrid: no key, no or twice the same recipient, nothing to say', async () => {
      assert.equal((await ask('POST', '/v3/mail/send', {}, {})).status, 401);
      assert.equal((await mail([])).status, 400);
      assert.equal((await mail(['bob@example.test', 'BOB@example.test'])).status, 400);
      assert.equal((await mail(['nonsense'])).status, 400);
      assert.equal((await mail(['bob@example.test'], { content: [] })).status, 400);
      assert.equal((await mail(['bob@example.test'])).status, 202);
    });

    const words = ({ status, body }: Awaited<ReturnType<typeof ask>>) => [status, JSON.stringify(body)] as const;

    it('FCM: fields of another type, in its own words; null is as good as nothing', async () => {
      const send = async (message: unknown) =>
        words(await ask('POST', '/v1/projects/p/messages:send', { message }, { authorization: 'Bearer x' }));
      for (const [message, field] of [
        [{ token: 5, data: null }, 'message.token'],
        [{ token: 'ok', data: [1] }, 'message.data'],
        [{ token: 'ok', apns: { headers: { a: 1 } } }, 'message.apns.headers.a'],
        [5, 'message'],
      ] as const) {
        const [status, body] = await send(message);
        assert.equal(status, 400, body);
        assert.match(body, new RegExp(`"status":"INVALID_ARGUMENT".*fieldViolations.*"field":"${field}"`));
      }
      assert.equal((await send({ token: 'ok', data: null, apns: null }))[0], 200);
    });

    it('SendGrid: fields of another type, in its own words', async () => {
      const send = async (body: object) =>
        words(await ask('POST', '/v3/mail/send', body, { authorization: 'Bearer SG.x' }));
      for (const [body, field, types] of [
        [{ personalizations: 5 }, 'personalizations', 'array, given: integer'],
        [{ personalizations: [null] }, 'personalizations.0', 'object, given: null'],
        [{ personalizations: [{ to: [{ email: [] }] }] }, 'personalizations.0.to.0.email', 'string, given: array'],
        [{ headers: 'x' }, 'headers', 'object, given: string'],
      ] as const) {
        const expected = { errors: [{ message: `Invalid type. Expected: ${types}.`, field, help: null }] };
        assert.deepEqual(await send(body), [400, JSON.stringify(expected)]);
      }
    });

    it('anything at all: never by an error of one’s own', async () => {
      const account = { authorization: `Basic ${Buffer.from('AC0:x').toString('base64')}` };
      const faces = [
        ['/v1/projects/p/messages:send', { authorization: 'Bearer x' }, ['message']],
        ['/v3/mail/send', { authorization: 'Bearer SG.x' }, ['personalizations', 'content', 'from', 'headers']],
        ['/2010-04-01/Accounts/AC0/Messages.json', account, ['To', 'Body', 'StatusCallback', 'ValidityPeriod']],
      ] as const;
      for (const [path, headers, fields] of faces) {
        const bodies = fc.dictionary(fc.constantFrom(...fields), fc.jsonValue());
        const isRefused = async (body: object) => (await ask('POST', path, body, headers)).status < 500;
        await fc.assert(fc.asyncProperty(bodies, isRefused), { numRuns: 50 });
        const unreadable = await fetch(`${sandbox.url}${path}`, {
          ...{ method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: '{' },
        });
        assert.equal(unreadable.status, 400);
        assert.match(await unreadable.text(), /"(error|errors|more_info)":/);
      }
    });

    it('Twilio: numbers, lengths and validity out of bounds', async () => {
      const account = 'AC0';
      const send = async (fields: Record<string, string>) => {
        const response = await fetch(`${sandbox.url}/2010-04-01/Accounts/${account}/Messages.json`, {
          method: 'POST',
          headers: { authorization: `Basic ${Buffer.from(`${account}:x`).toString('base64')}` },
          body: new URLSearchParams({ To: '+4915112345678', Body: 'x', MessagingServiceSid: 'MG', ...fields }),
        });
        return ((await response.json()) as { code?: number }).code ?? response.status;
      };
      assert.equal(await send({}), 201);
      assert.equal(await send({ To: '0151' }), 21211);
      assert.equal(await send({ To: '+49151121610' }), 21610);
      assert.equal(await send({ Body: 'x'.repeat(1_600) }), 201);
      assert.equal(await send({ Body: 'x'.repeat(1_601) }), 21617);
      assert.equal(await send({ ValidityPeriod: '36000' }), 201);
      assert.equal(await send({ ValidityPeriod: '36001' }), 21624);
      assert.equal(await send({ StatusCallback: 'http://my_host/x' }), 21609);
      assert.equal(await send({ StatusCallback: 'nonsense' }), 21609);
    });

    it('paths that there are not, in each provider’s own words, and shows them', async () => {
      assert.equal(
        ((await ask('GET', '/v1/projects/p/else')).body as { error: { status: string } }).error.status,
        'NOT_FOUND',
      );
      assert.ok('errors' in (await ask('GET', '/v3/else')).body);
      assert.equal((await ask('GET', '/2010-04-01/else')).body.code, 20404);
      assert.equal(((await ask('GET', '/requests.json')).body.requests as unknown[]).length, 3);
    });
  });

  describe('rules', () => {
    const rule = (body: object) => ask('POST', '/rules', body);

    it('act on whom they name, as often as they say, the first that matches', async () => {
      await rule({ provider: 'fcm', to: 'ok-1', count: 1, action: { error: 'INTERNAL' } });
      await rule({ to: '/^ok-/', nth: 2, action: { error: 'QUOTA_EXCEEDED' } });
      const statuses: number[] = [];
      for (const token of ['ok-1', 'ok-1', 'ok-1', 'ok-2']) statuses.push((await push(token)).status);
      assert.deepEqual(statuses, [500, 200, 429, 200]);
    });

    it('end by time and by hand', async () => {
      const { body } = await rule({ action: { error: 'INTERNAL' } });
      assert.equal((await push('ok-1')).status, 500);
      assert.equal((await ask('DELETE', `/rules/${String(body.id)}`)).status, 204);
      assert.equal((await push('ok-1')).status, 200);
      assert.equal((await ask('DELETE', `/rules/${String(body.id)}`)).status, 404);
      await rule({ expiresInMs: 1, action: { error: 'INTERNAL' } });
      await new Promise((resolve) => setTimeout(resolve, 5));
      assert.deepEqual((await ask('GET', '/rules')).body.rules, []);
    });

    it('are refused with the faulty field when they make no sense', async () => {
      const paths = async (body: object) =>
        ((await rule(body)).body.errors as { path: string }[] | undefined)?.map(({ path }) => path);
      assert.deepEqual(await paths({ provider: 'pigeon', action: { hang: true } }), ['provider']);
      assert.deepEqual(await paths({ provider: 'fcm', action: { error: 'SUNSPOTS' } }), ['action.error']);
      assert.deepEqual(await paths({ to: '/(/', action: { hang: true } }), ['to']);
      assert.deepEqual(await paths({ action: { delayMs: 120_001 } }), ['action.delayMs']);
      assert.deepEqual(await paths({}), ['action']);
    });

    it('cut before: nothing is taken; cut after: it is', async () => {
      await rule({ to: 'ok-1', action: { cut: 'before' } });
      await rule({ to: 'ok-2', action: { cut: 'after' } });
      await assert.rejects(push('ok-1'));
      await assert.rejects(push('ok-2'));
      assert.deepEqual(
        (await inbox()).map(({ to }) => to),
        ['ok-2'],
      );
    });
  });

  it('shows a page that loads nothing from elsewhere and never its callers’ credentials', async () => {
    await push('dead-1');
    const page = await fetch(`${sandbox.url}/`);
    assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'/);
    const all = `${await page.text()}${JSON.stringify((await ask('GET', '/requests.json')).body)}`;
    assert.ok(!/https?:\/\//.test(all.replaceAll(sandbox.url, '')), 'no other host');
    assert.ok(!all.includes('Bearer'));
  });

  it('tells an open page what comes', async () => {
    const response = await fetch(`${sandbox.url}/events`);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    await push('ok-live');
    let heard = '';
    while (!heard.includes('event: item')) heard += (await reader?.read())?.value ?? '';
    assert.match(heard, /ok-live/);
    await reader?.cancel();
  });
});

describe('the sandbox’s store', () => {
  it('holds so many items and lets the oldest go', () => {
    const store = new Store();
    const item = { channel: 'push', provider: 'fcm', to: 'x', attemptId: null, title: '', text: '' } as const;
    for (let n = 0; n < storeLimit; n += 1) store.add(item);
    assert.equal(store.items()[0]?.seq, 1);
    store.add(item);
    assert.deepEqual([store.items().length, store.items()[0]?.seq], [storeLimit, 2]);
  });
});

describe('segments of a text', () => {
  const vectors: [string, string, number][] = [
    ['160 letters', 'a'.repeat(160), 1],
    ['161 letters', 'a'.repeat(161), 2],
    ['307 letters', 'a'.repeat(307), 3],
    ['158 letters and a euro sign', `${'a'.repeat(158)}€`, 1],
    ['159 letters and a euro sign', `${'a'.repeat(159)}€`, 2],
    ['79 letters and a curly apostrophe', `${'a'.repeat(79)}’`, 2],
    ['70 Cyrillic letters', 'я'.repeat(70), 1],
    ['71 Cyrillic letters', 'я'.repeat(71), 2],
    ['35 emoji', '😀'.repeat(35), 1],
    ['36 emoji', '😀'.repeat(36), 2],
    ['an emoji that would straddle a boundary', `${'я'.repeat(66)}😀${'я'.repeat(66)}`, 3],
  ];
  for (const [what, text, segments] of vectors)
    it(`${what}: ${segments}`, () => assert.equal(segmentsOf(text).segments, segments));
  it('a small ç is not in GSM-7', () => assert.equal(segmentsOf('ça va').encoding, 'UCS-2'));
});
