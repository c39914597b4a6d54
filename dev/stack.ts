import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '../db/migrate.ts';
import { provisionDatabase } from '../db/provision.ts';
import type { Ports } from './choose-ports.ts';
import type { Secrets } from './secrets.ts';
import { checkGiven, type Given, type S3Access } from './services/given.ts';
import * as services from './services/index.ts';
import type { Supervisor } from './supervisor.ts';
import { searchAttributesForCli } from './temporal-settings.ts';

export const bucket = 'homing';
export const namespace = 'homing';

/** What the parts of one npm start share. */
export interface Stack {
  state: string;
  ports: Ports;
  secrets: Secrets;
  given: Given;
  supervisor: Supervisor;
  context: services.Context;
}

export interface DatabaseUrls {
  appUrl: string;
  ownerUrl: string;
}

const logOf = ({ state }: Stack, name: string) => join(state, 'logs', `${name}.log`);
const dataOf = ({ state }: Stack, name: string) => join(state, 'data', name);

/** Takes all data away, also what had to be kept elsewhere. */
export function wipeData({ state }: Pick<Stack, 'state'>): void {
  const data = join(state, 'data');
  for (const name of ['postgres', 'elasticsearch']) services.removeFolder(join(data, name));
  rmSync(data, { recursive: true, force: true });
}

/** PostgreSQL with the database, its roles and the newest schema. */
export async function startDatabase(stack: Stack): Promise<DatabaseUrls> {
  const { given, secrets } = stack;
  const urls = given.postgres
    ? { appUrl: given.postgres.url, ownerUrl: given.postgres.ownerUrl }
    : await provisionDatabase({ ...secrets, adminUrl: await startPostgres(stack), database: 'homing' });
  if (given.postgres) await checkGiven('PostgreSQL', urls.ownerUrl, () => services.queryPostgres(urls.ownerUrl));
  const migrated = await migrate({ ownerUrl: urls.ownerUrl });
  if (migrated.length > 0) stack.context.report(`database: ${migrated.length} migrations run`);
  return urls;
}

async function startPostgres(stack: Stack): Promise<string> {
  const program = await services.obtainPostgres(stack.context);
  const password = stack.secrets.postgresPassword;
  const port = stack.ports.postgres;
  await stack.supervisor.run({
    name: 'postgres',
    kind: 'service',
    start: (signal) =>
      services.startPostgres({
        ...{ ...stack.context, signal, program, password, port },
        ...{ dir: dataOf(stack, 'postgres'), logFile: logOf(stack, 'postgres') },
      }),
  });
  return `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`;
}

/** Redis; answers with its address. */
export async function startRedis(stack: Stack): Promise<string> {
  const { given, ports } = stack;
  if (given.redisUrl) {
    const url = given.redisUrl;
    await checkGiven('Redis', url, () => services.pingRedis(url));
    return url;
  }
  const program = await services.obtainRedis(stack.context);
  await stack.supervisor.run({
    name: 'redis',
    kind: 'service',
    start: (signal) =>
      services.startRedis({
        ...{ ...stack.context, signal, program, port: ports.redis, persist: true },
        ...{ dir: dataOf(stack, 'redis'), logFile: logOf(stack, 'redis') },
      }),
  });
  return `redis://127.0.0.1:${ports.redis}`;
}

/** Address and keys of the S3 server, known before it is up: the roles start without it. */
export function s3Access({ given, ports, secrets }: Stack): S3Access {
  const keys = { accessKeyId: secrets.s3AccessKeyId, secretAccessKey: secrets.s3SecretAccessKey };
  return given.s3 ?? { endpoint: `http://127.0.0.1:${ports.s3}`, ...keys };
}

/**
 * The S3 server with the bucket. Where it has to be built, that waits for `buildAfter`: two builds at once take both as
 * long as they take one after the other, and messages reach people by Temporal first.
 */
export async function startS3(stack: Stack, buildAfter: Promise<unknown>): Promise<void> {
  const access = s3Access(stack);
  if (stack.given.s3) await checkGiven('S3', access.endpoint, () => services.reachS3(access.endpoint));
  else await ownS3(stack, access, buildAfter);
  await services.ensureBucket(access, bucket);
}

async function ownS3(
  stack: Stack,
  { endpoint: _ours, ...keys }: S3Access,
  buildAfter: Promise<unknown>,
): Promise<void> {
  const program = await services.obtainS3({ ...stack.context, buildAfter });
  await stack.supervisor.run({
    name: 's3',
    kind: 'service',
    start: (signal) =>
      services.startS3({
        ...{ ...stack.context, ...keys, signal, program, port: stack.ports.s3 },
        ...{ dir: dataOf(stack, 's3'), logFile: logOf(stack, 's3') },
      }),
  });
}

/** host:port of Temporal, known before it is up: the roles start without it. */
export function temporalAddress({ given, ports }: Stack): string {
  return given.temporalAddress ?? `127.0.0.1:${ports.temporal}`;
}

/** Temporal, which on a machine that never had it takes as long as building it takes. */
export async function startTemporal(stack: Stack): Promise<void> {
  const { given, ports } = stack;
  if (given.temporalAddress) {
    const address = given.temporalAddress;
    return checkGiven('Temporal', address, () => services.reachTemporal(address));
  }
  const program = await services.obtainTemporal(stack.context);
  await stack.supervisor.run({
    name: 'temporal',
    kind: 'service',
    start: (signal) =>
      services.startTemporal({
        ...{ ...stack.context, signal, program, port: ports.temporal, uiPort: ports.temporalUi },
        uiCodecEndpoint: `http://127.0.0.1:${ports.codec}`,
        ...{ namespaces: [namespace], searchAttributes: searchAttributesForCli },
        ...{ databaseFile: join(dataOf(stack, 'temporal'), 'temporal.db'), logFile: logOf(stack, 'temporal') },
      }),
  });
}

/** Address of Elasticsearch, known before it is up. */
export function elasticsearchUrl({ given, ports }: Stack): string {
  return given.elasticsearchUrl ?? `http://127.0.0.1:${ports.elasticsearch}`;
}

/** Elasticsearch, on request. */
export async function startElasticsearch(stack: Stack): Promise<void> {
  const { given, ports } = stack;
  if (given.elasticsearchUrl) {
    const url = given.elasticsearchUrl;
    return checkGiven('Elasticsearch', url, () => services.reachElasticsearch(url));
  }
  const program = await services.obtainElasticsearch(stack.context);
  await stack.supervisor.run({
    name: 'elasticsearch',
    kind: 'service',
    start: (signal) =>
      services.startElasticsearch({
        ...{
          ...stack.context,
          signal,
          program,
          port: ports.elasticsearch,
          transportPort: ports.elasticsearchTransport,
        },
        ...{ dir: dataOf(stack, 'elasticsearch'), logFile: logOf(stack, 'elasticsearch') },
      }),
  });
}
