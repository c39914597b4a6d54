import assert from 'node:assert/strict';
import pg from 'pg';
import { storePlainMessagesSql } from '../../db/queries/store-messages.ts';
import { type TestDatabase, createDatabase } from '../setup/database.ts';

describe('the plan of the statement that stores messages', () => {
  let database: TestDatabase;
  let client: pg.Client;
  before(async () => {
    database = await createDatabase();
    client = new pg.Client(database.ownerUrl);
    await client.connect();
  });
  after(async () => {
    await client.end();
    await database.drop();
  });

  const planOf = async (sql: string): Promise<string> => {
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain ${sql}`);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  };
  /** The statement with its parameters left open, as the generic plan of a prepared one. */
  const storing = async (): Promise<string> => {
    // As the role of the application has it.
    await client.query('set local enable_seqscan = off; set local random_page_cost = 1.1');
    await client.query('set local plan_cache_mode = force_generic_plan');
    await client.query(`prepare storing as ${storePlainMessagesSql}`);
    return planOf('execute storing (null, null, null, null, null, null, null, null, null)');
  };

  beforeEach(() => client.query('begin'));
  afterEach(() => client.query('rollback; deallocate all'));

  it('finds a repeat by its clientId', async () => {
    assert.match(await storing(), /using messages_once on messages known/);
  });

  it('cannot look for a repeat in all messages of the conversation, whatever the statistics say', async () => {
    // With the right index gone the planner shows what else it might have taken.
    await client.query('drop index messages_once');
    assert.doesNotMatch(await storing(), /messages_pkey/);
  });
});
