import pg from 'pg';
import type { UserId } from '../contracts/ids.ts';

/** Anything that runs one statement: the pool or a transaction's client. */
export interface Queryable {
  query<Row extends pg.QueryResultRow>(statement: Statement): Promise<pg.QueryResult<Row>>;
}
/** A named statement is prepared once a connection; `text` never holds a value. */
export interface Statement {
  name?: string;
  text: string;
  values: unknown[];
}
/** Reads and single statements. */
export type Db = Queryable & {
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** One writing statement that is its own transaction. Throws OutcomeUnknown when its fate is not known. */
  write<Row extends pg.QueryResultRow>(statement: Statement): Promise<pg.QueryResult<Row>>;
  /** The same tables as one person may see them: PostgreSQL itself holds back the rest, whatever a statement asks for. */
  as(userId: UserId): Db;
  /** The way back, for what must see more than its person may; each use says why. */
  asEverybody(): Db;
  /**
   * The same, with each named statement planned once a connection, whatever its values: for statements that are found by
   * keys alone and take longer to plan than to run. PostgreSQL would plan some of them anew each time.
   */
  plannedOnce(): Db;
};
declare const inTransaction: unique symbol;
/** Proof that a transaction is open: steps that must not stand alone ask for it. */
export type Tx = Queryable & {
  readonly [inTransaction]: true;
  /**
   * A step that must see what its person may not, such as whose a push token was before. Everything else of a person's
   * transaction is held to what is theirs; each use says why it is not.
   */
  asEverybody<T>(step: (tx: Tx) => Promise<T>): Promise<T>;
};

export interface DbOptions {
  url: string;
  applicationName: string;
  /** Connections at most. */
  maxConnections?: number;
  /** Milliseconds after which PostgreSQL ends a statement; a screen's read should never come near. */
  statementTimeoutMs?: number;
  /** Told of a lost idle connection; the pool replaces it. */
  onError?: (error: Error) => void;
}

/** The commit's fate is not known: it may or may not have taken effect. Never to be told as success or as refusal. */
export class OutcomeUnknown extends Error {
  override name = 'OutcomeUnknown';
}

// bigint: seq and version stay far below 2^53 (at a million a second for 285 years).
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

const defaults = { maxConnections: 10, statementTimeoutMs: 5_000, idleInTransactionMs: 10_000, connectMs: 3_000 };

/** Opens a pool. Connections are made when first needed, so this neither waits nor fails. */
export function openDb(options: DbOptions): Db & { end(): Promise<void>; stats(): { total: number; waiting: number } } {
  const pool = new pg.Pool(poolConfig(options));
  pool.on('error', (error) => options.onError?.(error));
  // The pool listens only while a client is idle; one that breaks in use would end the process.
  pool.on('connect', (client) => client.on('error', (error) => options.onError?.(error)));
  return {
    ...dbOf(pool),
    end: () => pool.end(),
    stats: () => ({ total: pool.totalCount, waiting: pool.waitingCount }),
  };
}

const dbOf = (pool: pg.Pool): Db => ({
  query: (statement) => pool.query(statement),
  transaction: (work) => runTransaction(pool, { begin: 'begin', work }),
  write: (statement) => runWrite(pool, statement),
  as: (userId) => dbOfPerson(pool, userId),
  asEverybody: () => dbOf(pool),
  plannedOnce: () => dbPlannedOnce(pool),
});

function dbPlannedOnce(pool: pg.Pool): Db {
  const begin = 'begin; set local plan_cache_mode = force_generic_plan';
  return {
    ...dbOf(pool),
    query: (statement) => queryWithin(pool, begin, statement),
    transaction: (work) => runTransaction(pool, { begin, work }),
  };
}

function dbOfPerson(pool: pg.Pool, userId: UserId): Db {
  const begin = beginAs(userId);
  return {
    query: (statement) => queryWithin(pool, begin, named(statement)),
    transaction: (work) => runTransaction(pool, { begin, work: (tx) => work(inTheirName(tx)) }),
    write: (statement) => runTransaction(pool, { begin, work: (tx) => inTheirName(tx).query(statement) }),
    as: (other) => dbOfPerson(pool, other),
    asEverybody: () => dbOf(pool),
    plannedOnce: () => dbOfPerson(pool, userId),
  };
}

/** For as long as the transaction: whatever becomes of the connection afterwards, the next one begins as nobody. */
const beginAs = (userId: UserId) =>
  `begin; set local role homing_person; set local homing.person = ${pg.escapeLiteral(userId)}`;

/** PostgreSQL plans a statement for the role that runs it: of one name by two roles it would plan anew at each change. */
const named = (statement: Statement): Statement =>
  statement.name === undefined ? statement : { ...statement, name: `${statement.name}/person` };

const txOf = (client: pg.ClientBase): Tx => {
  const tx = {
    query: (statement: Statement) => client.query(statement),
    asEverybody: <T>(step: (tx: Tx) => Promise<T>) => step(tx as unknown as Tx),
  };
  return tx as unknown as Tx;
};

