import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Conversation, ConversationEvent, Member, Message, SyncResponse } from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import { limits as serverLimits } from '../../contracts/limits.ts';
import type { UnreadOverview } from '../../contracts/rest/index.ts';
import { syncBudget } from '../../domain/sync/sync.ts';
import { type Client, type ClientConversation, type ClientEvents, createClient } from '../../sdk/index.ts';
import {
  type Person,
  password,
  makeChannel,
  makeDirect,
  makeGroup,
  read,
  registerPeople,
  send,
} from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Tap, clientOf, clientsOfEachTest, eager, heard, holds, tapped } from '../support/client.ts';
import { expectStatus } from '../support/rest.ts';
import { until } from '../support/until.ts';

describe('the client in step with the server', () => {
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

  const online = async (person: Person, tap: Tap = {}, options: Parameters<typeof clientOf>[2] = {}) => {
    const surroundings = { ...options.surroundings, open: tapped(tap) };
    const given = { limits: { ...eager, ...options.limits }, surroundings };
    const client = await clientOf(app, person, { ...options, ...given });
    clients.push(client);
    return client;
  };
  const texts = (messages: readonly Message[] = []) => messages.map(({ text }) => text);
  const recorded = <Name extends keyof ClientEvents>(client: Client, name: Name): ClientEvents[Name][] => {
    const all: ClientEvents[Name][] = [];
    client.on(name, (payload) => void all.push(payload));
    return all;
  };
  const at = (client: Client, id: string, version: number) =>
    holds(client, () => client.conversation(id)?.version === version);
  /** Loses its connection, and is back. */
  const reconnected = async (client: Client, close: () => void) => {
    const back = heard(client, 'connection', ({ state }) => state === 'online');
    close();
    await back;
  };

  describe('when a live event was lost', () => {
    it('then what came after it is held, the gap is fetched by one request, and all is told in order', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      let [open, most, asked] = [0, 0, 0];
      const client = await online(bob, {
        hear: (name, payload, pass) => {
          const lost = name === 'event' && [3, 4].includes((payload as ConversationEvent).version);
          if (!lost) pass(name, payload);
        },
        ask: async (name, _input, go) => {
          if (name !== 'events.after') return go();
          [open, asked] = [open + 1, asked + 1];
          most = Math.max(most, open);
          const answer = await go();
          open -= 1;
          return answer;
        },
      });
      const [changes, messages] = [recorded(client, 'change'), recorded(client, 'message')];
      for (const text of ['one', 'two', 'three', 'four', 'five', 'six']) await send(ana, group.id, text);
      await at(client, group.id, 7);
      assert.deepEqual(texts(client.conversation(group.id)?.messages), ['one', 'two', 'three', 'four', 'five', 'six']);
      assert.deepEqual(
        changes.map(({ version }) => version),
        [2, 3, 4, 5, 6, 7],
      );
      assert.deepEqual(texts(messages.map(({ message }) => message)), ['one', 'two', 'three', 'four', 'five', 'six']);
      assert.deepEqual([most, asked], [1, 1]);
    });

    it('then a failing fetch is tried again', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      let failures = 0;
      const client = await online(bob, {
        hear: (name, payload, pass) => {
          if (name !== 'event' || (payload as ConversationEvent).version !== 2) pass(name, payload);
        },
        ask: (name, _input, go) => {
          if (name !== 'events.after' || failures === 3) return go();
          failures += 1;
          return Promise.resolve({ ok: false, error: { code: 'unavailable', message: '', retryAfterMs: 1 } });
        },
      });
      await send(ana, group.id, 'one');
      await send(ana, group.id, 'two');
      await at(client, group.id, 3);
      assert.equal(failures, 3);
    });

    it('and nothing comes after it, then the digest of heads finds it', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const [group, direct] = [await makeGroup(ana, [bob]), await makeDirect(ana, bob)];
      const client = await online(bob, {
        hear: (name, payload, pass) => {
          if (name !== 'event') pass(name, payload);
        },
      });
      await send(ana, group.id, 'unheard');
      await send(ana, direct.id, 'unheard, too');
      const fresh = await makeGroup(ana, [bob], 'Fresh');
      await Promise.all([at(client, group.id, 2), at(client, direct.id, 2), at(client, fresh.id, 1)]);
      assert.deepEqual(texts(client.conversation(group.id)?.messages), ['unheard']);
    }).timeout(60_000);

    it('and so many are behind it that not all are held, then they are fetched', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      const gate = Promise.withResolvers<void>();
      const client = await online(
        bob,
        {
          hear: (name, payload, pass) => {
            if (name !== 'event' || (payload as ConversationEvent).version !== 2) pass(name, payload);
          },
          ask: async (name, _input, go) => {
            if (name === 'events.after') await gate.promise;
            return go();
          },
        },
        { limits: { heldEvents: 3 } },
      );
      for (let n = 0; n < 12; n += 1) await send(ana, group.id, `${n}`);
      gate.resolve();
      await at(client, group.id, 13);
      assert.equal(client.conversation(group.id)?.messages.length, 12);
    });

    it('and the person was removed meanwhile, then the conversation is gone', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      const held: (() => void)[] = [];
      const client = await online(bob, {
        hear: (name, payload, pass) => {
          if (name === 'event') held.push(() => pass(name, payload));
          else pass(name, payload);
        },
      });
      await send(ana, group.id, 'one');
      await send(ana, group.id, 'two');
      expectStatus(await ana.call('DELETE', `/v1/conversations/${group.id}/members/${bob.id}`), 204);
      const removed = heard(client, 'conversation', ({ how }) => how === 'removed');
      held[1]?.();
      await removed;
      assert.equal(client.conversation(group.id), undefined);
    });
  });

  describe('when the person is', () => {
    it('added to a conversation, then it comes whole, and goes on live', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, []);
      await send(ana, group.id, 'before');
      const client = await online(bob);
      assert.deepEqual(client.conversations, []);
      const added = heard(client, 'conversation', ({ how }) => how === 'added');
      await ana.call('POST', `/v1/conversations/${group.id}/members`, { userIds: [bob.id] });
      assert.equal((await added).conversationId, group.id);
      const message = heard(client, 'message');
      await send(ana, group.id, 'after');
      assert.equal((await message).message.text, 'after');
      const { members, messages, me } = client.conversation(group.id) as ClientConversation;
      assert.deepEqual(
        members?.map(({ displayName, role }) => [displayName, role]),
        [
          ['Ana', 'owner'],
          ['Bob', 'member'],
        ],
      );
      assert.deepEqual(
        messages.filter(({ kind }) => kind === 'text').map(({ text }) => text),
        ['before', 'after'],
      );
      assert.equal(me.role, 'member');
    });

    it('removed from one, then it is told with the change that ended it, and dropped', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      const client = await online(bob);
      const removed = heard(client, 'conversation', ({ how }) => how === 'removed');
      await ana.call('DELETE', `/v1/conversations/${group.id}/members/${bob.id}`);
      const { last } = await removed;
      assert.deepEqual(last?.type === 'members.removed' && last.data.userIds, [bob.id]);
      assert.equal(client.conversation(group.id), undefined);
    });

    it('removed while away, then the sync tells it as lost; added anew, it is whole again', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const [group, other] = [await makeGroup(ana, [bob]), await makeGroup(ana, [bob], 'Other')];
      const client = await online(bob);
      await client.stop();
      await send(ana, group.id, 'one');
      await ana.call('DELETE', `/v1/conversations/${group.id}/members/${bob.id}`);
      const removed = heard(client, 'conversation', ({ how }) => how === 'removed');
      await client.start();
      const { last, conversationId } = await removed;
      assert.deepEqual([conversationId, last?.type], [group.id, 'members.removed']);
      assert.deepEqual(
        client.conversations.map(({ id }) => id),
        [other.id],
      );
      await ana.call('POST', `/v1/conversations/${group.id}/members`, { userIds: [bob.id] });
      await holds(client, () => client.conversation(group.id) !== undefined);
      assert.ok(texts(client.conversation(group.id)?.messages).includes('one'));
    });

    it('removed and added again, live and while away, then it is whole in the end', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      const client = await online(bob);
      const back = async (before: string) => {
        await send(ana, group.id, before);
        await ana.call('DELETE', `/v1/conversations/${group.id}/members/${bob.id}`);
        await ana.call('POST', `/v1/conversations/${group.id}/members`, { userIds: [bob.id] });
        return (await send(ana, group.id, `after ${before}`)).version;
      };
      await at(client, group.id, await back('one'));
      await client.stop();
      const version = await back('two');
      await client.start();
      await at(client, group.id, version);
      const held = client.conversation(group.id);
      const written = held?.messages.filter(({ kind }) => kind === 'text');
      assert.deepEqual(texts(written), ['one', 'after one', 'two', 'after two']);
      assert.equal(held?.members?.length, 2);
    });
  });

  describe('when a connection begins', () => {
    it('then what comes live before the sync was applied is held', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      const hello = Promise.withResolvers<() => void>();
      const live: string[] = [];
      const starting = online(bob, {
        hear: (name, payload, pass) => {
          if (name === 'hello') return hello.resolve(() => pass(name, payload));
          live.push(name);
          pass(name, payload);
        },
      });
      const greet = await hello.promise;
      await send(ana, group.id, 'while it connects');
      while (!live.includes('event')) await new Promise((resolve) => setTimeout(resolve, 5));
      greet();
      const client = await starting;
      assert.deepEqual(texts(client.conversation(group.id)?.messages), ['while it connects']);
    });

    it('and more comes than is held, then the rest is fetched', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      const hello = Promise.withResolvers<() => void>();
      const arrived = Promise.withResolvers<void>();
      const starting = online(
        bob,
        {
          hear: (name, payload, pass) => {
            if (name === 'hello') return hello.resolve(() => pass(name, payload));
            pass(name, payload);
            if (name === 'event' && (payload as ConversationEvent).version === 7) arrived.resolve();
          },
        },
        { limits: { eventsBeforeSync: 2 } },
      );
      const greet = await hello.promise;
      for (let n = 0; n < 6; n += 1) await send(ana, group.id, `${n}`);
      await arrived.promise;
      greet();
      const client = await starting;
      await at(client, group.id, 7);
      assert.equal(client.conversation(group.id)?.messages.length, 6);
    });

    it('then the conversations stand in the order of the server’s list, those without a message by their making', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const [written, empty] = [await makeGroup(ana, [bob], 'Written'), await makeGroup(ana, [bob], 'Empty')];
      const client = await online(bob);
      await send(ana, written.id, 'later');
      await at(client, written.id, 2);
      const made = await client.createConversation({ kind: 'group', title: 'Made', memberIds: [] });
      await at(client, made.id, 1);
      const ids = ({ conversations }: Client) => conversations.map(({ id }) => id as string);
      const { items } = await client.rest('listConversations');
      assert.deepEqual(ids(client), [made.id, written.id, empty.id]);
      for (const one of [client, await online(bob)])
        assert.deepEqual(
          ids(one),
          items.map(({ id }) => id),
        );
    });

    it('then a channel of whose messages nothing may be read stands where the server’s list has it', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const channel = await makeChannel(ana, { visibility: 'open', history: 'joining' });
      const between = await makeGroup(ana, [bob], 'Between');
      await send(ana, channel.id, 'before Bob came');
      expectStatus(await bob.call('POST', `/v1/conversations/${channel.id}/join`), 200);
      const client = await online(bob);
      const { items } = await client.rest('listConversations');
      const places = (all: readonly { id: string; lastActiveAt: string }[]) =>
        all.map(({ id, lastActiveAt }) => ({ id, lastActiveAt }));
      assert.deepEqual(
        places(items).map(({ id }) => id),
        [channel.id, between.id],
      );
      assert.deepEqual(places(client.conversations), places(items));
      await send(ana, between.id, 'later');
      await at(client, between.id, 2);
      assert.deepEqual(places(client.conversations), places((await client.rest('listConversations')).items));
    });

    it('again, then only what was missed is sent, and a long absence brings the whole state', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const [near, far] = [await makeGroup(ana, [bob], 'near'), await makeGroup(ana, [bob], 'far')];
      const hellos: SyncResponse[] = [];
      const client = await online(bob, {
        hear: (name, payload, pass) => {
          if (name === 'hello') hellos.push((payload as { sync: SyncResponse }).sync);
          pass(name, payload);
        },
      });
      await client.stop();
      await send(ana, near.id, 'missed');
      await Promise.all(Array.from({ length: syncBudget.maxEvents + 1 }, (_, n) => send(ana, far.id, `${n}`)));
      // Read elsewhere, they are new here all the same.
      await read(bob, far.id, syncBudget.maxEvents + 1);
      await read(bob, near.id, 1);
      const messages = recorded(client, 'message');
      await client.start();
      const standing = (id: string) => {
        const me = client.conversation(id)?.me;
        return [me?.readSeq, me?.unread];
      };
      assert.deepEqual(
        [standing(near.id), standing(far.id)],
        [
          [1, 0],
          [syncBudget.maxEvents + 1, 0],
        ],
      );
      const how = new Map(hellos[1]?.changes.map((change) => [change.conversationId as string, change.how]));
      assert.deepEqual([how.get(near.id), how.get(far.id)], ['events', 'snapshot']);
      assert.deepEqual(texts(client.conversation(near.id)?.messages), ['missed']);
      assert.equal(client.conversation(far.id)?.version, syncBudget.maxEvents + 2);
      const told = () => messages.filter(({ conversationId }) => conversationId === far.id);
      await holds(client, () => told().length > syncBudget.maxEvents);
      assert.deepEqual(
        told().map(({ message }) => message.seq),
        Array.from({ length: syncBudget.maxEvents + 1 }, (_, n) => n + 1),
      );
    });

    it('again, then it holds what a fresh one does: how far others are and what was set on another device, too', async () => {
      const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
      const [still, moved] = [await makeGroup(ana, [bob, cleo], 'still'), await makeGroup(ana, [bob, cleo], 'moved')];
      for (const { id } of [still, moved]) await send(bob, id, 'read this');
      const client = await online(bob);
      await client.stop();
      for (const { id } of [still, moved]) await read(ana, id, 1);
      await read(cleo, still.id, 1);
      await send(cleo, moved.id, 'done');
      const settings = { archived: true, level: 'mentions', mutedUntil: '2100-01-01T00:00:00.000Z' };
      for (const { id } of [still, moved])
        expectStatus(await bob.call('PATCH', `/v1/conversations/${id}/me`, settings), 200);
      await client.start();
      const fresh = await online(bob);
      // Each acknowledges what was written meanwhile.
      for (const one of [client, fresh])
        await holds(
          one,
          () => one.conversation(moved.id)?.me.deliveredSeq === 2 && one.conversation(still.id) !== undefined,
        );
      for (const { id } of [still, moved]) assert.deepEqual(client.conversation(id), fresh.conversation(id));
      assert.equal(client.conversation(still.id)?.receipts.get(cleo.id as UserId)?.readSeq, 1);
      assert.equal(client.conversation(still.id)?.me.archived, true);
    });

    it('again, then it hears how far those are who tell it again', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      await send(bob, group.id, 'read this');
      await read(ana, group.id, 1);
      const tells = async (tellRead: boolean) =>
        expectStatus(await ana.call('PATCH', '/v1/me', { privacy: { tellRead } }), 200);
      await tells(false);
      const client = await online(bob);
      const readSeq = () => client.conversation(group.id)?.receipts.get(ana.id as UserId)?.readSeq;
      assert.equal(readSeq(), null);
      await client.stop();
      await tells(true);
      await client.start();
      assert.equal(readSeq(), 1);
    });

    it('after a removal and a return, then the conversation was never lost', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      const client = await online(bob);
      await client.stop();
      const moves = recorded(client, 'conversation');
      expectStatus(await ana.call('DELETE', `/v1/conversations/${group.id}/members/${bob.id}`), 204);
      expectStatus(await ana.call('POST', `/v1/conversations/${group.id}/members`, { userIds: [bob.id] }), 200);
      await send(ana, group.id, 'welcome back');
      await client.start();
      await at(client, group.id, 4);
      assert.ok(moves.every(({ how }) => how !== 'removed'));
    });

    it('with more conversations than a call takes, then it asks on until it has heard of all', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const made = await online(ana);
      const count = serverLimits.syncConversations + 30;
      const all = await Promise.all(
        Array.from({ length: count }, (_, n) =>
          made.createConversation({ kind: 'group', title: `${n}`, memberIds: n % 100 === 0 ? [bob.id] : [] }),
        ),
      );
      const calls: number[] = [];
      let close = () => undefined as void;
      const client = await online(ana, {
        opened: ({ known }, end) => {
          calls.push(known?.length ?? -1);
          close = end;
        },
        ask: (name, input, go) => {
          if (name === 'sync') calls.push((input as { known: unknown[] }).known.length);
          return go();
        },
      });
      assert.equal(client.conversations.length, count);
      assert.ok(calls.length > 10, 'whole conversations come in pages');
      calls.length = 0;
      const sorted = all.map(({ id }) => id).sort();
      const [first, last] = [sorted[0] ?? '', sorted.at(-1) ?? ''];
      await reconnected(client, () => {
        close();
      });
      assert.deepEqual(calls, [serverLimits.syncConversations, count - serverLimits.syncConversations]);
      await client.stop();
      await send(ana, first, 'first');
      await send(ana, last, 'last');
      await client.start();
      assert.deepEqual(
        [first, last].map((id) => texts(client.conversation(id)?.messages)),
        [['first'], ['last']],
      );
    }).timeout(90_000);

    it('for the first time, then messages that no device of the person has acknowledged are told, no others', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const [group, news] = [await makeGroup(ana, [bob]), await makeChannel(ana, { memberIds: [bob.id] })];
      for (const text of ['old', 'older']) await send(ana, group.id, text);
      await read(bob, group.id, 2);
      await send(bob, group.id, 'mine');
      await send(ana, group.id, 'new');
      await send(ana, news.id, 'news');
      const first = async () => {
        const client = createClient({ url: app.url, limits: eager });
        clients.push(client);
        const messages = recorded(client, 'message');
        await client.signIn({ identifier: bob.email, password });
        await client.start();
        return { client, told: texts(messages.map(({ message }) => message)) };
      };
      const { client, told } = await first();
      assert.deepEqual([told, client.conversations.length], [['new'], 2]);
      await client.stop();
      assert.deepEqual((await first()).told, [], 'the first one has acknowledged it');
    });
  });

  describe('the history', () => {
    const paged = async (limit: number) => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      const sent: Message[] = [];
      for (let n = 1; n <= 10; n += 1) sent.push(await send(ana, group.id, `${n}`));
      let between: () => Promise<void> = async () => undefined;
      const watched: typeof fetch = async (input, init) => {
        const answer = await fetch(input, init);
        if ((input as string).includes('/messages?before')) await between();
        return answer;
      };
      const client = await clientOf(app, bob, {
        limits: { ...eager, messagesPerConversation: limit },
        surroundings: { fetch: watched },
      });
      clients.push(client);
      return { ana, bob, group, sent, client, meanwhile: (act: () => Promise<void>) => (between = act) };
    };

    it('when a page comes after changes of its messages that were heard live, then it shows them as they are now', async () => {
      const { ana, group, sent, client, meanwhile } = await paged(4);
      const on = (n: number) => `/v1/conversations/${group.id}/messages/${sent[n - 1]?.id}`;
      meanwhile(async () => {
        await ana.call('PATCH', on(2), { clientId: crypto.randomUUID(), text: 'two' });
        await ana.call('DELETE', on(3));
        await ana.call('PUT', `${on(4)}/reactions/${encodeURIComponent('👍')}`);
        await at(client, group.id, 14);
      });
      const page = await client.history(group.id, { before: 7 });
      assert.deepEqual(texts(page), ['1', 'two', null, '4', '5', '6']);
      assert.deepEqual(page[3]?.reactions, [{ emoji: '👍', count: 1, mine: false }]);
      const fresh = await client.history(group.id, { before: 7 });
      assert.deepEqual(page, fresh);
    });

    it('when a page goes on from what is held, then it is held too and lives on, as far as there is room', async () => {
      const { ana, group, sent, client } = await paged(500);
      const small = await paged(4);
      assert.deepEqual(texts(await small.client.history(small.group.id, { before: 7, limit: 2 })), ['5', '6']);
      assert.equal(small.client.conversation(small.group.id)?.messages.length, 4, 'there is no room');
      await client.stop();
      await client.start();
      await client.history(group.id, { before: 11, limit: 5 });
      await ana.call('PATCH', `/v1/conversations/${group.id}/messages/${sent[6]?.id}`, {
        clientId: crypto.randomUUID(),
        text: 'seven',
      });
      await at(client, group.id, 12);
      assert.equal(client.conversation(group.id)?.messages[6]?.text, 'seven');
    });

    it('when a whole new state came while the page was on its way, then the page is fetched again', async () => {
      const { ana, group, sent, client, meanwhile } = await paged(4);
      let times = 0;
      meanwhile(async () => {
        times += 1;
        if (times > 1) return;
        await client.stop();
        await ana.call('PATCH', `/v1/conversations/${group.id}/messages/${sent[1]?.id}`, {
          clientId: crypto.randomUUID(),
          text: 'two',
        });
        await Promise.all(Array.from({ length: syncBudget.maxEvents + 1 }, (_, n) => send(ana, group.id, `more ${n}`)));
        await client.start();
      });
      const page = await client.history(group.id, { before: 4 });
      assert.deepEqual([times, texts(page)], [2, ['1', 'two', '3']]);
    });

    it('when something does not go on from what is held, then it is not held: there would be a hole', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      const sent = await Promise.all(Array.from({ length: 60 }, (_, n) => send(ana, group.id, `${n}`)));
      const client = await online(bob);
      const held = () => client.conversation(group.id)?.messages.map(({ seq }) => seq) ?? [];
      const newest = Array.from({ length: 50 }, (_, n) => n + 11);
      assert.deepEqual(held(), newest);
      assert.equal((await client.history(group.id, { before: 5 })).length, 4);
      const first = sent.find(({ seq }) => seq === 1);
      assert.equal((await client.react(group.id, first?.id ?? '', '👍')).seq, 1);
      assert.deepEqual(held(), newest);
      await client.history(group.id, { before: 11 });
      assert.deepEqual(
        held(),
        Array.from({ length: 60 }, (_, n) => n + 1),
      );
    });

    it('when it is asked for one after another, then the pages together are all of it', async () => {
      const { group, client } = await paged(4);
      const all: Message[] = [];
      for (let before = 11; before > 1; before = all[0]?.seq ?? 0) {
        all.unshift(...(await client.history(group.id, { before, limit: 3 })));
      }
      assert.deepEqual(texts(all), ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']);
    });
  });

  describe('what one does', () => {
    it('to a message, is shown with the answer and stays', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      const client = await online(ana);
      const { id, seq } = await client.send(group.id, { text: 'helo' }).stored;
      const shown = () => client.conversation(group.id)?.messages[0];
      await client.edit(group.id, id, { text: 'hello' });
      assert.equal(shown()?.text, 'hello');
      await client.react(group.id, id, '👋');
      assert.deepEqual(shown()?.reactions, [{ emoji: '👋', count: 1, mine: true }]);
      await client.react(group.id, id, '👋', false);
      assert.deepEqual(shown()?.reactions, []);
      await client.delete(group.id, id);
      await at(client, group.id, 6);
      assert.deepEqual([shown()?.seq, shown()?.text], [seq, null]);
    });

    it('is refused in the server’s words, and tried again where the outcome is not known', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      const { id } = await send(ana, group.id, 'by Ana');
      let tries = 0;
      const client = await online(bob, {
        ask: (name, _input, go) => {
          if (name !== 'reaction.set') return go();
          tries += 1;
          return tries < 3 ? Promise.resolve({ ok: false, error: { code: 'outcome_unknown', message: '' } }) : go();
        },
      });
      await assert.rejects(client.edit(group.id, id, { text: 'by Bob' }), { code: 'forbidden' });
      assert.equal((await client.react(group.id, id, '👍')).reactions.length, 1);
      assert.equal(tries, 3);
    });

    it('to begin a conversation, brings it without a live event', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const client = await online(ana, {
        hear: (name, payload, pass) => {
          if (name !== 'event' && name !== 'heads') pass(name, payload);
        },
      });
      const { id } = await client.createConversation({ kind: 'direct', memberIds: [bob.id] });
      await holds(client, () => client.conversation(id) !== undefined);
      assert.equal(client.conversation(id)?.members?.length, 2);
    });

    it('to the conversation’s place in the list, is held', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      await send(ana, group.id, 'one');
      const client = await online(bob);
      await client.updateMembership(group.id, { pinned: true, level: 'mentions' });
      await client.markUnread(group.id, 1);
      const { me } = client.conversation(group.id) as ClientConversation;
      assert.deepEqual([me.pinned, me.level, me.unreadMark, me.unread], [true, 'mentions', 1, 1]);
    });

    it('to the conversation’s place in the list, when the log has overtaken it, changes nothing that the log tells', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      const overtaken = Promise.withResolvers<void>();
      const slow: typeof fetch = async (input, init) => {
        const answer = await fetch(input, init);
        if (init?.method === 'PATCH') await overtaken.promise;
        return answer;
      };
      const client = await online(bob, {}, { surroundings: { fetch: slow } });
      const setting = client.updateMembership(group.id, { pinned: true });
      const asked = () => bob.call<Conversation>('GET', `/v1/conversations/${group.id}`);
      await until(asked, ({ body }) => body.me.pinned);
      const promoted = await ana.call('PATCH', `/v1/conversations/${group.id}/members/${bob.id}`, { role: 'admin' });
      expectStatus(promoted, 204);
      await send(ana, group.id, 'one');
      await holds(client, () => client.conversation(group.id)?.me.unread === 1);
      overtaken.resolve();
      await setting;
      const { me } = client.conversation(group.id) as ClientConversation;
      assert.deepEqual([me.pinned, me.role, me.unread], [true, 'admin', 1]);
    });
  });

  describe('the proof', () => {
    /** Drops, doubles and delays, by a seed that a failure prints. */
    const unruly = (seed: number): Tap => {
      const random = fc.sample(fc.double({ min: 0, max: 1, noNaN: true }), { seed, numRuns: 5_000 });
      let next = 0;
      const roll = () => random[next++ % random.length] ?? 0;
      const late: (() => void)[] = [];
      return {
        hear: (name, payload, pass) => {
          if (name !== 'event') return pass(name, payload);
          if (roll() < 0.25) return;
          for (let times = roll() < 0.3 ? 2 : 1; times > 0; times -= 1) {
            if (roll() < 0.3) late.push(() => pass(name, payload));
            else pass(name, payload);
          }
          if (late.length > 3) for (const deliver of late.splice(0)) deliver();
        },
      };
    };

    it('whatever is dropped, doubled and delayed, the client holds what a fresh one is given, unread too', async () => {
      for (let seed = 1; seed <= 5; seed += 1) {
        const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
        const group = await makeGroup(ana, [bob]);
        const client = await online(bob, unruly(seed));
        const messages: Message[] = [];
        for (let n = 0; n < 40; n += 1) {
          const target = messages[(n * 7) % Math.max(1, messages.length)];
          const on = `/v1/conversations/${group.id}/messages/${target?.id}`;
          const by = n % 4 === 0 ? bob : ana;
          if (n % 5 === 4 && target) await ana.call('PUT', `${on}/reactions/${encodeURIComponent('🎉')}`);
          else if (n % 7 === 6 && target) await (target.senderId === ana.id ? ana : bob).call('DELETE', on);
          else if (n % 9 === 8 && messages.length > 3) await read(bob, group.id, (messages[2] as Message).seq);
          else {
            const mentions = n % 3 === 0 ? [{ type: 'user', userId: bob.id, offset: 0, length: 1 }] : [];
            messages.push(await send(by, group.id, `message ${n}`, { mentions }));
          }
        }
        const { version } = expectStatus(
          await bob.call<ClientConversation>('GET', `/v1/conversations/${group.id}`),
          200,
        );
        await compare(client, bob, group.id, version, `seed ${seed}`);
      }
    }).timeout(120_000);

    async function compare(client: Client, person: Person, id: string, version: number, name: string): Promise<void> {
      // The last events may have been dropped; the digest would say so within fifteen seconds.
      await client.stop();
      await client.start();
      await at(client, id, version);
      const fresh = await online(person);
      const [mine, theirs] = [client.conversation(id), fresh.conversation(id)];
      assert.deepEqual({ ...mine, me: null, receipts: null }, { ...theirs, me: null, receipts: null }, name);
      const counted = expectStatus(await person.call<UnreadOverview>('GET', '/v1/me/unread'), 200);
      assert.deepEqual([mine?.me.unread, mine?.me.mentions], [counted.unread, counted.mentions], name);
    }

    it('unread is right at every moment of a conversation that is heard live', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      const client = await online(bob);
      const unread = async () => expectStatus(await bob.call<UnreadOverview>('GET', '/v1/me/unread'), 200);
      const same = async (version: number) => {
        await at(client, group.id, version);
        const { me } = client.conversation(group.id) as ClientConversation;
        const { unread: count, mentions } = await unread();
        assert.deepEqual([me.unread, me.mentions], [count, mentions], `at version ${version}`);
      };
      const root = await send(ana, group.id, 'one');
      await same(2);
      await send(ana, group.id, '@everyone', { mentions: [{ type: 'everyone', offset: 0, length: 9 }] });
      await same(3);
      await send(ana, group.id, 'in a thread', { threadId: root.id });
      await same(4);
      await send(bob, group.id, 'mine');
      await same(5);
      await ana.call('DELETE', `/v1/conversations/${group.id}/messages/${root.id}`);
      await same(6);
      await send(ana, group.id, 'three');
      await same(7);
      const moved = heard(client, 'receipts', ([receipt]) => receipt?.userId === bob.id && receipt.readSeq === 2);
      await read(bob, group.id, 2);
      await moved;
      await same(7);
      client.markRead(group.id);
      assert.equal(client.conversation(group.id)?.me.unread, 0);
    });

    it('how far the others are is heard live', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      const client = await online(ana);
      await send(ana, group.id, 'one');
      const moved = heard(client, 'receipts', ([receipt]) => receipt?.userId === bob.id);
      await read(bob, group.id, 1);
      await moved;
      const receipt = client.conversation(group.id)?.receipts.get(bob.me.id);
      assert.deepEqual(receipt, { deliveredSeq: 1, readSeq: 1, cameSeq: 0 });
      const members = expectStatus(
        await ana.call<{ items: Member[] }>('GET', `/v1/conversations/${group.id}/members`),
        200,
      ).items;
      assert.equal(members.find(({ userId }) => userId === bob.id)?.readSeq, 1);
    });
  });
});
