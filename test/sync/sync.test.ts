import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import fc from 'fast-check';
import type { ConversationEvent, EventsAfter, SyncResponse } from '../../contracts/entities/index.ts';
import type { SocketError } from '../../contracts/errors.ts';
import type { UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import { answerBytes } from '../../domain/sync/budget.ts';
import { syncBudget } from '../../domain/sync/sync.ts';
import {
  type Person,
  makeChannel,
  makeDirect,
  makeGroup,
  read,
  registerPeople,
  registerPerson,
  send,
} from '../factories/person.ts';
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
        level: null,
        mutedUntil: null,
        channels: { push: null, email: null, sms: null },
        muteExcept: null,
        archived: false,
        pinned: false,
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
      const count = syncBudget.budget / syncBudget.snapshotCost + 5;
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

    it('takes what is known in any order', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const groups = [];
      for (let n = 0; n < 6; n += 1) groups.push(await makeGroup(ana, [bob], `group ${n}`));
      const known = [...groups.map(({ id }) => [id, 1]), [randomUUIDv7(), 3]];
      for (const { id } of groups.slice(0, 4)) await send(ana, id, 'hello');
      const answers = await Promise.all(
        [known, known.toReversed(), [...known.slice(3), ...known.slice(0, 3)]].map((some) => syncOnce(bob, some)),
      );
      assert.deepEqual(
        answers[0]?.changes.map(({ how }) => how),
        ['events', 'events', 'events', 'events', 'lost'],
      );
      for (const answer of answers) assert.deepEqual(answer, answers[0]);
    });

    it('tells what is lost by whichever call names it, in whatever parts what is known is named', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const count = syncBudget.budget / syncBudget.snapshotCost + 1;
      for (let n = 0; n < count; n += 1) await makeGroup(ana, [bob], `group ${n}`);
      const [early, late] = ['00000000-0000-7000-8000-000000000001', 'ffffffff-ffff-7fff-bfff-ffffffffffff'];
      const lost = ({ changes }: SyncResponse) =>
        changes.filter(({ how }) => how === 'lost').map(({ conversationId }) => conversationId as string);
      const first = await syncOnce(bob, [[late, 1]]);
      assert.ok(first.cursor);
      const second = await syncOnce(bob, [[early, 1]], first.cursor);
      assert.deepEqual([lost(first), lost(second)], [[late], [early]]);
    });

    it('refuses a conversation that is named twice, and says where', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const { id } = await makeGroup(ana, [bob]);
      const other = randomUUIDv7();
      const known = [
        [id, 1],
        [other, 1],
        [id.toUpperCase(), 2],
      ];
      assert.deepEqual(expectProblem(await bob.call('POST', '/v1/sync', { known }), 400, 'invalid_input'), [
        'known.2.0',
      ]);
      const socket = await connect(app.url, { token: bob.token });
      const asked = await socket.ask('sync', { known });
      assert.ok(!asked.ok && asked.error.code === 'invalid_input' && asked.error.errors?.[0]?.path === 'known.2.0');
      socket.close();
      await assert.rejects(connect(app.url, { token: bob.token, known }), (error: Error & { data?: SocketError }) => {
        assert.deepEqual([error.data?.code, error.data?.errors?.[0]?.path], ['invalid_input', 'auth.known.2.0']);
        return true;
      });
    });

    it('refuses more conversations than a call takes', async () => {
      const ana = await registerPerson(app);
      const known = Array.from({ length: limits.syncConversations + 1 }, () => [randomUUIDv7(), 1, true]);
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

    const everything = async (person: Person) => {
      const client = new SyncClient(person.id);
      await syncAll(person, client);
      return client;
    };
    const settle = (person: Person, id: string, settings: object) =>
      person.call('PATCH', `/v1/conversations/${id}/me`, settings).then((answer) => expectStatus(answer, 200));

    it('watermarks of others and settings of one’s own too, whether anything else moved or not', async () => {
      const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
      const [still, moved] = [await makeGroup(ana, [bob, cleo], 'still'), await makeGroup(ana, [bob, cleo], 'moved')];
      const [direct, channel] = [await makeDirect(bob, ana), await makeChannel(ana, { memberIds: [bob.id, cleo.id] })];
      for (const { id } of [still, moved, direct, channel]) await send(ana, id, 'hello');
      const client = await everything(bob);
      await Promise.all([still, moved, direct, channel].map(({ id }) => read(ana, id, 1)));
      await Promise.all([still, moved, channel].map(({ id }) => read(cleo, id, 1)));
      await send(cleo, moved.id, 'more');
      await settle(bob, still.id, { archived: true, level: 'mentions' });
      await settle(bob, moved.id, { pinned: true, mutedUntil: '2100-01-01T00:00:00.000Z' });
      await read(bob, direct.id, 1);
      const answer = await syncOnce(bob, client.known);
      assert.deepEqual(
        answer.changes.map(({ conversationId, how }) => [conversationId, how]),
        [[moved.id, 'events']],
      );
      client.take(answer);
      const expected = await everything(bob);
      assert.equal(expected.everything.get(still.id)?.receipts.get(cleo.id as UserId)?.readSeq, 1);
      assert.deepEqual(client.everything, expected.everything);
    });

    it('who does not tell how far they have read does not tell it by a sync', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      await send(bob, group.id, 'hello');
      const client = await everything(bob);
      expectStatus(await ana.call('PATCH', '/v1/me', { privacy: { tellRead: false } }), 200);
      await read(ana, group.id, 1);
      const answer = await syncOnce(bob, client.known);
      assert.deepEqual(answer.receipts, [
        { conversationId: group.id, members: [{ userId: ana.id, deliveredSeq: 1, readSeq: null, cameSeq: 0 }] },
      ]);
      client.take(answer);
      assert.deepEqual(client.everything, (await everything(bob)).everything);
    });

    it('of a channel, of what stands still and of where all have come to the end no watermarks are told', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const [group, channel] = [await makeGroup(ana, [bob]), await makeChannel(ana, { memberIds: [bob.id] })];
      for (const { id } of [group, channel]) await send(bob, id, 'hello');
      const behind = await everything(bob);
      assert.deepEqual(
        new Map(behind.known.map(([id, , unsettled]) => [id as string, unsettled])),
        new Map([
          [group.id, true],
          [channel.id, undefined],
        ]),
      );
      await read(ana, group.id, 1);
      const settled = await everything(bob);
      assert.ok(settled.known.every(([, , unsettled]) => unsettled === undefined));
      assert.deepEqual((await syncOnce(bob, settled.known)).receipts, []);
      const asked = settled.known.map(([id, version]) => [id, version, true]);
      assert.deepEqual(
        (await syncOnce(bob, asked)).receipts.map(({ conversationId }) => conversationId as string),
        [group.id],
      );
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
