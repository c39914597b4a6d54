import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import fc from 'fast-check';
import type { ConversationEvent, EventsAfter, SyncResponse } from '../../contracts/entities/index.ts';
import { limits } from '../../contracts/limits.ts';
import { answerBytes } from '../../domain/sync/budget.ts';
import { syncBudget } from '../../domain/sync/sync.ts';
import { type Person, makeDirect, makeGroup, read, registerPeople, registerPerson, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { expectProblem, expectStatus } from '../support/rest.ts';
import { type TestSocket, connect } from '../support/socket.ts';
import { SyncClient } from './client.ts';

describe('sync', () => {
  let app: TestApp;
  before(async () => {
    app = await startApp();
  });
  after(() => app.stop());

  const syncOnce = async (person: Person, known: unknown, cursor?: string) =>
    expectStatus(await person.call<SyncResponse>('POST', '/v1/sync', { known, ...(cursor ? { cursor } : {}) }), 200);
  const syncAll = async (person: Person, client: SyncClient) => {
    let cursor: string | null | undefined;
    do {
      const answer: SyncResponse = await syncOnce(
        person,
        client.known.filter(([id]) => !cursor || id > idOf(cursor)),
        cursor ?? undefined,
      );
      client.take(answer);
      cursor = answer.cursor;
    } while (cursor);
  };
  const idOf = (cursor: string) => (JSON.parse(Buffer.from(cursor, 'base64url').subarray(8).toString()) as [string])[0];
  const fresh = async (person: Person) => {
    const client = new SyncClient(person.id);
    await syncAll(person, client);
    return client.conversations;
  };

  describe('after a version', () => {
    it('brings what came later, in order, and nothing twice', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      for (const text of ['one', 'two', 'three']) await send(ana, group.id, text);
      const page = async (after: number, limit = 50) =>
        expectStatus(
          await bob.call<EventsAfter>('GET', `/v1/conversations/${group.id}/events?after=${after}&limit=${limit}`),
          200,
        );
      const versions = (answer: EventsAfter) => (answer.snapshot ? [] : answer.events.map(({ version }) => version));
      assert.deepEqual(versions(await page(0)), [1, 2, 3, 4]);
      assert.deepEqual(versions(await page(2)), [3, 4]);
      assert.deepEqual(versions(await page(4)), []);
      const first = await page(0, 2);
      assert.deepEqual([versions(first), first.snapshot || first.hasMore], [[1, 2], true]);
    });

    it('brings the state to start from when the distance is over the limit, or the version is not there yet', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      await Promise.all(Array.from({ length: limits.catchUpEvents }, (_, n) => send(ana, group.id, `message ${n}`)));
      const ask = async (after: number) =>
        expectStatus(await bob.call<EventsAfter>('GET', `/v1/conversations/${group.id}/events?after=${after}`), 200);
      const head = limits.catchUpEvents + 1;
      assert.equal((await ask(head - limits.catchUpEvents)).snapshot, false, 'on the limit');
      const beyond = await ask(0);
      assert.equal(beyond.snapshot, true, 'one beyond the limit');
      assert.ok(beyond.snapshot && beyond.state.conversation.version === head);
      assert.equal((await ask(head + 1)).snapshot, true, 'ahead of what there is');
    });
  });

  describe('over all conversations', () => {
    it('tells what is unknown whole, what moved by events, what stands still not at all, and where one stands in all', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const [still, moved] = [await makeGroup(ana, [bob], 'still'), await makeGroup(ana, [bob], 'moved')];
      const client = new SyncClient(bob.id);
      await syncAll(bob, client);
      await send(ana, moved.id, 'hello');
      const unknown = await makeDirect(ana, bob);
      await read(bob, moved.id, 1);
      const answer = await syncOnce(bob, client.known);
      const how = new Map(answer.changes.map((change) => [change.conversationId as string, change.how]));
      assert.deepEqual([how.get(still.id), how.get(moved.id), how.get(unknown.id)], [undefined, 'events', 'snapshot']);
      const standing = answer.standings.find(({ conversationId }) => conversationId === moved.id);
      assert.deepEqual(standing, {
        conversationId: moved.id,
        version: 2,
        lastSeq: 1,
        deliveredSeq: 1,
        readSeq: 1,
        unread: 0,
        mentions: 0,
        unreadMark: null,
      });
      assert.equal(answer.standings.length, 3);
    });

    it('tells a conversation that one does not belong to as lost', async () => {
      const [ana, bob, eve] = await registerPeople(app, 'Ana', 'Bob', 'Eve');
      const group = await makeGroup(ana, [bob]);
      const answer = await syncOnce(eve, [
        [group.id, 1],
        [randomUUIDv7(), 7],
      ]);
      assert.deepEqual(
        answer.changes.map(({ how }) => how),
        ['lost', 'lost'],
      );
      assert.ok(answer.changes.every(({ events, state }) => events.length === 0 && state === null));
    });

    it('sends a conversation that is too far behind whole', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      await Promise.all(
        Array.from({ length: syncBudget.maxEvents + 1 }, (_, n) => send(ana, group.id, `message ${n}`)),
      );
      const how = async (version: number) => (await syncOnce(bob, [[group.id, version]])).changes[0]?.how;
      assert.equal(await how(2), 'events');
      assert.equal(await how(1), 'snapshot');
    });

    it('comes in pages when it is much, and the pages together are everything', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const count = syncBudget.total / syncBudget.snapshotCost + 5;
      for (let n = 0; n < count; n += 1) await makeGroup(ana, [bob], `group ${n}`);
      const first = await syncOnce(bob, []);
      assert.notEqual(first.cursor, null);
      assert.ok(first.changes.length < count);
      assert.equal((await fresh(bob)).size, count);
    });

    it('comes in pages when it is large, and each page can be read by a socket', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const text = 'x'.repeat(limits.messageTextLength);
      for (let n = 0; n < 5; n += 1) {
        const { id } = await makeGroup(ana, [bob], `group ${n}`);
        await Promise.all(Array.from({ length: 40 }, () => send(ana, id, text)));
      }
      const first = await syncOnce(bob, []);
      assert.notEqual(first.cursor, null);
      assert.ok(JSON.stringify(first.changes).length < 1.5 * answerBytes);
      assert.equal(first.standings.length, first.changes.length);
      assert.equal((await fresh(bob)).size, 5);
      const [known] = first.changes;
      const page = expectStatus(
        await bob.call<EventsAfter>('GET', `/v1/conversations/${known?.conversationId}/events?after=1&limit=200`),
        200,
      );
      assert.ok(!page.snapshot && page.events.length === 40 && !page.hasMore);
    });

    it('is one moment of the database: no message stands in it that its head does not count', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      const ending = new AbortController();
      const flood = (async () => {
        while (!ending.signal.aborted) await Promise.all([1, 2, 3, 4].map(() => send(ana, group.id, 'more')));
      })();
      for (let n = 0; n < 40; n += 1) {
        const [change] = (await syncOnce(bob, [])).changes;
        const newest = change?.state?.messages.at(-1)?.seq ?? 0;
        assert.equal(newest, change?.state?.conversation.lastSeq);
      }
      ending.abort();
      await flood;
    });

    it('refuses more conversations than a call takes', async () => {
      const ana = await registerPerson(app);
      const known = Array.from({ length: limits.syncConversations + 1 }, () => [randomUUIDv7(), 1]);
      expectStatus(await ana.call('POST', '/v1/sync', { known: known.slice(1) }), 200);
      assert.deepEqual(expectProblem(await ana.call('POST', '/v1/sync', { known }), 400, 'invalid_input'), ['known']);
    });
  });

  describe('the proof: old state and events make the fresh state', () => {
    /** Drops, doubles and shuffles, by a seed that a failure prints. */
    const disturb = (events: readonly ConversationEvent[], seed: number): ConversationEvent[] => {
      const random = fc.sample(fc.double({ min: 0, max: 1, noNaN: true }), { seed, numRuns: events.length * 3 + 1 });
      const kept = events.filter((_, index) => (random[index] ?? 0) > 0.3);
      const doubled = kept.flatMap((event, index) =>
        (random[events.length + index] ?? 0) > 0.7 ? [event, event] : [event],
      );
      return doubled
        .map((event, index) => ({ event, at: index + (random[2 * events.length + index] ?? 0) * 6 }))
        .sort((a, b) => a.at - b.at)
        .map(({ event }) => event);
    };

    it('whatever is dropped, doubled and put out of order, once the client has asked', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const socket: TestSocket = await connect(app.url, { token: bob.token });
      const groups = [await makeGroup(ana, [bob], 'one'), await makeGroup(ana, [bob], 'two')];
      await makeDirect(bob, ana);
      for (let n = 0; n < 40; n += 1) await send(n % 3 === 0 ? bob : ana, groups[n % 2]?.id ?? '', `message ${n}`);
      await socket.heard('event', ({ data }) => 'message' in data && data.message?.text === 'message 39');
      const heard = socket.told.event;
      assert.ok(heard.length >= 43, 'the events of making count too');
      const expected = await fresh(bob);

      for (let seed = 1; seed <= 25; seed += 1) {
        const client = new SyncClient(bob.id);
        const halves = disturb(heard, seed);
        for (const event of halves.slice(0, halves.length / 2)) client.hear(event);
        await syncAll(bob, client);
        for (const event of halves.slice(halves.length / 2)) client.hear(event);
        assert.deepEqual(client.conversations, expected, `seed ${seed}`);
      }
      socket.close();
    });

    it('a client that hears everything live needs to ask for nothing', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const socket = await connect(app.url, { token: bob.token, known: [] });
      const client = new SyncClient(bob.id);
      const group = await makeGroup(ana, [bob]);
      for (let n = 0; n < 10; n += 1) await send(ana, group.id, `message ${n}`);
      await socket.heard('event', ({ version }) => version === 11);
      for (const event of socket.told.event) assert.equal(client.hear(event), false);
      assert.deepEqual(client.conversations, await fresh(bob));
      socket.close();
    });
  });
});
