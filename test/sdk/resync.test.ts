import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { setImmediate } from 'node:timers/promises';
import { type Client, type ClientConversation, type ClientLimits, clientLimits } from '../../sdk/index.ts';
import { surroundings } from '../../sdk/surroundings.ts';
import { Resync } from '../../sdk/sync/resync.ts';
import type { ConversationId } from '../../contracts/ids.ts';
import { type Person, makeGroup, read, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Tap, clientOf, clientsOfEachTest, eager, heard, holds, movableClock, tapped } from '../support/client.ts';
import { expectStatus } from '../support/rest.ts';
import { urlOf } from '../support/url-of.ts';

describe('what has no version, where live events are lost', () => {
  let app: TestApp;
  const clients = clientsOfEachTest();
  before(async () => {
    app = await startApp();
  });
  after(() => app.stop());

  /** As soon as something is due and has not come. */
  const soon = { ...eager, lossMs: 50, resyncRestMs: 50 };
  const online = async (person: Person, limits: Partial<ClientLimits>, tap: Tap = {}, others = {}) => {
    const client = await clientOf(app, person, { limits, surroundings: { open: tapped(tap), ...others } });
    clients.push(client);
    return client;
  };
  /** A client whose syncs are counted by the question that each begins with; `syncs` lets the time go by for what is lost. */
  const counted = async (person: Person, tap: Tap = {}) => {
    const [clock, limits] = [movableClock(), { ...eager, lossMs: 60_000 }];
    let begun = 0;
    const count: typeof fetch = (input, init) => {
      if (urlOf(input).endsWith('/v1/me/blocks')) begun += 1;
      return fetch(input, init);
    };
    const client = await online(person, limits, tap, { ...clock, fetch: count });
    const syncs = async () => {
      clock.move(limits.lossMs);
      // Whatever began with that has gone before this.
      await client.rest('getUnread');
      return begun;
    };
    return { client, syncs };
  };
  const isLive = (name: string) => name !== 'hello' && name !== 'heads';
  /** Without what the one who looks has acknowledged itself. */
  const held = (client: Client, id: string) => {
    const { me, receipts, messages } = client.conversation(id) as ClientConversation;
    return {
      me: { ...me, deliveredSeq: null },
      receipts: [...receipts].sort(),
      blocked: messages.map(({ fromBlocked }) => fromBlocked ?? false),
    };
  };
  const people = async () => {
    const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
    const { id } = await makeGroup(ana, [bob, cleo]);
    for (const text of ['one', 'two', 'three']) await send(ana, id, text);
    return { ana, bob, cleo, id };
  };
  /** Bob reads, marks and sets by another device, and Cleo reads. */
  const change = async ({ ana, bob, cleo, id }: Awaited<ReturnType<typeof people>>) => {
    expectStatus(await read(bob, id, 2), 200);
    expectStatus(await bob.call('PUT', `/v1/conversations/${id}/unread-mark`, { seq: 1 }), 200);
    expectStatus(await bob.call('PATCH', `/v1/conversations/${id}/me`, { level: 'nothing', pinned: true }), 200);
    expectStatus(await bob.call('PUT', `/v1/me/blocks/${ana.id}`), 204);
    expectStatus(await read(cleo, id, 3), 200);
  };
  /** What the client comes to hold is what one is given that holds nothing yet. */
  const converges = async (client: Client, { bob, cleo, id }: Awaited<ReturnType<typeof people>>) => {
    const fresh = held(await online(bob, eager), id);
    await holds(client, () => isDeepStrictEqual(held(client, id), fresh)).catch(() => {});
    assert.deepEqual(held(client, id), fresh);
    assert.equal(fresh.blocked[0], true);
    assert.deepEqual([fresh.me.readSeq, fresh.me?.unreadMark, fresh.me?.level], [2, 1, 'nothing']);
    assert.equal(client.conversation(id)?.receipts.get(cleo.me.id)?.readSeq, 3);
  };

  it('all of them, and the digest brings something, then the rest is asked for with it', async () => {
    const all = await people();
    const client = await online(all.bob, soon, { hear: (name, payload, pass) => isLive(name) || pass(name, payload) });
    await change(all);
    await send(all.cleo, all.id, 'four');
    await converges(client, all);
  });

  it('and a gap shows that one is missing, then the rest is asked for with it', async () => {
    const all = await people();
    const missed = Promise.withResolvers<void>();
    let deaf = true;
    const client = await online(all.bob, soon, {
      hear(name, payload, pass) {
        if (!deaf || !isLive(name)) return pass(name, payload);
        if (name === 'event') missed.resolve();
      },
    });
    await change(all);
    await send(all.cleo, all.id, 'four');
    await missed.promise;
    deaf = false;
    await send(all.cleo, all.id, 'five');
    await converges(client, all);
  });

  it('and nothing shows that they are, then it is asked for all the same after a time', async () => {
    const all = await people();
    const client = await online(
      all.bob,
      { ...eager, resyncMs: 300, resyncRestMs: 50 },
      { hear: (name, payload, pass) => isLive(name) || pass(name, payload) },
    );
    await change(all);
    await converges(client, all);
  });

  it('and nothing is lost, then nothing more is asked for', async () => {
    const all = await people();
    const [heads, early] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { client, syncs } = await counted(all.bob, {
      async hear(name, payload, pass) {
        // What the digest tells comes before the event that it is about.
        if (name === 'event') await early.promise;
        pass(name, payload);
        if (name === 'heads') heads.resolve();
      },
      async ask(name, _, go) {
        // The gap is filled by the event itself.
        if (name === 'events.after') await early.promise;
        return go();
      },
    });
    await send(all.cleo, all.id, 'four');
    await heads.promise;
    early.resolve();
    await holds(client, () => client.conversation(all.id)?.lastSeq === 4);
    assert.equal(await syncs(), 0);
  });

  it('and somebody comes into a conversation, then nothing counts as lost', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const { id } = await makeGroup(ana, []);
    await send(ana, id, 'before');
    const { client, syncs } = await counted(bob);
    expectStatus(await ana.call('POST', `/v1/conversations/${id}/members`, { userIds: [bob.id] }), 200);
    await holds(client, () => client.conversation(id) !== undefined);
    assert.equal(await syncs(), 0);
  });

  it('then an answer that was asked for before something was set takes nothing of it back', async () => {
    const all = await people();
    const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const client = await online(
      all.bob,
      { ...eager, resyncMs: 300, resyncRestMs: 60_000 },
      {
        async ask(name, _, go) {
          const answer = await go();
          if (name !== 'sync') return answer;
          asked.resolve();
          await answered.promise;
          return answer;
        },
      },
    );
    await asked.promise;
    await client.updateMembership(all.id, { level: 'nothing' });
    await send(all.cleo, all.id, 'four');
    const levels: unknown[] = [];
    client.on('conversation', () => levels.push(client.conversation(all.id)?.me.level));
    answered.resolve();
    await holds(client, () => client.conversation(all.id)?.me.unread === 4);
    assert.deepEqual(new Set(levels), new Set(['nothing']));
  });

  it('then what an older connection was asked holds back nothing of a new one', async () => {
    const { ana, bob, id } = await people();
    const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const [told, greeted] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let [connections, close] = [0, () => {}];
    const open = tapped({
      opened(_, end) {
        connections += 1;
        close = end;
      },
      hear(name, payload, pass) {
        if (name === 'hello' && connections === 2) return void greeted.promise.then(() => pass(name, payload));
        pass(name, payload);
        if (name === 'draft') told.resolve();
      },
    });
    const client = await clientOf(app, bob, {
      limits: { ...eager, resyncMs: 300 },
      surroundings: {
        open,
        async fetch(input, init) {
          const answer = await fetch(input, init);
          if (!urlOf(input).endsWith('/v1/me/blocks')) return answer;
          asked.resolve();
          await answered.promise;
          return answer;
        },
      },
    });
    clients.push(client);
    await asked.promise;
    close();
    await heard(client, 'connection', ({ state }) => state === 'connecting');
    // Until the node follows the new connection nothing is told to it.
    const drafting = setInterval(() => void bob.call('PUT', `/v1/conversations/${id}/draft`, { text: 'begun' }), 50);
    await told.promise.finally(() => clearInterval(drafting));
    const draft = heard(client, 'draft');
    answered.resolve();
    for (let turn = 0; turn < 20; turn += 1) await setImmediate();
    greeted.resolve();
    await draft;
    await send(ana, id, 'four');
    await holds(client, () => client.conversation(id)?.messages.at(-1)?.text === 'four');
  });

  it('then a connection that is lost meanwhile leaves what it was asked to the next', async () => {
    const all = await people();
    const asked = Promise.withResolvers<void>();
    let close = () => {};
    const client = await online(
      all.bob,
      { ...eager, resyncMs: 300, resyncRestMs: 60_000 },
      {
        opened: (_, end) => {
          close = end;
        },
        ask: (name, _, go) => {
          if (name === 'sync') asked.resolve();
          return name === 'sync' ? new Promise(() => {}) : go();
        },
      },
    );
    await asked.promise;
    const again = heard(client, 'connection', ({ state }) => state === 'online');
    close();
    await again;
    await send(all.cleo, all.id, 'four');
    await holds(client, () => client.conversation(all.id)?.messages.at(-1)?.text === 'four');
  });
});

