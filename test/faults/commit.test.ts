import assert from 'node:assert/strict';
import pg from 'pg';
import { OutcomeUnknown, openDb } from '../../db/client.ts';
import { type PrivateServices, privateServices } from '../support/private-services.ts';
import { until } from '../support/until.ts';

describe('a commit that waits for a standby which does not answer', () => {
  let own: PrivateServices;
  let admin: pg.Client;
  let db: ReturnType<typeof openDb>;
  before(async function () {
    this.timeout(60_000);
    own = await privateServices();
    const { url } = await own.postgres();
    admin = new pg.Client(url);
    await admin.connect();
    await admin.query('create table written (id int primary key)');
    await admin.query(`alter system set synchronous_standby_names = 'nobody'`);
    await admin.query('select pg_reload_conf()');
    // Our own statements wait for nobody.
    await admin.query('set synchronous_commit = local');
    db = openDb({ url, applicationName: 'waits', statementTimeoutMs: 30_000 });
  });
  after(async () => {
    await db.end();
    await admin.end();
    await own.close();
  });

  const insert = (id: number) => ({ text: 'insert into written values ($1)', values: [id] });
  const ways = {
    'of a transaction': (id: number) => db.transaction((tx) => tx.query(insert(id))),
    'of a single write': (id: number) => db.write(insert(id)),
  };
  const endings = { cancelled: 'pg_cancel_backend', terminated: 'pg_terminate_backend' };

  let id = 0;
  for (const [way, write] of Object.entries(ways)) {
    for (const [ending, end] of Object.entries(endings)) {
      it(`${way}, when the wait is ${ending}, is told as unknown: the row may be there, and is`, async () => {
        id += 1;
        const written = write(id).then(
          () => 'told as done',
          (error: unknown) => error,
        );
        await until(
          async () => (await admin.query(waiting)).rowCount,
          (count) => count === 1,
        );
        await admin.query(`select ${end}(pid) from (${waiting}) w`);
        const told = await written;
        assert.ok(told instanceof OutcomeUnknown, String(told));
        assert.equal((await admin.query('select from written where id = $1', [id])).rowCount, 1);
      });
    }
  }
});

const waiting = `select pid from pg_stat_activity where application_name = 'waits' and wait_event = 'SyncRep'`;
