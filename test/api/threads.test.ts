import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import type { Conversation, DeliveryState, Message } from '../../contracts/entities/index.ts';
import { limits } from '../../contracts/limits.ts';
import type { FollowedThread, UnreadOverview } from '../../contracts/rest/index.ts';
import { type Person, deleteMessage, makeDirect, makeGroup, read, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Entrance, by, byEachDoor } from '../support/doors.ts';
import { expectProblem, expectStatus } from '../support/rest.ts';
import { connect } from '../support/socket.ts';

byEachDoor('threads', (door) => {
  let app: TestApp & Entrance;
  let ana: Person;
  let bob: Person;
  let cleo: Person;
  let group: Conversation;
  /** Of Ana, which she follows because she began it. */
  let root: Message;
  before(async () => {
    app = by(door, await startApp());
  });
  beforeEach(async () => {
    [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
    group = await makeGroup(ana, [bob, cleo]);
    root = await send(ana, group.id, 'who comes?');
  });
  after(() => app.stop());

  const reply = (from: Person, text: string, extra: object = {}) =>
    send(from, group.id, text, { threadId: root.id, ...extra });
  const at = (rest: string) => `/v1/conversations/${group.id}${rest}`;
  const threads = async (of: Person) =>
    expectStatus(await of.call<{ items: FollowedThread[] }>('GET', at('/threads')), 200).items;
  const patch = (of: Person, change: object, message = root) =>
    of.call<FollowedThread>('PATCH', at(`/messages/${message.id}/thread`), change);
  const patched = async (of: Person, change: object) => expectStatus(await patch(of, change), 200);
  const overview = async (of: Person) => expectStatus(await of.call<UnreadOverview>('GET', '/v1/me/unread'), 200);
  const counts = ({ unread, mentions }: { unread: number; mentions: number }) => [unread, mentions];
  const naming = (person: Person) => ({ mentions: [{ type: 'user', userId: person.id, offset: 0, length: 1 }] });
  const calling = (type: 'everyone' | 'here') => ({ mentions: [{ type, offset: 0, length: 1 }] });
  const move = async (what: 'POST' | 'DELETE', person: Person) =>
    what === 'POST'
      ? expectStatus(await ana.call('POST', at('/members'), { userIds: [person.id] }), 200)
      : expectStatus(await ana.call('DELETE', at(`/members/${person.id}`)), 204);

  describe('tell what is unread in them, and what of it is a mention', () => {
    it('by name or of all, after the read mark, without one’s own and what was deleted', async () => {
      const first = await reply(bob, '@', naming(ana));
      await reply(bob, '@', naming(cleo));
      await reply(cleo, '@', calling('everyone'));
      const here = await reply(cleo, '@', calling('here'));
      await reply(ana, '@', calling('everyone'));
      const [mine] = await threads(ana);
      assert.deepEqual([mine?.readSeq, mine && counts(mine)], [here.seq + 1, [0, 0]], 'who writes has read so far');
      assert.deepEqual((await threads(bob)).map(counts), [[3, 3]]);
      assert.deepEqual((await threads(cleo)).map(counts), [[1, 1]]);
      expectStatus(await deleteMessage(cleo, group.id, here.id), 200);
      assert.deepEqual((await threads(bob)).map(counts), [[2, 2]]);
      const all = await patched(bob, { readSeq: first.seq });
      assert.deepEqual(counts(all), [2, 2], 'it was read by writing before');
      assert.deepEqual(counts(await patched(bob, { readSeq: here.seq })), [1, 1]);
    });

    it('also who reads them and does not follow them', async () => {
      const first = await reply(bob, '@', naming(ana));
      await reply(bob, 'and nobody');
      const { following, ...told } = await patched(cleo, { readSeq: first.seq });
      assert.deepEqual([following, counts(told)], [false, [1, 0]]);
    });

    it('up to a limit', async () => {
      await app.database.run(`
        insert into messages (conversation_id, seq, version, changed_version, id, client_id, sender_id, text, fingerprint, created_at,
          thread_seq, thread_id)
        select '${group.id}', n, n + 1, n + 1, gen_random_uuid(), gen_random_uuid(), '${bob.id}', 'x', '', now(),
          ${root.seq}, '${root.id}' from generate_series(2, ${limits.unreadCounted + 2}) n`);
      await app.database.run(
        `update conversations set last_seq = ${limits.unreadCounted + 2} where id = '${group.id}'`,
      );
      await reply(bob, '@', naming(ana));
      assert.deepEqual((await threads(ana)).map(counts), [[limits.unreadCounted, 0]]);
      assert.deepEqual((await overview(ana)).threads.unread, limits.unreadCounted);
    });
  });

  describe('count in what is unread in all', () => {
    it('by conversation and together, apart from the conversation itself, and once in the badge', async () => {
      const other = await makeGroup(bob, [ana]);
      const second = await send(ana, other.id, 'and you?');
      await send(bob, other.id, '@', { threadId: second.id, ...naming(ana) });
      await reply(bob, 'me');
      await reply(cleo, '@', naming(ana));
      await send(bob, group.id, 'by the way');
      const { conversations, ...told } = await overview(ana);
      assert.deepEqual(told, { unread: 1, mentions: 0, threads: { unread: 3, mentions: 2 }, badge: 2 });
      assert.deepEqual(
        new Map(conversations.map(({ conversationId, threads: of, ...own }) => [conversationId, [own, of]])),
        new Map([
          [
            group.id,
            [
              { unread: 1, mentions: 0, unreadMark: null },
              { unread: 2, mentions: 1 },
            ],
          ],
          [
            other.id,
            [
              { unread: 0, mentions: 0, unreadMark: null },
              { unread: 1, mentions: 1 },
            ],
          ],
        ]),
      );
      const mutedUntil = new Date(Date.now() + 3_600_000).toISOString();
      expectStatus(await ana.call('PATCH', `/v1/conversations/${other.id}/me`, { mutedUntil }), 200);
      assert.equal((await overview(ana)).badge, 1);
    });

    it('as long as they are followed and not read', async () => {
      const last = await reply(bob, 'me');
      await patched(ana, { following: false });
      assert.deepEqual(await overview(ana), {
        ...{ unread: 0, mentions: 0, threads: { unread: 0, mentions: 0 }, badge: 0, conversations: [] },
      });
      await patched(ana, { following: true });
      assert.deepEqual(counts((await overview(ana)).threads), [1, 0]);
      await patched(ana, { readSeq: last.seq });
      assert.deepEqual(counts((await overview(ana)).threads), [0, 0]);
    });

    it('not for who belongs to the conversation no longer', async () => {
      await reply(cleo, 'me');
      await reply(bob, '@', naming(cleo));
      assert.equal((await overview(cleo)).badge, 1);
      await move('DELETE', cleo);
      assert.deepEqual((await overview(cleo)).conversations, []);
    });
  });

  it('are followed by whom an edit names, unless they have said no', async () => {
    const said = await reply(ana, 'she knows');
    const edit = (extra: object) =>
      ana.call('PATCH', at(`/messages/${said.id}`), { clientId: randomUUIDv7(), text: '@ knows', ...extra });
    await patched(bob, { following: false });
    const both = [naming(cleo).mentions[0], { ...naming(bob).mentions[0], offset: 2, length: 1 }];
    expectStatus(await edit({ mentions: both }), 200);
    assert.deepEqual((await threads(cleo)).map(counts), [[1, 1]]);
    assert.deepEqual(await threads(bob), []);
    const plain = await send(ana, group.id, 'nobody');
    expectStatus(
      await ana.call('PATCH', at(`/messages/${plain.id}`), { clientId: randomUUIDv7(), text: '@', ...naming(cleo) }),
      200,
    );
    assert.equal((await threads(cleo)).length, 1, 'a message that stands in no thread begins none');
  });

  it('are not followed by whom somebody names whom they have blocked, by a reply or by an edit', async () => {
    expectStatus(await bob.call('PUT', `/v1/me/blocks/${cleo.id}`), 204);
    await reply(cleo, '@', naming(bob));
    const said = await reply(cleo, 'he knows');
    const edit = { clientId: randomUUIDv7(), text: '@ knows', ...naming(bob) };
    expectStatus(await cleo.call('PATCH', at(`/messages/${said.id}`), edit), 200);
    await reply(ana, 'and I do');
    assert.deepEqual(await threads(bob), []);
    assert.deepEqual(counts((await overview(bob)).threads), [0, 0]);
    await reply(ana, '@', naming(bob));
    assert.deepEqual(
      (await threads(bob)).map(({ following }) => following),
      [true],
      'others may name them',
    );
  });

  describe('begin to be followed with nothing unread of what stood there', () => {
    beforeEach(async () => {
      for (const text of ['me', 'me too', 'and me']) await reply(cleo, text);
    });

    it('by a reply that names somebody, which is unread itself, and by what comes after it', async () => {
      await reply(cleo, '@', naming(bob));
      assert.deepEqual((await threads(bob)).map(counts), [[1, 1]]);
      await reply(cleo, 'and so on');
      await reply(cleo, '@', naming(bob));
      assert.deepEqual((await threads(bob)).map(counts), [[3, 2]], 'who follows already has read no more by it');
      assert.deepEqual((await threads(ana)).map(counts), [[6, 0]], 'who began it follows from the first reply on');
    });

    it('by an edit that names somebody, from the reply on that it names them in', async () => {
      const said = await reply(cleo, 'he knows');
      await reply(cleo, 'or so');
      const edit = { clientId: randomUUIDv7(), text: '@ knows', ...naming(bob) };
      expectStatus(await cleo.call('PATCH', at(`/messages/${said.id}`), edit), 200);
      assert.deepEqual((await threads(bob)).map(counts), [[2, 1]]);
    });

    it('by hand', async () => {
      assert.deepEqual(counts(await patched(bob, { following: true })), [0, 0]);
      await reply(cleo, 'and so on');
      assert.deepEqual((await threads(bob)).map(counts), [[1, 0]]);
    });

    it('by hand, also by who had said no to it before, and again and again', async () => {
      for (const following of [false, false]) await patched(bob, { following });
      await reply(cleo, 'and so on');
      assert.deepEqual(counts(await patched(bob, { following: true })), [0, 0]);
      await reply(cleo, 'and on');
      await patched(bob, { following: false });
      assert.deepEqual(
        counts(await patched(bob, { following: true })),
        [1, 0],
        'what was unread while they followed stays',
      );
    });

    it('by writing, after which no and yes leave unread what was', async () => {
      await patched(bob, { following: false });
      await reply(bob, 'me');
      await reply(cleo, 'and so on');
      await patched(bob, { following: false });
      assert.deepEqual(counts(await patched(bob, { following: true })), [1, 0]);
    });

    it('also by who had read some of it', async () => {
      expectStatus(await patch(bob, { readSeq: root.seq + 1 }), 200);
      await reply(cleo, '@', naming(bob));
      assert.deepEqual((await threads(bob)).map(counts), [[1, 1]]);
    });

    it('nor is to who came later what was written before, whether they read it, follow it or are named', async () => {
      const people = await registerPeople(app, 'Dora', 'Eve', 'Fay');
      const last = await reply(cleo, 'they know');
      for (const person of people) await move('POST', person);
      const [dora, eve, fay] = people;
      assert.deepEqual(counts(await patched(dora, { readSeq: root.seq + 1 })), [0, 0]);
      await reply(cleo, '@', naming(eve));
      assert.deepEqual((await threads(eve)).map(counts), [[1, 1]]);
      const edit = { clientId: randomUUIDv7(), text: '@', ...naming(fay) };
      expectStatus(await cleo.call('PATCH', at(`/messages/${last.id}`), edit), 200);
      assert.deepEqual((await threads(fay)).map(counts), [[1, 0]], 'but what came after them is');
    });
  });

  it('say of a reply that it was read by who has read so far in the thread, wherever they are outside', async () => {
    const first = await reply(ana, 'I do');
    const receipts = async ({ id }: Message) => {
      const {
        delivered,
        read: readers,
        readBy,
      } = expectStatus(await ana.call<DeliveryState>('GET', at(`/messages/${id}/receipts`)), 200);
      return [delivered, readers, readBy];
    };
    expectStatus(await read(bob, group.id, first.seq), 200);
    assert.deepEqual(await receipts(first), [1, 0, []]);
    assert.deepEqual(await receipts(root), [1, 1, [bob.id]], 'the first message stands in the conversation itself');
    await patched(bob, { readSeq: first.seq });
    assert.deepEqual(await receipts(first), [1, 1, [bob.id]]);
    assert.deepEqual((await receipts(await reply(ana, 'and you?')))[1], 0);
    expectStatus(await bob.call('PATCH', '/v1/me', { privacy: { tellRead: false } }), 200);
    assert.deepEqual(await receipts(first), [1, 0, []], 'who does not tell what they read does not tell it of threads');
    await patched(cleo, { readSeq: first.seq });
    assert.deepEqual(await receipts(first), [2, 1, [cleo.id]], 'who has read it has it');
  });

  it('are one’s own again after a return: followed and read as before, with nothing unread of what came meanwhile', async () => {
    const mine = await reply(cleo, 'me');
    await reply(bob, 'not me');
    assert.deepEqual((await threads(cleo)).map(counts), [[1, 0]]);
    await move('DELETE', cleo);
    expectProblem(await patch(cleo, { readSeq: mine.seq }), 404, 'not_found');
    const last = await reply(bob, 'while she was away');
    await move('POST', cleo);
    const [back] = await threads(cleo);
    assert.deepEqual([back?.root.id, back?.readSeq, back?.unread], [root.id, last.seq, 0]);
    await reply(bob, 'and now');
    assert.deepEqual((await threads(cleo)).map(counts), [[1, 0]]);
    assert.deepEqual((await threads(ana)).map(counts), [[4, 0]], 'nobody else is moved by it');
  });

  it('that began before somebody’s joining are out of their reach, also by a reply that they may read', async () => {
    expectStatus(await ana.call('PATCH', at(''), { history: 'joining' }), 200);
    const [dora] = await registerPeople(app, 'Dora');
    await move('POST', dora);
    const later = await reply(bob, 'me');
    expectStatus(await dora.call('GET', at(`/messages/${later.id}`)), 200);
    expectProblem(await patch(dora, { following: true }, later), 404, 'not_found');
    expectStatus(await patch(bob, { following: true }, later), 200);
    const post = (body: object) =>
      bob.call('POST', at('/messages'), { clientId: randomUUIDv7(), text: '@', threadId: root.id, ...body });
    const refused = await post(naming(dora));
    assert.deepEqual(expectProblem(refused, 400, 'invalid_input'), ['mentions'], 'it would call who cannot see it');
    assert.match(JSON.stringify(refused.body), /"out_of_reach".*mention them outside of the thread/);
    const edit = { clientId: randomUUIDv7(), text: '@', ...naming(dora) };
    const edited = await bob.call('PATCH', at(`/messages/${later.id}`), edit);
    assert.deepEqual(expectProblem(edited, 400, 'invalid_input'), ['mentions.0.userId']);
    assert.match(JSON.stringify(edited.body), /"out_of_reach"/);
    expectStatus(await post({ ...naming(dora), threadId: later.id, replyTo: later.id }), 400);
    expectStatus(await post(calling('everyone')), 201);
    expectStatus(await post({ ...naming(dora), threadId: undefined }), 201);
    assert.deepEqual(await threads(dora), []);
    assert.deepEqual(counts((await overview(dora)).threads), [0, 0]);
  });

  it('are followed by both of two, from the first reply that they did not know on', async () => {
    const { id } = await makeDirect(ana, bob);
    const first = await send(ana, id, 'a word');
    const below = (from: Person, text: string) => send(from, id, text, { threadId: first.id });
    const following = async (of: Person) =>
      expectStatus(await of.call<{ items: FollowedThread[] }>('GET', `/v1/conversations/${id}/threads`), 200).items;
    await below(ana, 'and another');
    assert.deepEqual((await following(bob)).map(counts), [[1, 0]]);
    assert.equal((await overview(bob)).badge, 2, 'with what it stands below');
    const path = `/v1/conversations/${id}/messages/${first.id}/thread`;
    expectStatus(await bob.call('PATCH', path, { following: false }), 200);
    await below(ana, 'and a third');
    assert.deepEqual(await following(bob), [], 'until they say otherwise');
    await below(bob, 'yes?');
    assert.deepEqual((await following(bob)).map(counts), [[0, 0]]);
    assert.deepEqual((await following(ana)).map(counts), [[1, 0]]);
  });

  it('are followed by who asks for all of them, and who follows one no longer asks for all of it no longer', async () => {
    const last = await reply(cleo, 'me');
    assert.deepEqual([(await patched(bob, { level: 'all' })).following, (await threads(bob)).length], [true, 1]);
    const refused = await patch(bob, { level: 'all', following: false });
    assert.deepEqual(expectProblem(refused, 400, 'invalid_input'), ['level']);
    const { following, level } = await patched(bob, { following: false });
    assert.deepEqual([following, level], [false, null]);
    assert.equal((await patched(bob, { level: 'nothing', readSeq: last.seq })).following, false);
  });

  it('do not begin below a system line', async () => {
    expectStatus(await ana.call('PATCH', at(''), { title: 'Another' }), 200);
    const page = await ana.call<{ items: Message[] }>('GET', at('/messages'));
    const line = expectStatus(page, 200).items.find(({ kind }) => kind === 'system');
    assert.ok(line);
    assert.deepEqual(expectProblem(await patch(ana, { following: true }, line), 400, 'invalid_input'), ['messageId']);
  });

  describe('that are followed or read on one device', () => {
    it('are told to the person’s others, with what is unread in all after it, and to nobody else', async () => {
      const [there, elsewhere] = [
        await connect(app.url, { token: ana.token }),
        await connect(app.url, { token: bob.token }),
      ];
      const first = await reply(bob, '@', naming(ana));
      await reply(bob, '@', naming(ana));
      const { root: _, ...standing } = await patched(ana, { readSeq: first.seq });
      const named = { conversationId: group.id, threadId: root.id, rootSeq: root.seq };
      assert.deepEqual(await there.heard('thread', () => true), { ...named, ...standing });
      assert.deepEqual([standing.following, standing.readSeq, counts(standing)], [true, first.seq, [1, 1]]);
      const inAll = { unread: 0, mentions: 0, threads: { unread: 1, mentions: 1 }, badge: 1 };
      assert.deepEqual(await there.heard('attention', ({ threads: { unread } }) => unread === 1), inAll);
      await patched(ana, { following: false });
      const over = await there.heard('thread', ({ following }) => !following);
      assert.deepEqual([over.readSeq, counts(over)], [first.seq, [1, 1]]);
      assert.equal((await there.heard('attention', ({ badge }) => badge === 0)).threads.unread, 0);
      assert.deepEqual([elsewhere.told.thread, elsewhere.told.attention], [[], []]);
      for (const socket of [there, elsewhere]) socket.close();
    });

    it('are told once: what changes nothing is not', async () => {
      const there = await connect(app.url, { token: ana.token });
      const first = await reply(bob, 'me');
      const readSeqs = [first.seq, 1, Number.MAX_SAFE_INTEGER];
      for (const change of [...readSeqs.map((readSeq) => ({ readSeq })), { following: true }]) {
        assert.equal((await patched(ana, change)).readSeq, first.seq);
      }
      await patched(ana, { following: false });
      await there.heard('thread', ({ following }) => !following);
      assert.equal(there.told.thread.length, 2);
      there.close();
    });
  });
});
