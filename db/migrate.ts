import knex, { type Knex } from 'knex';
import { fileURLToPath } from 'node:url';

const directory = fileURLToPath(new URL('./migrations', import.meta.url));

/** Any number that nothing else of ours takes; pods that migrate at once queue behind it. */
const advisoryLock = 7_146_001;

/**
 * Brings the schema to the newest version; answers with the names of what was run, in order. Knex's own lock row can be
 * left behind by a crash and lets two runners through for migrations without a transaction (knex #4495), so a session's
 * advisory lock stands around it: PostgreSQL frees that one with the connection.
 */
export async function migrate(options: { ownerUrl: string }): Promise<string[]> {
  const db = open(options.ownerUrl);
  try {
    await db.raw('select pg_advisory_lock(?)', [advisoryLock]);
    await db.migrate.forceFreeMigrationsLock();
    const [, names] = (await db.migrate.latest()) as [number, string[]];
    return names;
  } finally {
    await db.destroy();
  }
}

/** The names of migrations that the database still lacks. */
export async function pendingMigrations(options: { ownerUrl: string }): Promise<string[]> {
  const db = open(options.ownerUrl);
  try {
    const [, pending] = (await db.migrate.list()) as [unknown, { file: string }[]];
    return pending.map(({ file }) => file);
  } finally {
    await db.destroy();
  }
}

// One connection: the advisory lock belongs to it, and the migrations run on it. Knex needs a second one for the
// transaction of each migration, hence two.
function open(ownerUrl: string): Knex {
  return knex({
    client: 'pg',
    connection: { connectionString: ownerUrl, application_name: 'homing-migrate' },
    pool: { min: 2, max: 2 },
    migrations: { directory, loadExtensions: ['.ts'] },
    log: { warn() {}, error() {}, deprecate() {}, debug() {} },
  });
}

/** Migrates for a person at a terminal: says what was done, or what is wrong and what helps. Answers with the exit code. */
export async function migrateByHand(ownerUrl: string | undefined): Promise<number> {
  if (!ownerUrl) {
    process.stderr.write('DATABASE_OWNER_URL is missing: give the address of the role that owns the schema.\n');
    return 2;
  }
  try {
    const names = await migrate({ ownerUrl });
    process.stdout.write(names.length === 0 ? 'The schema is up to date.\n' : `Migrated: ${names.join(', ')}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`${explain(error as Error & { code?: string }, ownerUrl)}\n`);
    return 1;
  }
}

/** By what the driver and PostgreSQL call it (Appendix A of its manual). What we do not know keeps its stack. */
const remedies: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there: is it up, and is this its port?',
  ENOTFOUND: 'there is no such host',
  '28P01': 'the password is wrong',
  '28000': 'the role may not log in there',
  '3D000': 'there is no such database: npm start makes its own, an operator that of a deployment',
  '42501': 'this role does not own the schema: give the address of the one that does (homing_owner)',
};

function explain(error: Error & { code?: string }, ownerUrl: string): string {
  const remedy = remedies[error.code ?? ''];
  if (!URL.canParse(ownerUrl)) return 'DATABASE_OWNER_URL is no address: postgres://role:password@host:port/database';
  if (!remedy) return `Could not migrate: ${error.stack}`;
  const { username, host, pathname } = new URL(ownerUrl);
  return `Could not migrate ${pathname.slice(1)} at ${host} as ${username}: ${remedy}.\n(${error.message})`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await migrateByHand(process.env.DATABASE_OWNER_URL);
}
