import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import type {
  Conversation,
  DeliveryState,
  Draft,
  EventsAfter,
  Member,
  Message,
  MessageRevision,
  SyncResponse,
} from '../../contracts/entities/index.ts';
import { limits } from '../../contracts/limits.ts';
import type { FollowedThread, UnreadOverview } from '../../contracts/rest/index.ts';
import { type Person, makeDirect, makeGroup, read, registerPeople, registerPerson, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Entrance, by, byEachDoor } from '../support/doors.ts';
import { type Answer, expectProblem, expectStatus } from '../support/rest.ts';

byEachDoor('what becomes of a message', (door) => {
  let app: TestApp & Entrance;
  let ana: Person;
  let bob: Person;
  let cleo: Person;
  let group: Conversation;
  before(async () => {
    app = by(door, await startApp());
    [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
  });
  beforeEach(async () => {
    group = await makeGroup(ana, [bob, cleo]);
  });
  after(() => app.stop());

  const of = ({ conversationId, id }: Message, rest = '') =>
    `/v1/conversations/${conversationId}/messages/${id}${rest}`;
  const at = (rest: string) => `/v1/conversations/${group.id}${rest}`;
  const stored = async (message: Message, by = bob) => expectStatus(await by.call<Message>('GET', of(message)), 200);
  const edit = (
    by: Person,
    message: Message,
    text: string,
    extra: object = {},
  ): Promise<Answer<{ message: Message }>> =>
    by.call('PATCH', of(message), { clientId: randomUUIDv7(), text, ...extra });
  const version = async () => expectStatus(await ana.call<Conversation>('GET', at('')), 200).version;
  const post = (by: Person, text: string, extra: object = {}): Promise<Answer<{ message: Message }>> =>
    by.call('POST', at('/messages'), { clientId: randomUUIDv7(), text, ...extra });

  describe('editing', () => {
    it('says something else, keeps what was said before, and tells both in order', async () => {
      const message = await send(ana, group.id, 'helo');
      const { message: edited } = expectStatus(await edit(ana, message, 'hello'), 200);
      expectStatus(await edit(ana, message, 'hello!'), 200);
      assert.deepEqual([edited.text, edited.changedVersion, edited.version], ['hello', 3, 2]);
      assert.ok(edited.editedAt);
      const now = await stored(message);
      assert.deepEqual([now.text, now.seq, now.createdAt], ['hello!', message.seq, message.createdAt]);
      const { items } = expectStatus(await bob.call<{ items: MessageRevision[] }>('GET', of(message, '/history')), 200);
      assert.deepEqual(
        items.map(({ text }) => text),
        ['helo', 'hello', 'hello!'],
      );
    });

    it('happens once for a clientId, also when both come at once, and refuses other content under it', async () => {
      const message = await send(ana, group.id, 'helo');
      const clientId = randomUUIDv7();
      const answers = await Promise.all([1, 2].map(() => edit(ana, message, 'hello', { clientId })));
      for (const answer of answers) assert.equal(expectStatus(answer, 200).message.changedVersion, 3);
      expectProblem(await edit(ana, message, 'good bye', { clientId }), 409, 'idempotency_conflict');
      assert.equal(await version(), 3);
    });

    it('that changes nothing takes no number', async () => {
      const message = await send(ana, group.id, 'hello');
      assert.equal(expectStatus(await edit(ana, message, 'hello'), 200).message.editedAt, null);
      assert.equal(await version(), 2);
    });

    it('that changes nothing happens once for a clientId, too: its repeat undoes no later one, and is no version', async () => {
      const message = await send(ana, group.id, 'one');
      const clientId = randomUUIDv7();
      expectStatus(await edit(ana, message, 'one', { clientId }), 200);
      expectStatus(await edit(ana, message, 'two'), 200);
      assert.equal(expectStatus(await edit(ana, message, 'one', { clientId }), 200).message.text, 'two');
      expectProblem(await edit(ana, message, 'three', { clientId }), 409, 'idempotency_conflict');
      const { items } = expectStatus(await bob.call<{ items: MessageRevision[] }>('GET', of(message, '/history')), 200);
      assert.deepEqual(
        items.map(({ text }) => text),
        ['one', 'two'],
      );
    });

    it('is for who wrote it alone, and not for what was deleted', async () => {
      const message = await send(bob, group.id, 'mine');
      expectProblem(await edit(ana, message, 'yours?'), 403, 'forbidden');
      expectStatus(await bob.call('DELETE', of(message)), 200);
      expectProblem(await edit(bob, message, 'again'), 404, 'not_found');
    });

    it('is not for what was forwarded: those are the words of who wrote them first', async () => {
      const words = await send(ana, group.id, 'I agree');
      const pair = await makeDirect(bob, cleo);
      const body = { clientId: randomUUIDv7(), conversationId: pair.id };
      const sent = await bob.call<{ message: Message }>('POST', of(words, '/forward'), body);
      const { message } = expectStatus(sent, 201);
      for (const text of ['I quit', 'I agree']) {
        const refused = await edit(bob, message, text);
        expectProblem(refused, 403, 'forbidden');
        assert.match((refused.body as unknown as { detail: string }).detail, /write a message of your own, or delete/);
      }
      assert.deepEqual(await stored(message, cleo), message);
      expectStatus(await bob.call('DELETE', of(message)), 200);
    });

    it('judges text and mentions as a send does', async () => {
      const message = await send(ana, group.id, 'hello');
      assert.deepEqual(expectProblem(await edit(ana, message, ''), 400, 'invalid_input')[0], 'text');
      const stranger = await registerPerson(app);
      const mentions = [{ type: 'user', userId: stranger.id, offset: 0, length: 2 }];
      const answer = await edit(ana, message, 'hi', { mentions });
      assert.deepEqual(expectProblem(answer, 400, 'invalid_input'), ['mentions.0.userId']);
      const fine = [{ type: 'user', userId: bob.id, offset: 0, length: 2 }];
      assert.deepEqual(expectStatus(await edit(ana, message, 'hi', { mentions: fine }), 200).message.mentions, fine);
    });

    const naming = (person: Person, offset: number) => ({ type: 'user', userId: person.id, offset, length: 4 });

    it('that leaves mentions out keeps those that stand on the same words, and one without any takes them away', async () => {
      const [first, second] = [naming(bob, 3), naming(cleo, 12)];
      const message = await send(ana, group.id, 'hi @bob and @cle', { mentions: [first, second] });
      const kept = async (text: string, extra: object = {}) =>
        expectStatus(await edit(ana, message, text, extra), 200).message.mentions;
      assert.deepEqual(await kept('hi @bob and @cle!'), [first, second]);
      assert.deepEqual(await kept('hi @bob or also @cle!'), [first]);
      assert.deepEqual(await kept('hi @bo'), []);
      assert.deepEqual(await kept('hi @bob', { mentions: [first] }), [first]);
      assert.deepEqual(await kept('hi @bob', { mentions: [] }), []);
      const { items } = expectStatus(await bob.call<{ items: MessageRevision[] }>('GET', of(message, '/history')), 200);
      assert.deepEqual(
        items.map(({ mentions }) => mentions.length),
        [2, 2, 1, 0, 1, 0],
      );
    });

    it('that leaves mentions out is another than one without any, and the same when it is repeated', async () => {
      const message = await send(ana, group.id, 'hi @bob', { mentions: [naming(bob, 3)] });
      const clientId = randomUUIDv7();
      const first = expectStatus(await edit(ana, message, 'hi @bob!', { clientId }), 200).message;
      assert.deepEqual(expectStatus(await edit(ana, message, 'hi @bob!', { clientId }), 200).message, first);
      expectProblem(await edit(ana, message, 'hi @bob!', { clientId, mentions: [] }), 409, 'idempotency_conflict');
    });

    it('keeps a mention of who has left, and is told which new one is of nobody here', async () => {
      const [kept, added] = [naming(cleo, 3), naming(bob, 12)];
      const message = await send(ana, group.id, 'hi @cle', { mentions: [kept] });
      for (const { id } of [bob, cleo]) expectStatus(await ana.call('DELETE', at(`/members/${id}`)), 204);
      const again = await edit(ana, message, 'hi @cle!', { mentions: [kept] });
      assert.deepEqual(expectStatus(again, 200).message.mentions, [kept]);
      const answer = await edit(ana, message, 'hi @cle and @bob', { mentions: [kept, added] });
      assert.deepEqual(expectProblem(answer, 400, 'invalid_input'), ['mentions.1.userId']);
    });

    it('is possible so many times and no more', async () => {
      const message = await send(ana, group.id, 'hello');
      await app.database.run(`update messages set edits = ${limits.messageEdits - 1} where id = '${message.id}'`);
      expectStatus(await edit(ana, message, 'the last one'), 200);
      for (const text of ['one more', 'the last one'])
        expectProblem(await edit(ana, message, text), 409, 'limit_reached');
    });
  });

  describe('deleting', () => {
    it('leaves a tombstone: the text is gone from every table, with every earlier version of it', async () => {
      const secret = `canary ${randomUUIDv7()}`;
      const message = await send(ana, group.id, secret);
      expectStatus(await edit(ana, message, `${secret} edited`), 200);
      expectStatus(await bob.call('PUT', of(message, '/reactions/%F0%9F%91%8D')), 200);
      expectStatus(await ana.call('PUT', of(message, '/pin')), 204);
      const { message: deleted } = expectStatus(await ana.call<{ message: Message }>('DELETE', of(message)), 200);
      const now = await stored(message);
      assert.deepEqual(now, deleted);
      assert.deepEqual(
        [now.text, now.seq, now.senderId, now.reactions, now.mentions, now.pinnedAt],
        [null, message.seq, ana.id, [], [], null],
      );
      assert.ok(now.deletedAt);
      const { items } = expectStatus(await bob.call<{ items: unknown[] }>('GET', of(message, '/history')), 200);
      assert.deepEqual(items, []);
      const { rows } = await app.database.run(
        "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace",
      );
      for (const { relname } of rows as { relname: string }[]) {
        const found = await app.database.run(`select from ${relname} t where t::text like '%${secret}%'`);
        assert.equal(found.rowCount, 0, `the text still stands in ${relname}`);
      }
    });

    it('twice changes nothing more, and a repeat of the send answers with the tombstone', async () => {
      const body = { clientId: randomUUIDv7(), text: 'hello' };
      const first = expectStatus(await ana.call<{ message: Message }>('POST', at('/messages'), body), 201).message;
      for (const _ of [1, 2]) expectStatus(await ana.call('DELETE', of(first)), 200);
      assert.equal(await version(), 3);
      const again = expectStatus(await ana.call<{ message: Message }>('POST', at('/messages'), body), 200);
      assert.equal(again.message.text, null);
    });

    it('is for its sender, and for who leads the group', async () => {
      const message = await send(bob, group.id, 'hello');
      expectProblem(await cleo.call('DELETE', of(message)), 403, 'forbidden');
      expectStatus(await ana.call('DELETE', of(message)), 200);
      const direct = await makeDirect(ana, await registerPerson(app));
      const other = await send(ana, direct.id, 'hello');
      expectProblem(await bob.call('DELETE', of(other)), 404, 'not_found');
    });

    it('is not counted as unread', async () => {
      const message = await send(ana, group.id, 'hello');
      expectStatus(await ana.call('DELETE', of(message)), 200);
      assert.equal(expectStatus(await bob.call<Conversation>('GET', at('')), 200).me.unread, 0);
    });
  });

  describe('reactions', () => {
    const react = (
      by: Person,
      message: Message,
      emoji: string,
      method = 'PUT',
    ): Promise<Answer<{ message: Message }>> => by.call(method, of(message, `/reactions/${encodeURIComponent(emoji)}`));

    it('are counted by kind, and one knows one’s own', async () => {
      const message = await send(ana, group.id, 'hello');
      for (const person of [ana, bob, bob]) expectStatus(await react(person, message, '👍'), 200);
      expectStatus(await react(cleo, message, '🎉'), 200);
      assert.deepEqual((await stored(message, bob)).reactions, [
        { emoji: '🎉', count: 1, mine: false },
        { emoji: '👍', count: 2, mine: true },
      ]);
      expectStatus(await react(bob, message, '👍', 'DELETE'), 200);
      expectStatus(await react(bob, message, '👍', 'DELETE'), 200);
      assert.deepEqual((await stored(message, bob)).reactions.at(-1), { emoji: '👍', count: 1, mine: false });
      assert.equal(await version(), 2 + 4, 'what changed nothing took no number');
      const { items } = expectStatus(
        await bob.call<{ items: { emoji: string; userId: string }[] }>('GET', of(message, '/reactions')),
        200,
      );
      assert.deepEqual(
        items.map(({ emoji, userId }) => [emoji, userId]),
        [
          ['🎉', cleo.id],
          ['👍', ana.id],
        ],
      );
    });

    for (const [what, one, other] of [
      ['with and without its variation selector', '❤', '❤️'],
      ['a keycap', '1⃣', '1️⃣'],
      ['a sequence', '🏳‍🌈', '🏳️‍🌈'],
    ] as const) {
      it(`are the same kind: ${what}`, async () => {
        const message = await send(ana, group.id, 'hello');
        expectStatus(await react(ana, message, one), 200);
        expectStatus(await react(bob, message, other), 200);
        assert.deepEqual(
          (await stored(message)).reactions.map(({ emoji, count }) => [emoji, count]),
          [[other, 2]],
        );
      });
    }

    for (const bad of ['x', '👍👍', '1', 'love', '‍', '\u{fe0f}']) {
      it(`refuse ${JSON.stringify(bad)}, which is no emoji`, async () => {
        const message = await send(ana, group.id, 'hello');
        assert.deepEqual(expectProblem(await react(bob, message, bad), 400, 'invalid_input'), ['emoji']);
      });
    }

    it('of skin and family are emoji too', async () => {
      const message = await send(ana, group.id, 'hello');
      for (const emoji of ['👍🏽', '👩‍👩‍👧‍👦', '🇩🇪', '☝🏽', '🏴󠁧󠁢󠁳󠁣󠁴󠁿']) {
        expectStatus(await react(bob, message, emoji), 200);
      }
      assert.equal((await stored(message)).reactions.length, 5);
    });

    it('are of so many kinds and no more', async () => {
      const message = await send(ana, group.id, 'hello');
      const kinds = Array.from({ length: limits.reactionKinds + 1 }, (_, n) => String.fromCodePoint(0x1f600 + n));
      for (const emoji of kinds.slice(1)) expectStatus(await react(ana, message, emoji), 200);
      expectProblem(await react(ana, message, kinds[0] ?? ''), 409, 'limit_reached');
      expectStatus(await react(bob, message, kinds[1] ?? ''), 200);
    });

    it('are not for what was deleted, nor for who may only read', async () => {
      const message = await send(ana, group.id, 'hello');
      expectStatus(await react(bob, message, '🎉'), 200);
      expectStatus(await ana.call('PATCH', at(`/members/${bob.id}`), { role: 'read_only' }), 204);
      expectProblem(await react(bob, message, '👍'), 403, 'forbidden');
      expectStatus(await react(bob, message, '🎉', 'DELETE'), 200);
      assert.deepEqual((await stored(message)).reactions, [], 'what one has done before one may take back');
      expectStatus(await ana.call('DELETE', of(message)), 200);
      expectProblem(await react(ana, message, '👍'), 404, 'not_found');
    });
  });

  describe('pins', () => {
    it('are listed, the latest first, told in the timeline, and taken down', async () => {
      const [one, two] = [await send(ana, group.id, 'one'), await send(ana, group.id, 'two')];
      for (const message of [one, two, two]) expectStatus(await bob.call('PUT', of(message, '/pin')), 204);
      const pins = async () =>
        expectStatus(await cleo.call<{ items: Message[] }>('GET', at('/pins')), 200).items.map(({ text }) => text);
      assert.deepEqual(await pins(), ['two', 'one']);
      expectStatus(await ana.call('DELETE', of(two, '/pin')), 204);
      assert.deepEqual(await pins(), ['one']);
      const { items } = expectStatus(await cleo.call<{ items: Message[] }>('GET', at('/messages')), 200);
      assert.deepEqual(
        items.flatMap(({ system }) => system?.type ?? []),
        ['message.pinned', 'message.pinned', 'message.unpinned'],
      );
    });

    it('are so many and no more', async () => {
      for (let n = 0; n <= limits.pinnedMessages; n += 1) await send(ana, group.id, `message ${n}`);
      await app.database.run(
        `update messages set pinned_at = now() where conversation_id = '${group.id}' and seq < ${limits.pinnedMessages}`,
      );
      const { items } = expectStatus(
        await ana.call<{ items: Message[] }>('GET', at(`/messages?after=${limits.pinnedMessages - 1}`)),
        200,
      );
      const [last, beyond] = items as [Message, Message];
      expectStatus(await ana.call('PUT', of(last, '/pin')), 204);
      expectProblem(await ana.call('PUT', of(beyond, '/pin')), 409, 'limit_reached');
    });
  });

  describe('threads', () => {
    it('hang below a message, with a count, a page and a read mark of their own', async () => {
      const root = await send(ana, group.id, 'who comes?');
      const first = await send(bob, group.id, 'me', { threadId: root.id });
      // A reply to a reply stands in the same thread.
      const second = await send(cleo, group.id, 'me too', { threadId: first.id });
      assert.deepEqual([first.threadId, second.threadId], [root.id, root.id]);
      assert.deepEqual((await stored(root)).thread, { replyCount: 2, lastSeq: second.seq });
      const { items } = expectStatus(await ana.call<{ items: Message[] }>('GET', of(root, '/replies')), 200);
      assert.deepEqual(
        items.map(({ text }) => text),
        ['me', 'me too'],
      );
      const ofReply = expectStatus(await ana.call<{ items: Message[] }>('GET', of(second, '/replies')), 200);
      assert.deepEqual(ofReply.items, items);
      const threads = async (by: Person) =>
        expectStatus(await by.call<{ items: FollowedThread[] }>('GET', at('/threads')), 200).items;
      const [mine] = await threads(ana);
      assert.deepEqual([mine?.root.id, mine?.following, mine?.unread], [root.id, true, 2]);
      const patched = expectStatus(
        await ana.call<FollowedThread>('PATCH', of(root, '/thread'), { readSeq: first.seq }),
        200,
      );
      assert.equal(patched.unread, 1);
      expectStatus(await ana.call('PATCH', of(root, '/thread'), { following: false }), 200);
      assert.deepEqual(await threads(ana), []);
      assert.deepEqual(
        (await threads(bob)).map(({ unread }) => unread),
        [1],
      );
    });

    it('do not count as unread in the conversation itself', async () => {
      const root = await send(ana, group.id, 'root');
      await send(ana, group.id, 'reply', { threadId: root.id });
      assert.equal(expectStatus(await bob.call<Conversation>('GET', at('')), 200).me.unread, 1);
    });

    it('are followed by who is mentioned in them, and shrink by what is deleted', async () => {
      const root = await send(ana, group.id, 'root');
      const mentions = [{ type: 'user', userId: cleo.id, offset: 0, length: 5 }];
      const reply = await send(bob, group.id, '@Cleo', { threadId: root.id, mentions });
      const { items } = expectStatus(await cleo.call<{ items: FollowedThread[] }>('GET', at('/threads')), 200);
      assert.equal(items.length, 1);
      expectStatus(await bob.call('DELETE', of(reply)), 200);
      assert.equal((await stored(root)).thread?.replyCount, 0);
    });

    it('hang below messages of the conversation only', async () => {
      const other = await makeGroup(ana, [bob]);
      const elsewhere = await send(ana, other.id, 'elsewhere');
      const answer = await post(ana, 'reply', { threadId: elsewhere.id });
      assert.deepEqual(expectProblem(answer, 400, 'invalid_input'), ['threadId']);
      assert.equal(await version(), 1);
    });
  });

  describe('mentions', () => {
    it('begin and end between characters', async () => {
      const faults = async (offset: number, length: number) => {
        const answer = await post(ana, '🙂ana', { mentions: [{ type: 'user', userId: ana.id, offset, length }] });
        return answer.status === 201 ? [] : expectProblem(answer, 400, 'invalid_input');
      };
      assert.deepEqual(await faults(0, 2), []);
      assert.deepEqual(await faults(2, 3), []);
      assert.deepEqual(await faults(0, 1), ['mentions.0']);
      assert.deepEqual(await faults(1, 2), ['mentions.0']);
    });

    it('are of members only, and are counted apart', async () => {
      const stranger = await registerPerson(app);
      const of = (person: Person) => [{ type: 'user', userId: person.id, offset: 0, length: 1 }];
      const refused = await post(ana, '@', { mentions: of(stranger) });
      assert.deepEqual(expectProblem(refused, 400, 'invalid_input'), ['mentions']);
      expectStatus(await post(ana, '@', { mentions: of(bob) }), 201);
      expectStatus(await post(ana, '@', { mentions: [{ type: 'everyone', offset: 0, length: 1 }] }), 201);
      expectStatus(await post(ana, 'nobody'), 201);
      const counts = async (by: Person) => {
        const { me } = expectStatus(await by.call<Conversation>('GET', at('')), 200);
        return [me.unread, me.mentions];
      };
      assert.deepEqual(await counts(bob), [3, 2]);
      assert.deepEqual(await counts(cleo), [3, 1]);
    });

    it('are so many and no more', async () => {
      const text = 'x'.repeat(limits.messageMentions + 1);
      const mentions = Array.from(text, (_, offset) => ({ type: 'user', userId: bob.id, offset, length: 1 }));
      expectStatus(await post(ana, text, { mentions: mentions.slice(1) }), 201);
      assert.deepEqual(expectProblem(await post(ana, text, { mentions }), 400, 'invalid_input'), ['mentions']);
    });
  });

  it('a thread that somebody has only read is followed once they are mentioned in it', async () => {
    const root = await send(ana, group.id, 'who knows?');
    const reply = (extra: object) =>
      bob.call('POST', `/v1/conversations/${group.id}/messages`, {
        ...{ clientId: randomUUIDv7(), text: 'she does', threadId: root.id, ...extra },
      });
    const followed = async () => {
      const path = `/v1/conversations/${group.id}/threads`;
      const { items } = expectStatus(await cleo.call<{ items: { root: Message }[] }>('GET', path), 200);
      return items.some((thread) => thread.root.id === root.id);
    };
    expectStatus(await reply({}), 201);
    const read = await cleo.call<{ following: boolean }>('PATCH', of(root, '/thread'), { readSeq: root.seq + 1 });
    assert.equal(expectStatus(read, 200).following, false);
    assert.equal(await followed(), false);
    const mentions = [{ type: 'user', userId: cleo.id, offset: 0, length: 3 }];
    expectStatus(await reply({ mentions }), 201);
    assert.equal(await followed(), true);
    expectStatus(await cleo.call('PATCH', of(root, '/thread'), { following: false }), 200);
    expectStatus(await reply({ mentions }), 201);
    assert.equal(await followed(), false, 'who said no is left alone');
  });

  it('forwarding keeps the origin, the first one, and checks both sides', async () => {
    const other = await makeGroup(bob, [cleo]);
    const third = await makeGroup(cleo, []);
    const message = await send(ana, group.id, 'the news');
    const forward = (by: Person, from: Message, to: Conversation, clientId = randomUUIDv7()) =>
      by.call<{ message: Message }>('POST', of(from, '/forward'), { clientId, conversationId: to.id });
    const clientId = randomUUIDv7();
    const { message: copy } = expectStatus(await forward(bob, message, other, clientId), 201);
    assert.equal(expectStatus(await forward(bob, message, other, clientId), 200).message.id, copy.id);
    const { message: again } = expectStatus(await forward(cleo, copy, third), 201);
    // Not where: who reads it need not belong there.
    const origin = { senderId: ana.id, createdAt: message.createdAt };
    for (const one of [copy, again]) assert.deepEqual([one.text, one.forwardedFrom], ['the news', origin]);
    expectStatus(await ana.call('DELETE', of(message)), 200);
    const kept = expectStatus(await cleo.call<Message>('GET', of(again)), 200);
    assert.deepEqual([kept.text, kept.forwardedFrom], ['the news', origin]);
    expectProblem(await forward(ana, message, other), 404, 'not_found');
    expectProblem(await forward(ana, copy, group), 404, 'not_found');
  });

  it('a repeat of a forward answers with the first, whatever has become of the message it was made from', async () => {
    const other = await makeGroup(bob, []);
    const [message, another] = [await send(ana, group.id, 'the news'), await send(ana, group.id, 'other news')];
    const clientId = randomUUIDv7();
    const forward = (from: Message) =>
      bob.call<{ message: Message }>('POST', of(from, '/forward'), { clientId, conversationId: other.id });
    const { message: copy } = expectStatus(await forward(message), 201);
    expectStatus(await ana.call('PATCH', of(message), { clientId: randomUUIDv7(), text: 'newer news' }), 200);
    assert.deepEqual(expectStatus(await forward(message), 200).message, copy);
    expectStatus(await ana.call('DELETE', of(message)), 200);
    assert.deepEqual(expectStatus(await forward(message), 200).message, copy);
    expectProblem(await forward(another), 409, 'idempotency_conflict');
  });

  describe('how far it has come', () => {
    const receipts = (by: Person, message: Message) => by.call<DeliveryState>('GET', of(message, '/receipts'));

    it('is told to who wrote it, by name in a small group', async () => {
      const message = await send(ana, group.id, 'hello');
      expectStatus(await bob.call('PUT', at('/receipts'), { deliveredSeq: message.seq }), 200);
      await read(cleo, group.id, message.seq);
      assert.deepEqual(expectStatus(await receipts(ana, message), 200), {
        ...{ seq: message.seq, recipients: 2, delivered: 2, read: 1 },
        ...{ deliveredTo: [bob.id, cleo.id], readBy: [cleo.id] },
      });
      expectProblem(await receipts(bob, message), 403, 'forbidden');
    });

    it('leaves out who does not tell what they have read, whose own unread goes on', async () => {
      const shy = await registerPerson(app, 'Shy');
      expectStatus(await shy.call('PATCH', '/v1/me', { privacy: { tellRead: false } }), 200);
      const pair = await makeDirect(ana, shy);
      const message = await send(ana, pair.id, 'hello');
      await read(shy, pair.id, message.seq);
      const state = expectStatus(await receipts(ana, message), 200);
      assert.deepEqual([state.delivered, state.read], [1, 0]);
      assert.equal(expectStatus(await shy.call<Conversation>('GET', `/v1/conversations/${pair.id}`), 200).me.unread, 0);
    });
  });

  describe('what is unread', () => {
    it('is told in all and by conversation; a mark by hand keeps it so and arms nothing', async () => {
      const [writer, reader] = await registerPeople(app, 'Writer', 'Reader');
      const [one, two] = [await makeGroup(writer, [reader]), await makeGroup(writer, [reader])];
      for (const { id } of [one, one, two]) await send(writer, id, 'hello');
      const overview = async () => expectStatus(await reader.call<UnreadOverview>('GET', '/v1/me/unread'), 200);
      const { unread, badge, conversations } = await overview();
      assert.deepEqual([unread, badge, conversations.length], [3, 2, 2]);
      await read(reader, one.id, 2);
      await read(reader, two.id, 1);
      assert.equal((await overview()).badge, 0);
      const mark = (seq: number | null) =>
        reader.call<{ unreadMark: number }>('PUT', `/v1/conversations/${one.id}/unread-mark`, { seq });
      assert.equal(expectStatus(await mark(2), 200).unreadMark, 2);
      const marked = await overview();
      assert.deepEqual([marked.badge, marked.unread], [1, 0]);
      expectStatus(await mark(null), 200);
      assert.equal((await overview()).badge, 0);
      expectStatus(await mark(1), 200);
      await send(writer, one.id, 'more');
      await read(reader, one.id, 3);
      assert.equal((await overview()).badge, 0, 'reading on takes the mark away');
    });
  });

  it('drafts are kept for all devices, and are nobody else’s', async () => {
    const put = (by: Person, text: string) => by.call<Draft>('PUT', at('/draft'), { text });
    expectStatus(await put(bob, 'Dear A'), 200);
    const draft = expectStatus(await put(bob, 'Dear Ana'), 200);
    const drafts = async (by: Person) =>
      expectStatus(await by.call<{ items: Draft[] }>('GET', '/v1/me/drafts'), 200).items;
    assert.deepEqual(await drafts(bob), [draft]);
    assert.deepEqual(await drafts(ana), []);
    expectProblem(await put(await registerPerson(app), 'hello'), 404, 'not_found');
    const newer = expectStatus(await put(bob, 'Dear Ana, and all'), 200);
    expectProblem(await bob.call('DELETE', at(`/draft?at=${draft.at}`)), 404, 'not_found');
    assert.deepEqual(await drafts(bob), [newer]);
    expectStatus(await bob.call('DELETE', at(`/draft?at=${newer.at}`)), 204);
    await put(bob, 'Dear Ana');
    expectProblem(await bob.call('DELETE', at('/draft?at=yesterday')), 400, 'invalid_input');
    expectStatus(await bob.call('DELETE', at('/draft')), 204);
    expectProblem(await bob.call('DELETE', at('/draft')), 404, 'not_found');
    assert.deepEqual(await drafts(bob), []);
  });

  it('a draft answers what its writer may read', async () => {
    const put = (replyTo: string) => bob.call<Draft>('PUT', at('/draft'), { text: 'well', replyTo });
    const message = await send(ana, group.id, 'shall we?');
    assert.equal(expectStatus(await put(message.id), 200).replyTo, message.id);
    const elsewhere = await send(ana, (await makeGroup(ana, [])).id, 'not for Bob');
    for (const id of [elsewhere.id, randomUUIDv7()])
      assert.deepEqual(expectProblem(await put(id), 400, 'invalid_input'), ['replyTo']);
    expectStatus(await bob.call('DELETE', at('/draft')), 204);
  });

  describe('blocks', () => {
    it('stop a direct conversation for both ends, without telling who blocked', async () => {
      const [one, other] = await registerPeople(app, 'One', 'Other');
      const pair = await makeDirect(one, other);
      const say = (by: Person) =>
        by.call('POST', `/v1/conversations/${pair.id}/messages`, { clientId: randomUUIDv7(), text: 'hi' });
      expectStatus(await one.call('PUT', `/v1/me/blocks/${other.id}`), 204);
      const [mine, theirs] = [await say(one), await say(other)];
      for (const answer of [mine, theirs]) expectProblem(answer, 403, 'forbidden');
      const { requestId: _a, ...first } = mine.body as { requestId?: string };
      const { requestId: _b, ...second } = theirs.body as { requestId?: string };
      assert.deepEqual(first, second);
      expectStatus(await one.call('DELETE', `/v1/me/blocks/${other.id}`), 204);
      expectStatus(await say(other), 201);
    });

    it('stop in a direct conversation whatever would say something by other means, and leave deletion', async () => {
      const [one, other] = await registerPeople(app, 'One', 'Other');
      const pair = await makeDirect(one, other);
      const { id } = await send(other, pair.id, 'hello');
      const at = `/v1/conversations/${pair.id}/messages/${id}`;
      expectStatus(await one.call('PUT', `/v1/me/blocks/${other.id}`), 204);
      const edit = { clientId: randomUUIDv7(), text: 'said all the same' };
      expectProblem(await other.call('PATCH', at, edit), 403, 'forbidden');
      for (const by of [one, other]) {
        expectProblem(await by.call('PUT', `${at}/reactions/${encodeURIComponent('👍')}`), 403, 'forbidden');
        expectProblem(await by.call('PUT', `${at}/pin`), 403, 'forbidden');
      }
      expectStatus(await other.call('DELETE', at), 200);
    });

    it('hold for a direct conversation that is made afterwards', async () => {
      const [one, other] = await registerPeople(app, 'One', 'Other');
      expectStatus(await one.call('PUT', `/v1/me/blocks/${other.id}`), 204);
      const pair = await makeDirect(other, one);
      const answer = await other.call('POST', `/v1/conversations/${pair.id}/messages`, {
        clientId: randomUUIDv7(),
        text: 'hi',
      });
      expectProblem(answer, 403, 'forbidden');
    });

    it('mark a group’s messages for the blocker alone', async () => {
      const [one, other] = await registerPeople(app, 'One', 'Other');
      const shared = await makeGroup(ana, [one, other]);
      expectStatus(await one.call('PUT', `/v1/me/blocks/${other.id}`), 204);
      const message = await send(other, shared.id, 'hello');
      assert.equal((await stored(message, one)).fromBlocked, true);
      for (const person of [other, ana]) assert.equal((await stored(message, person)).fromBlocked, undefined);
      const { items } = expectStatus(await one.call<{ items: { userId: string }[] }>('GET', '/v1/me/blocks'), 200);
      assert.deepEqual(
        items.map(({ userId }) => userId),
        [other.id],
      );
    });

    it('tell neither of two how far the other has read, for as long as they last', async () => {
      const [one, other] = await registerPeople(app, 'One', 'Other');
      const { id, version } = await makeDirect(one, other);
      const [mine, theirs] = [await send(one, id, 'hello'), await send(other, id, 'hello')];
      for (const person of [one, other]) expectStatus(await read(person, id, 2), 200);
      const told = async (by: Person, message: Message) => {
        const {
          delivered,
          read: seen,
          readBy,
        } = expectStatus(
          await by.call<DeliveryState>('GET', `/v1/conversations/${id}/messages/${message.id}/receipts`),
          200,
        );
        const members = expectStatus(await by.call<{ items: Member[] }>('GET', `/v1/conversations/${id}/members`), 200);
        const sync = { known: [[id, version + 1, true]] };
        const { receipts } = expectStatus(await by.call<SyncResponse>('POST', '/v1/sync', sync), 200);
        const others = receipts.filter(({ conversationId }) => conversationId === id).flatMap((all) => all.members);
        const whole = expectStatus(await by.call<SyncResponse>('POST', '/v1/sync', { known: [] }), 200);
        const state = whole.changes.find(({ conversationId }) => conversationId === id)?.state;
        const seqs = [...members.items, ...others, ...(state?.members ?? [])].map(({ readSeq }) => readSeq);
        return [delivered, seen, readBy?.length, [...new Set(seqs)], others.length];
      };
      const open = [1, 1, 1, [2], 1];
      assert.deepEqual([await told(one, mine), await told(other, theirs)], [open, open]);
      expectStatus(await one.call('PUT', `/v1/me/blocks/${other.id}`), 204);
      const shut = [0, 0, 0, [null], 0];
      assert.deepEqual([await told(one, mine), await told(other, theirs)], [shut, shut]);
      expectStatus(await one.call('DELETE', `/v1/me/blocks/${other.id}`), 204);
      assert.deepEqual([await told(one, mine), await told(other, theirs)], [open, open]);
    });

    it('count what the blocked write as nothing unread, for the blocker alone', async () => {
      const [one, other] = await registerPeople(app, 'One', 'Other');
      const { id } = await makeGroup(ana, [one, other]);
      await send(ana, id, 'hello');
      const root = await send(one, id, 'a thread');
      await send(other, id, 'a reply', { threadId: root.id });
      await send(other, id, '@One', { mentions: [{ type: 'user', userId: one.id, offset: 0, length: 4 }] });
      const unread = async (person: Person) => {
        const { me } = expectStatus(await person.call<Conversation>('GET', `/v1/conversations/${id}`), 200);
        const overview = expectStatus(await person.call<UnreadOverview>('GET', '/v1/me/unread'), 200);
        const here = overview.conversations.find(({ conversationId }) => conversationId === id);
        assert.deepEqual([me.unread, me.mentions], [here?.unread, here?.mentions]);
        return [me.unread, me.mentions, overview.threads.unread];
      };
      assert.deepEqual(await unread(one), [2, 1, 1]);
      expectStatus(await one.call('PUT', `/v1/me/blocks/${other.id}`), 204);
      assert.deepEqual(await unread(one), [1, 0, 0]);
      expectStatus(await other.call('PUT', `/v1/me/blocks/${ana.id}`), 204);
      assert.deepEqual(await unread(one), [1, 0, 0]);
      expectStatus(await one.call('DELETE', `/v1/me/blocks/${other.id}`), 204);
      assert.deepEqual(await unread(one), [2, 1, 1]);
    });

    it('are not of oneself, nor of nobody, and are so many and no more', async () => {
      const one = await registerPerson(app, 'One');
      expectProblem(await one.call('PUT', `/v1/me/blocks/${one.id}`), 400, 'invalid_input');
      expectProblem(await one.call('PUT', `/v1/me/blocks/${randomUUIDv7()}`), 404, 'not_found');
      await app.database.run(
        `insert into blocks (user_id, blocked_id, at) select '${one.id}', gen_random_uuid(), now() from generate_series(1, ${limits.blocksPerUser - 1})`,
      );
      expectStatus(await one.call('PUT', `/v1/me/blocks/${ana.id}`), 204);
      expectProblem(await one.call('PUT', `/v1/me/blocks/${bob.id}`), 409, 'limit_reached');
      expectStatus(await one.call('PUT', `/v1/me/blocks/${ana.id}`), 204);
      const { items } = expectStatus(await one.call<{ items: unknown[] }>('GET', '/v1/me/blocks'), 200);
      assert.equal(items.length, limits.blocksPerUser, 'what was refused is not there, what was there is set again');
    });
  });

  it('the log holds no text: what was edited and deleted since is told as it is now', async () => {
    const message = await send(ana, group.id, 'first words');
    expectStatus(await edit(ana, message, 'second words'), 200);
    const log = async () => {
      const page = expectStatus(await bob.call<EventsAfter>('GET', at('/events?after=1')), 200);
      return page.snapshot ? [] : page.events;
    };
    const told = JSON.stringify(await log());
    assert.ok(!told.includes('first words') && told.includes('second words'));
    expectStatus(await ana.call('DELETE', of(message)), 200);
    assert.ok(!JSON.stringify(await log()).includes('words'));
    assert.deepEqual(
      (await log()).map(({ type }) => type),
      ['message.created', 'message.edited', 'message.deleted'],
    );
  });
});
