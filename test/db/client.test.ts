import assert from 'node:assert/strict';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { OutcomeUnknown, openDb } from '../../db/client.ts';
import { isUnavailable } from '../../db/errors.ts';
import { toDomainError } from '../../domain/errors.ts';
import { type TestDatabase, createDatabase } from '../setup/database.ts';

/** A proxy in front of PostgreSQL that can cut what runs through it, before or after the server has done its work. */
async function cuttableProxy(databaseUrl: string) {
  const target = new URL(databaseUrl);
  const pairs: [Socket, Socket][] = [];
  let onRequest: ((bytes: Buffer) => 'pass' | 'cut' | 'cut-after') | undefined;
  const server: Server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    pairs.push([client, upstream]);
    let deaf = false;
    client.on('data', (bytes) => {
      const verdict = onRequest?.(bytes) ?? 'pass';
      if (verdict === 'cut') return void [client, upstream].map((socket) => socket.destroy());
      // The server gets it and answers; the answer is the last thing that never arrives.
      deaf ||= verdict === 'cut-after';
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => (deaf ? [client, upstream].map((socket) => socket.destroy()) : client.write(bytes)));
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => undefined);
      one.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as { port: number }).port}`;
  return {
    url: url.href,
    watch(listener: typeof onRequest) {
      onRequest = listener;
    },
    close: () => {
      for (const pair of pairs) for (const socket of pair) socket.destroy();
      server.close();
    },
  };
}

describe('the database client', () => {
  let database: TestDatabase;
  let proxy: Awaited<ReturnType<typeof cuttableProxy>>;
  let db: ReturnType<typeof openDb>;
  const user = (id: number) => ({
    text: `insert into notification_settings (user_id, settings) values ($1, '{}')`,
    values: [`00000000-0000-7000-8000-${String(id).padStart(12, '0')}`],
  });
  const stored = async (id: number) =>
    (await direct.query({ text: 'select 1 from notification_settings where user_id = $1', values: user(id).values }))
      .rowCount === 1;
  let direct: ReturnType<typeof openDb>;

  before(async () => {
    database = await createDatabase();
    proxy = await cuttableProxy(database.url);
    db = openDb({ url: proxy.url, applicationName: 'test', statementTimeoutMs: 500 });
    direct = openDb({ url: database.url, applicationName: 'test-direct' });
  });
  afterEach(() => proxy.watch(undefined));
  after(async () => {
    proxy.close();
    await Promise.all([db.end(), direct.end()]);
    await database.drop();
  });

  it('says that a write’s outcome is unknown when its answer was lost, and it may have happened', async () => {
    await db.query({ text: 'select 1', values: [] });
    proxy.watch((bytes) => (bytes.includes('insert into') ? 'cut-after' : 'pass'));
    await assert.rejects(db.write(user(1)), OutcomeUnknown);
    assert.equal(await stored(1), true);
    assert.equal(toDomainError(new OutcomeUnknown()).code, 'outcome_unknown');
  });

  it('says the same of a transaction whose commit got no answer', async () => {
    proxy.watch((bytes) => (bytes.includes('commit') ? 'cut-after' : 'pass'));
    await assert.rejects(
      db.transaction((tx) => tx.query(user(2))),
      OutcomeUnknown,
    );
    assert.equal(await stored(2), true);
  });

  it('says that nothing happened when the connection was lost before the commit', async () => {
    proxy.watch((bytes) => (bytes.includes('insert into') ? 'cut' : 'pass'));
    const error = await db.transaction((tx) => tx.query(user(3))).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof Error && !(error instanceof OutcomeUnknown));
    assert.equal(await stored(3), false);
  });

  it('recovers by itself: the next query gets a new connection', async () => {
    assert.equal((await db.query({ text: 'select 1 as one', values: [] })).rowCount, 1);
  });

  it('takes a commit that came back with a warning for unknown', async () => {
    const work = db.transaction(async (tx) => {
      await tx.query(user(4));
      // Stands for the warning of a cancelled wait for a synchronous standby: it comes with the commit itself.
      await tx.query({ text: `create temporary table warned (id int) on commit drop`, values: [] });
      await tx.query({
        text: `create function pg_temp.warn() returns trigger language plpgsql as $$ begin raise warning 'not replicated'; return null; end $$`,
        values: [],
      });
      await tx.query({
        text: `create constraint trigger warns after insert on warned deferrable initially deferred for each row execute function pg_temp.warn()`,
        values: [],
      });
      await tx.query({ text: 'insert into warned values (1)', values: [] });
    });
    await assert.rejects(work, OutcomeUnknown);
  });

  it('takes a single statement that came back with a warning for unknown: its commit is the statement’s own', async () => {
    const warning = { text: `do $$ begin raise warning 'not replicated'; end $$`, values: [] };
    await assert.rejects(db.write(warning), OutcomeUnknown);
    assert.equal((await db.write({ text: 'select 1', values: [] })).rowCount, 1);
  });

  it('takes a commit during which the server was shut down for unknown', async () => {
    const work = db.transaction(async (tx) => {
      await tx.query(user(5));
      await tx.query({ text: `create temporary table ended (id int) on commit drop`, values: [] });
      await tx.query({
        text: `create function pg_temp.end_me() returns trigger language plpgsql as $$
          begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(5); return null; end $$`,
        values: [],
      });
      await tx.query({
        text: `create constraint trigger ends after insert on ended deferrable initially deferred for each row execute function pg_temp.end_me()`,
        values: [],
      });
      await tx.query({ text: 'insert into ended values (1)', values: [] });
    });
    await assert.rejects(work, OutcomeUnknown);
  });

  it('lets no transaction stay open without bound', async () => {
    const { rows } = await db.query<{ limit: string }>({
      text: `select current_setting('idle_in_transaction_session_timeout') as limit`,
      values: [],
    });
    assert.equal(rows[0]?.limit, '10s');
  });

  it('ends a statement that takes too long, and says that the server is busy', async () => {
    const error = await db.query({ text: 'select pg_sleep(5)', values: [] }).catch((thrown: unknown) => thrown);
    assert.equal(toDomainError(error).code, 'unavailable');
  });

  it('plans once what is asked so, in a transaction and alone, and leaves the connection as it was', async () => {
    const mode = { text: `select current_setting('plan_cache_mode') as mode`, values: [] };
    const once = db.plannedOnce();
    const modes = [once.query(mode), once.transaction((tx) => tx.query(mode)), db.query(mode)];
    const told = (await Promise.all(modes)).map(({ rows }) => (rows[0] as { mode: string }).mode);
    assert.deepEqual(told, ['force_generic_plan', 'force_generic_plan', 'auto']);
  });

  it('rolls back what a failing command had done', async () => {
    await assert.rejects(
      db.transaction(async (tx) => {
        await tx.query(user(5));
        throw new Error('changed my mind');
      }),
      /changed my mind/,
    );
    assert.equal(await stored(5), false);
  });

  it('tells a server that is away from a refusal of ours', async () => {
    const away = openDb({ url: 'postgres://nobody@127.0.0.1:1/none', applicationName: 'away' });
    const error = await away.query({ text: 'select 1', values: [] }).catch((thrown: unknown) => thrown);
    assert.ok(isUnavailable(error));
    await away.end();
    const refusal = await db.query({ text: 'select 1/0', values: [] }).catch((thrown: unknown) => thrown);
    assert.ok(!isUnavailable(refusal));
  });
});
