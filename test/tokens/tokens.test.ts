import assert from 'node:assert/strict';
import type { AccessToken, Scope, TokenMade } from '../../contracts/entities/index.ts';
import { hashToken } from '../../domain/accounts/sessions.ts';
import { type Person, makeDirect, registerPerson, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { call, expectProblem, expectStatus } from '../support/rest.ts';
import { connect } from '../support/socket.ts';

describe('tokens for programs', () => {
  let app: TestApp;
  before(async function () {
    this.timeout(60_000);
    app = await startApp();
  });
  after(() => app.stop());

  const make = async (person: Person, scopes: Scope[], extra: object = {}): Promise<TokenMade> =>
    expectStatus(await person.call<TokenMade>('POST', '/v1/me/tokens', { name: 'Deploy', scopes, ...extra }), 201);
  const ask = <Body = Record<string, never>>(token: string, method: string, path: string, body?: unknown) =>
    call<Body>(app.url, method, path, { token, body });

  it('a token is shown once, kept as a hash, and does what its scopes say, by REST and by a socket', async () => {
    const [ana, ben] = [await registerPerson(app, 'Ana'), await registerPerson(app, 'Ben')];
    const { id } = await makeDirect(ana, ben);
    const { token, accessToken } = await make(ana, ['messages:read', 'profile:read']);
    assert.match(token, /^hom_pat_[\w-]{49}$/);
    expectStatus(await ask(token, 'GET', '/v1/me'), 200);
    const refused = await ask(token, 'POST', `/v1/conversations/${id}/messages`, { clientId: id, text: 'no' });
    expectProblem(refused, 403, 'insufficient_scope');
    assert.equal(refused.headers.get('www-authenticate'), 'Bearer error="insufficient_scope", scope="messages:write"');
    const socket = await connect(app.url, { token });
    await send(ben, id, 'Hello');
    await socket.heard('event', ({ type }) => type === 'message.created');
    socket.close();
    const listed = await ana.call<{ items: AccessToken[] }>('GET', '/v1/me/tokens');
    const { items } = expectStatus(listed, 200);
    assert.equal(items.length, 1);
    assert.deepEqual({ ...items[0], lastUsedAt: null }, accessToken);
    assert.match(items[0]?.lastUsedAt ?? '', /:00:00\.000Z$/);
    assert.ok(!JSON.stringify(listed.body).includes(token));
    const { rows } = await app.database.run(
      `select token_hash as hash, t::text as whole from access_tokens t where id = '${accessToken.id}'`,
    );
    const [row] = rows as { hash: Buffer; whole: string }[];
    assert.deepEqual(row?.hash, hashToken(token));
    assert.ok(!row?.whole.includes(token.slice(-20)));
  });
});
