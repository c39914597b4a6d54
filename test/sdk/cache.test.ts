import assert from 'node:assert/strict';
import fc from 'fast-check';
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import type { Message, SyncResponse } from '../../contracts/entities/index.ts';
import {
  type Client,
  type ClientConversation,
  type ClientOptions,
  type ClientStorage,
  createClient,
  indexedDbStorage,
  memoryStorage,
} from '../../sdk/index.ts';
import type { IndexedDb } from '../../sdk/storage/indexed-db.ts';
import { type Person, makeChannel, makeGroup, password, read, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Tap, clientOf, clientsOfEachTest, eager, heard, holds, movableClock, tapped } from '../support/client.ts';
import { expectStatus } from '../support/rest.ts';

type Options = Partial<ClientOptions>;

/** As somebody may write one who has files or strings to keep things in. */
function jsonStorage(): ClientStorage {
  const memory = memoryStorage();
  const toText = (value: unknown) => (value === undefined ? undefined : JSON.stringify(value));
  const toValue = (text: unknown): unknown => (text === undefined ? undefined : JSON.parse(text as string));
  return {
    ...memory,
    get: async (key) => toValue(await memory.get(key)),
    set: (key, value) => memory.set(key, toText(value)),
    write: (changes) => memory.write(changes.map(([key, value]) => [key, toText(value)])),
    entries: async (prefix) => (await memory.entries(prefix)).map(([key, text]) => [key, toValue(text)]),
  };
}

const storages: Record<string, () => ClientStorage> = {
  memory: memoryStorage,
  JSON: jsonStorage,
  IndexedDB: () => indexedDbStorage({ indexedDB: new IDBFactory() as unknown as IndexedDb, IDBKeyRange }),
};

/** Writes down what is written in one go. */
function counted(storage: ClientStorage) {
  const [writes, first] = [[] as string[][], Promise.withResolvers<void>()];
  const write: ClientStorage['write'] = async (changes) => {
    writes.push(changes.map(([key]) => key));
    await storage.write(changes);
    first.resolve();
  };
  return { storage: { ...storage, write }, writes, written: first.promise };
}

