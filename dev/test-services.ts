import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { searchAttributesForCli } from './temporal-settings.ts';
import { wantedFile, writeStatus } from './services/for-tests.ts';
import { checkGiven, type Given, type S3Access } from './services/given.ts';
import * as services from './services/index.ts';
import type { Supervisor } from './supervisor.ts';

/** What the tests read out of the file that HOMING_TEST_SERVICES names. */
export interface TestServices {
  /** A superuser's address; the tests make their own databases. */
  postgresAdminUrl: string;
  redisUrl: string;
  /** host:port of the development server, with the namespaces `default` and `homing-test`. */
  temporalAddress: string;
  s3: S3Access;
  /** Path of the time-skipping test server's program. */
  temporalTestServer: string;
  /** Brought up beside the run: see elasticsearchForTests. */
  elasticsearch: { statusFile: string };
}

export interface Suite {
  supervisor: Supervisor;
  context: services.Context;
  given: Given;
  /** Folder of this run's data and logs. */
  dir: string;
  /** Engines that the person leaves out by HOMING_WITHOUT. */
  without: ReadonlySet<string>;
  /** Engines that were not run, and why. Told loudly at the end. */
  notRun: Map<string, string>;
}

/** Where a run's services keep their data, below its folder. */
export const dataFolders = ['postgres', 'redis', 's3', 'elasticsearch'] as const;

/** An address that nothing listens on, for a suite whose engine is missing: it fails, and the run says why. */
const nowhere = '127.0.0.1:1';

/** Brings up what every run needs, all at once; rejects with a remedy where PostgreSQL, Redis or S3 cannot be had. */
export async function startTestServices(suite: Suite): Promise<TestServices> {
  const [postgresAdminUrl, redisUrl, s3, temporalAddress, temporalTestServer] = await Promise.all([
    postgres(suite),
    redis(suite),
    s3Server(suite),
    optional(suite, 'temporal', nowhere, () => temporal(suite)),
    optional(
      suite,
      'temporal-test-server',
      '',
      async () => (await services.obtainTemporalTestServer(suite.context)).path,
    ),
  ]);
  const elasticsearch = { statusFile: join(suite.dir, 'elasticsearch.json') };
  return { postgresAdminUrl, redisUrl, temporalAddress, s3, temporalTestServer, elasticsearch };
}

async function optional<T>(suite: Suite, engine: string, missing: T, bring: () => Promise<T>): Promise<T> {
  if (suite.without.has(engine)) {
    suite.notRun.set(engine, 'left out by HOMING_WITHOUT');
    return missing;
  }
  try {
    return await bring();
  } catch (error) {
    suite.context.signal?.throwIfAborted();
    suite.notRun.set(engine, (error as Error).message);
    suite.context.report(`${engine} is not run: ${(error as Error).message}`);
    return missing;
  }
}

// A port that was free a moment ago may be taken now, by a client's outgoing connection for one: then another is tried.
async function up<Started extends services.Running>(
  suite: Suite,
  name: string,
  start: (signal: AbortSignal) => Promise<Started>,
  attempts = 3,
): Promise<Started> {
  let started: Started | undefined;
  try {
    await suite.supervisor.run({ name, kind: 'service', start: async (signal) => (started = await start(signal)) });
  } catch (error) {
    const taken = /address already in use|EADDRINUSE|could not bind|bind: /i.test((error as Error).message);
    if (attempts <= 1 || !taken) throw error;
    return up(suite, name, start, attempts - 1);
  }
  if (!started) throw new Error(`${name} did not start`);
  return started;
}

async function postgres(suite: Suite): Promise<string> {
  const { given, context, dir } = suite;
  if (given.postgres) {
    const { ownerUrl } = given.postgres;
    await checkGiven('PostgreSQL', ownerUrl, () => services.queryPostgres(ownerUrl));
    return ownerUrl;
  }
  const program = await services.obtainPostgres(context);
  const password = randomBytes(12).toString('base64url');
  const { url } = await up(suite, 'postgres', async (signal) =>
    services.startPostgres({
      ...{ ...context, signal, program, password, throwAway: true },
      ...{ dir: join(dir, 'postgres'), logFile: join(dir, 'logs', 'postgres.log'), port: await services.freePort() },
    }),
  );
  return url;
}

