import assert from 'node:assert/strict';
import pg from 'pg';
import { makeGroup, read, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Entrance, by, byEachDoor } from '../support/doors.ts';
import { expectStatus } from '../support/rest.ts';

byEachDoor('receipts', (door) => {
  let app: TestApp & Entrance;
  before(async () => {
    app = by(door, await startApp());
  });
  after(() => app.stop());

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
