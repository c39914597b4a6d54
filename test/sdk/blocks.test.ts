import assert from 'node:assert/strict';
import type { Conversation } from '../../contracts/entities/index.ts';
import type { Client } from '../../sdk/index.ts';
import { type Person, makeGroup, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { clientOf, clientsOfEachTest, eager, holds, tapped } from '../support/client.ts';
import { expectStatus } from '../support/rest.ts';

describe('blocks at the client', () => {
  let app: TestApp;
  const clients = clientsOfEachTest();
  before(async () => {
    app = await startApp();
  });
  after(() => app.stop());

  const online = async (person: Person, options: Parameters<typeof clientOf>[2] = {}) => {
    const client = await clientOf(app, person, { limits: eager, ...options });
    clients.push(client);
    return client;
  };
  const marks = (client: Client, id: string) =>
    (client.conversation(id)?.messages ?? []).flatMap(({ kind, text, fromBlocked }) =>
      kind === 'text' ? [`${text} ${fromBlocked ?? false}`] : [],
    );
  const block = async (by: Person, whom: Person, method = 'PUT') =>
    expectStatus(await by.call(method, `/v1/me/blocks/${whom.id}`), 204);
  const are = (client: Client, id: string, wanted: string[]) =>
    holds(client, () => JSON.stringify(marks(client, id)) === JSON.stringify(wanted));

  it('when somebody is blocked, or no longer, on any device, then every device marks what it holds', async () => {
    const [ana, eve] = await registerPeople(app, 'Ana', 'Eve');
    const { id } = await makeGroup(ana, [eve]);
    await send(eve, id, 'hers');
    await send(ana, id, 'mine');
    const devices = [await online(ana), await online(ana)];
    await devices[0]?.rest('blockUser', { params: { userId: eve.id } });
    for (const device of devices) await are(device, id, ['hers true', 'mine false']);
    await block(ana, eve, 'DELETE');
    for (const device of devices) await are(device, id, ['hers false', 'mine false']);
  });

  it('when the blocked do something that the conversation says, then that is marked nowhere', async () => {
    const [ana, eve] = await registerPeople(app, 'Ana', 'Eve');
    const { id } = await makeGroup(ana, [eve]);
    await block(ana, eve);
    const live = await online(ana);
    expectStatus(await eve.call('POST', `/v1/conversations/${id}/leave`), 204);
    await holds(live, () => live.conversation(id)?.messages.at(-1)?.kind === 'system');
    const fresh = await online(ana);
    const lines = (client: Client) =>
      client.conversation(id)?.messages.map(({ seq, fromBlocked }) => [seq, fromBlocked]);
    assert.deepEqual(lines(live), lines(fresh));
    assert.equal(live.conversation(id)?.messages.at(-1)?.fromBlocked, undefined);
  });

  it('when it happened while the client was away, then it marks by the next connect, and pages by what it knows', async () => {
    const [ana, eve] = await registerPeople(app, 'Ana', 'Eve');
    const { id } = await makeGroup(ana, [eve]);
    await send(eve, id, 'hers');
    const drop: (() => void)[] = [];
    const open = tapped({
      opened: (_auth, close) => void drop.push(close),
      hear: (name, payload, pass) => {
        // What is told live is lost.
        if (name !== 'blocks') pass(name, payload);
      },
    });
    const client = await online(ana, { surroundings: { open } });
    await block(ana, eve);
    assert.deepEqual(marks(client, id), ['hers false']);
    drop.at(-1)?.();
    await are(client, id, ['hers true']);
    assert.equal((await client.history(id)).find(({ text }) => text === 'hers')?.fromBlocked, true);
    await block(ana, eve, 'DELETE');
    drop.at(-1)?.();
    await are(client, id, ['hers false']);
  });

  it('when what the blocked wrote is unread, then the client counts it no more, and again afterwards, as the server does', async () => {
    const [ana, eve, bob] = await registerPeople(app, 'Ana', 'Eve', 'Bob');
    const { id } = await makeGroup(ana, [eve, bob]);
    const mentions = [{ type: 'user', userId: ana.id, offset: 0, length: 4 }];
    await send(bob, id, 'his');
    await send(eve, id, '@Ana', { mentions });
    const client = await online(ana);
    const counted = async (unread: number, mentioned: number) => {
      await holds(client, () => client.conversation(id)?.me.unread === unread);
      const { me } = expectStatus(await ana.call<Conversation>('GET', `/v1/conversations/${id}`), 200);
      assert.deepEqual([client.conversation(id)?.me.mentions, me.unread, me.mentions], [mentioned, unread, mentioned]);
    };
    await counted(2, 1);
    await block(ana, eve);
    await counted(1, 0);
    await send(eve, id, '@Ana', { mentions });
    await send(bob, id, 'his');
    await counted(2, 0);
    await block(ana, eve, 'DELETE');
    await counted(4, 2);
  });
});
