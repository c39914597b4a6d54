import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import pg from 'pg';
import {
  type AccessToken,
  type AuditEntry,
  type Scope,
  type TokenMade,
  scopeNames,
} from '../../contracts/entities/index.ts';
import { limits } from '../../contracts/limits.ts';
import { type Endpoint, endpoints } from '../../contracts/rest/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import { ruleOf } from '../../domain/access/index.ts';
import { createAuthenticate, createToken, forgotPassword, resetPassword } from '../../domain/accounts/index.ts';
import { resetTokenOf } from '../../domain/accounts/passwords.ts';
import { hashToken } from '../../domain/accounts/sessions.ts';
import { isWellFormed, newToken } from '../../domain/accounts/token-format.ts';
import { inputOf } from '../access/ask.ts';
import { type Person, makeDirect, password, registerPerson, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { call, expectProblem, expectStatus } from '../support/rest.ts';
import { type TestSocket, connect } from '../support/socket.ts';
import { until } from '../support/until.ts';

const depsOf = ({ processes: [first] }: TestApp) => (first ?? assert.fail()).runtime.deps;

describe('tokens for programs', () => {
  let app: TestApp;
  let db: pg.Pool;
  let here: string;
  let there: string;
  before(async function () {
    this.timeout(60_000);
    app = await startApp({
      processes: [
        ['api', 'realtime'],
        ['api', 'realtime'],
      ],
    });
    db = new pg.Pool({ connectionString: app.database.adminUrl, max: 2 });
    [here = '', there = ''] = app.urls;
  });
  after(async () => {
    await db.end();
    await app.stop();
  });

  const make = async (person: Person, scopes: readonly Scope[], extra: object = {}): Promise<TokenMade> =>
    expectStatus(await person.call<TokenMade>('POST', '/v1/me/tokens', { name: 'Deploy', scopes, ...extra }), 201);
  const ask = <Body = Record<string, never>>(token: string, method: string, path: string, body?: unknown, url = here) =>
    call<Body>(url, method, path, { token, body });
  const listed = async (person: Person): Promise<AccessToken[]> =>
    expectStatus(await person.call<{ items: AccessToken[] }>('GET', '/v1/me/tokens'), 200).items;
  const open = (token: string, url = here): Promise<string | undefined> =>
    connect(url, { token }).then(
      (socket) => void socket.close(),
      ({ data }: { data?: { code: string } }) => data?.code,
    );
  const ended = (socket: TestSocket, code = 'session_revoked') =>
    socket.heard('notice', (notice) => notice.code === code && notice.kind === 'session_ended');

  it('a token is shown once, kept as a hash, and known by the hour in which it was used', async () => {
    const ana = await registerPerson(app, 'Ana');
    const { token, accessToken } = await make(ana, ['profile:read']);
    assert.match(token, /^hom_pat_[\w-]{49}$/);
    assert.equal(accessToken.lastUsedAt, null);
    expectStatus(await ask(token, 'GET', '/v1/me'), 200);
    const [item, ...others] = await listed(ana);
    assert.deepEqual([{ ...item, lastUsedAt: null }, others], [accessToken, []]);
    assert.match(item?.lastUsedAt ?? '', /:00:00\.000Z$/);
    const { rows } = await db.query<{ hash: Buffer }>('select token_hash as hash from access_tokens where id = $1', [
      accessToken.id,
    ]);
    assert.deepEqual(rows[0]?.hash, hashToken(token));
    assert.deepEqual(await tablesThatHold(token), []);
  });

  /** Every table, every row, as text. */
  async function tablesThatHold(token: string): Promise<string[]> {
    const { rows } = await db.query<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`,
    );
    const random = token.slice('hom_pat_'.length, -6);
    const holding: string[] = [];
    for (const { name } of rows) {
      const { rowCount } = await db.query(`select 1 from ${name} x where position($1 in x::text) > 0 limit 1`, [
        random,
      ]);
      if (rowCount) holding.push(name);
    }
    return holding;
  }

  it('what only looks like a token is refused, with a right checksum and with a wrong one', async () => {
    const [unknown, broken] = [newToken(), newToken().replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))];
    assert.deepEqual([isWellFormed(unknown), isWellFormed(broken)], [true, false]);
    for (const token of [unknown, broken, 'hom_pat_', 'hom_pat_x']) {
      expectProblem(await ask(token, 'GET', '/v1/me'), 401, 'unauthenticated');
      assert.equal(await open(token), 'unauthenticated');
    }
  });

  it('a token in the query is none', async () => {
    const { token } = await make(await registerPerson(app), ['profile:read', 'messages:read']);
    for (const headers of [{}, { authorization: 'Basic YTpi' }])
      expectProblem(await call(here, 'GET', `/v1/me?access_token=${token}`, { headers }), 401, 'unauthenticated');
    await assert.rejects(connect(here, {}, { query: { token } }));
  });

  it('making one needs a recent proof, and is told in the audit', async () => {
    const ana = await registerPerson(app, 'Ana');
    await db.query(`update sessions set proved_at = now() - interval '1 hour' where user_id = $1`, [ana.id]);
    const refused = await ana.call('POST', '/v1/me/tokens', { name: 'Deploy', scopes: ['profile:read'] });
    expectProblem(refused, 403, 'step_up_required');
    expectStatus(await ana.call('POST', '/v1/auth/step-up', { password }), 200);
    const { accessToken } = await make(ana, ['profile:read']);
    expectStatus(await ana.call('DELETE', `/v1/me/tokens/${accessToken.id}`), 204);
    const { rows } = await db.query<Pick<AuditEntry, 'action'>>(
      'select action from audit where user_id = $1 and actor_id = $1 order by id',
      [ana.id],
    );
    assert.deepEqual(
      rows.map(({ action }) => action).filter((action) => action.endsWith('_token')),
      ['make_token', 'end_token'],
    );
  });

  it('names, scopes and times are as the limits say, on either side', async () => {
    const ana = await registerPerson(app, 'Ana');
    const scopes = ['profile:read'];
    const faulty = async (body: object, path: string) =>
      assert.deepEqual(
        expectProblem(
          await ana.call('POST', '/v1/me/tokens', { name: 'Deploy', scopes, ...body }),
          400,
          'invalid_input',
        ),
        [path],
      );
    await faulty({ name: 'x'.repeat(limits.tokenNameLength + 1) }, 'name');
    await faulty({ expiresInSeconds: limits.tokenSeconds + 1 }, 'expiresInSeconds');
    await faulty({ expiresInSeconds: 0 }, 'expiresInSeconds');
    await faulty({ scopes: [] }, 'scopes');
    await faulty({ scopes: ['profile:read', 'profile:read'] }, 'scopes');
    await faulty({ scopes: ['everything'] }, 'scopes.0');
    const longest = { name: 'x'.repeat(limits.tokenNameLength), expiresInSeconds: limits.tokenSeconds };
    const { accessToken } = await make(ana, scopeNames, longest);
    const lasts = Date.parse(accessToken.expiresAt) - Date.parse(accessToken.createdAt);
    assert.equal(lasts, limits.tokenSeconds * 1_000);
    const byDefault = (await make(ana, ['profile:read'])).accessToken;
    const ninety = Date.parse(byDefault.expiresAt) - Date.parse(byDefault.createdAt);
    assert.equal(ninety, limits.tokenSecondsByDefault * 1_000);
  });

  it('of fifty that are asked for at once, as many are made as there may be', async () => {
    const ana = await registerPerson(app, 'Ana');
    for (let made = 0; made < limits.tokensPerUser - 3; made += 1) await make(ana, ['profile:read']);
    const body = { name: 'Deploy', scopes: ['profile:read'] };
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        call(n % 2 ? here : there, 'POST', '/v1/me/tokens', { token: ana.token, body }),
      ),
    );
    assert.equal(answers.filter(({ status }) => status === 201).length, 3);
    const refused = answers.filter(({ status }) => status !== 201);
    for (const answer of refused) expectProblem(answer, 409, 'limit_reached');
    const open = await listed(ana);
    assert.equal(open.length, limits.tokensPerUser);
    expectStatus(await ana.call('DELETE', `/v1/me/tokens/${open[0]?.id}`), 204);
    await make(ana, ['profile:read']);
  });

  it('what a token needs for an operation is named, and what no token is for is said', async () => {
    const ana = await registerPerson(app, 'Ana');
    const { token: all } = await make(ana, scopeNames);
    // One for each scope, so that it has every other.
    const without = new Map<string, string>();
    for (const scope of scopeNames)
      without.set(
        scope,
        (
          await make(
            ana,
            scopeNames.filter((each) => each !== scope),
          )
        ).token,
      );
    let cells = 0;
    for (const endpoint of Object.values(endpoints) as Endpoint[]) {
      const rule = ruleOf(endpoint.operationId);
      if (rule.who === 'anybody') continue;
      const { params = {}, query = {}, body } = inputOf(endpoint, {}, {});
      const path = endpoint.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
      const search = new URLSearchParams(query).toString();
      const answer = await ask(
        without.get(rule.scope) ?? all,
        endpoint.method.toUpperCase(),
        `${path}${search ? `?${search}` : ''}`,
        body,
      );
      expectProblem(answer, 403, 'insufficient_scope');
      const named = rule.scope === 'session' ? '' : `, scope="${rule.scope}"`;
      const header = answer.headers.get('www-authenticate');
      assert.equal(header, `Bearer error="insufficient_scope"${named}`, endpoint.operationId);
      cells += 1;
    }
    assert.ok(cells > 80);
  });

  it('no operation that needs a proof can be done by a token, however many scopes it has', () => {
    for (const { operationId, stepUp } of Object.values(endpoints) as Endpoint[]) {
      const rule = ruleOf(operationId);
      if (stepUp === true && rule.who !== 'anybody') assert.equal(rule.scope, 'session', operationId);
    }
  });

  it('a token may not do what needs a proof only at times', async () => {
    const [ana, ben] = [await registerPerson(app, 'Ana'), await registerPerson(app, 'Ben')];
    const body = { clientId: randomUUIDv7(), kind: 'group', title: 'Ops', memberIds: [ben.id] };
    const { id } = expectStatus(await ana.call<{ id: string }>('POST', '/v1/conversations', body), 201);
    const { token } = await make(ana, scopeNames);
    const at = `/v1/conversations/${id}/members/${ben.id}`;
    expectStatus(await ask(token, 'PATCH', at, { role: 'admin' }), 204);
    expectProblem(await ask(token, 'PATCH', at, { role: 'owner' }), 403, 'insufficient_scope');
  });

  it('admin scopes are of use to who has the role, and for as long as they have it', async () => {
    const ana = await registerPerson(app, 'Ana');
    const { token } = await make(ana, ['admin:read']);
    expectProblem(await ask(token, 'GET', '/v1/admin/audit'), 403, 'forbidden');
    await db.query(`update users set role = 'admin' where id = $1`, [ana.id]);
    expectStatus(await ask(token, 'GET', '/v1/admin/audit'), 200);
    await db.query(`update users set role = 'member' where id = $1`, [ana.id]);
    expectProblem(await ask(token, 'GET', '/v1/admin/audit'), 403, 'forbidden');
  });

  it('a socket hears what the token is for, and asks for nothing else', async () => {
    const [ana, ben] = [await registerPerson(app, 'Ana'), await registerPerson(app, 'Ben')];
    const { id } = await makeDirect(ana, ben);
    expectStatus(await ana.call('PUT', `/v1/me/blocks/${(await registerPerson(app, 'Eve')).id}`), 204);
    assert.equal(await open((await make(ana, ['messages:write'])).token), 'insufficient_scope');
    const [reading, all] = await Promise.all([
      connect(there, { token: (await make(ana, ['messages:read'])).token }),
      connect(there, { token: (await make(ana, scopeNames)).token }),
    ]);
    assert.deepEqual([reading.hello.blocked.length, all.hello.blocked.length], [0, 1]);
    expectStatus(await ana.call('PUT', `/v1/me/blocks/${(await registerPerson(app, 'Mallory')).id}`), 204);
    expectStatus(await ana.call('PATCH', '/v1/me/notifications', { level: 'mentions' }), 200);
    await all.heard('blocks', () => true);
    await all.heard('notification-settings', () => true);
    await send(ben, id, 'Hello');
    // In the order of their commits, and of one node.
    await reading.heard('event', ({ type }) => type === 'message.created');
    assert.deepEqual([reading.told.blocks, reading.told['notification-settings']], [[], []]);
    const message = { clientId: randomUUIDv7(), text: 'no' };
    const refused = await reading.ask('message.send', { conversationId: id, message });
    assert.equal(refused.ok ? 'done' : refused.error.code, 'insufficient_scope');
    const sent = await all.ask('message.send', { conversationId: id, message });
    assert.equal(sent.ok, true);
    for (const socket of [reading, all]) {
      const present = await socket.ask('presence.set', { state: 'active', viewing: id });
      assert.equal(present.ok ? 'done' : present.error.code, 'insufficient_scope');
      socket.close();
    }
  });

  it('who has a program connected is not there for it', async () => {
    const ana = await registerPerson(app, 'Ana');
    const socket = await connect(here, { token: (await make(ana, scopeNames)).token });
    const deps = depsOf(app);
    const person = await connect(here, { token: ana.token });
    await until(
      () => deps.presence(ana.id as UserId),
      (presence) => presence.length > 0,
    );
    // The program's word, if it gave one, came before that of the person.
    assert.equal((await deps.presence(ana.id as UserId)).length, 1);
    person.close();
    socket.close();
  });

  it('what a program asks is of its person’s budget', async () => {
    const ana = await registerPerson(app, 'Ana');
    const { token } = await make(ana, ['profile:read']);
    const left = async (by: string) => {
      const answer = await ask(by, 'GET', '/v1/me');
      return Number(/"read";r=(\d+)/.exec(answer.headers.get('ratelimit') ?? '')?.[1]);
    };
    const [first, second, third] = [await left(ana.token), await left(token), await left(ana.token)];
    assert.deepEqual([second, third], [first - 1, first - 2]);
  });

  it('a token that a node remembers costs the database nothing', async () => {
    const ana = await registerPerson(app, 'Ana');
    const { token } = await make(ana, ['profile:read']);
    const { revocations } = (app.processes[0] ?? assert.fail()).runtime;
    const deps = depsOf(app);
    let asked = 0;
    const counting = {
      ...deps,
      db: {
        ...deps.db,
        query: (...query: Parameters<typeof deps.db.query>) => {
          asked += 1;
          return deps.db.query(...query);
        },
      } as typeof deps.db,
    };
    const authenticate = createAuthenticate(counting, revocations);
    await authenticate(token);
    // The row, and the hour in which it was used for the first time.
    assert.equal(asked, 2);
    const began = performance.now();
    for (let times = 0; times < 10_000; times += 1) assert.ok(!(authenticate(token) instanceof Promise));
    const micros = (performance.now() - began) / 10;
    assert.equal(asked, 2);
    process.stdout.write(`      ${micros.toFixed(1)} µs for a token that is remembered\n`);
  });

  it('one that was ended is refused by every node, and its sockets are closed', async () => {
    const ana = await registerPerson(app, 'Ana');
    const { token, accessToken } = await make(ana, ['messages:read', 'profile:read']);
    const { token: other } = await make(ana, ['profile:read']);
    const sockets = [await connect(here, { token }), await connect(there, { token })];
    for (const url of app.urls) expectStatus(await ask(token, 'GET', '/v1/me', undefined, url), 200);
    expectStatus(await ana.call('DELETE', `/v1/me/tokens/${accessToken.id}`), 204);
    expectProblem(await ana.call('DELETE', `/v1/me/tokens/${accessToken.id}`), 404, 'not_found');
    await Promise.all(sockets.map((socket) => ended(socket)));
    for (const url of app.urls) {
      expectProblem(await ask(token, 'GET', '/v1/me', undefined, url), 401, 'session_revoked');
      assert.equal(await open(token, url), 'session_revoked');
      expectStatus(await ask(other, 'GET', '/v1/me', undefined, url), 200);
    }
  });

  it('what a node remembers of a token is no way in after it has ended, without a word from anybody', async () => {
    const ana = await registerPerson(app, 'Ana');
    const { token, accessToken } = await make(ana, ['messages:read', 'profile:read']);
    const socket = await connect(there, { token });
    for (const url of app.urls) expectStatus(await ask(token, 'GET', '/v1/me', undefined, url), 200);
    // Nothing is published: the nodes' look at the table has to find it.
    await db.query('update access_tokens set revoked_at = now() where id = $1', [accessToken.id]);
    assert.equal(await open(token), 'session_revoked');
    await ended(socket);
    for (const url of app.urls)
      await until(
        () => ask(token, 'GET', '/v1/me', undefined, url),
        ({ status }) => status === 401,
      );
  });

  it('runs out to the second, by REST and on a socket', async () => {
    const ana = await registerPerson(app, 'Ana');
    const { token, accessToken } = await make(ana, scopeNames, { expiresInSeconds: 60 });
    const socket = await connect(here, { token });
    expectStatus(await ask(token, 'GET', '/v1/me'), 200);
    // Not remembered by that node yet.
    await db.query('update access_tokens set expires_at = now() where id = $1', [accessToken.id]);
    expectProblem(await ask(token, 'GET', '/v1/me', undefined, there), 401, 'token_expired');
    assert.equal(await open(token, there), 'token_expired');
    assert.deepEqual(await listed(ana), []);
    const deps = depsOf(app);
    try {
      const end = Date.parse(accessToken.expiresAt);
      Object.assign(deps, { now: () => new Date(end - 1) });
      expectStatus(await ask(token, 'GET', '/v1/me'), 200);
      Object.assign(deps, { now: () => new Date(end) });
      expectProblem(await ask(token, 'GET', '/v1/me'), 401, 'token_expired');
    } finally {
      Object.assign(deps, { now: () => new Date() });
    }
    for (const { data } of (app.processes[0] ?? assert.fail()).runtime.io.sockets.sockets.values())
      if (data.actor.userId === ana.id) data.expiresAt = new Date();
    const late = await socket.ask('sync', { known: [] });
    assert.equal(late.ok ? 'done' : late.error.code, 'token_expired');
    await ended(socket, 'token_expired');
  });

  it('hears nothing from the moment on in which its time is over', async () => {
    const [ana, ben] = [await registerPerson(app, 'Ana'), await registerPerson(app, 'Ben')];
    const { id } = await makeDirect(ana, ben);
    const { token } = await make(ana, scopeNames);
    const [byToken, bySession] = [await connect(here, { token }), await connect(here, { token: ana.token })];
    const text = (wanted: string) => (payload: { data: object }) =>
      'message' in payload.data && (payload.data.message as { text?: string } | null)?.text === wanted;
    await send(ben, id, 'before');
    await byToken.heard('event', text('before'));
    for (const { data } of (app.processes[0] ?? assert.fail()).runtime.io.sockets.sockets.values())
      if (data.actor.userId === ana.id && data.actor.scopes) data.expiresAt = new Date();
    await send(ben, id, 'after');
    await bySession.heard('event', text('after'));
    // The last that it hears: whatever was told it before has come by now.
    await ended(byToken, 'token_expired');
    assert.equal(byToken.told.event.some(text('after')), false);
    bySession.close();
  });

  it('a reset of the password ends all of them', async () => {
    const ana = await registerPerson(app, 'Ana');
    const { token } = await make(ana, ['profile:read', 'messages:read']);
    const socket = await connect(there, { token });
    const deps = depsOf(app);
    await forgotPassword(deps, ana.email);
    const { rows } = await db.query<{ id: string }>('select id from password_resets where target = $1', [ana.email]);
    const id = rows[0]?.id ?? assert.fail();
    await db.query(
      `update password_resets set user_id = $2, sent_at = now(), expires_at = now() + interval '1 hour' where id = $1`,
      [...[id, ana.id]],
    );
    await resetPassword(deps, { token: resetTokenOf(deps, id), password: 'another correct battery staple' });
    await ended(socket);
    expectProblem(await ask(token, 'GET', '/v1/me'), 401, 'session_revoked');
  });

  it('a change of the password ends them where that is asked for', async () => {
    const ana = await registerPerson(app, 'Ana');
    const { token } = await make(ana, ['profile:read']);
    const [first, second] = ['another correct battery staple', 'a third correct battery staple'];
    expectStatus(await ana.call('POST', '/v1/me/password', { oldPassword: password, newPassword: first }), 200);
    expectStatus(await ask(token, 'GET', '/v1/me'), 200);
    const body = { oldPassword: first, newPassword: second, endTokens: true };
    const { revoked } = expectStatus(await ana.call<{ revoked: number }>('POST', '/v1/me/password', body), 200);
    assert.equal(revoked, 1);
    expectProblem(await ask(token, 'GET', '/v1/me'), 401, 'session_revoked');
  });

  it('a session that has ended makes none, even where it was let in before', async () => {
    const ana = await registerPerson(app, 'Ana');
    const deps = depsOf(app);
    await db.query('update sessions set revoked_at = now() where user_id = $1', [ana.id]);
    const actor = { userId: ana.id as UserId, sessionId: ana.session.id };
    const input = { name: 'Late', scopes: ['profile:read' as const], expiresInSeconds: 60 };
    await assert.rejects(createToken(deps, actor, input), { code: 'session_revoked' });
    const { rowCount } = await db.query('select 1 from access_tokens where user_id = $1', [ana.id]);
    assert.equal(rowCount, 0);
  });
});
