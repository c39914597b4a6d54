import assert from 'node:assert/strict';
import type { DeliveryState, Message } from '../../contracts/entities/index.ts';
import { type Client, deliveryOf } from '../../sdk/index.ts';
import { type Person, makeDirect, makeGroup, read, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Tap, clientOf, clientsOfEachTest, eager, heard, holds, tapped } from '../support/client.ts';
import { expectStatus } from '../support/rest.ts';

describe('how far others are, at the client', () => {
  let app: TestApp;
  const clients = clientsOfEachTest();
  before(async () => {
    app = await startApp();
  });
  after(() => app.stop());

  const online = async (person: Person, tap: Tap = {}) => {
    const client = await clientOf(app, person, { limits: eager, surroundings: { open: tapped(tap) } });
    clients.push(client);
    return client;
  };
  const add = async (by: Person, id: string, people: readonly Person[]) =>
    expectStatus(
      await by.call('POST', `/v1/conversations/${id}/members`, { userIds: people.map((one) => one.id) }),
      200,
    );
  const remove = async (by: Person, id: string, whom: Person) =>
    expectStatus(await by.call('DELETE', `/v1/conversations/${id}/members/${whom.id}`), 204);
  const hides = async (person: Person) =>
    expectStatus(await person.call('PATCH', '/v1/me', { privacy: { tellRead: false } }), 200);
  const asHeld = (client: Client, id: string) => [...(client.conversation(id)?.receipts ?? [])].sort();
  /** How far a message has come, as the client holds it, and as the server answers its sender. */
  const told = (client: Client, id: string, message: Message) => {
    const conversation = client.conversation(id);
    return conversation && deliveryOf(conversation, message);
  };
  const asked = async (sender: Person, id: string, message: Message) => {
    const path = `/v1/conversations/${id}/messages/${message.id}/receipts`;
    const state = expectStatus(await sender.call<DeliveryState>('GET', path), 200);
    return { recipients: state.recipients, deliveredTo: state.deliveredTo, readBy: state.readBy };
  };
  /** What the client holds is what one is given that holds nothing yet. */
  const agrees = async (client: Client, person: Person, id: string) => {
    const fresh = await online(person);
    await holds(client, () => client.conversation(id)?.version === fresh.conversation(id)?.version);
    assert.ok(asHeld(fresh, id).length > 0);
    assert.deepEqual(asHeld(client, id), asHeld(fresh, id));
  };

  describe('when somebody comes', () => {
    it('with the making of the conversation, then it is known of them from the beginning', async () => {
      const [ana, bob, dan] = await registerPeople(app, 'Ana', 'Bob', 'Dan');
      await hides(dan);
      const client = await online(ana);
      const { id } = await makeGroup(ana, [bob, dan]);
      await holds(client, () => client.conversation(id) !== undefined);
      await agrees(client, ana, id);
    });

    it('later, or comes back, then it is known at once, and of who does not tell it, that they do not', async () => {
      const [ana, bob, cleo, dan] = await registerPeople(app, 'Ana', 'Bob', 'Cleo', 'Dan');
      await hides(dan);
      const { id } = await makeGroup(ana, [bob, cleo]);
      const client = await online(ana);
      await send(ana, id, 'before');
      await remove(ana, id, cleo);
      await send(ana, id, 'meanwhile');
      await add(ana, id, [cleo, dan]);
      await agrees(client, ana, id);
    });

    it('while the client misses what is told live, then it is known once the gap is filled', async () => {
      const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
      const { id } = await makeGroup(ana, [bob, cleo]);
      let deaf = false;
      const client = await online(ana, { hear: (name, payload, pass) => deaf || pass(name, payload) });
      deaf = true;
      await remove(ana, id, cleo);
      await add(ana, id, [cleo]);
      deaf = false;
      await send(bob, id, 'after');
      await holds(client, () => client.conversation(id)?.lastSeq === 3);
      await agrees(client, ana, id);
    });

    it('while the client is away, then the sync tells it', async () => {
      const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
      const { id } = await makeGroup(ana, [bob]);
      const client = await online(ana);
      await client.stop();
      await add(ana, id, [cleo]);
      await client.start();
      await agrees(client, ana, id);
    });
  });

  describe('when somebody comes after a message', () => {
    it('or comes back, then they are not among those who have read it, and of the next one they are', async () => {
      const [ana, bob, cleo, dan] = await registerPeople(app, 'Ana', 'Bob', 'Cleo', 'Dan');
      const { id } = await makeGroup(ana, [bob, cleo]);
      const client = await online(ana);
      const before = await send(ana, id, 'before');
      await read(bob, id, before.seq);
      await remove(ana, id, cleo);
      await add(ana, id, [cleo, dan]);
      const after = await send(ana, id, 'after');
      await read(cleo, id, after.seq);
      await holds(client, () => told(client, id, after)?.readBy.includes(cleo.me.id) ?? false);
      for (const one of [client, await online(ana)]) {
        assert.deepEqual(told(one, id, before), await asked(ana, id, before));
        assert.deepEqual(told(one, id, after), await asked(ana, id, after));
      }
      assert.deepEqual((await asked(ana, id, before)).readBy, [bob.id]);
    });

    it('then a reading of theirs that is told before their going and coming counts', async () => {
      const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
      const { id } = await makeGroup(ana, [bob, cleo]);
      const late: (() => void)[] = [];
      const client = await online(ana, {
        hear: (name, payload, pass) => (name === 'event' ? late.push(() => pass(name, payload)) : pass(name, payload)),
      });
      await remove(ana, id, cleo);
      await add(ana, id, [cleo]);
      const { seq } = await send(bob, id, 'hello');
      const reading = heard(client, 'receipts', ([receipt]) => receipt?.userId === cleo.id);
      await read(cleo, id, seq);
      await reading;
      for (const pass of late) pass();
      await holds(client, () => client.conversation(id)?.lastSeq === seq);
      await agrees(client, ana, id);
    });

    it('then what is told late of the time before they went is nothing to anybody', async () => {
      const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
      const { id } = await makeGroup(ana, [bob, cleo]);
      const late: (() => void)[] = [];
      const isLate = (name: string, payload: unknown) =>
        name === 'receipts' && JSON.stringify(payload).includes(cleo.id);
      const client = await online(ana, {
        hear: (name, payload, pass) =>
          isLate(name, payload) ? late.push(() => pass(name, payload)) : pass(name, payload),
      });
      const { seq } = await send(bob, id, 'hello');
      await read(cleo, id, seq);
      await remove(ana, id, cleo);
      await holds(client, () => late.length > 0 && client.conversation(id)?.memberCount === 2);
      for (const pass of late) pass();
      await agrees(client, ana, id);
    });
  });

  it('when a block between two has ended, then each is told what the other has read meanwhile', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const { id } = await makeDirect(ana, bob);
    await send(ana, id, 'one');
    const [hers, his] = [await online(ana), await online(bob)];
    const block = async (by: Person, whom: Person, method: string) =>
      expectStatus(await by.call(method, `/v1/me/blocks/${whom.id}`), 204);
    await block(ana, bob, 'PUT');
    await block(bob, ana, 'PUT');
    await read(bob, id, 1);
    // As long as one of the two blocks, neither is told.
    await block(ana, bob, 'DELETE');
    const readByBob = () => hers.conversation(id)?.receipts.get(bob.me.id)?.readSeq;
    assert.equal(readByBob(), 0);
    await block(bob, ana, 'DELETE');
    await holds(hers, () => readByBob() === 1);
    await agrees(hers, ana, id);
    await agrees(his, bob, id);
  });

  it('when the members become too many to be named, then nothing is held of any', async () => {
    const people = await registerPeople(app, ...Array.from({ length: 101 }, (_, index) => `Person ${index}`));
    const [ana, last] = [people[0] as Person, people[100] as Person];
    const { id } = await makeGroup(ana, people.slice(1, 100));
    const client = await online(ana);
    await send(ana, id, 'one');
    await read(people[1] as Person, id, 1);
    await add(ana, id, [last]);
    await holds(client, () => client.conversation(id)?.memberCount === 101);
    assert.deepEqual(asHeld(client, id), []);
  });
});
