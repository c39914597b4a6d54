import assert from 'node:assert/strict';
import type { Client } from '../../sdk/index.ts';
import { type Person, makeChannel, makeGroup, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { clientOf, clientsOfEachTest, eager, heard, holds, tapped } from '../support/client.ts';
import { expectStatus } from '../support/rest.ts';

describe('the client’s calls by subject', () => {
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
  /** Of each thing that is asked for the first answer is lost. */
  const unlucky = async (person: Person) => {
    const asked = new Set<string>();
    let on = false;
    const losing: typeof fetch = async (input, init) => {
      const answer = await fetch(input, init);
      const what = `${init?.method} ${input as string}`;
      if (!on || init?.method === 'GET' || asked.has(what)) return answer;
      asked.add(what);
      throw new TypeError('the connection was lost');
    };
    const client = await online(person, { surroundings: { fetch: losing } });
    on = true;
    return { client, lost: () => asked.size };
  };
  const rolesIn = async (client: Client, id: string) => {
    const { items } = await client.members.list(id);
    return Object.fromEntries(items.map(({ displayName, role }) => [displayName, role]));
  };

  it('members come, change and go, each once though every answer is lost at first', async () => {
    const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
    const { id } = await makeGroup(ana, []);
    const { client, lost } = await unlucky(ana);
    const grown = await client.members.add(id, [bob.id, cleo.id]);
    assert.equal(grown.memberCount, 3);
    await holds(client, () => client.conversation(id)?.version === grown.version);
    await client.members.changeRole(id, bob.id, 'admin');
    assert.deepEqual(await rolesIn(client, id), { Ana: 'owner', Bob: 'admin', Cleo: 'member' });
    await client.members.remove(id, cleo.id);
    await client.members.ban(id, bob.id);
    assert.deepEqual(await rolesIn(client, id), { Ana: 'owner' });
    assert.deepEqual(
      (await client.members.bans(id)).items.map(({ userId }) => userId),
      [bob.id],
    );
    await client.members.unban(id, bob.id);
    await client.members.add(id, [bob.id], 'read_only');
    const other = await unlucky(bob);
    await other.client.members.leave(id);
    assert.deepEqual(await rolesIn(client, id), { Ana: 'owner' });
    assert.deepEqual([lost(), other.lost()], [5, 1]);
    await assert.rejects(client.members.remove(id, cleo.id), { code: 'not_found' });
  });

  it('whoever was removed between a try and its repeat is not told that it was refused: it may have been done', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const { id } = await makeGroup(ana, [bob]);
    const member = `/v1/conversations/${id}/members/${bob.id}`;
    expectStatus(await ana.call('PATCH', member, { role: 'admin' }), 204);
    let lost = false;
    const losing: typeof fetch = async (input, init) => {
      const answer = await fetch(input, init);
      if (lost || init?.method !== 'POST' || !(input as string).endsWith('/invites')) return answer;
      lost = true;
      expectStatus(await ana.call('DELETE', member), 204);
      throw new TypeError('the connection was lost');
    };
    const client = await online(bob, { surroundings: { fetch: losing } });
    await assert.rejects(client.invites.create(id), { code: 'outcome_unknown' });
    assert.equal((await (await online(ana)).invites.list(id)).length, 1);
    await assert.rejects(client.invites.create(id), { code: 'not_found' });
  });

  it('an open channel is joined, and handed over, though every answer is lost at first', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const { id } = await makeChannel(ana, { visibility: 'open' });
    const [owner, guest] = [await unlucky(ana), await unlucky(bob)];
    assert.equal((await guest.client.members.join(id)).memberCount, 2);
    await owner.client.members.transfer(id, bob.id);
    assert.deepEqual(await rolesIn(guest.client, id), { Ana: 'admin', Bob: 'owner' });
    assert.deepEqual([owner.lost(), guest.lost()], [1, 1]);
  });

  it('pages of members go on where the last one ended', async () => {
    const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
    const { id } = await makeGroup(ana, [bob, cleo]);
    const client = await online(ana);
    const first = await client.members.list(id, { limit: 2 });
    const second = await client.members.list(id, { limit: 2, cursor: first.nextCursor ?? '' });
    assert.deepEqual([first.items.length, second.items.length, second.nextCursor], [2, 1, null]);
  });

  it('invitations are made once, taken back, and lead in', async () => {
    const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
    const { id } = await makeGroup(ana, []);
    const { client, lost } = await unlucky(ana);
    const guest = await unlucky(bob);
    const invite = await client.invites.create(id, { maxUses: 1 });
    assert.deepEqual(await client.invites.list(id), [invite]);
    assert.equal((await guest.client.invites.accept(invite.code)).id, id);
    await holds(guest.client, () => guest.client.conversation(id) !== undefined);
    const other = await client.invites.create(id);
    await client.invites.revoke(id, other.id);
    const late = await online(cleo);
    await assert.rejects(late.invites.accept(other.code), { code: 'not_found' });
    assert.deepEqual([lost(), guest.lost()], [2, 1]);
  });

  it('pins and blocks are set and taken away', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const { id } = await makeGroup(ana, [bob]);
    const message = await send(bob, id, 'keep this');
    const { client, lost } = await unlucky(ana);
    await client.pins.pin(id, message.id);
    assert.deepEqual(
      (await client.pins.list(id)).map((pinned) => pinned.id),
      [message.id],
    );
    await client.pins.unpin(id, message.id);
    assert.deepEqual(await client.pins.list(id), []);
    await client.blocks.block(bob.id);
    assert.deepEqual(
      (await client.blocks.list()).map(({ userId }) => userId),
      [bob.id],
    );
    await holds(client, () => client.conversation(id)?.messages.some(({ fromBlocked }) => fromBlocked) === true);
    await client.blocks.unblock(bob.id);
    assert.deepEqual(await client.blocks.list(), []);
    assert.equal(lost(), 4);
  });

  it('what is forwarded stands there once, though the answer is lost', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const [from, to] = [await makeGroup(ana, [bob]), await makeGroup(ana, [])];
    const message = await send(bob, from.id, 'the news');
    const { client, lost } = await unlucky(ana);
    const copy = await client.forward(from.id, message.id, to.id);
    assert.deepEqual([copy.text, copy.forwardedFrom?.senderId, lost()], ['the news', bob.id, 1]);
    await holds(client, () => client.conversation(to.id)?.lastSeq === 1);
    assert.deepEqual(
      (await client.history(to.id)).map(({ id }) => id),
      [copy.id],
    );
  });

  describe('drafts', () => {
    const textsOf = async (client: Client) => (await client.drafts.list()).map(({ text }) => text);

    it('are the same on all devices, and gone on all of them once what they were is sent', async () => {
      const [ana] = await registerPeople(app, 'Ana');
      const { id } = await makeGroup(ana, []);
      const [phone, laptop] = [await online(ana), await online(ana)];
      const [told, gone] = [heard(laptop, 'draft'), heard(laptop, 'draft', ({ draft }) => draft === null)];
      await phone.drafts.put(id, { text: 'Dear all' });
      assert.equal((await told).draft?.text, 'Dear all');
      await laptop.drafts.put(id, { text: 'Dear all, hel' });
      await laptop.send(id, { text: 'Dear all, hello' }).stored;
      await gone;
      assert.deepEqual(await textsOf(phone), []);
    });

    it('that were begun after the message was written stay, on whichever device', async () => {
      const [ana] = await registerPeople(app, 'Ana');
      const { id } = await makeGroup(ana, []);
      const heardOf = Promise.withResolvers<void>();
      const open = tapped({
        ask: async (name, _input, go) => {
          if (name === 'message.send') await heardOf.promise;
          return go();
        },
      });
      const [phone, laptop] = [await online(ana), await online(ana, { surroundings: { open } })];
      await laptop.drafts.put(id, { text: 'first' });
      const late = laptop.send(id, { text: 'first' });
      await phone.drafts.put(id, { text: 'second' });
      heardOf.resolve();
      await late.stored;
      for (const client of [laptop, phone]) assert.deepEqual(await textsOf(client), ['second']);
      await phone.drafts.put(id, { text: 'third' });
      const sent = phone.send(id, { text: 'third' });
      await phone.drafts.put(id, { text: 'fourth' });
      await sent.stored;
      assert.deepEqual(await textsOf(phone), ['fourth']);
    });

    it('of another device stay when something else is sent', async () => {
      const [ana] = await registerPeople(app, 'Ana');
      const { id } = await makeGroup(ana, []);
      const [phone, laptop] = [await online(ana), await online(ana)];
      const told = heard(laptop, 'draft');
      await phone.drafts.put(id, { text: 'Dear all' });
      await told;
      await laptop.send(id, { text: 'ok' }).stored;
      for (const client of [laptop, phone]) assert.deepEqual(await textsOf(client), ['Dear all']);
    });

    it('stay when a reply is sent in a thread, which is not what was begun', async () => {
      const [ana] = await registerPeople(app, 'Ana');
      const { id } = await makeGroup(ana, []);
      const [phone, laptop] = [await online(ana), await online(ana)];
      const told: (string | undefined)[] = [];
      phone.on('draft', ({ draft }) => void told.push(draft?.text));
      const { id: threadId } = await laptop.send(id, { text: 'root' }).stored;
      await laptop.drafts.put(id, { text: 'Dear all' });
      await laptop.send(id, { text: 'ok', threadId }).stored;
      // Whatever the reply clears is asked for by now, and what is put next waits for its turn.
      await laptop.rest('getMe');
      await laptop.drafts.put(id, { text: 'Dear all, hello' });
      const cleared = heard(phone, 'draft', ({ draft }) => draft === null);
      await laptop.send(id, { text: 'Dear all, hello' }).stored;
      await cleared;
      assert.deepEqual(told, ['Dear all', 'Dear all, hello', undefined]);
    });

    it('that are not there are thrown away all the same', async () => {
      const [ana] = await registerPeople(app, 'Ana');
      const { id } = await makeGroup(ana, []);
      const { client } = await unlucky(ana);
      await client.drafts.delete(id);
      await client.drafts.put(id, { text: 'Dear all' });
      await client.drafts.delete(id);
      assert.deepEqual(await textsOf(client), []);
    });
  });
});
