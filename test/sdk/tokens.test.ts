import assert from 'node:assert/strict';
import type { Scope, TokenMade } from '../../contracts/entities/index.ts';
import { createClient } from '../../sdk/index.ts';
import { type Person, makeDirect, registerPeople } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { heard } from '../support/client.ts';
import { expectStatus } from '../support/rest.ts';

describe('a client that comes in by a token', () => {
  let app: TestApp;
  before(async () => {
    app = await startApp();
  });
  after(() => app.stop());

  const make = async (person: Person, scopes: Scope[]): Promise<TokenMade> =>
    expectStatus(await person.call<TokenMade>('POST', '/v1/me/tokens', { name: 'Deploy', scopes }), 201);
  const reading: Scope[] = ['messages:read', 'conversations:read', 'profile:read', 'receipts:write'];

  it('does what the token is for, and is refused the rest', async () => {
    const [ana, ben] = await registerPeople(app, 'Ana', 'Ben');
    const { id } = await makeDirect(ana, ben);
    const client = createClient({ url: app.url });
    assert.equal((await client.useToken((await make(ana, reading)).token)).id, ana.id);
    await client.start();
    assert.equal(client.conversation(id)?.id, id);
    await assert.rejects(client.rest('listSessions'), { code: 'insufficient_scope' });
    await assert.rejects(client.send(id, { text: 'no' }).stored, { code: 'insufficient_scope' });
    await client.stop();
  });

  it('is told when the token has ended, and stops', async () => {
    const [ana] = await registerPeople(app, 'Ana');
    const { token, accessToken } = await make(ana, reading);
    const client = createClient({ url: app.url });
    await client.useToken(token);
    await client.start();
    const over = heard(client, 'session', ({ state }) => state === 'ended');
    expectStatus(await ana.call('DELETE', `/v1/me/tokens/${accessToken.id}`), 204);
    await over;
    assert.equal(client.user, undefined);
    await assert.rejects(client.rest('getMe'), { code: 'unauthenticated' });
  });

  it('does not try for ever to connect with a token that is not for that', async () => {
    const [ana] = await registerPeople(app, 'Ana');
    const client = createClient({ url: app.url });
    await client.useToken((await make(ana, ['profile:read'])).token);
    await assert.rejects(client.start(), { code: 'stopped' });
  });

  it('with one that has run out it asks once, and not again', async () => {
    const [ana] = await registerPeople(app, 'Ana');
    const { token, accessToken } = await make(ana, reading);
    const client = createClient({ url: app.url });
    await client.useToken(token);
    await app.database.run(`update access_tokens set expires_at = now() where id = '${accessToken.id}'`);
    const over = heard(client, 'session', ({ state }) => state === 'ended');
    await client.start().catch(() => undefined);
    await over;
    assert.equal(client.user, undefined);
  });
});
