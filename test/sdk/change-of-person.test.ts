import assert from 'node:assert/strict';
import { type Client, type ClientOptions, type ClientStorage, createClient, memoryStorage } from '../../sdk/index.ts';
import { type Person, makeGroup, password, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Tap, clientOf, clientsOfEachTest, eager, heard, holds, movableClock, tapped } from '../support/client.ts';
import { expectStatus } from '../support/rest.ts';
import { urlOf } from '../support/url-of.ts';

/** Milliseconds: an access token's fifteen minutes are almost over. */
const almostALifeMs = 14.5 * 60_000;

describe('when somebody else signs in where another was', () => {
  let app: TestApp;
  let people: { ana: Person; bob: Person };
  /** One that both belong to, and one of Ana's alone. */
  let groups: { both: string; hers: string };
  const clients = clientsOfEachTest();
  before(async () => {
    app = await startApp();
  });
  beforeEach(async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    people = { ana, bob };
    groups = { both: (await makeGroup(ana, [bob], 'Both')).id, hers: (await makeGroup(ana, [], 'Hers')).id };
  });
  after(() => app.stop());

  const online = async (person: Person, tap: Tap = {}, options: Partial<ClientOptions> = {}) => {
    const surroundings = { open: tapped(tap), ...options.surroundings };
    const client = await clientOf(app, person, { limits: eager, ...options, surroundings });
    clients.push(client);
    return client;
  };
  const fresh = async (storage: ClientStorage) => {
    const client = createClient({ url: app.url, limits: eager, storage });
    clients.push(client);
    await client.resume();
    return client;
  };
  const becomes = (client: Client, { email }: Person) => client.signIn({ identifier: email, password });
  const keys = async (storage: ClientStorage) => (await storage.entries('')).map(([key]) => key);
  const never = new Promise<never>(() => undefined);
  const unavailable = (retryAfterMs = 10) =>
    Promise.resolve({ ok: false, error: { code: 'unavailable', message: '', retryAfterMs } });
  const asBob = async () => {
    const { body } = await people.bob.call<{ me: { readSeq: number } }>('GET', `/v1/conversations/${groups.both}`);
    return body.me;
  };

  it('then no conversation of the first is shown, neither at once nor later', async () => {
    await send(people.ana, groups.both, 'hello');
    const client = await online(people.ana);
    assert.equal(client.conversations.length, 2);
    await becomes(client, people.bob);
    assert.equal(client.conversations.length, 0);
    await client.start();
    assert.deepEqual(
      client.conversations.map(({ id, me }) => [id, me.role, me.unread]),
      [[groups.both, 'member', 1]],
    );
  });

  it('then what is kept of her conversations is thrown away, and another tab of hers writes no more', async () => {
    const storage = memoryStorage();
    const client = await online(people.ana, {}, { storage });
    const tab = await online(people.ana, {}, { storage, limits: { ...eager, keepMs: 60_000 } });
    await client.stop();
    assert.equal((await storage.entries(`conversations/${people.ana.id}/`)).length, 2);
    await becomes(client, people.bob);
    assert.deepEqual(await keys(storage), ['session']);
    await tab.stop();
    assert.deepEqual(await keys(storage), ['session'], 'the tab finds that the storage is not hers any more');
    const next = await fresh(storage);
    assert.deepEqual([next.user?.id, next.conversations, await keys(storage)], [people.bob.id, [], ['session']]);
  });

  it('then what she wrote is neither shown nor sent, whatever the storage does', async () => {
    const storage = memoryStorage();
    let broken = false;
    const failing: ClientStorage = {
      ...storage,
      entries: (prefix) => (broken ? Promise.reject(new Error('broken')) : storage.entries(prefix)),
    };
    const client = createClient({ url: app.url, limits: eager, storage: failing });
    clients.push(client);
    await becomes(client, people.ana);
    client.send(groups.both, { text: 'by Ana' });
    broken = true;
    await becomes(client, people.bob);
    await client.start();
    assert.deepEqual(client.conversation(groups.both)?.outgoing, []);
    await client.send(groups.both, { text: 'by Bob' }).stored;
    const { messages } = client.conversation(groups.both) ?? { messages: [] };
    assert.deepEqual(
      messages.map(({ text }) => text),
      ['by Bob'],
    );
  });

  it('then a message of hers that the storage was still writing is not sent as his', async () => {
    const storage = memoryStorage();
    const slow = Promise.withResolvers<void>();
    const set: ClientStorage['set'] = async (key, value) => {
      if (key.startsWith(`outbox/${people.ana.id}`)) await slow.promise;
      await storage.set(key, value);
    };
    const client = await online(people.ana, {}, { storage: { ...storage, set } });
    client.send(groups.both, { text: 'by Ana' });
    await becomes(client, people.bob);
    await client.start();
    slow.resolve();
    await client.send(groups.both, { text: 'by Bob' }).stored;
    assert.deepEqual(
      client.conversation(groups.both)?.messages.map(({ text }) => text),
      ['by Bob'],
    );
  });

  it('then what she has read is not told as read by him', async () => {
    await send(people.bob, groups.both, 'to Ana');
    await send(people.ana, groups.both, 'to Bob');
    const told: unknown[] = [];
    let bobIsHere = false;
    const ask: Tap['ask'] = (name, input, go) => {
      if (name !== 'receipt.update') return go();
      if (bobIsHere) told.push((input as { receipt: unknown }).receipt);
      return bobIsHere ? go() : unavailable();
    };
    const client = await online(people.ana, { ask });
    client.markRead(groups.both);
    await becomes(client, people.bob);
    bobIsHere = true;
    await client.start();
    await client.stop();
    assert.deepEqual([told, (await asBob()).readSeq], [[{ deliveredSeq: 2 }], 0]);
  });

  it('then what she was behind with is not asked for as him', async () => {
    const asked: string[] = [];
    let bobIsHere = false;
    const ask: Tap['ask'] = (name, input, go) => {
      if (name !== 'events.after') return go();
      if (bobIsHere) asked.push((input as { conversationId: string }).conversationId);
      return bobIsHere ? go() : unavailable();
    };
    const hear: Tap['hear'] = (name, payload, pass) => {
      if (name !== 'event' || (payload as { version: number }).version !== 2) pass(name, payload);
    };
    const client = await online(people.ana, { ask, hear });
    const written = heard(client, 'outgoing', ({ state }) => state === 'sent');
    client.send(groups.hers, { text: 'one' });
    await written;
    await client.send(groups.hers, { text: 'two' }).stored;
    await becomes(client, people.bob);
    bobIsHere = true;
    await client.start();
    await client.rest('getMe');
    assert.deepEqual(asked, []);
  });

  it('then what she does again and again is not done as him', async () => {
    const { id } = await send(people.bob, groups.both, 'hello');
    const ask: Tap['ask'] = (name, _input, go) => (name === 'reaction.set' && !bobIsHere ? unavailable(100) : go());
    let bobIsHere = false;
    const clock = movableClock();
    // Whatever ends the waiting of others: this one goes on until the time is over.
    const wait: typeof clock.wait = (ms, signal) => clock.wait(ms, ms === 100 ? undefined : signal);
    const client = await online(people.ana, { ask }, { surroundings: { ...clock, wait, open: tapped({ ask }) } });
    const reacting = client.react(groups.both, id, '👍');
    const refused = assert.rejects(reacting, { code: 'signed_out' });
    await becomes(client, people.bob);
    bobIsHere = true;
    await client.start();
    await refused;
    assert.deepEqual(client.conversation(groups.both)?.messages[0]?.reactions, []);
  });

  it('then a call of hers is neither repeated as him nor answered to him', async () => {
    for (const status of [401, 200]) {
      const gate = Promise.withResolvers<void>();
      const tokens: (string | null)[] = [];
      const slow: typeof fetch = async (input, init) => {
        if (!(input as string).endsWith('/v1/me')) return fetch(input, init);
        tokens.push(new Headers(init?.headers).get('authorization'));
        await gate.promise;
        if (status === 200) return fetch(input, init);
        const problem = { type: '', title: '', status, detail: '', code: 'token_expired', requestId: '' };
        return Response.json(problem, { status, headers: { 'content-type': 'application/problem+json' } });
      };
      const client = createClient({ url: app.url, surroundings: { fetch: slow } });
      await becomes(client, people.ana);
      const asked = assert.rejects(client.rest('getMe'), { code: 'signed_out' });
      await becomes(client, people.bob);
      gate.resolve();
      await asked;
      assert.equal(tokens.length, 1);
    }
  });

  it('then a tab in which she still is leaves his session alone: renewing, ended and signing out', async () => {
    const [storage, clock] = [memoryStorage(), movableClock()];
    const tabs = await Promise.all([1, 2, 3].map(() => online(people.ana, {}, { storage, surroundings: clock })));
    const [renewing, leaving, ended] = tabs as [Client, Client, Client];
    const his = createClient({ url: app.url, storage });
    await becomes(his, people.bob);
    clock.move(almostALifeMs);
    assert.equal((await renewing.rest('getMe')).id, people.ana.id);
    await leaving.signOut();
    const told = heard(ended, 'session', ({ state }) => state === 'ended');
    await people.ana.call('DELETE', '/v1/sessions');
    await told;
    await ended.stop();
    assert.equal((await fresh(storage)).user?.id, people.bob.id);
  });

  it('then she is gone from a tab that takes up what the storage has', async () => {
    const storage = memoryStorage();
    const tab = await online(people.ana, {}, { storage });
    await becomes(createClient({ url: app.url, storage }), people.bob);
    assert.equal((await tab.resume())?.id, people.bob.id);
    assert.deepEqual([tab.conversations, tab.connection.state], [[], 'stopped']);
  });

  it('and she has signed out, then nothing of hers was left behind', async () => {
    const storage = memoryStorage();
    const client = createClient({ url: app.url, storage });
    await becomes(client, people.ana);
    client.send(groups.both, { text: 'never sent' });
    await client.stop();
    const again = await online(
      people.ana,
      { ask: (name, _input, go) => (name === 'message.send' ? never : go()) },
      { storage },
    );
    await holds(again, () => again.conversation(groups.both)?.outgoing.length === 1);
    await again.signOut();
    assert.deepEqual([await keys(storage), again.conversations, again.user], [[], [], undefined]);
    await becomes(again, people.ana);
    await again.start();
    assert.deepEqual(again.conversation(groups.both)?.outgoing, []);
    expectStatus(await people.ana.call('GET', '/v1/me'), 200);
  });

  it('when she signs out, then what she wrote in another tab is gone as well, and that tab sends it no more', async () => {
    const storage = memoryStorage();
    const one = createClient({ url: app.url, storage });
    await becomes(one, people.ana);
    const other = await fresh(storage);
    const sending = other.send(groups.both, { text: 'never sent' });
    await other.stop();
    await one.signOut();
    assert.deepEqual(await keys(storage), []);
    await becomes(other, people.ana);
    const told = assert.rejects(sending.stored, { code: 'settled_elsewhere' });
    await other.start();
    await told;
    await other.send(groups.both, { text: 'written since' }).stored;
    assert.deepEqual(
      other.conversation(groups.both)?.messages.map(({ text }) => text),
      ['written since'],
    );
  });

  for (const stage of ['farewell', 'logout', 'storage'] as const)
    it(`while she signs out, at the ${stage}, then he stays`, async () => {
      const [reached, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const at = async <T>(here: boolean, go: () => Promise<T>) => {
        if (here && leaving) {
          reached.resolve();
          await gate.promise;
        }
        return go();
      };
      let leaving = false;
      /** The server has been told that she leaves. */
      let told = false;
      await send(people.bob, groups.both, 'to Ana');
      const kept = memoryStorage();
      const storage: ClientStorage = {
        ...kept,
        get: async (key) => {
          const value = await kept.get(key);
          return at(stage === 'storage' && told, async () => value);
        },
      };
      const slow: typeof fetch = (input, init) => {
        const isLogout = urlOf(input).endsWith('/logout');
        told ||= isLogout;
        return at(stage === 'logout' && isLogout, () => fetch(input, init));
      };
      const ask: Tap['ask'] = (name, _input, go) => at(stage === 'farewell' && name === 'receipt.update', go);
      const limits = { ...eager, acknowledgeMs: 60_000, farewellMs: 60_000 };
      const client = await online(people.ana, { ask }, { storage, limits, surroundings: { fetch: slow } });
      client.markRead(groups.both);
      leaving = true;
      const signedOut = client.signOut();
      await reached.promise;
      leaving = false;
      await becomes(client, people.bob);
      await client.start();
      gate.resolve();
      await signedOut;
      assert.equal(((await kept.get('session')) as { user: { id: string } } | undefined)?.user.id, people.bob.id);
      assert.equal(client.connection.state, 'online');
      assert.equal((await client.rest('getMe')).id, people.bob.id);
      assert.equal(client.conversations.length, 1);
    });
});
