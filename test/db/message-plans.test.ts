import assert from 'node:assert/strict';
import pg from 'pg';
import type { Queryable } from '../../db/client.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import { unreadOf } from '../../db/queries/members.ts';
import { judgedScope } from '../../db/read-scope.ts';
import { messageByClientId, messageById } from '../../db/queries/messages.ts';
import { storePlainMessagesSql } from '../../db/queries/store-messages.ts';
import { type TestDatabase, createDatabase } from '../setup/database.ts';

const [userId, conversationId] = [
  '01900000-0000-7000-8000-000000000000' as UserId,
  '01900000-0000-7000-8000-000000000001' as ConversationId,
];

describe('the plans by which a message is found', () => {
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

  /** Explains what a query asks, and answers it with nothing. */
  const planOfLookup = async (run: (db: Queryable) => Promise<unknown>): Promise<string> => {
    let plan = '';
    const query = async ({ text }: { text: string }) => {
      await client.query(`deallocate all; prepare lookup as ${text}`);
      const { rows } = await client.query<{ count: number }>(
        `select cardinality(parameter_types) as count from pg_prepared_statements where name = 'lookup'`,
      );
      plan = await planOf(`execute lookup (${Array.from({ length: rows[0]?.count ?? 0 }, () => 'null').join(', ')})`);
      return { rows: [], rowCount: 0 };
    };
    await run({ query } as unknown as Queryable);
    return plan;
  };

  beforeEach(() => client.query('begin'));
  afterEach(() => client.query('rollback; deallocate all'));

  it('finds a repeat by its clientId', async () => {
    assert.match(await storing(), /using messages_once on messages known/);
  });

  const lookups = {
    'a message by its id': {
      index: 'messages_by_id',
      run: (db: Queryable) =>
        messageById(db, judgedScope({ reader: userId, conversationId, joinedSeq: 0 }), userId as never),
    },
    'a message by its clientId': {
      index: 'messages_once',
      run: (db: Queryable) => messageByClientId(db, userId, conversationId, userId),
    },
  };
  for (const [what, { index, run }] of Object.entries(lookups)) {
    it(`cannot look for ${what} in all messages of the conversation, whatever the statistics say`, async () => {
      await client.query('set local enable_seqscan = off; set local plan_cache_mode = force_generic_plan');
      const plan = () => planOfLookup(run);
      assert.match(await plan(), new RegExp(`using ${index} on messages`));
      await client.query(`drop index ${index}`);
      assert.doesNotMatch(await plan(), /messages_pkey on messages/);
    });
  }

  it('counts what is unread in the threads that somebody follows thread by thread, not in all that was ever replied', async () => {
    await client.query('set local enable_seqscan = off; set local plan_cache_mode = force_generic_plan');
    const plan = await planOfLookup((db) => unreadOf(db, userId));
    assert.match(plan, /using messages_of_thread on messages r[^]*thread_seq = t.root_seq[^]*seq > t.read_seq/);
  });

  it('cannot look for a repeat in all messages of the conversation, whatever the statistics say', async () => {
    // With the right index gone the planner shows what else it might have taken.
    await client.query('drop index messages_once');
    assert.doesNotMatch(await storing(), /messages_pkey/);
  });
});
