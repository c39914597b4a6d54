import assert from 'node:assert/strict';
import type { Conversation, Message } from '../../contracts/entities/index.ts';
import type { Client } from '../../sdk/index.ts';
import { type Person, makeGroup, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { clientOf, clientsOfEachTest, heard, holds } from '../support/client.ts';
import { expectStatus } from '../support/rest.ts';

describe('threads, through the client', () => {
  let app: TestApp;
  let ana: Person;
  let ben: Person;
  let group: Conversation;
  /** Of Ana, who follows it. */
  let root: Message;
  before(async () => {
    app = await startApp();
  });
  beforeEach(async () => {
    [ana, ben] = await registerPeople(app, 'Ana', 'Ben');
    group = await makeGroup(ana, [ben]);
    root = await send(ana, group.id, 'who comes?');
  });
  after(() => app.stop());
  const clients = clientsOfEachTest();
  const online = async (person: Person, options: Parameters<typeof clientOf>[2] = {}): Promise<Client> => {
    const client = await clientOf(app, person, options);
    clients.push(client);
    return client;
  };
  const reply = (from: Person, text: string, extra: object = {}) =>
    send(from, group.id, text, { threadId: root.id, ...extra });
  const textsOf = (messages: readonly Message[]) => messages.map(({ text }) => text);

  it('are followed and read on one device, which the others hear', async () => {
    const first = await reply(ben, '@Ana', { mentions: [{ type: 'user', userId: ana.id, offset: 0, length: 4 }] });
    await reply(ben, 'and more');
    const [phone, laptop] = [await online(ana), await online(ana)];
    const { items, nextCursor } = await phone.threads(group.id);
    assert.deepEqual(
      items.map(({ root: { id }, unread, mentions }) => [id, unread, mentions]),
      [[root.id, 2, 1]],
    );
    assert.equal(nextCursor, null);
    const told = heard(laptop, 'thread');
    const inAll = heard(laptop, 'attention');
    const { root: _, ...standing } = await phone.readThread(group.id, root.id, first.seq);
    assert.deepEqual([standing.readSeq, standing.unread, standing.mentions], [first.seq, 1, 0]);
    assert.deepEqual(await told, { conversationId: group.id, threadId: root.id, rootSeq: root.seq, ...standing });
    assert.deepEqual((await inAll).threads, { unread: 1, mentions: 0 });
    assert.equal((await phone.readThread(group.id, first.id)).unread, 0, 'all of it, by any message in it');
    const over = heard(laptop, 'thread', ({ following }) => !following);
    assert.equal((await phone.followThread(group.id, root.id, false)).following, false);
    await over;
    assert.deepEqual((await laptop.threads(group.id)).items, []);
    assert.equal((await laptop.followThread(group.id, root.id)).following, true);
  });

  it('their lists, page by page', async () => {
    const other = await send(ana, group.id, 'and who not?');
    await reply(ben, 'me');
    await send(ben, group.id, 'not me', { threadId: other.id });
    const client = await online(ana);
    const first = await client.threads(group.id, { limit: 1 });
    const second = await client.threads(group.id, { limit: 1, cursor: first.nextCursor ?? '' });
    assert.deepEqual(textsOf([...first.items, ...second.items].map((thread) => thread.root)), [
      'and who not?',
      'who comes?',
    ]);
    assert.equal(second.nextCursor, null);
  });

  it('their replies are read in pages, which leave no gap in what is held', async () => {
    await reply(ben, 'me');
    await reply(ben, 'and me');
    await Promise.all(Array.from({ length: 56 }, (_, n) => send(ana, group.id, `message ${n}`)));
    const { seq: last } = await reply(ben, 'later');
    const client = await online(ana);
    const held = () => client.conversation(group.id)?.messages.map(({ seq }) => seq);
    const newest = Array.from({ length: 50 }, (_, n) => last - 49 + n);
    assert.deepEqual(held(), newest);
    assert.deepEqual(textsOf(await client.replies(group.id, root.id)), ['me', 'and me', 'later']);
    assert.deepEqual(textsOf(await client.replies(group.id, root.id, { before: last, limit: 1 })), ['and me']);
    await client.threads(group.id);
    assert.deepEqual(held(), newest);
  });

  for (const what of ['replies', 'threads'] as const) {
    it(`what is changed while a page of ${what} is on its way is changed in it`, async () => {
      const said = what === 'replies' ? await reply(ben, 'before') : root;
      if (what === 'threads') await reply(ben, 'me');
      const author = what === 'replies' ? ben : ana;
      const client = await online(ana, { surroundings: { fetch: late(() => changed()) } });
      const changed = async () => {
        const path = `/v1/conversations/${group.id}/messages/${said.id}`;
        expectStatus(await author.call('PATCH', path, { clientId: crypto.randomUUID(), text: 'after' }), 200);
        await holds(client, () => textsOf(client.conversation(group.id)?.messages ?? []).includes('after'));
      };
      const page =
        what === 'replies'
          ? await client.replies(group.id, root.id)
          : (await client.threads(group.id)).items.map((thread) => thread.root);
      assert.deepEqual(textsOf(page), ['after']);
    });
  }

  /** Holds back the answers about threads until something has happened meanwhile. */
  const late =
    (happen: () => Promise<void>): typeof fetch =>
    async (input, init) => {
      const response = await fetch(input, init);
      if (/\/(replies|threads)/.test(input as string)) await happen();
      return response;
    };
});
