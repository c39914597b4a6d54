import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import pg from 'pg';
import { openDb } from '../../db/client.ts';
import { migrate, pendingMigrations } from '../../db/migrate.ts';
import { provisionDatabase } from '../../db/provision.ts';
import { dumpSchema } from '../../db/schema-dump.ts';
import { type TestDatabase, createDatabase } from '../setup/database.ts';
import { services } from '../setup/services.ts';

const file = new URL('../../db/schema.sql', import.meta.url);

describe('migrations', () => {
  const made: string[] = [];
  const empty = async () => {
    const database = `homing_m_${randomBytes(6).toString('hex')}`;
    made.push(database);
    return provisionDatabase({
      adminUrl: services.postgresAdminUrl,
      database,
      ownerPassword: 'test-owner',
      appPassword: 'test-app',
    });
  };
  after(async () => {
    const client = new pg.Client(services.postgresAdminUrl);
    await client.connect();
    for (const database of made) await client.query(`drop database ${database} with (force)`);
    await client.end();
  });

  it('bring an empty database to the newest schema; a second run does nothing', async () => {
    const { ownerUrl } = await empty();
    assert.notEqual((await pendingMigrations({ ownerUrl })).length, 0);
    assert.notEqual((await migrate({ ownerUrl })).length, 0);
    assert.deepEqual(await migrate({ ownerUrl }), []);
    assert.deepEqual(await pendingMigrations({ ownerUrl }), []);
  });

  it('run once when five begin at the same moment', async () => {
    const { ownerUrl } = await empty();
    const runs = await Promise.all(Array.from({ length: 5 }, () => migrate({ ownerUrl })));
    assert.equal(runs.filter((names) => names.length > 0).length, 1);
  });

  it('end in the schema that is checked in', async () => {
    const { ownerUrl } = await empty();
    await migrate({ ownerUrl });
    const db = openDb({ url: ownerUrl, applicationName: 'schema' });
    const schema = await dumpSchema(db);
    await db.end();
    if (process.env.UPDATE_SCHEMA) writeFileSync(file, schema);
    assert.equal(readFileSync(file, 'utf8'), schema, 'run the test once with UPDATE_SCHEMA=1');
  });
});

describe('the application’s role', () => {
  let database: TestDatabase;
  let client: pg.Client;
  before(async () => {
    database = await createDatabase();
    client = new pg.Client(database.url);
    await client.connect();
  });
  after(async () => {
    await client.end();
    await database.drop();
  });

  const refused = (statement: string) => assert.rejects(client.query(statement), { code: '42501' }, statement);

  it('uses the tables', async () => {
    await client.query('select * from users');
    await client.query('delete from outbox');
  });

  it('owns none of them, so it can neither change nor empty nor drop one', async () => {
    await refused('alter table users add column extra text');
    await refused('drop table messages');
    await refused('truncate messages');
    await refused('create table public.mine (id int)');
  });

  it('only adds to what explains a notification', async () => {
    await refused('delete from decisions');
    await refused(`update attempt_events set kind = 'delivered'`);
  });

  it('cannot pretend that a migration was run', async () => {
    await client.query('select name from knex_migrations');
    await refused(`insert into knex_migrations (name) values ('x')`);
  });
});