const inTheirName = (tx: Tx): Tx =>
  ({
    query: (statement: Statement) => tx.query(named(statement)),
    asEverybody: async <T>(step: (tx: Tx) => Promise<T>): Promise<T> => {
      await tx.query({ text: 'set local role none', values: [] });
      const value = await step(tx);
      await tx.query({ text: 'set local role homing_person', values: [] });
      return value;
    },
  }) as unknown as Tx;

/** The settings of every connection of ours: nothing may hold a lock or a snapshot without bound. */
export function poolConfig(options: DbOptions): pg.PoolConfig {
  return {
    connectionString: options.url,
    application_name: options.applicationName,
    max: options.maxConnections ?? defaults.maxConnections,
    connectionTimeoutMillis: defaults.connectMs,
    statement_timeout: options.statementTimeoutMs ?? defaults.statementTimeoutMs,
    idle_in_transaction_session_timeout: defaults.idleInTransactionMs,
    // The server's limit ends the statement; this one ends the wait when the server itself is gone.
    query_timeout: (options.statementTimeoutMs ?? defaults.statementTimeoutMs) + 2_000,
    keepAlive: true,
    // What is known beforehand goes along in one message: see queryWithin. Nothing else asks before it has its answer.
    pipeline: true,
  };
}

async function runTransaction<T>(
  pool: pg.Pool,
  { begin, work }: { begin: string; work: (tx: Tx) => Promise<T> },
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(begin);
    const value = await work(txOf(client));
    await commitOrUnknown(client);
    return value;
  } catch (error) {
    broken = await rollBack(client, error);
    throw error;
  } finally {
    client.release(broken);
  }
}

/** One reading in a transaction of its own, in one round trip like any other: begin, statement and commit go out together. */
async function queryWithin<Row extends pg.QueryResultRow>(pool: pg.Pool, begin: string, statement: Statement) {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    const answers = await Promise.allSettled([
      client.query(begin),
      client.query<Row>(statement),
      client.query('commit'),
    ]);
    const [, result, end] = answers;
    // Only a commit that was answered leaves the connection as nobody's.
    if (end.status === 'rejected') broken = end.reason as Error;
    for (const answer of answers) if (answer.status === 'rejected') throw answer.reason;
    return (result as PromiseFulfilledResult<pg.QueryResult<Row>>).value;
  } finally {
    client.release(broken);
  }
}

async function runWrite<Row extends pg.QueryResultRow>(pool: pg.Pool, statement: Statement) {
  const client = await pool.connect();
  const warnings = collectWarnings(client);
  let broken: Error | undefined;
  try {
    const result = await client.query<Row>(statement);
    if (warnings.seen()) throw new OutcomeUnknown('the commit came back with a warning');
    return result;
  } catch (error) {
    if (isRefusal(error)) throw error;
    broken = error instanceof OutcomeUnknown ? error : new OutcomeUnknown('the connection was lost', { cause: error });
    throw broken;
  } finally {
    warnings.stop();
    client.release(broken);
  }
}

/**
 * A COMMIT that failed half-way, timed out or warned is not a success. PostgreSQL answers «COMMIT» with only a warning
 * when the wait for a synchronous standby was cancelled, and node-postgres resolves the promise.
 */
async function commitOrUnknown(client: pg.PoolClient): Promise<void> {
  const warnings = collectWarnings(client);
  try {
    const result = await client.query('commit');
    // A transaction in a failed state answers COMMIT with ROLLBACK.
    if (result.command !== 'COMMIT') throw new Error('the transaction was rolled back at commit');
    if (warnings.seen()) throw new OutcomeUnknown('the commit came back with a warning');
  } catch (error) {
    if (isRefusal(error) || error instanceof OutcomeUnknown) throw error;
    if (error instanceof Error && error.message.startsWith('the transaction was rolled back')) throw error;
    throw new OutcomeUnknown('the connection was lost during commit', { cause: error });
  } finally {
    warnings.stop();
  }
}

/** PostgreSQL said no. A backend that is being shut down (57P0x) may have committed before it went, so that is no word. */
const isRefusal = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && error.code?.startsWith('57P') === false;

/** Listens for notices of severity WARNING on one connection. */
export function collectWarnings(client: pg.ClientBase): { seen(): boolean; stop(): void } {
  let warned = false;
  const listen = (notice: { severity?: string | undefined }) => {
    if (notice.severity === 'WARNING') warned = true;
  };
  client.on('notice', listen);
  return { seen: () => warned, stop: () => client.off('notice', listen) };
}

/** Rolls back; answers with an error when the connection must not go back to the pool. */
async function rollBack(client: pg.PoolClient, cause: unknown): Promise<Error | undefined> {
  if (cause instanceof OutcomeUnknown) return cause;
  try {
    await client.query('rollback');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error('rollback failed');
  }
}
