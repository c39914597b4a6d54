import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Session } from '../../contracts/entities/index.ts';
import { type ClientStorage, type HomingError, createClient, memoryStorage } from '../../sdk/index.ts';
import { password, registerPerson } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Tap, clientOf, eager, heard, movableClock, tapped } from '../support/client.ts';

/** Milliseconds: an access token's fifteen minutes are over, but for the moment in which it is to be renewed. */
const almostALifeMs = 14.5 * 60_000;

/** Counts calls by path, and lets a test answer in the server's place. */
function watchedFetch(
  answer: (path: string, real: () => Promise<Response>) => Promise<Response> = (_, real) => real(),
) {
  const calls: string[] = [];
  const watched: typeof fetch = (input, init) => {
    const path = new URL(input as string).pathname;
    calls.push(path);
    return answer(path, () => fetch(input, init));
  };
  return { fetch: watched, calls, of: (path: string) => calls.filter((call) => call === path).length };
}

/** The first so many sign-ins and renewals bring a token that seems to have only so long to live. */
function shortLived(times: number, ms: number) {
  let left = times;
  return watchedFetch(async (path, real) => {
    const answer = await real();
    if (!/login|refresh/.test(path) || left === 0) return answer;
    left -= 1;
    const body = (await answer.json()) as { session: Session };
    const accessTokenExpiresAt = new Date(Date.now() + ms).toISOString();
    return Response.json({ ...body, session: { ...body.session, accessTokenExpiresAt } }, { status: answer.status });
  });
}

const aGroup = { kind: 'group' as const, title: 'Alone', memberIds: [] };

