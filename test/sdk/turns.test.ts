import assert from 'node:assert/strict';
import type { Message, MyMembership } from '../../contracts/entities/index.ts';
import { type Client, createClient } from '../../sdk/index.ts';
import { type Person, makeGroup, password, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { clientOf, clientsOfEachTest, eager, tapped } from '../support/client.ts';
import { urlOf } from '../support/url-of.ts';

describe('of two calls about the same', () => {
  let app: TestApp;
  let people: { ana: Person; bob: Person };
  let message: Message;
  const clients = clientsOfEachTest();
  before(async () => {
    app = await startApp();
  });
  beforeEach(async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    people = { ana, bob };
    const group = await makeGroup(ana, [bob]);
    message = await send(ana, group.id, 'hello');
  });
  after(() => app.stop());

  const changing = ['message.edit', 'message.delete', 'reaction.set'];
  /** Ana's client, of whose changes the first lets the second overtake it, if that is asked for before the answer. */
  const overtaking = async (refusal?: object) => {
    let asked = 0;
    const second = Promise.withResolvers<void>();
    const overtaken = async <T>(go: () => Promise<T>): Promise<T> => {
      asked += 1;
      if (asked > 1) return go().finally(second.resolve);
      // Whatever was asked for in the same moment is here once another question was answered.
      await people.ana.call('GET', '/v1/me');
      if (asked > 1) await second.promise;
      return refusal ? (refusal as T) : go();
    };
    const client = await clientOf(app, people.ana, {
      limits: eager,
      surroundings: {
        open: tapped({ ask: (name, _input, go) => (changing.includes(name) ? overtaken(go) : go()) }),
        fetch: (input, init) => {
          const isChange = ['PUT', 'PATCH', 'DELETE'].includes(init?.method ?? 'GET');
          return isChange ? overtaken(() => fetch(input, init)) : fetch(input, init);
        },
      },
    });
    clients.push(client);
    return client;
  };
  const latest = async () => (await people.ana.call<Message>('GET', path())).body;
  const path = () => `/v1/conversations/${message.conversationId}/messages/${message.id}`;
  const membership = async () => {
    const answer = await people.ana.call<{ me: MyMembership }>('GET', `/v1/conversations/${message.conversationId}`);
    return answer.body.me;
  };

  const messages: [what: string, one: Change, other: Change, right: (message: Message) => boolean][] = [
    ['a reaction is not there', react(true), react(false), ({ reactions }) => reactions.length === 0],
    ['the text is the second', edit('first'), edit('second'), ({ text }) => text === 'second'],
    [
      'a deleted one says nothing',
      edit('first'),
      (client, ...ids) => client.delete(...ids),
      ({ text }) => text === null,
    ],
    [
      'a pin is gone',
      (client, ...ids) => client.pins.pin(...ids),
      (client, ...ids) => client.pins.unpin(...ids),
      ({ pinnedAt }) => pinnedAt === null,
    ],
  ];
  for (const [what, one, other, right] of messages)
    it(`message, the second has the last word: ${what}`, async () => {
      const client = await overtaking();
      const { conversationId, id } = message;
      await Promise.all([one(client, conversationId, id), other(client, conversationId, id)]);
      assert.ok(right(await latest()));
    });

  it('conversation, the second has the last word: what it is set to be, and the mark', async () => {
    const { conversationId: id } = message;
    const client = await overtaking();
    await Promise.all([client.updateMembership(id, { pinned: true }), client.updateMembership(id, { pinned: false })]);
    assert.equal((await membership()).pinned, false);
    const other = await overtaking();
    await Promise.all([other.markUnread(id, 1), other.markUnread(id, null)]);
    assert.equal((await membership()).unreadMark, null);
  });

  it('message, the second goes on where the first failed', async () => {
    const client = await overtaking({ ok: false, error: { code: 'forbidden', message: '' } });
    const { conversationId, id } = message;
    const failing = client.edit(conversationId, id, { text: 'first' });
    const second = client.edit(conversationId, id, { text: 'second' });
    await assert.rejects(failing, { code: 'forbidden' });
    assert.equal((await second).text, 'second');
  });

  it('message, the second is not done as somebody who has signed in meanwhile', async () => {
    const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const pins: string[] = [];
    const client = createClient({
      url: app.url,
      surroundings: {
        fetch: async (input, init) => {
          if (!urlOf(input).endsWith('/pin')) return fetch(input, init);
          pins.push(init?.method ?? '');
          asked.resolve();
          await answer.promise;
          return fetch(input, init);
        },
      },
    });
    const { conversationId, id } = message;
    await client.signIn({ identifier: people.ana.email, password });
    const both = [client.pins.pin(conversationId, id), client.pins.unpin(conversationId, id)];
    const refused = Promise.all(both.map((pin) => assert.rejects(pin, { code: 'signed_out' })));
    await asked.promise;
    await client.signIn({ identifier: people.bob.email, password });
    answer.resolve();
    await refused;
    assert.equal(pins.length, 1);
  });
});

type Change = (client: Client, conversationId: string, messageId: string) => Promise<unknown>;

function react(on: boolean): Change {
  return (client, ...ids) => client.react(...ids, '👍', on);
}

function edit(text: string): Change {
  return (client, ...ids) => client.edit(...ids, { text });
}
