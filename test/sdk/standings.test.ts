import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { Message, SyncResponse } from '../../contracts/entities/index.ts';
import { makeGroup, read, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { clientOf, clientsOfEachTest, eager, heard, holds, tapped } from '../support/client.ts';
import { expectStatus } from '../support/rest.ts';
import { urlOf } from '../support/url-of.ts';

describe('what is unread of messages that are not held', () => {
  let app: TestApp;
  const clients = clientsOfEachTest();
  before(async () => {
    app = await startApp();
  });
  after(() => app.stop());

  /** Bob's client, which holds the last two of six unread messages; the second mentions him. */
  const holdingTwoOfSix = async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const { id } = await makeGroup(ana, [bob]);
    const ofBob = { mentions: [{ type: 'user', userId: bob.id, offset: 0, length: 1 }] };
    const messages: Message[] = [];
    for (let n = 1; n <= 6; n += 1) messages.push(await send(ana, id, `${n}`, n === 2 ? ofBob : {}));
    let asked = 0;
    const client = await clientOf(app, bob, {
      limits: { ...eager, messagesPerConversation: 2 },
      surroundings: {
        fetch: (input, init) => {
          if (urlOf(input).endsWith(`/conversations/${id}`)) asked += 1;
          return fetch(input, init);
        },
      },
    });
    clients.push(client);
    const path = (seq: number) => `/v1/conversations/${id}/messages/${messages[seq - 1]?.id ?? ''}`;
    const edit = (seq: number, mentions: object[]) =>
      ana.call('PATCH', path(seq), { clientId: crypto.randomUUID(), text: 'other', mentions });
    const counts = () => {
      const me = client.conversation(id)?.me;
      return [me?.unread, me?.mentions];
    };
    const become = (unread: number, mentions: number) =>
      holds(client, () => isDeepStrictEqual(counts(), [unread, mentions]));
    const remove = async (seq: number) => expectStatus(await ana.call('DELETE', path(seq)), 200);
    return { ana, bob, id, client, edit, remove, become, counts, ofBob, asked: () => asked };
  };

  it('is counted anew where a sync tells more messages than it has counted', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const { id } = await makeGroup(ana, [bob]);
    await send(ana, id, 'one');
    let isOld = false;
    const open = tapped({
      hear(name, payload, pass) {
        if (name !== 'hello') return pass(name, payload);
        const { sync, ...hello } = payload as { sync: SyncResponse };
        const before = sync.standings.map((at) => ({ ...at, version: at.version - 1, unread: at.unread - 1 }));
        // As it is where a message is stored between the counting and the telling.
        pass(name, { ...hello, sync: isOld ? { ...sync, standings: before } : sync });
      },
    });
    const client = await clientOf(app, bob, { limits: eager, surroundings: { open } });
    clients.push(client);
    await client.stop();
    await send(ana, id, 'two');
    isOld = true;
    await client.start();
    await holds(client, () => client.conversation(id)?.me.unread === 2);
    await holds(client, () => client.conversation(id)?.lastSeq === 2);
  });

  it('is counted anew once one of them is deleted, in one question for several', async () => {
    const { client, remove, become, counts, asked } = await holdingTwoOfSix();
    assert.deepEqual(counts(), [6, 1]);
    const gone = heard(client, 'change', ({ version }) => version === 10);
    for (const seq of [1, 2, 3]) await remove(seq);
    await Promise.all([gone, become(3, 0)]);
    assert.ok(asked() < 3, `asked ${asked()} times`);
  });

  it('is counted anew once an edit adds a mention, or takes one away', async () => {
    const { edit, become, ofBob } = await holdingTwoOfSix();
    await edit(1, ofBob.mentions);
    await become(6, 2);
    await edit(2, []);
    await become(6, 1);
  });

  it('is counted anew once a part of it is read, here or on another device, of which not all is held', async () => {
    const { client, bob, id, become, asked } = await holdingTwoOfSix();
    client.markRead(id, 2);
    await become(4, 0);
    await read(bob, id, 3);
    await become(3, 0);
    const before = asked();
    client.markRead(id, 5);
    assert.deepEqual([client.conversation(id)?.me.unread, asked()], [1, before]);
  });

  it('is counted anew once who wrote it is blocked, or no longer', async () => {
    const { client, ana, become } = await holdingTwoOfSix();
    await client.blocks.block(ana.id);
    await become(0, 0);
    await client.blocks.unblock(ana.id);
    await become(6, 1);
  });

  it('needs no question where the message is held', async () => {
    const { edit, remove, become, ofBob, asked } = await holdingTwoOfSix();
    await edit(5, ofBob.mentions);
    await become(6, 2);
    await remove(6);
    await become(5, 2);
    assert.equal(asked(), 0);
  });
});