describe('the session of a client', () => {
  let app: TestApp;
  before(async () => {
    app = await startApp();
  });
  after(() => app.stop());

  const kept = async (storage: ClientStorage) =>
    ((await storage.get('session')) as { session: Session } | undefined)?.session;

  it('when somebody registers, then they are signed in, and a later process goes on as them', async () => {
    const storage = memoryStorage();
    const client = createClient({ url: app.url, storage });
    const email = `ana.${randomBytes(5).toString('hex')}@example.test`;
    const me = await client.register({ email, password, displayName: 'Ana' });
    assert.equal((await client.rest('getMe')).id, me.id);
    const later = createClient({ url: `${app.url}/`, storage });
    assert.equal((await later.resume())?.id, me.id);
    assert.equal((await later.rest('getMe')).email?.address, email);
  });

  it('when the password is wrong, then the refusal says so in the server’s words', async () => {
    const person = await registerPerson(app);
    const client = createClient({ url: app.url });
    await assert.rejects(
      client.signIn({ identifier: person.email, password: 'not this one' }),
      (error: HomingError) => {
        assert.deepEqual([error.name, error.code, error.status], ['HomingError', 'invalid_credentials', 401]);
        return true;
      },
    );
    assert.equal(client.user, undefined);
  });

  it('when an input is faulty, then each fault is named', async () => {
    const client = createClient({ url: app.url });
    const faulty = client.register({ email: 'no address', password: 'short', displayName: '' });
    await assert.rejects(faulty, ({ code, errors }: HomingError) => {
      assert.equal(code, 'invalid_input');
      assert.deepEqual([...new Set(errors?.map(({ path }) => path).sort())], ['displayName', 'email', 'password']);
      return true;
    });
  });

  it('when nobody is signed in, then it says so and asks nobody', async () => {
    const client = createClient({ url: app.url });
    assert.equal(await client.resume(), undefined);
    await assert.rejects(client.start(), (error: HomingError) => error.code === 'signed_out');
    assert.throws(
      () => client.send('x', { text: 'x' }),
      (error: HomingError) => error.code === 'signed_out',
    );
  });

  it('when an id is left empty, then nothing is asked for: without it the call would mean something else', async () => {
    const client = createClient({ url: app.url });
    const email = `ana.${randomBytes(5).toString('hex')}@example.test`;
    await client.register({ email, password, displayName: 'Ana' });
    const other = createClient({ url: app.url });
    await other.signIn({ identifier: email, password });
    await assert.rejects(client.rest('revokeSession', { params: { id: '' } }), (error: HomingError) => {
      return error.code === 'invalid_input' && error.errors?.[0]?.path === 'params.id';
    });
    assert.equal((await other.rest('getMe')).displayName, 'Ana');
  });

  it('when no server is there, then that is told as a failure of the network', async () => {
    const client = createClient({ url: 'http://127.0.0.1:1' });
    await assert.rejects(client.signIn({ identifier: 'a@example.test', password }), (error: HomingError) => {
      return error.code === 'network';
    });
  });

  it('when something else answers, then a failing proxy is the network, and another page is no answer', async () => {
    const answering = (status: number) => {
      const fetch = async () => new Response('<h1>proxy</h1>', { status, headers: { 'content-type': 'text/html' } });
      return createClient({ url: app.url, surroundings: { fetch } }).rest('getLimits');
    };
    await assert.rejects(answering(502), (error: HomingError) => error.code === 'network' && error.status === 502);
    await assert.rejects(answering(200), (error: HomingError) => error.code === 'unreadable');
  });

  describe('when the access token is about to run out', () => {
    it('then many calls at once renew it once, and the new refresh token is kept', async () => {
      const [person, storage, clock, watched] = [
        await registerPerson(app),
        memoryStorage(),
        movableClock(),
        watchedFetch(),
      ];
      const client = createClient({ url: app.url, storage, surroundings: { ...clock, fetch: watched.fetch } });
      await client.signIn({ identifier: person.email, password });
      const before = await kept(storage);
      await client.rest('getMe');
      assert.equal(watched.of('/v1/auth/refresh'), 0);
      clock.move(almostALifeMs);
      await Promise.all([client.rest('getMe'), client.rest('listSessions'), client.rest('getMe')]);
      assert.equal(watched.of('/v1/auth/refresh'), 1);
      const after = await kept(storage);
      assert.notEqual(after?.refreshToken, before?.refreshToken);
      assert.equal(after?.id, before?.id);
    });

    it('then the open socket gets the new one and stays open', async () => {
      const [person, clock] = [await registerPerson(app), movableClock()];
      const renewals: unknown[] = [];
      const open = tapped({
        ask: async (name, _input, go) => {
          const answer = await go();
          if (name === 'session.renew') renewals.push(answer);
          return answer;
        },
      });
      const client = await clientOf(app, person, {
        surroundings: { ...clock, open, fetch: shortLived(1, 65_000).fetch },
      });
      const states: string[] = [];
      client.on('connection', ({ state }) => void states.push(state));
      clock.move(6_000);
      await client.rest('getMe');
      // The answer to what is asked over the socket now comes after the renewal's.
      await client.send((await client.createConversation(aGroup)).id, { text: 'still here' }).stored;
      assert.equal(renewals.length, 1);
      assert.equal((renewals[0] as { ok: boolean }).ok, true);
      assert.deepEqual(states, []);
      await client.stop();
    });

    it('then it is renewed without any call, too', async () => {
      const [person, storage, clock] = [await registerPerson(app), memoryStorage(), movableClock()];
      const renewed = Promise.withResolvers<void>();
      const open = tapped({
        ask: (name, _input, go) => {
          if (name === 'session.renew') renewed.resolve();
          return go();
        },
      });
      const client = await clientOf(app, person, { storage, surroundings: { ...clock, open } });
      const before = await kept(storage);
      clock.move(almostALifeMs);
      await renewed.promise;
      assert.notEqual((await kept(storage))?.refreshToken, before?.refreshToken);
      await client.stop();
    });

    it('and the answer is lost, then the same refresh token is shown again and the session lives on', async () => {
      const [person, storage, clock] = [await registerPerson(app), memoryStorage(), movableClock()];
      let lost = 0;
      const watched = watchedFetch(async (path, real) => {
        const answer = await real();
        if (path !== '/v1/auth/refresh' || lost > 0) return answer;
        lost += 1;
        throw new TypeError('fetch failed');
      });
      const client = createClient({
        url: app.url,
        storage,
        limits: eager,
        surroundings: { ...clock, fetch: watched.fetch },
      });
      await client.signIn({ identifier: person.email, password });
      clock.move(almostALifeMs);
      assert.equal((await client.rest('getMe')).id, person.id);
      assert.deepEqual([lost, watched.of('/v1/auth/refresh')], [1, 2]);
      clock.move(almostALifeMs);
      assert.equal((await client.rest('getMe')).id, person.id, 'the successor is good for a further renewal');
    });

    it('and the new one cannot be kept, then that is told, the session lives on, and the next process gets the same one', async () => {
      const [person, storage, clock] = [await registerPerson(app), memoryStorage(), movableClock()];
      const client = createClient({ url: app.url, storage, surroundings: clock });
      await client.signIn({ identifier: person.email, password });
      const full: ClientStorage = { ...storage, set: () => Promise.reject(new Error('disk full')) };
      const dying = createClient({ url: app.url, storage: full, surroundings: clock });
      await dying.resume();
      clock.move(almostALifeMs);
      const told = heard(dying, 'error');
      assert.equal((await dying.rest('getMe')).id, person.id);
      assert.equal((await told).code, 'storage_failed');
      const next = createClient({ url: app.url, storage, surroundings: clock });
      await next.resume();
      assert.equal((await next.rest('getMe')).id, person.id);
    });

    it('and another client on the same storage has renewed it, then that one is taken', async () => {
      const [person, storage, watched] = [await registerPerson(app), memoryStorage(), watchedFetch()];
      const one = createClient({ url: app.url, storage, surroundings: { fetch: shortLived(2, 30_000).fetch } });
      await one.signIn({ identifier: person.email, password });
      const other = createClient({ url: app.url, storage, surroundings: { fetch: watched.fetch } });
      await other.resume();
      const first = await kept(storage);
      await one.rest('getMe');
      const clock = movableClock();
      clock.move(11_000);
      const third = createClient({ url: app.url, storage, surroundings: clock });
      await third.resume();
      await third.rest('getMe');
      assert.notEqual((await kept(storage))?.refreshToken, first?.refreshToken);
      // Its own refresh token was used, and the successor too: shown now, it would end the session.
      assert.equal((await other.rest('getMe')).id, person.id);
      assert.equal(watched.of('/v1/auth/refresh'), 0);
    });

    it('and the clock of this machine is wrong, then it is not renewed with every call', async () => {
      const [person, clock, watched] = [await registerPerson(app), movableClock(), watchedFetch()];
      const client = createClient({ url: app.url, surroundings: { ...clock, fetch: watched.fetch } });
      clock.move(24 * 3_600_000);
      await client.signIn({ identifier: person.email, password });
      for (let n = 0; n < 4; n += 1) await client.rest('getMe');
      assert.equal(watched.of('/v1/auth/refresh'), 1);
    });
  });

  it('when the server says that the token has run out, then it is renewed and the call made again', async () => {
    const person = await registerPerson(app);
    let refused = 0;
    const watched = watchedFetch(async (path, real) => {
      if (path !== '/v1/me' || refused > 0) return real();
      refused += 1;
      const problem = { type: '', title: '', status: 401, detail: 'It ran out.', code: 'token_expired', requestId: '' };
      return new Response(JSON.stringify(problem), {
        status: 401,
        headers: { 'content-type': 'application/problem+json' },
      });
    });
    const client = createClient({ url: app.url, surroundings: { fetch: watched.fetch } });
    await client.signIn({ identifier: person.email, password });
    assert.equal((await client.rest('getMe')).id, person.id);
    assert.deepEqual([watched.of('/v1/me'), watched.of('/v1/auth/refresh')], [2, 1]);
  });

  it('when the session is ended elsewhere, then the client is told, stops, and keeps no token', async () => {
    const [person, storage] = [await registerPerson(app), memoryStorage()];
    let connects = 0;
    const open = tapped({ opened: () => void (connects += 1) });
    const client = await clientOf(app, person, { storage, surroundings: { open } });
    const ended = heard(client, 'session', ({ state }) => state === 'ended');
    await person.call('DELETE', '/v1/sessions');
    const told = await ended;
    assert.equal(told.state === 'ended' && told.why.code, 'session_revoked');
    assert.deepEqual(client.connection, { state: 'stopped' });
    assert.equal(client.user, undefined);
    assert.equal(connects, 1, 'it need not be refused to know');
    await new Promise(setImmediate);
    assert.equal(await kept(storage), undefined);
  });

  it('when the session is ended elsewhere and there is no socket, then the next call tells so', async () => {
    const [person, storage] = [await registerPerson(app), memoryStorage()];
    const client = createClient({ url: app.url, storage });
    await client.signIn({ identifier: person.email, password });
    const ended = heard(client, 'session');
    await person.call('DELETE', '/v1/sessions');
    await assert.rejects(client.rest('getMe'), (error: HomingError) => error.code === 'session_revoked');
    assert.equal((await ended).state, 'ended');
    assert.deepEqual([client.user, await kept(storage)], [undefined, undefined]);
  });

  it('when a refresh token was used by somebody else, then the session ends with that reason', async () => {
    const [person, storage, clock] = [await registerPerson(app), memoryStorage(), movableClock()];
    const client = createClient({ url: app.url, storage, surroundings: clock });
    await client.signIn({ identifier: person.email, password });
    let stolen = (await kept(storage))?.refreshToken;
    for (let n = 0; n < 2; n += 1) {
      const { session } = await client.rest('refresh', { body: { refreshToken: stolen ?? '' } });
      stolen = session.refreshToken;
    }
    const ended = heard(client, 'session');
    clock.move(almostALifeMs);
    await assert.rejects(client.rest('getMe'), (error: HomingError) => error.code === 'refresh_reused');
    const told = await ended;
    assert.equal(told.state === 'ended' && told.why.code, 'refresh_reused');
  });

  it('when one signs out, then the server ends the session and nothing is kept', async () => {
    const [person, storage] = [await registerPerson(app), memoryStorage()];
    const client = await clientOf(app, person, { storage });
    const { items } = await client.rest('listSessions');
    assert.equal(items.length, 2);
    await client.signOut();
    assert.deepEqual(await storage.entries(''), []);
    assert.equal((await person.call<{ items: unknown[] }>('GET', '/v1/sessions')).body.items.length, 1);
    assert.equal(client.user, undefined);
  });

  it('when the same person signs in anew while connected, then the connection is of the new session', async () => {
    const person = await registerPerson(app);
    const tokens: unknown[] = [];
    const opened: Tap['opened'] = ({ token }) => void tokens.push(token);
    const client = await clientOf(app, person, { limits: eager, surroundings: { open: tapped({ opened }) } });
    const back = heard(client, 'connection', ({ state }) => state === 'online');
    await client.signIn({ identifier: person.email, password });
    await back;
    assert.equal(new Set(tokens).size, 2);
    await client.stop();
  });

  it('when the same person signs in anew while the session is renewed, then the new one stays', async () => {
    const [person, storage, clock] = [await registerPerson(app), memoryStorage(), movableClock()];
    const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { fetch: slow } = watchedFetch(async (path, real) => {
      if (!path.endsWith('/refresh')) return real();
      asked.resolve();
      await answer.promise;
      return real();
    });
    const client = createClient({ url: app.url, storage, surroundings: { ...clock, fetch: slow } });
    const signIn = () => client.signIn({ identifier: person.email, password });
    await signIn();
    clock.move(almostALifeMs);
    const renewing = assert.rejects(client.rest('getMe'), { code: 'signed_out' });
    await asked.promise;
    await signIn();
    const taken = (await kept(storage))?.id;
    answer.resolve();
    await renewing;
    assert.equal((await kept(storage))?.id, taken);
  });
});