async function redis(suite: Suite): Promise<string> {
  const { given, context, dir } = suite;
  if (given.redisUrl) {
    const url = given.redisUrl;
    await checkGiven('Redis', url, () => services.pingRedis(url));
    return url;
  }
  const program = await services.obtainRedis(context);
  const { url } = await up(suite, 'redis', async (signal) =>
    services.startRedis({
      ...{ ...context, signal, program, dir: join(dir, 'redis'), logFile: join(dir, 'logs', 'redis.log') },
      port: await services.freePort(),
    }),
  );
  return url;
}

async function s3Server(suite: Suite): Promise<S3Access> {
  const { given, context, dir } = suite;
  if (given.s3) {
    const { endpoint } = given.s3;
    await checkGiven('S3', endpoint, () => services.reachS3(endpoint));
    return given.s3;
  }
  const program = await services.obtainS3(context);
  const keys = { accessKeyId: 'test', secretAccessKey: randomBytes(12).toString('base64url') };
  const { endpoint } = await up(suite, 's3', async (signal) =>
    services.startS3({
      ...{ ...context, ...keys, signal, program, dir: join(dir, 's3'), logFile: join(dir, 'logs', 's3.log') },
      port: await services.freePort(),
    }),
  );
  return { endpoint, ...keys };
}

async function temporal(suite: Suite): Promise<string> {
  const { given, context, dir } = suite;
  if (given.temporalAddress) {
    const address = given.temporalAddress;
    await checkGiven('Temporal', address, () => services.reachTemporal(address));
    return address;
  }
  const program = await services.obtainTemporal(context);
  const { address } = await up(suite, 'temporal', async (signal) =>
    services.startTemporal({
      ...{ ...context, signal, program, logFile: join(dir, 'logs', 'temporal.log'), port: await services.freePort() },
      ...{ namespaces: ['default', 'homing-test'], searchAttributes: searchAttributesForCli },
      // A story that goes on in a new run shall not need thousands of events first.
      dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 150 },
    }),
  );
  return address;
}

/**
 * Brings up Elasticsearch beside the run and says how far it is in the status file. Never rejects. With `onRequest` it
 * waits until a suite asks: a run of a few files need not pay for it.
 */
export async function elasticsearchBeside(suite: Suite, statusFile: string, onRequest: boolean): Promise<void> {
  const { given, context, supervisor, without } = suite;
  const tell = (status: Parameters<typeof writeStatus>[1]) => writeStatus(statusFile, status);
  if (without.has('elasticsearch')) {
    suite.notRun.set('elasticsearch', 'left out by HOMING_WITHOUT');
    return tell({ state: 'left out' });
  }
  tell({ state: 'starting' });
  try {
    while (onRequest && !existsSync(wantedFile(statusFile))) await sleep(200, undefined, { signal: supervisor.signal });
    const url = given.elasticsearchUrl;
    if (url) await checkGiven('Elasticsearch', url, () => services.reachElasticsearch(url));
    tell({ state: 'up', url: url ?? (await elasticsearch(suite)) });
  } catch (error) {
    if (supervisor.signal.aborted) return;
    const remedy = `${(error as Error).message}\nOr leave it out: HOMING_WITHOUT=elasticsearch npm test`;
    suite.notRun.set('elasticsearch', remedy);
    context.report(`elasticsearch is not run: ${remedy}`);
    tell({ state: 'failed', remedy });
  }
}

async function elasticsearch(suite: Suite): Promise<string> {
  const { context, dir } = suite;
  const program = await services.obtainElasticsearch(context);
  const { url } = await up(suite, 'elasticsearch', async (signal) => {
    const ports = await services.freePorts({ port: undefined, transportPort: undefined });
    const logFile = join(dir, 'logs', 'elasticsearch.log');
    return services.startElasticsearch({
      ...{ ...context, ...ports, signal, program, logFile },
      dir: join(dir, 'elasticsearch'),
    });
  });
  return url;
}
