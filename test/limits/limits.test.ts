import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { rateLimits } from '../../contracts/rate-limits.ts';
import { type Person, makeGroup, password, registerPeople, registerPerson, signInAgain } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Answer, call, expectProblem, expectStatus } from '../support/rest.ts';
import { type TestSocket, connect } from '../support/socket.ts';
import { throwBytes, upgrade } from '../support/raw-socket.ts';
import { within } from '../support/within.ts';

/** Longer than any test: what is spent stays spent. */
const long = 3_600;
const overAdmission = 1.05;

const post = (person: Person, url: string, conversationId: string) =>
  call(url, 'POST', `/v1/conversations/${conversationId}/messages`, {
    token: person.token,
    body: { clientId: randomUUIDv7(), text: 'hello' },
  });
const say = (socket: TestSocket, conversationId: string) =>
  socket.ask('message.send', { conversationId, message: { clientId: randomUUIDv7(), text: 'hello' } });

describe('rate limits', () => {
  let app: TestApp;
  afterEach(() => app.stop());
  const begin = async (limits: string, nodes = 1, env: NodeJS.ProcessEnv = {}) => {
    app = await startApp({
      processes: Array.from({ length: nodes }, () => ['api', 'realtime'] as const),
      // No proxy is there to be asked: what a test sends as X-Forwarded-For is what the proxy would have said.
      env: { HOMING_RATE_LIMITS: `all=off ${limits}`, HOMING_PUBLIC_URL: 'http://127.0.0.1:1', ...env },
    });
    return app;
  };

  it('of sends are one budget of REST and all sockets, and say when it is there again', async () => {
    await begin('send=20/1h');
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const sockets = [await connect(app.url, { token: ana.token }), await connect(app.url, { token: ana.token })];
    for (let n = 0; n < 20; n += 1) {
      if (n % 2 === 0) expectStatus(await post(ana, app.url, group.id), 201);
      else assert.ok((await say(sockets[n % 4 === 1 ? 0 : 1] as TestSocket, group.id)).ok);
    }
    const refused = await post(ana, app.url, group.id);
    expectProblem(refused, 429, 'rate_limited');
    const { retryAfterMs } = refused.body as { retryAfterMs?: number };
    assert.ok(retryAfterMs !== undefined && retryAfterMs > 0 && retryAfterMs <= long * 1_000);
    assert.equal(refused.headers.get('retry-after'), String(Math.ceil(retryAfterMs / 1_000)));
    for (const socket of sockets) {
      const answer = await say(socket, group.id);
      assert.ok(!answer.ok && answer.error.code === 'rate_limited' && (answer.error.retryAfterMs ?? 0) > 0);
      const named = await socket.ask('request', {
        ...{ operation: 'sendMessage', params: { id: group.id } },
        body: { clientId: randomUUIDv7(), text: 'by its name' },
      });
      assert.ok(!named.ok && named.error.code === 'rate_limited');
    }
    expectStatus(await post(bob, app.url, group.id), 201);
    expectStatus(await ana.call('GET', '/v1/me'), 200);
    for (const socket of sockets) socket.close();
  });

  it('are there again after as long as they said', async () => {
    await begin('send=3/1s');
    const [ana] = await registerPeople(app, 'Ana');
    const group = await makeGroup(ana, []);
    let refused: Answer | undefined;
    while (refused?.status !== 429) refused = await post(ana, app.url, group.id);
    await sleep((refused.body as { retryAfterMs?: number }).retryAfterMs);
    expectStatus(await post(ana, app.url, group.id), 201);
  });

  it('stand on every answer of what they limit, in the standard’s words, for pages of other origins too', async () => {
    await begin('send=20/1h send-conversation=200/1h read=50/1h');
    const [ana] = await registerPeople(app, 'Ana');
    const group = await makeGroup(ana, []);
    const first = await post(ana, app.url, group.id);
    assert.equal(first.headers.get('ratelimit-policy'), '"send";q=20;w=3600, "send-conversation";q=200;w=3600');
    assert.match(
      first.headers.get('ratelimit') ?? '',
      /^"send";r=19;t=3[56]\d\d, "send-conversation";r=199;t=3[56]\d\d$/,
    );
    const faulty = await ana.call('GET', '/v1/conversations?limit=no');
    assert.equal(faulty.status, 400);
    assert.match(faulty.headers.get('ratelimit') ?? '', /^"read";r=49;t=3[56]\d\d$/);
    const live = await call(app.url, 'GET', '/livez', { headers: { origin: app.env.HOMING_PUBLIC_URL ?? '' } });
    assert.equal(live.headers.get('ratelimit'), null);
    assert.match(live.headers.get('access-control-expose-headers') ?? '', /ratelimit,ratelimit-policy/);
  });

  it('of a conversation hold for all its members together, and what its writer may not send costs it nothing', async () => {
    await begin('send=8/1h send-conversation=12/1h');
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const statuses = async (person: Person, count: number) => {
      const answers = [];
      for (let n = 0; n < count; n += 1) answers.push((await post(person, app.url, group.id)).status);
      return answers.filter((status) => status === 201).length;
    };
    assert.equal(await statuses(ana, 30), 8);
    assert.equal(await statuses(bob, 30), 4);
  });

  it('weigh by operation', async () => {
    await begin('write=12/1h');
    const [ana] = await registerPeople(app, 'Ana');
    await makeGroup(ana, []);
    await makeGroup(ana, []);
    const body = { clientId: randomUUIDv7(), kind: 'group', title: 'One too many', memberIds: [] };
    expectProblem(await ana.call('POST', '/v1/conversations', body), 429, 'rate_limited');
    expectStatus(await ana.call('PATCH', '/v1/me', { displayName: 'Anna' }), 200);
  });

  it('of proofs are of a session, and ten times as many of all sessions of a person', async () => {
    await begin('proofs=3/1h proofs-person=6/1h codes=1/1h');
    const owner = await registerPerson(app);
    const thief = await signInAgain(app, owner);
    const prove = (person: Person) => person.call('POST', '/v1/auth/step-up', { password });
    const change = (person: Person) =>
      person.call('POST', '/v1/me/password', { oldPassword: password, newPassword: password });
    for (let n = 0; n < 3; n += 1) await prove(thief);
    expectProblem(await prove(thief), 429, 'rate_limited');
    expectProblem(await change(thief), 429, 'rate_limited');
    expectStatus(await prove(owner), 200);
    expectStatus(await change(owner), 200);
    const others = [await signInAgain(app, owner), await signInAgain(app, owner)] as const;
    expectStatus(await prove(others[0]), 200);
    for (const other of others) expectProblem(await prove(other), 429, 'rate_limited');
    const { points } = rateLimits.proofs;
    assert.equal(rateLimits['proofs-person'].points, 10 * points);
  });

  it('refuse before the body is read', async () => {
    await begin('write=1/1h');
    const [ana] = await registerPeople(app, 'Ana');
    expectStatus(await ana.call('PATCH', '/v1/me', { displayName: 'Anna' }), 200);
    expectProblem(await ana.call('PATCH', '/v1/me', '{no json'), 429, 'rate_limited');
  });

  it('admit at most 5 % more when two nodes are asked by both doors at the same moment', async () => {
    await begin('send=20/1h read=200/1h', 2);
    const [ana] = await registerPeople(app, 'Ana');
    const group = await makeGroup(ana, []);
    const sockets = await Promise.all(app.urls.map((url) => connect(url, { token: ana.token })));
    const answers = await Promise.all(
      app.urls.flatMap((url, node) =>
        Array.from({ length: 60 }, async (_, n) =>
          n % 2 === 0
            ? (await post(ana, url, group.id)).status === 201
            : (await say(sockets[node] as TestSocket, group.id)).ok,
        ),
      ),
    );
    const stored = answers.filter(Boolean).length;
    assert.ok(stored > 0 && stored <= 20 * overAdmission, `${stored} of 20`);
    const reads = await Promise.all(
      app.urls.flatMap((url) =>
        Array.from({ length: 300 }, async () => (await call(url, 'GET', '/v1/me', { token: ana.token })).status),
      ),
    );
    const read = reads.filter((status) => status === 200).length;
    assert.ok(read > 0 && read <= 200 * overAdmission, `${read} of 200`);
    for (const socket of sockets) socket.close();
  });

  it('outlive the node that counted', async () => {
    await begin('send=40/1h');
    const ana = await registerPerson(app, 'Ana');
    const group = await makeGroup(ana, []);
    // As few as a node admits without asking.
    for (let n = 0; n < 2; n += 1) expectStatus(await post(ana, app.url, group.id), 201);
    await app.processes[0]?.stop('the test starts another');
    const { port } = await app.start(['api', 'realtime']);
    const statuses = [];
    for (let n = 0; n < 39; n += 1) statuses.push((await post(ana, `http://127.0.0.1:${port}`, group.id)).status);
    assert.deepEqual(statuses, [...Array<number>(38).fill(201), 429]);
  });

  describe('of who is not signed in', () => {
    const behindProxy = { HOMING_TRUSTED_PROXIES: '1' };
    const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
    const signIn = (identifier: string, secret: string, address: string) =>
      call(app.url, 'POST', '/v1/auth/login', { body: { identifier, password: secret }, ...from(address) });

    it('keep nobody out who signs in elsewhere than where somebody guesses', async () => {
      await begin('login=5/1h', 1, behindProxy);
      const ana = await registerPerson(app, 'Ana');
      const spellings = [ana.email, ana.email.toUpperCase(), ` ${ana.email} `];
      for (let n = 0; n < 5; n += 1)
        expectProblem(
          await signIn(spellings[n % 3] ?? '', 'a wrong password', '192.0.2.1'),
          401,
          'invalid_credentials',
        );
      for (const spelling of spellings)
        expectProblem(await signIn(spelling, password, '192.0.2.1'), 429, 'rate_limited');
      expectStatus(await signIn(ana.email, password, '192.0.2.2'), 200);
    });

    it('let a flood of bad and missing tokens end, and good ones from there go on', async () => {
      await begin('refused-tokens=4/1h sign-in=9/1h');
      const ana = await registerPerson(app);
      const ask = (token?: string) => call(app.url, 'GET', '/v1/me', { token });
      for (const token of [undefined, 'bad', `${ana.token}x`, 'bad'])
        expectProblem(await ask(token), 401, 'unauthenticated');
      for (const token of [undefined, 'bad']) {
        const refused = await ask(token);
        expectProblem(refused, 429, 'rate_limited');
        assert.ok(Number(refused.headers.get('retry-after')) > 0);
      }
      expectStatus(await ask(ana.token), 200);
      expectStatus(await call(app.url, 'POST', '/v1/auth/login', { body: { identifier: ana.email, password } }), 200);
    });

    it('count a household’s IPv6 addresses as one, and no neighbour’s', async () => {
      await begin('register=3/1h', 1, behindProxy);
      const join = (address: string) => {
        const body = { email: `${randomUUIDv7()}@example.test`, password, displayName: 'Ana' };
        return call(app.url, 'POST', '/v1/auth/register', { body, ...from(address) });
      };
      for (let n = 0; n < 3; n += 1) expectStatus(await join(`2001:db8:0:ff0${n}::${n}`), 201);
      expectProblem(await join('2001:db8:0:ffff:ffff::1'), 429, 'rate_limited');
      expectStatus(await join('2001:db8:0:fe00::1'), 201);
    });

    it('are of the address that the proxy tells, whatever stands before it', async () => {
      await begin('register=1/1h', 1, behindProxy);
      const join = (address: string) => {
        const body = { email: `${randomUUIDv7()}@example.test`, password, displayName: 'Ana' };
        return call(app.url, 'POST', '/v1/auth/register', { body, ...from(address) });
      };
      expectStatus(await join('192.0.2.1'), 201);
      expectProblem(await join('203.0.113.1, 192.0.2.1'), 429, 'rate_limited');
    });

    it('let a session refresh ten times a minute, with whatever token of it', async () => {
      await begin('refresh=3/1h');
      const ana = await registerPerson(app, 'Ana');
      const renew = (refreshToken: string) =>
        call<{ session: { refreshToken: string } }>(app.url, 'POST', '/v1/auth/refresh', { body: { refreshToken } });
      let { refreshToken } = ana.session;
      for (let n = 0; n < 3; n += 1) ({ refreshToken } = expectStatus(await renew(refreshToken), 200).session);
      assert.equal((await renew(refreshToken)).status, 429);
    });
  });

  describe('of sockets', () => {
    it('let a person connect so often, and say when again', async () => {
      await begin('connect=2/1h');
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      for (let n = 0; n < 2; n += 1) (await connect(app.url, { token: ana.token })).close();
      const refused = await connect(app.url, { token: ana.token }).catch((error: unknown) => error);
      const { data } = refused as { data?: { code: string; retryAfterMs?: number } };
      assert.equal(data?.code, 'rate_limited');
      assert.ok((data.retryAfterMs ?? 0) > 0);
      (await connect(app.url, { token: bob.token })).close();
    });

    it('let an address connect so often, and answer the next by HTTP before it is a socket', async () => {
      await begin('connect-address=2/1h');
      const ana = await registerPerson(app, 'Ana');
      for (let n = 0; n < 2; n += 1) (await connect(app.url, { token: ana.token })).close();
      const answer = await throwBytes(app.url, [upgrade(app.url)], 2_000);
      assert.match(answer, /^HTTP\/1\.1 429 .*retry-after: \d+\r\n.*"code":"rate_limited"/s);
      expectStatus(await ana.call('GET', '/v1/me'), 200);
    });

    it('take so many events of one, of whatever kind, and as many of another', async () => {
      await begin('socket-events=5/1h');
      const ana = await registerPerson(app, 'Ana');
      const [socket, other] = [
        await connect(app.url, { token: ana.token }),
        await connect(app.url, { token: ana.token }),
      ];
      for (let n = 0; n < 5; n += 1) assert.ok((await socket.ask('sync', { known: [] })).ok);
      const refused = await socket.ask('typing.set', {});
      assert.ok(!refused.ok && refused.error.code === 'rate_limited' && (refused.error.retryAfterMs ?? 0) > 0);
      assert.ok((await other.ask('sync', { known: [] })).ok);
      for (const one of [socket, other]) one.close();
    });

    it('close one that goes on for three seconds regardless, and not one that waits', async () => {
      await begin('send=1/1h');
      const ana = await registerPerson(app, 'Ana');
      const group = await makeGroup(ana, []);
      const [deaf, patient] = [
        await connect(app.url, { token: ana.token }),
        await connect(app.url, { token: ana.token }),
      ];
      await say(deaf, group.id);
      assert.equal((await say(patient, group.id)).ok, false);
      const closed = once(deaf.raw as never, 'disconnect');
      const going = setInterval(() => deaf.raw.connected && void say(deaf, group.id).catch(() => undefined), 100);
      await within('it is closed', closed).finally(() => {
        clearInterval(going);
        deaf.close();
      });
      assert.deepEqual(deaf.told.notice, [{ kind: 'closed', code: 'rate_limited' }]);
      assert.equal((await say(patient, group.id)).ok, false);
      assert.ok(patient.raw.connected);
      patient.close();
    }).timeout(30_000);
  });

  it('are by default those that stand in the table', async () => {
    app = await startApp({ env: { HOMING_RATE_LIMITS: '' } });
    const ana = await registerPerson(app, 'Ana');
    const { headers } = await ana.call('GET', '/v1/me');
    const { points, seconds } = rateLimits.read;
    assert.equal(headers.get('ratelimit-policy'), `"read";q=${points};w=${seconds}`);
  });
});