describe('the look for what was lost', () => {
  const id = 'c' as ConversationId;
  /** The syncs that were asked for; the first ones fail. */
  const looking = (failing = 0) => {
    const clock = movableClock();
    let syncs = 0;
    const resync = new Resync({
      limits: clientLimits,
      surroundings: { ...surroundings, ...clock, random: () => 1 },
      sync: () => {
        syncs += 1;
        return syncs > failing ? Promise.resolve() : Promise.reject(new Error('not now'));
      },
    });
    const after = async (ms: number) => {
      clock.move(ms);
      for (let turn = 0; turn < 5; turn += 1) await setImmediate();
      return syncs;
    };
    resync.open();
    return { resync, after };
  };
  const { lossMs, resyncMs, resyncRestMs } = clientLimits;

  it('takes nothing for lost that comes while it waits', async () => {
    const { resync, after } = looking();
    resync.expect(id, 7);
    assert.equal(await after(lossMs - 1_000), 0);
    resync.heard(id, 7);
    assert.equal(await after(1_000), 0);
    resync.expect(id, 8);
    resync.expect(id, 9);
    resync.heard(id, 9);
    assert.equal(await after(lossMs), 1);
    resync.close();
  });

  it('asks once for all that is lost before it may ask again', async () => {
    const { resync, after } = looking();
    resync.expect(id, 7);
    assert.equal(await after(lossMs), 1);
    resync.expect(id, 8);
    assert.equal(await after(lossMs), 1);
    assert.equal(await after(resyncRestMs), 2);
    resync.close();
  });

  it('asks again where no answer came', async () => {
    const { resync, after } = looking(1);
    assert.equal(await after(resyncMs), 1);
    assert.equal(await after(resyncRestMs), 2);
    assert.equal(await after(resyncRestMs), 2);
    resync.close();
  });

  it('asks nothing where there is no connection', async () => {
    const { resync, after } = looking();
    resync.expect(id, 7);
    resync.close();
    resync.expect(id, 8);
    assert.equal(await after(resyncMs), 0);
  });
});