describe('what the client keeps of conversations', () => {
  let app: TestApp;
  const clients = clientsOfEachTest();
  before(async () => {
    app = await startApp({
      processes: [
        ['api', 'realtime'],
        ['api', 'realtime'],
      ],
    });
  });
  after(() => app.stop());

  const texts = (messages: readonly Message[] = []) => messages.map(({ text }) => text);
  const kept = (storage: ClientStorage) => storage.entries('conversations/');
  const online = async (person: Person, options: Options = {}) => {
    const client = await clientOf(app, person, { limits: eager, ...options });
    clients.push(client);
    return client;
  };
  /** A client in a new process: only the storage is what it was. */
  const later = async (storage: ClientStorage, options: Options = {}) => {
    const client = createClient({ url: app.url, limits: eager, storage, ...options });
    clients.push(client);
    const told: Message[] = [];
    client.on('message', ({ message }) => void told.push(message));
    await client.resume();
    return { client, told };
  };
  /** What the connect names, and what the hello brings. */
  const watched = (tap: Tap = {}) => {
    const [known, syncs]: [[string, number][][], SyncResponse[]] = [[], []];
    const open = tapped({
      ...tap,
      opened: (auth) => void known.push((auth.known ?? []).map(([id, version]) => [id, version])),
      hear: (name, payload, pass) => {
        if (name === 'hello') syncs.push((payload as { sync: SyncResponse }).sync);
        pass(name, payload);
      },
    });
    return { known, syncs, surroundings: { open } };
  };
  /** All but what is told outside the log. */
  const logged = (conversation: ClientConversation | undefined) => ({ ...conversation, me: null, receipts: null });

  for (const [name, create] of Object.entries(storages)) {
    describe(`in ${name}`, () => {
      it('when a client starts again offline, then it shows what it had at once', async () => {
        const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
        const group = await makeGroup(ana, [bob]);
        const storage = create();
        const first = await online(bob, { storage });
        const message = heard(first, 'message');
        const { id } = await send(ana, group.id, 'hello');
        await message;
        await first.rest('addReaction', { params: { id: group.id, messageId: id, emoji: '👍' } });
        await holds(first, () => first.conversation(group.id)?.version === 3);
        await first.stop();
        const { client } = await later(storage, { url: 'http://127.0.0.1:1' });
        assert.deepEqual(client.conversation(group.id), first.conversation(group.id));
        assert.equal(client.conversations.length, 1);
        client.send(group.id, { text: 'written offline' });
        assert.equal(client.conversation(group.id)?.outgoing.length, 1);
      });

      it('when it starts again online, then it names what it holds and is sent only what has moved', async () => {
        const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
        const [moved, still] = [await makeGroup(ana, [bob], 'moved'), await makeGroup(ana, [bob], 'still')];
        await send(ana, moved.id, 'one');
        const storage = create();
        await (await online(bob, { storage })).stop();
        await send(ana, moved.id, 'two');
        const { known, syncs, surroundings } = watched();
        const { client, told } = await later(storage, { surroundings });
        await client.start();
        const held = [moved.id, still.id].sort().map((id) => [id, id === moved.id ? 2 : 1]);
        assert.deepEqual(known, [held]);
        assert.deepEqual(
          syncs[0]?.changes.map(({ conversationId, how, events }) => [conversationId, how, events.length]),
          [[moved.id, 'events', 1]],
        );
        assert.deepEqual([texts(client.conversation(moved.id)?.messages), texts(told)], [['one', 'two'], ['two']]);
      });

      it('when much comes in a burst, then it is written once, later; a crash before costs a catch-up and no more', async () => {
        const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
        const group = await makeGroup(ana, [bob]);
        const { storage, writes, written } = counted(create());
        const [clock, limits] = [movableClock(), { ...eager, keepMs: 60_000 }];
        const dying = await online(bob, { storage, limits, surroundings: clock });
        const all = heard(dying, 'message', ({ message }) => message.text === '19');
        for (let n = 0; n < 20; n += 1) await send(ana, group.id, `${n}`);
        await all;
        assert.deepEqual(writes, []);
        clock.move(limits.keepMs);
        await written;
        const more = heard(dying, 'message');
        await send(ana, group.id, 'not written');
        await more;
        assert.deepEqual(writes, [[`conversations/${bob.id}/${group.id}`]]);
        const { known, surroundings } = watched();
        const { client } = await later(storage, { surroundings });
        await client.start();
        assert.deepEqual(known, [[[group.id, 21]]]);
        assert.deepEqual(client.conversation(group.id), dying.conversation(group.id));
      });
    });
  }

  it('whatever happens while it is away, then what was kept and the sync are what a fresh one is given', async () => {
    for (let seed = 1; seed <= 4; seed += 1) {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const groups = await Promise.all(['one', 'two', 'three'].map((title) => makeGroup(ana, [bob], title)));
      const picks = fc.sample(fc.nat(10_000), { seed, numRuns: 200 });
      const messages: Message[] = [];
      let next = 0;
      const pick = (below: number) => (picks[next++] ?? 0) % below;
      const happen = async () => {
        const target = messages[pick(Math.max(1, messages.length))];
        const on = `/v1/conversations/${target?.conversationId}/messages/${target?.id}`;
        const by = pick(3) === 0 ? bob : ana;
        const what = pick(6);
        if (what === 0 && target) await by.call('PUT', `${on}/reactions/${encodeURIComponent('🎉')}`);
        else if (what === 1 && target) await (target.senderId === ana.id ? ana : bob).call('DELETE', on);
        else if (what === 2 && target) await read(bob, target.conversationId, target.seq);
        else messages.push(await send(by, groups[pick(3)]?.id ?? '', `message ${next}`));
      };
      const storage = memoryStorage();
      for (let round = 0; round < 3; round += 1) {
        for (let n = 0; n < 12; n += 1) await happen();
        const { client } = await later(storage);
        if (!client.user) await client.signIn({ identifier: bob.email, password });
        await client.start();
        const fresh = await online(bob);
        for (const { id } of groups) {
          const [mine, theirs] = [client.conversation(id), fresh.conversation(id)];
          assert.deepEqual(logged(mine), logged(theirs), `seed ${seed}, round ${round}`);
          assert.deepEqual([mine?.me.unread, mine?.me.readSeq], [theirs?.me.unread, theirs?.me.readSeq]);
        }
        await client.stop();
      }
    }
  }).timeout(60_000);

  it('when the person was removed while it was away, then the conversation is told as lost and kept no longer', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const storage = memoryStorage();
    await (await online(bob, { storage })).stop();
    assert.equal((await kept(storage)).length, 1);
    expectStatus(await ana.call('DELETE', `/v1/conversations/${group.id}/members/${bob.id}`), 204);
    const { client } = await later(storage);
    const lost = heard(client, 'conversation', ({ how }) => how === 'removed');
    await client.start();
    assert.equal((await lost).last?.type, 'members.removed');
    await client.stop();
    assert.deepEqual(await kept(storage), []);
  });

  it('when a process dies between hearing and acknowledging, then the next one is told again, and no more', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const [group, news] = [await makeGroup(ana, [bob]), await makeChannel(ana, { memberIds: [bob.id] })];
    await send(ana, group.id, 'acknowledged');
    await read(bob, group.id, 1);
    const storage = memoryStorage();
    const never = new Promise<never>(() => undefined);
    const ask: Tap['ask'] = (name, _input, go) => (name === 'receipt.update' ? never : go());
    const limits = { ...eager, farewellMs: 20 };
    const dying = await online(bob, { storage, limits, surroundings: { open: tapped({ ask }) } });
    const both = Promise.all([group.id, news.id].map((id) => heard(dying, 'message', (m) => m.conversationId === id)));
    await send(ana, group.id, 'heard');
    await send(ana, news.id, 'news');
    await both;
    await dying.stop();
    await send(ana, group.id, 'missed');
    for (const expected of [['heard', 'missed'], []]) {
      const { client, told } = await later(storage);
      await client.start();
      assert.deepEqual(texts(told), expected);
      await client.stop();
    }
  });

  it('when one has read offline, then the next process tells the server so', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    await send(ana, group.id, 'hello');
    const storage = memoryStorage();
    await (await online(bob, { storage })).stop();
    const { client: offline } = await later(storage, { url: 'http://127.0.0.1:1' });
    offline.markRead(group.id);
    await offline.stop();
    const { client } = await later(storage);
    assert.equal(client.conversation(group.id)?.me.unread, 0);
    const told = heard(client, 'attention', ({ unread }) => unread === 0);
    await client.start();
    await told;
    const { body } = await bob.call<ClientConversation>('GET', `/v1/conversations/${group.id}`);
    assert.deepEqual([body.me.readSeq, body.me.unread], [1, 0]);
  });

  describe('limits', () => {
    it('when there are more conversations or messages than are kept, then the latest are', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const limits = { ...eager, keptConversations: 2, keptMessages: 3 };
      const storage = memoryStorage();
      const groups: string[] = [];
      for (const title of ['a', 'b', 'c']) groups.push((await makeGroup(ana, [bob], title)).id);
      const [a = '', b = '', c = ''] = groups;
      for (const id of groups) for (const n of [1, 2, 3, 4]) await send(ana, id, `${n}`);
      const first = await online(bob, { storage, limits });
      await first.stop();
      const { client } = await later(storage, { limits });
      assert.deepEqual(client.conversations.map(({ id }) => id).sort(), [b, c].sort());
      assert.deepEqual(texts(client.conversation(b)?.messages), ['2', '3', '4']);
      await client.start();
      assert.deepEqual(texts(client.conversation(a)?.messages), ['1', '2', '3', '4'], 'it came whole');
      assert.deepEqual(texts(await client.history(b, { before: 2 })), ['1']);
      // Who falls out of the kept ones, makes room.
      await send(ana, a, '5');
      await holds(client, () => client.conversation(a)?.lastSeq === 5);
      await client.stop();
      assert.deepEqual((await kept(storage)).map(([key]) => key.split('/').at(-1)).sort(), [a, c].sort());
    });

    it('when it was kept for longer than the limit, then it is shown, and fetched whole', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      await send(ana, group.id, 'hello');
      const [storage, limits] = [memoryStorage(), { ...eager, keptMs: 86_400_000 }];
      await (await online(bob, { storage, limits })).stop();
      expectStatus(await ana.call('PATCH', '/v1/me', { displayName: 'Anna' }), 200);
      const names = (client: Client) => client.conversation(group.id)?.members?.map(({ displayName }) => displayName);
      const again = async (ms: number) => {
        const clock = movableClock();
        clock.move(ms);
        const { syncs, surroundings } = watched();
        const { client } = await later(storage, { limits, surroundings: { ...clock, ...surroundings } });
        const shown = texts(client.conversation(group.id)?.messages);
        await client.start();
        await client.stop();
        return { shown, names: names(client), hows: syncs[0]?.changes.map(({ how }) => how) };
      };
      const young = await again(limits.keptMs - 60_000);
      assert.deepEqual(young, { shown: ['hello'], names: ['Ana', 'Bob'], hows: [] });
      const old = await again(limits.keptMs + 60_000);
      assert.deepEqual(old, { shown: ['hello'], names: ['Anna', 'Bob'], hows: ['snapshot'] });
    });
  });

  it('when it is of another schema, then it is thrown away and fetched anew', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const storage = memoryStorage();
    await (await online(bob, { storage })).stop();
    const [[key, value] = ['', {}]] = await kept(storage);
    for (const foreign of [{ ...(value as object), schema: 0 }, { of: 'an older client' }, null, 'text']) {
      await storage.set(key, foreign);
      const { known, surroundings } = watched();
      const { client } = await later(storage, { surroundings });
      assert.deepEqual([client.conversations, await kept(storage)], [[], []]);
      await client.start();
      assert.deepEqual([known, client.conversation(group.id)?.title], [[[]], 'Ops']);
      await client.stop();
      assert.deepEqual((await kept(storage))[0]?.[0], key);
    }
  });

  it('when every use of the storage fails, then that is told, and what is live goes on', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const broken = () => Promise.reject(new Error('disk full'));
    const storage = { get: broken, set: broken, delete: broken, write: broken, entries: broken };
    const client = createClient({ url: app.url, limits: eager, storage });
    clients.push(client);
    const errors: string[] = [];
    client.on('error', ({ code }) => void errors.push(code));
    assert.equal(await client.resume(), undefined);
    await client.signIn({ identifier: bob.email, password });
    await client.start();
    const message = heard(client, 'message');
    await send(ana, group.id, 'hello');
    assert.equal((await message).message.text, 'hello');
    await client.signOut();
    assert.deepEqual([client.user, client.conversations], [undefined, []]);
    assert.deepEqual([...new Set(errors)], ['storage_failed']);
  });

  it('when a write failed, then what it held goes along with the next one', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    // Of channels nothing is acknowledged: one message is one move.
    const [one, two] = [await makeChannel(ana, { memberIds: [bob.id] }), await makeGroup(ana, [bob], 'two')];
    const memory = memoryStorage();
    const { storage: watching, written } = counted(memory);
    let full = false;
    const storage: ClientStorage = {
      ...memory,
      write: (changes) => (full ? Promise.reject(new Error('full')) : watching.write(changes)),
    };
    const client = await online(bob, { storage, limits: { ...eager, keepMs: 5 } });
    await written;
    full = true;
    const failed = heard(client, 'error', ({ code }) => code === 'storage_failed');
    await send(ana, one.id, 'lost for now');
    await failed;
    full = false;
    await send(ana, two.id, 'written');
    await holds(client, () => client.conversation(two.id)?.lastSeq === 1);
    await client.stop();
    const states = (await kept(memory)).map(([, value]) => (value as { state: { lastSeq: number } }).state.lastSeq);
    assert.deepEqual(states, [1, 1]);
  });

  it('when two clients share a storage, and the one that is behind writes last, then a third goes on from there', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const [indexedDB, limits] = [new IDBFactory() as unknown as IndexedDb, { ...eager, keepMs: 60_000 }];
    const tab = () => indexedDbStorage({ indexedDB, IDBKeyRange });
    const ahead = await online(bob, { storage: tab(), limits });
    let deaf = false;
    const hear: Tap['hear'] = (name, payload, pass) => {
      if (!deaf) pass(name, payload);
    };
    const { client: behind } = await later(tab(), { limits, surroundings: { open: tapped({ hear }) } });
    await behind.start();
    await ahead.send(group.id, { text: 'by the one' }).stored;
    await behind.send(group.id, { text: 'by the other' }).stored;
    for (const client of [ahead, behind]) await holds(client, () => client.conversation(group.id)?.version === 3);
    deaf = true;
    await send(ana, group.id, 'heard by one');
    await holds(ahead, () => ahead.conversation(group.id)?.version === 4);
    await ahead.stop();
    await behind.stop();
    const { known, surroundings } = watched();
    const { client: third } = await later(tab(), { surroundings });
    await third.start();
    const fresh = await online(bob);
    assert.deepEqual(known, [[[group.id, 3]]]);
    assert.deepEqual(logged(third.conversation(group.id)), logged(fresh.conversation(group.id)));
  });

  it('when the session is ended from afar, then what was kept is thrown away; signed in again, it is kept anew', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const storage = memoryStorage();
    const client = await online(bob, { storage, limits: { ...eager, keepMs: 1 } });
    const ended = heard(client, 'session', ({ state }) => state === 'ended');
    await bob.call('DELETE', '/v1/sessions');
    await ended;
    await client.stop();
    assert.deepEqual(await kept(storage), []);
    await client.signIn({ identifier: bob.email, password });
    await client.stop();
    assert.ok((await kept(storage))[0]?.[0].endsWith(group.id));
  });
});
