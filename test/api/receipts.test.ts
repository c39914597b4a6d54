import assert from 'node:assert/strict';
import pg from 'pg';
import type { DeliveryState, Message } from '../../contracts/entities/index.ts';
import { type Person, makeGroup, read, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Entrance, by, byEachDoor } from '../support/doors.ts';
import { expectStatus } from '../support/rest.ts';

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
