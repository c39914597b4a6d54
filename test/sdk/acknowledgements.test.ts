import assert from 'node:assert/strict';
import type { Member, MyMembership } from '../../contracts/entities/index.ts';
import type { Client } from '../../sdk/index.ts';
import { type Person, makeChannel, makeGroup, password, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Tap, clientOf, clientsOfEachTest, eager, heard, holds, tapped } from '../support/client.ts';
import { expectStatus } from '../support/rest.ts';
import { urlOf } from '../support/url-of.ts';

interface Update {
  conversationId: string;
  receipt: { deliveredSeq?: number; readSeq?: number };
}

describe('what the client acknowledges', () => {
  let app: TestApp;
  const clients = clientsOfEachTest();
  before(async () => {
    app = await startApp();
  });
  after(() => app.stop());

  /** A client whose updates of receipts are written down; `answer` may stand in the server's place. */
  const watched = async (person: Person, tap: Tap = {}, acknowledgeMs = 100) => {
    const updates: Update[] = [];
    const open = tapped({
      ...tap,
      ask: (name, input, go) => {
        if (name === 'receipt.update') updates.push(input as Update);
        return tap.ask ? tap.ask(name, input, go) : go();
      },
    });
    const client = await clientOf(app, person, { limits: { ...eager, acknowledgeMs }, surroundings: { open } });
    clients.push(client);
    return { client, updates, of: (id: string) => updates.filter(({ conversationId }) => conversationId === id) };
  };
  const watermarks = async (asker: Person, id: string, person: Person) => {
    const answer = await asker.call<{ items: Member[] }>('GET', `/v1/conversations/${id}/members`);
    const member = expectStatus(answer, 200).items.find(({ userId }) => userId === person.id);
    return [member?.deliveredSeq, member?.readSeq];
  };
  const receiptOf = (client: Client, deliveredSeq: number) =>
    heard(client, 'receipts', (receipts) => receipts.some((receipt) => receipt.deliveredSeq === deliveredSeq));

  it('when many messages come, then their delivery is told by itself, in few requests, the highest last', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const { client, of } = await watched(bob);
    const told = receiptOf(client, 20);
    for (let n = 0; n < 20; n += 1) await send(ana, group.id, `${n}`);
    await told;
    assert.deepEqual(await watermarks(ana, group.id, bob), [20, 0]);
    assert.ok(of(group.id).length <= 10, `${of(group.id).length} requests`);
    const seqs = of(group.id).map(({ receipt }) => receipt.deliveredSeq ?? 0);
    assert.deepEqual(
      seqs,
      [...seqs].sort((a, b) => a - b),
    );
  });

  it('when they come within one window, then it is one request, and reading goes with it', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const [group, other] = [await makeGroup(ana, [bob]), await makeGroup(ana, [bob], 'Other')];
    const { client, of } = await watched(bob, {}, 2_000);
    for (let n = 0; n < 5; n += 1) await send(ana, group.id, `${n}`);
    await send(ana, other.id, 'there');
    await holds(
      client,
      () => client.conversation(group.id)?.lastSeq === 5 && client.conversation(other.id)?.lastSeq === 1,
    );
    for (const seq of [1, 3, 2]) client.markRead(group.id, seq);
    assert.deepEqual([client.conversation(group.id)?.me.readSeq, client.conversation(group.id)?.me.unread], [3, 2]);
    await Promise.all([receiptOf(client, 5), receiptOf(client, 1)]);
    assert.deepEqual(
      of(group.id).map(({ receipt }) => receipt),
      [{ deliveredSeq: 5, readSeq: 3 }],
    );
    assert.deepEqual(
      of(other.id).map(({ receipt }) => receipt),
      [{ deliveredSeq: 1 }],
    );
  });

  it('when everything is read, then it is read up to what is held, and twice is once', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    for (let n = 0; n < 3; n += 1) await send(ana, group.id, `${n}`);
    const { client, of } = await watched(bob);
    client.markRead(group.id);
    client.markRead(group.id);
    client.markRead(group.id, 1_000);
    await client.stop();
    assert.deepEqual(await watermarks(ana, group.id, bob), [3, 3]);
    assert.deepEqual(
      of(group.id).map(({ receipt }) => receipt.readSeq),
      [3],
    );
  });

  it('when the client is stopped right after a reading, then it is told first', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    await send(ana, group.id, 'one');
    const { client } = await watched(bob, {}, 60_000);
    client.markRead(group.id);
    await client.stop();
    assert.deepEqual(await watermarks(ana, group.id, bob), [1, 1]);
  });

  it('when the server does not answer, then stopping does not wait for it for long', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    await send(ana, group.id, 'one');
    const never = new Promise<never>(() => undefined);
    const ask: Tap['ask'] = (name, _input, go) => (name === 'receipt.update' ? never : go());
    const client = await clientOf(app, bob, {
      limits: { ...eager, farewellMs: 50 },
      surroundings: { open: tapped({ ask }) },
    });
    client.markRead(group.id);
    await client.stop();
    assert.deepEqual(client.connection, { state: 'stopped' });
  });

  it('when it must wait for long before a further try, then stopping tries once more and does not wait', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    await send(ana, group.id, 'one');
    const busy = { ok: false, error: { code: 'rate_limited', message: '', retryAfterMs: 3_600_000 } };
    const refused = Promise.withResolvers<void>();
    let tries = 0;
    const { client } = await watched(bob, {
      ask: (name, _input, go) => {
        if (name !== 'receipt.update') return go();
        tries += 1;
        if (tries > 1) return go();
        refused.resolve();
        return Promise.resolve(busy);
      },
    });
    client.markRead(group.id);
    await refused.promise;
    // The client has taken the refusal and rests.
    await new Promise(setImmediate);
    await client.stop();
    assert.deepEqual([tries, await watermarks(ana, group.id, bob)], [2, [1, 1]]);
  });

  it('when the connection is lost before the answer, then it is told again after the reconnect', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    await send(ana, group.id, 'one');
    let close: () => void = () => undefined;
    let lost = 0;
    const { client } = await watched(bob, {
      opened: (_auth, end) => {
        close = end;
      },
      ask: async (name, _input, go) => {
        if (name !== 'receipt.update' || lost > 0) return go();
        lost += 1;
        close();
        throw new Error('lost');
      },
    });
    const told = receiptOf(client, 1);
    client.markRead(group.id);
    await told;
    assert.deepEqual([lost, await watermarks(ana, group.id, bob)], [1, [1, 1]]);
  });

  it('when it is refused, then it is not told again', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const [group, other] = [await makeGroup(ana, [bob]), await makeGroup(ana, [bob], 'Other')];
    await send(ana, group.id, 'one');
    const { client, of } = await watched(bob, {
      ask: (name, input, go) => {
        if (name !== 'receipt.update' || (input as Update).conversationId === other.id) return go();
        return Promise.resolve({ ok: false, error: { code: 'not_found', message: '' } });
      },
    });
    client.markRead(group.id);
    for (let seq = 1; seq <= 4; seq += 1) {
      const told = receiptOf(client, seq);
      await send(ana, other.id, `${seq}`);
      await told;
    }
    assert.deepEqual(
      of(group.id).map(({ receipt }) => receipt),
      [{ deliveredSeq: 1, readSeq: 1 }],
    );
  });

  it('when something else happens while it is told, then it is not told twice', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const [group, other] = [await makeGroup(ana, [bob]), await makeGroup(ana, [bob], 'Other')];
    const { id } = await send(ana, group.id, 'one');
    const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { client, of } = await watched(bob, {
      ask: async (name, _input, go) => {
        if (name !== 'receipt.update') return go();
        asked.resolve();
        await gate.promise;
        return go();
      },
    });
    await asked.promise;
    await ana.call('PUT', `/v1/conversations/${group.id}/messages/${id}/reactions/${encodeURIComponent('👍')}`);
    await holds(client, () => client.conversation(group.id)?.version === 3);
    gate.resolve();
    // A window later than the answer.
    await receiptOf(client, 1);
    const told = heard(client, 'receipts', ([receipt]) => receipt?.conversationId === other.id);
    await send(ana, other.id, 'there');
    await told;
    assert.equal(of(group.id).length, 1);
  });

  describe('of reading and marking as unread by hand', () => {
    const threeTo = async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const { id } = await makeGroup(ana, [bob]);
      for (let n = 1; n <= 3; n += 1) await send(ana, id, `${n}`);
      const mine = async () => {
        const { me } = expectStatus(await bob.call<{ me: MyMembership }>('GET', `/v1/conversations/${id}`), 200);
        return [me.readSeq, me.unreadMark];
      };
      return { ana, bob, id, mine };
    };

    it('the mark stays where it is the later, and takes the reading along', async () => {
      const { bob, id, mine } = await threeTo();
      const { client } = await watched(bob, {}, 60_000);
      client.markRead(id);
      assert.equal((await client.markUnread(id, 2)).readSeq, 3);
      await client.stop();
      assert.deepEqual(await mine(), [3, 2]);
    });

    it('the mark is gone where the reading is the later, whether that reads on or not', async () => {
      for (const readBefore of [0, 3]) {
        const { ana, bob, id, mine } = await threeTo();
        await bob.call('PUT', `/v1/conversations/${id}/receipts`, { readSeq: readBefore });
        const client = await clientOf(app, bob, {
          limits: { ...eager, acknowledgeMs: 1 },
          surroundings: {
            // A mark takes its time: a reading that did not wait for it would have arrived.
            fetch: async (input, init) => {
              if (urlOf(input).endsWith('/unread-mark')) for (let n = 0; n < 5; n += 1) await ana.call('GET', '/v1/me');
              return fetch(input, init);
            },
          },
        });
        clients.push(client);
        const marked = client.markUnread(id, 2);
        client.markRead(id);
        assert.equal(client.conversation(id)?.me.readSeq, 3);
        // Stopping waits for a reading that stands behind a mark.
        await Promise.all([marked, client.stop()]);
        assert.deepEqual(await mine(), [3, null]);
      }
    });

    it('nothing is marked while it is not known that the reading has arrived', async () => {
      const { bob, id, mine } = await threeTo();
      let busy = true;
      const { client } = await watched(bob, {
        ask: (name, _input, go) =>
          busy && name === 'receipt.update'
            ? Promise.resolve({ ok: false, error: { code: 'rate_limited', message: '', retryAfterMs: 3_600_000 } })
            : go(),
      });
      client.markRead(id);
      await assert.rejects(client.markUnread(id, 2), { code: 'rate_limited' });
      assert.deepEqual(await mine(), [0, null]);
      busy = false;
      await client.markUnread(id, 2);
      await client.stop();
      assert.deepEqual(await mine(), [3, 2]);
    });

    it('nothing is marked as somebody who has signed in meanwhile', async () => {
      const { ana, bob, id } = await threeTo();
      const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<unknown>()];
      const { client } = await watched(bob, {
        ask: (name, _input, go) => {
          if (name !== 'receipt.update') return go();
          asked.resolve();
          return answered.promise;
        },
      });
      client.markRead(id);
      const refused = assert.rejects(client.markUnread(id, 2), { code: 'signed_out' });
      await asked.promise;
      await client.signIn({ identifier: ana.email, password });
      answered.resolve({ ok: false, error: { code: 'forbidden', message: '' } });
      await refused;
      const answer = await ana.call<{ me: MyMembership }>('GET', `/v1/conversations/${id}`);
      assert.equal(expectStatus(answer, 200).me.unreadMark, null);
    });

    it('a part of a message is nothing that could be read', async () => {
      const { bob, id } = await threeTo();
      const { client, updates } = await watched(bob);
      for (const seq of [0.5, Number.NaN]) assert.throws(() => client.markRead(id, seq), { code: 'invalid_input' });
      await client.stop();
      assert.deepEqual(
        [client.conversation(id)?.me.readSeq, updates.map(({ receipt }) => receipt.readSeq)],
        [0, [undefined]],
      );
    });
  });

  it('when a message is one’s own, or stands in a channel, then its delivery is nobody’s concern', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const [group, news] = [await makeGroup(ana, [bob]), await makeChannel(ana, { memberIds: [bob.id] })];
    const [mine, theirs] = [await watched(ana), await watched(bob)];
    await mine.client.send(group.id, { text: 'mine' }).stored;
    await mine.client.send(news.id, { text: 'news' }).stored;
    await holds(theirs.client, () => theirs.client.conversation(news.id)?.lastSeq === 1);
    await Promise.all([mine.client.stop(), theirs.client.stop()]);
    assert.deepEqual([mine.updates.length, theirs.of(news.id).length], [0, 0]);
    assert.deepEqual(
      theirs.of(group.id).map(({ receipt }) => receipt),
      [{ deliveredSeq: 1 }],
    );
  });
});
