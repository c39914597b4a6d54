import assert from 'node:assert/strict';
import type { Conversation, MyMembership } from '../../contracts/entities/index.ts';
import type { Client } from '../../sdk/index.ts';
import { type Person, makeGroup, read, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { until } from '../support/until.ts';
import { clientOf, clientsOfEachTest, eager, heard, holds, tapped } from '../support/client.ts';
import { expectStatus } from '../support/rest.ts';
import { urlOf } from '../support/url-of.ts';

describe('one’s own settings at the client', () => {
  let app: TestApp;
  const clients = clientsOfEachTest();
  before(async () => {
    // The relay sees to it that who writes has read.
    app = await startApp({ processes: [['api', 'realtime', 'relay']] });
  });
  after(() => app.stop());

  const online = async (person: Person, options: Parameters<typeof clientOf>[2] = {}) => {
    const client = await clientOf(app, person, { limits: eager, ...options });
    clients.push(client);
    return client;
  };
  const mine = (client: Client, id: string) => client.conversation(id)?.me as MyMembership;

  it('when they are set on one device, then the other holds them, and what the log tells stays', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const { id } = await makeGroup(ana, [bob]);
    const { seq } = await send(ana, id, 'one');
    const [phone, laptop] = [await online(bob), await online(bob)];
    const mutedUntil = '2099-01-01T00:00:00.000Z';
    await phone.updateMembership(id, { level: 'mentions', mutedUntil, archived: true, pinned: true });
    await phone.markUnread(id, seq);
    await holds(laptop, () => mine(laptop, id).unreadMark === seq);
    await holds(phone, () => mine(phone, id).unreadMark === seq);
    assert.deepEqual(mine(laptop, id), mine(phone, id));
    assert.deepEqual([mine(laptop, id).pinned, mine(laptop, id).unread], [true, 1]);
  });

  it('when the account’s notification settings change on one device, then the other is told them, and a change of an older version is refused', async () => {
    const [bob] = await registerPeople(app, 'Bob');
    const [phone, laptop] = [await online(bob), await online(bob)];
    const told: { emailFrequency: string; version: number }[] = [];
    laptop.on('notificationSettings', ({ settings: { emailFrequency }, version }) =>
      told.push({ emailFrequency, version }),
    );
    await phone.rest('updateNotificationSettings', { body: { emailFrequency: 'daily' } });
    await until(
      async () => told,
      (all) => all.length === 1,
    );
    assert.deepEqual(told, [{ emailFrequency: 'daily', version: 1 }]);
    await assert.rejects(phone.rest('updateNotificationSettings', { body: { emailFrequency: 'off' }, ifMatch: 0 }), {
      code: 'precondition_failed',
    });
    await phone.rest('updateNotificationSettings', {
      body: { emailFrequency: 'hourly' },
      ifMatch: told[0]?.version ?? 0,
    });
    await until(
      async () => told,
      (all) => all.at(-1)?.version === 2,
    );
    assert.equal(told.at(-1)?.emailFrequency, 'hourly');
  });

  it('when channels are switched for a conversation on one device, then the other holds them', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const { id } = await makeGroup(ana, [bob]);
    const [phone, laptop] = [await online(bob), await online(bob)];
    await phone.updateMembership(id, { channels: { email: false } });
    await holds(laptop, () => mine(laptop, id).channels.email === false);
    assert.deepEqual(mine(laptop, id), mine(phone, id));
  });

  it('when a conversation that was read is marked as unread and read again, then the mark is gone on each device', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const { id } = await makeGroup(ana, [bob]);
    const { seq } = await send(ana, id, 'one');
    const [phone, laptop] = [await online(bob), await online(bob)];
    phone.markRead(id);
    await holds(laptop, () => mine(laptop, id).readSeq === seq);
    await phone.markUnread(id, seq);
    await holds(laptop, () => mine(laptop, id).unreadMark === seq);
    phone.markRead(id);
    await holds(laptop, () => mine(laptop, id).unreadMark === null);
    await holds(phone, () => mine(phone, id).unreadMark === null);
  });

  it('when a mark is told before the reading that it follows, then it stays', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const { id } = await makeGroup(ana, [bob]);
    const { seq } = await send(ana, id, 'one');
    const late: (() => void)[] = [];
    const open = tapped({
      hear: (name, payload, pass) => {
        if (name === 'receipts') late.push(() => pass(name, payload));
        else pass(name, payload);
      },
    });
    const [phone, laptop] = [await online(bob), await online(bob, { surroundings: { open } })];
    phone.markRead(id, seq);
    await phone.stop();
    await phone.start();
    await phone.markUnread(id, seq);
    await holds(laptop, () => mine(laptop, id).unreadMark === seq);
    assert.ok(late.length > 0);
    for (const tell of late) tell();
    assert.deepEqual([mine(laptop, id).readSeq, mine(laptop, id).unread, mine(laptop, id).unreadMark], [seq, 0, seq]);
  });

  it('when who has marked a conversation writes in it, then they have read it, and the mark stands on each device', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const { id } = await makeGroup(ana, [bob]);
    const [phone, laptop] = [await online(bob), await online(bob)];
    const { seq } = await send(ana, id, 'one');
    await holds(phone, () => mine(phone, id).deliveredSeq === seq);
    await phone.markUnread(id, seq);
    await phone.send(id, { text: 'two' }).stored;
    for (const device of [phone, laptop])
      await holds(device, () => mine(device, id).readSeq === seq + 1 && mine(device, id).unreadMark === seq);
  });

  it('when an answer is older than a reading on another device, then it is not told again, which would take a mark away', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const { id } = await makeGroup(ana, [bob]);
    const [first] = [await send(ana, id, 'one'), await send(ana, id, 'two'), await send(ana, id, 'three')];
    const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const marked = Promise.withResolvers<void>();
    const laptop = await online(bob, {
      limits: { ...eager, messagesPerConversation: 1 },
      surroundings: {
        async fetch(input, init) {
          const answer = await fetch(input, init);
          if (!urlOf(input).endsWith(`/conversations/${id}`)) return answer;
          asked.resolve();
          await answered.promise;
          return answer;
        },
        open: tapped({
          async ask(_, input, go) {
            if (JSON.stringify(input).includes('"readSeq"')) await marked.promise;
            return go();
          },
        }),
      },
    });
    // What is unread and not held is asked for once something of it has changed.
    expectStatus(await ana.call('DELETE', `/v1/conversations/${id}/messages/${first.id}`), 200);
    await asked.promise;
    expectStatus(await read(bob, id, 2), 200);
    await holds(laptop, () => mine(laptop, id).readSeq === 2);
    const taken = heard(laptop, 'conversation');
    answered.resolve();
    await taken;
    expectStatus(await bob.call('PUT', `/v1/conversations/${id}/unread-mark`, { seq: 2 }), 200);
    marked.resolve();
    // What was to be told of readings is told by then.
    await laptop.stop();
    const { me } = expectStatus(await bob.call<Conversation>('GET', `/v1/conversations/${id}`), 200);
    assert.deepEqual([me.readSeq, me.unreadMark], [2, 2]);
  });

  it('when two change a conversation that both saw at one version, then the second is refused and changes nothing', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const { id } = await makeGroup(ana, [bob]);
    const [one, other] = [await online(ana), await online(ana)];
    const ifVersion = one.conversation(id)?.version ?? 0;
    const changed = await one.updateConversation(id, { title: 'First' }, { ifVersion });
    await assert.rejects(other.updateConversation(id, { title: 'Second' }, { ifVersion }), {
      code: 'precondition_failed',
    });
    await holds(other, () => other.conversation(id)?.title === 'First');
    await other.updateConversation(id, { title: 'Third' }, { ifVersion: changed.version });
    await one.updateConversation(id, { description: 'all of it' });
    await holds(one, () => one.conversation(id)?.description === 'all of it');
    assert.equal(one.conversation(id)?.title, 'Third');
  });
});
