import assert from 'node:assert/strict';
import pg from 'pg';
import type { DeliveryState, Message } from '../../contracts/entities/index.ts';
import type { UnreadOverview } from '../../contracts/rest/index.ts';
import { type Person, makeGroup, read, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Entrance, by, byEachDoor } from '../support/doors.ts';
import { expectStatus } from '../support/rest.ts';
import { connect } from '../support/socket.ts';

byEachDoor('receipts', (door) => {
  let app: TestApp & Entrance;
  before(async () => {
    app = by(door, await startApp());
  });
  after(() => app.stop());

  const receiptsOf = async (by: Person, { conversationId, id }: Message) => {
    const path = `/v1/conversations/${conversationId}/messages/${id}/receipts`;
    return expectStatus(await by.call<DeliveryState>('GET', path), 200);
  };

  it('ask of nobody who came later, or was away, what they have not seen', async () => {
    const [ana, bob, cy] = await registerPeople(app, 'Ana', 'Bob', 'Cy');
    const group = await makeGroup(ana, [bob]);
    const members = `/v1/conversations/${group.id}/members`;
    const add = async (person: Person) => expectStatus(await ana.call('POST', members, { userIds: [person.id] }), 200);
    const before = await send(ana, group.id, 'before Cy came');
    await read(bob, group.id, before.seq);
    await add(cy);
    const told = { recipients: 1, delivered: 1, read: 1, deliveredTo: [bob.id], readBy: [bob.id] };
    assert.deepEqual(await receiptsOf(ana, before), { seq: before.seq, ...told });
    expectStatus(await ana.call('DELETE', `${members}/${bob.id}`), 204);
    const meanwhile = await send(ana, group.id, 'while Bob was away');
    await add(bob);
    const nobody = { recipients: 1, delivered: 0, read: 0, deliveredTo: [], readBy: [] };
    assert.deepEqual(await receiptsOf(ana, meanwhile), { seq: meanwhile.seq, ...nobody });
    const all = await send(ana, group.id, 'to all');
    await read(cy, group.id, all.seq);
    const { recipients, readBy } = await receiptsOf(ana, all);
    assert.deepEqual([recipients, readBy], [2, [cy.id]]);
  });

  it('tell the others of a reading nothing, not even its moment, where its reader does not tell it', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    expectStatus(await bob.call('PATCH', '/v1/me', { privacy: { tellRead: false } }), 200);
    const { seq } = await send(ana, group.id, 'hello');
    const [anaHere, bobHere] = await Promise.all([ana, bob].map(({ token }) => connect(app.url, { token })));
    expectStatus(await bob.call('PUT', `/v1/conversations/${group.id}/receipts`, { deliveredSeq: seq }), 200);
    const own = { conversationId: group.id, userId: bob.id, deliveredSeq: seq, cameSeq: 0 };
    await anaHere?.heard('receipts', () => true);
    expectStatus(await read(bob, group.id, seq), 200);
    await bobHere?.heard('receipts', ({ receipts }) => receipts.some(({ readSeq }) => readSeq === seq));
    const { version } = await send(bob, group.id, 'afterwards');
    await anaHere?.heard('event', (event) => event.version === version);
    const told = anaHere?.told.receipts.flatMap(({ receipts }) => receipts);
    assert.deepEqual(told, [{ ...own, readSeq: null }]);
    for (const socket of [anaHere, bobHere]) socket?.close();
  });

  describe('and a mark by hand', () => {
    const marked = async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const { id } = await makeGroup(ana, [bob]);
      for (const text of ['one', 'two', 'three']) await send(ana, id, text);
      await read(bob, id, 3);
      expectStatus(await bob.call('PUT', `/v1/conversations/${id}/unread-mark`, { seq: 2 }), 200);
      const overview = async () => expectStatus(await bob.call<UnreadOverview>('GET', '/v1/me/unread'), 200);
      return { bob, id, badge: async () => (await overview()).badge };
    };

    it('which a reading at or after it takes away, on every device, though everything was read before', async () => {
      const { bob, id, badge } = await marked();
      const there = await connect(app.url, { token: bob.token });
      assert.equal(await badge(), 1);
      expectStatus(await read(bob, id, 2), 200);
      assert.equal(await badge(), 0);
      const { readSeq } = await there.heard('membership', ({ unreadMark }) => unreadMark === null);
      assert.equal(readSeq, 3);
      there.close();
    });

    it('which stays where somebody has read less, or only has got it', async () => {
      const { bob, id, badge } = await marked();
      expectStatus(await read(bob, id, 1), 200);
      expectStatus(await bob.call('PUT', `/v1/conversations/${id}/receipts`, { deliveredSeq: 3 }), 200);
      assert.equal(await badge(), 1);
      expectStatus(await bob.call('PUT', `/v1/conversations/${id}/unread-mark`, { seq: 0 }), 200);
      expectStatus(await bob.call('PUT', `/v1/conversations/${id}/receipts`, { deliveredSeq: 3 }), 200);
      assert.equal(await badge(), 1);
    });
  });

  it('wait for nobody’s attention: while it is being decided over one reader, others go on reading, and so does that one', async () => {
    const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
    const group = await makeGroup(ana, [bob, cleo]);
    await send(ana, group.id, 'hello');
    await app.database.run(
      `insert into attention (user_id, episode, state, opened_at, start_at) values ('${bob.id}', 1, 'held', now(), now())`,
    );
    const decider = new pg.Client(app.database.adminUrl);
    await decider.connect();
    await decider.query('begin');
    await decider.query('select from attention where user_id = $1 for update', [bob.id]);
    for (const reader of [bob, cleo, bob, cleo]) expectStatus(await read(reader, group.id, 1), 200);
    const waiting = await app.database.run(
      `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
    );
    assert.equal(waiting.rowCount, 1, 'the look at the reader’s attention is what waits');
    await decider.query('rollback');
    await decider.end();
  });
});
