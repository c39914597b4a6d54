import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { Me, Session } from '../../contracts/entities/index.ts';
import { limits } from '../../contracts/limits.ts';
import { password, phoneNumber, registerPerson } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Clock, clockOf } from '../support/clock.ts';
import { call, expectProblem, expectStatus } from '../support/rest.ts';
import { connect } from '../support/socket.ts';

describe('sign-in', () => {
  let app: TestApp;
  before(async () => {
    app = await startApp();
  });
  after(() => app.stop());

  const register = (body: object) =>
    call<{ user: Me; session: Session }>(app.url, 'POST', '/v1/auth/register', { body });
  const login = (body: object) => call<{ user: Me; session: Session }>(app.url, 'POST', '/v1/auth/login', { body });
  const address = () => `${randomBytes(6).toString('hex')}@example.test`;

  describe('registering', () => {
    it('answers with the person and a session whose token opens /v1/me', async () => {
      const { user, session } = expectStatus(
        await register({ email: 'New.Person@Example.test', password, displayName: ' Ana ' }),
        201,
      );
      assert.equal(user.displayName, 'Ana');
      assert.deepEqual(user.email, { address: 'new.person@example.test', verified: false });
      const me = await call<Me>(app.url, 'GET', '/v1/me', { token: session.accessToken });
      assert.deepEqual(expectStatus(me, 200), user);
    });

    it('takes a phone number instead of an address', async () => {
      const phone = phoneNumber();
      const { user } = expectStatus(await register({ phone, password, displayName: 'Ana' }), 201);
      assert.deepEqual(user.phone, { address: phone, verified: false });
      expectStatus(await login({ identifier: phone, password }), 200);
    });

    it('answers a second account with the same address, whatever its case, as it answered the first', async () => {
      const email = address();
      const first = expectStatus(await register({ email, password, displayName: 'Ana' }), 201);
      const again = expectStatus(await register({ email: email.toUpperCase(), password, displayName: 'Ana' }), 201);
      assert.notEqual(again.user.id, first.user.id);
      assert.deepEqual(again.user.email, first.user.email);
    });

    it('names every fault of the input at once', async () => {
      const answer = await register({
        email: 'nobody',
        password: 'short',
        displayName: 'a\u202eb',
        timeZone: 'Mars/Base',
        extra: 1,
      });
      const paths = expectProblem(answer, 400, 'invalid_input').sort();
      assert.deepEqual(paths, ['displayName', 'email', 'extra', 'password', 'timeZone']);
    });

    it('takes passwords from the shortest to the longest and none beyond', async () => {
      const secret = randomBytes(limits.passwordLengthMax).toString('hex');
      const tryLength = async (length: number) =>
        (await register({ email: address(), password: secret.slice(0, length), displayName: 'Ana' })).status;
      assert.equal(await tryLength(limits.passwordLengthMin - 1), 400);
      assert.equal(await tryLength(limits.passwordLengthMin), 201);
      assert.equal(await tryLength(limits.passwordLengthMax), 201);
      assert.equal(await tryLength(limits.passwordLengthMax + 1), 400);
      const seals = { email: address(), password: '🦭🐳🦑🐡🦐🐙🦀🐠', displayName: 'Ana' };
      assert.deepEqual(expectProblem((await register(seals)) as never, 400, 'invalid_input'), ['password']);
    });

    it('wants an address or a number', async () => {
      assert.deepEqual(expectProblem(await register({ password, displayName: 'Ana' }), 400, 'invalid_input'), [
        'email',
      ]);
    });
  });

  describe('logging in', () => {
    it('answers alike for a wrong password and an unknown person', async () => {
      const { email } = await registerPerson(app);
      const wrong = await login({ identifier: email, password: `${password}!` });
      const unknown = await login({ identifier: address(), password });
      expectProblem(wrong, 401, 'invalid_credentials');
      expectProblem(unknown, 401, 'invalid_credentials');
      const without = (body: object) => ({ ...body, requestId: '' });
      assert.deepEqual(without(wrong.body), without(unknown.body));
    });

    it('opens another session beside the first', async () => {
      const person = await registerPerson(app);
      const { session } = expectStatus(
        await login({ identifier: person.email.toUpperCase(), password, deviceName: 'Phone' }),
        200,
      );
      assert.notEqual(session.id, person.session.id);
      const { items } = expectStatus(
        await person.call<{ items: { id: string; current: boolean; deviceName: string | null }[] }>(
          'GET',
          '/v1/sessions',
        ),
        200,
      );
      assert.deepEqual(
        items.map(({ id, current, deviceName }) => ({ id, current, deviceName })),
        [
          { id: session.id, current: false, deviceName: 'Phone' },
          { id: person.session.id, current: true, deviceName: null },
        ],
      );
    });
  });

  describe('access tokens', () => {
    const withToken = (token: string) => call(app.url, 'GET', '/v1/me', { token });
    const claims = { sid: '0190a000-0000-7000-8000-000000000000', sub: '0190a000-0000-7000-8000-000000000001' };
    const options = { issuer: 'http://homing.test', audience: 'homing', expiresIn: 900 } as const;
    const key = () => JSON.parse(app.env.HOMING_JWT_KEYS ?? '')[0].key as string;
    const header = { alg: 'ES256', typ: 'at+jwt', kid: 'dev' } as const;

    it('are signed with ES256 by a key that is published', async () => {
      const { token } = await registerPerson(app);
      const decoded = jwt.decode(token, { complete: true });
      assert.equal(decoded?.header.alg, 'ES256');
      const jwks = expectStatus(
        await call<{ keys: { kid: string; d?: string }[] }>(app.url, 'GET', '/.well-known/jwks.json'),
        200,
      );
      assert.ok(jwks.keys.some(({ kid }) => kid === decoded?.header.kid));
      assert.ok(
        jwks.keys.every((jwk) => !('d' in jwk)),
        'no private part is published',
      );
    });

    it('open the door when right, so that the refusals below mean something', async () => {
      const person = await registerPerson(app);
      const token = jwt.sign({ sid: person.session.id, sub: person.id }, key(), {
        ...options,
        algorithm: 'ES256',
        header,
      });
      expectStatus(await withToken(token), 200);
    });

    const forged: Record<string, () => string> = {
      'signed by another algorithm': () =>
        jwt.sign(claims, 'a shared secret of many characters', {
          ...options,
          header: { ...header, alg: 'HS256' },
          algorithm: 'HS256',
        }),
      'with no signature': () => jwt.sign(claims, '', { ...options, algorithm: 'none' }),
      'of another issuer': () =>
        jwt.sign(claims, key(), { ...options, issuer: 'http://evil.test', algorithm: 'ES256', header }),
      'for another audience': () =>
        jwt.sign(claims, key(), { ...options, audience: 'else', algorithm: 'ES256', header }),
      'of another type': () =>
        jwt.sign(claims, key(), { ...options, algorithm: 'ES256', header: { ...header, typ: 'JWT' } }),
      'with an unknown key id': () =>
        jwt.sign(claims, key(), { ...options, algorithm: 'ES256', header: { ...header, kid: 'other' } }),
      'without a session': () => jwt.sign({ sub: claims.sub }, key(), { ...options, algorithm: 'ES256', header }),
      'that is none': () => 'nonsense',
    };
    for (const [what, make] of Object.entries(forged)) {
      it(`are refused ${what}`, async () => {
        const answer = await withToken(make());
        expectProblem(answer, 401, 'unauthenticated');
        assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/);
      });
    }

    it('are refused with a code of their own when they have run out', async () => {
      const token = jwt.sign(claims, key(), {
        issuer: options.issuer,
        audience: 'homing',
        expiresIn: -120,
        algorithm: 'ES256',
        header,
      });
      expectProblem(await withToken(token), 401, 'token_expired');
    });

    it('are refused when there is none', async () => {
      expectProblem(await call(app.url, 'GET', '/v1/me'), 401, 'unauthenticated');
    });
  });

  it('who is suspended is let in nowhere, and is let in again where that ends', async () => {
    const person = await registerPerson(app);
    const suspend = (status: string) =>
      app.database.run(`update users set status = '${status}' where id = '${person.id}'`);
    const refresh = () =>
      call<{ session: Session }>(app.url, 'POST', '/v1/auth/refresh', {
        body: { refreshToken: person.session.refreshToken },
      });
    const socket = await connect(app.url, { token: person.token });
    await suspend('suspended');
    await socket.heard('notice', ({ code }) => code === 'session_revoked');
    expectProblem(await person.call('GET', '/v1/me'), 401, 'session_revoked');
    expectProblem(await refresh(), 401, 'session_revoked');
    await assert.rejects(
      connect(app.url, { token: person.token }),
      ({ data }: { data?: { code: string } }) => data?.code === 'session_revoked',
    );
    await suspend('active');
    expectStatus(await refresh(), 200);
  });

  describe('refreshing', () => {
    const refresh = (refreshToken: string) =>
      call<{ session: Session }>(app.url, 'POST', '/v1/auth/refresh', { body: { refreshToken } });
    const sessionsOf = async (token: string) => (await call(app.url, 'GET', '/v1/me', { token })).status;

    it('gives a new access token and the next refresh token of the same session', async () => {
      const { session } = await registerPerson(app);
      const next = expectStatus(await refresh(session.refreshToken), 200).session;
      assert.equal(next.id, session.id);
      assert.notEqual(next.refreshToken, session.refreshToken);
      assert.equal(await sessionsOf(next.accessToken), 200);
    });

    it('gives a client whose answer was lost the same successor again', async () => {
      const { session } = await registerPerson(app);
      const one = expectStatus(await refresh(session.refreshToken), 200).session;
      const two = expectStatus(await refresh(session.refreshToken), 200).session;
      assert.equal(one.refreshToken, two.refreshToken);
    });

    it('gives ten requests at the same moment one successor', async () => {
      const { session } = await registerPerson(app);
      const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(session.refreshToken)));
      const tokens = answers.map((answer) => expectStatus(answer, 200).session.refreshToken);
      assert.equal(new Set(tokens).size, 1);
    });

    it('ends the session, and no other, when a token comes back after its successor was used', async () => {
      const person = await registerPerson(app);
      const other = expectStatus(await login({ identifier: person.email, password }), 200).session;
      const second = expectStatus(await refresh(person.session.refreshToken), 200).session;
      expectStatus(await refresh(second.refreshToken), 200);
      expectProblem(await refresh(person.session.refreshToken), 401, 'refresh_reused');
      expectProblem(await call(app.url, 'GET', '/v1/me', { token: person.token }), 401, 'session_revoked');
      assert.equal(await sessionsOf(other.accessToken), 200);
      expectProblem(await refresh(second.refreshToken), 401, 'session_revoked');
    });

    it('refuses a token that nobody was given', async () => {
      expectProblem(await refresh(randomBytes(32).toString('base64url')), 401, 'invalid_credentials');
    });

    it('refuses the token of a session that was ended', async () => {
      const person = await registerPerson(app);
      expectStatus(await person.call('POST', '/v1/auth/logout'), 204);
      expectProblem(await refresh(person.session.refreshToken), 401, 'session_revoked');
    });
  });

  describe('what goes wrong with refreshing', () => {
    const refreshAt = (url: string, refreshToken: string) =>
      call<{ session: Session }>(url, 'POST', '/v1/auth/refresh', { body: { refreshToken } });

    it('a token that comes back after five minutes is a theft, whether its answer was lost or not', async () => {
      const person = await registerPerson(app);
      const { refreshToken } = person.session;
      expectStatus(await refreshAt(app.url, refreshToken), 200);
      await app.database.run(
        `update refresh_tokens set used_at = used_at - interval '5 minutes 1 second' where user_id = '${person.id}'`,
      );
      expectProblem((await refreshAt(app.url, refreshToken)) as never, 401, 'refresh_reused');
    });

    describe('as time goes by', () => {
      const dayMs = 86_400_000;
      let url: string;
      let clock: Clock;
      before(async () => {
        const node = await app.start(['api']);
        url = `http://127.0.0.1:${node.port}`;
        clock = clockOf({ processes: [node] });
      });

      it('a session ends thirty days after it was used last', async () => {
        const [used, unused] = [(await registerPerson(app)).session, (await registerPerson(app)).session];
        clock.pass(30 * dayMs - 60_000);
        const { session } = expectStatus(await refreshAt(url, used.refreshToken), 200);
        clock.pass(120_000);
        expectProblem((await refreshAt(url, unused.refreshToken)) as never, 401, 'session_revoked');
        expectStatus(await refreshAt(url, session.refreshToken), 200);
      });

      it('a session ends 180 days after it began, however it is used', async () => {
        const body = { email: address(), password, displayName: 'Ana' };
        let { session } = (await call<{ session: Session }>(url, 'POST', '/v1/auth/register', { body })).body;
        for (let day = 29; day < 180; day += 29) {
          clock.pass(29 * dayMs);
          session = expectStatus(await refreshAt(url, session.refreshToken), 200).session;
        }
        clock.pass(6 * dayMs + 1_000);
        expectProblem((await refreshAt(url, session.refreshToken)) as never, 401, 'session_revoked');
      });
    });

    it('a successor that was derived from another key is not handed out', async () => {
      const other = await app.start(['api'], { HOMING_SECRET_KEY: randomBytes(32).toString('base64url') });
      const person = await registerPerson(app);
      const { refreshToken } = person.session;
      const { session } = expectStatus(await refreshAt(app.url, refreshToken), 200);
      const repeated = await refreshAt(`http://127.0.0.1:${other.port}`, refreshToken);
      expectProblem(repeated as never, 401, 'session_revoked');
      expectStatus(await refreshAt(app.url, session.refreshToken), 200);
    });
  });

  describe('ending sessions', () => {
    it('happens to the least recently used where there are too many', async () => {
      const person = await registerPerson(app);
      const login = () =>
        call<{ session: Session }>(app.url, 'POST', '/v1/auth/login', { body: { identifier: person.email, password } });
      for (let n = 1; n < limits.sessionsPerUser; n += 1) expectStatus(await login(), 200);
      expectStatus(await person.call('GET', '/v1/me'), 200);
      const { session } = expectStatus(await login(), 200);
      expectProblem(await person.call('GET', '/v1/me'), 401, 'session_revoked');
      const { items } = expectStatus(
        await call<{ items: unknown[] }>(app.url, 'GET', '/v1/sessions', { token: session.accessToken }),
        200,
      );
      assert.equal(items.length, limits.sessionsPerUser);
    });

    it('refuses the token of a session that was ended at once', async () => {
      const person = await registerPerson(app);
      const other = expectStatus(await login({ identifier: person.email, password }), 200).session;
      expectStatus(await person.call('DELETE', `/v1/sessions/${other.id}`), 204);
      expectProblem(await call(app.url, 'GET', '/v1/me', { token: other.accessToken }), 401, 'session_revoked');
      expectProblem(await person.call('DELETE', `/v1/sessions/${other.id}`), 404, 'not_found');
    });

    it('ends all but the one that asks', async () => {
      const person = await registerPerson(app);
      for (let n = 0; n < 3; n += 1) expectStatus(await login({ identifier: person.email, password }), 200);
      assert.deepEqual(expectStatus(await person.call('DELETE', '/v1/sessions'), 200), { revoked: 3 });
      expectStatus(await person.call('GET', '/v1/me'), 200);
    });

    it('does not end the session of somebody else', async () => {
      const [ana, eve] = [await registerPerson(app), await registerPerson(app, 'Eve')];
      expectProblem(await eve.call('DELETE', `/v1/sessions/${ana.session.id}`), 404, 'not_found');
      expectStatus(await ana.call('GET', '/v1/me'), 200);
    });
  });
});
