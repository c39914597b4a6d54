import { randomBytes } from 'node:crypto';
import { mkdirSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Db, openDb } from '../../db/client.ts';
import { migrate } from '../../db/migrate.ts';
import { provisionDatabase } from '../../db/provision.ts';
import { findProgram, versionedFolders } from '../../dev/services/find.ts';
import {
  type RunningPostgres,
  contextOf,
  freePort,
  obtainPostgres,
  removeFolder,
  root,
  startPostgres as startServer,
} from '../../dev/services/index.ts';

/** What a benchmark runs on: a PostgreSQL of its own, with every durability setting as it comes. */
export interface Stage {
  /** As the role of the application's processes. */
  db: ReturnType<typeof openDb>;
  appUrl: string;
  ownerUrl: string;
  postgres: RunningPostgres;
  /** PostgreSQL's own load program. */
  pgbench: string;
  /** Where the product's processes leave their profiles; none are taken where it is not there. */
  profiles?: string;
  stop(): Promise<void>;
}

/** The settings that make a commit durable; a figure that was measured with another is worth nothing. */
const durable = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' } as const;

export async function openStage(report: (line: string) => void): Promise<Stage> {
  const dir = join(root, '.homing', 'bench');
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const program = await obtainPostgres({ report });
  const postgres = await startServer({
    ...{ program, dir: join(dir, 'postgres'), logFile: join(dir, 'postgres.log') },
    ...{ port: await freePort(), password: randomBytes(9).toString('hex') },
    // A quarter of a small server's memory, and room for what a run writes between two checkpoints.
    settings: { ...durable, shared_buffers: '512MB', max_wal_size: '4GB', log_min_duration_statement: '-1' },
  });
  const passwords = { ownerPassword: 'bench-owner', appPassword: 'bench-app' };
  const { appUrl, ownerUrl } = await provisionDatabase({ adminUrl: postgres.url, database: 'bench', ...passwords });
  await migrate({ ownerUrl });
  const db = openDb({ url: appUrl, applicationName: 'bench', maxConnections: 80, statementTimeoutMs: 60_000 });
  await assertDurable(db);
  return {
    ...{ db, appUrl, ownerUrl, postgres, pgbench: findPgbench(program.path) },
    async stop() {
      await db.end();
      await postgres.stop();
      removeFolder(join(dir, 'postgres'));
    },
  };
}

/** Beside the server, in a folder of its version as Debian has them, or on PATH. */
function findPgbench(server: string): string {
  const folders = [dirname(realpathSync(server)), ...versionedFolders('/usr/lib/postgresql', /^\d+$/, 'bin')];
  const found = findProgram('pgbench', contextOf(), folders);
  if (!found) throw new Error('pgbench is missing: install it with PostgreSQL (Debian: the package postgresql)');
  return found;
}

async function assertDurable(db: Db): Promise<void> {
  for (const [name, wanted] of Object.entries(durable)) {
    const { rows } = await db.query<{ value: string }>({ text: 'select current_setting($1) as value', values: [name] });
    if (rows[0]?.value !== wanted)
      throw new Error(`${name} is ${rows[0]?.value}: nothing is measured without durability`);
  }
}

export type OwnerDb = ReturnType<typeof openDb>;

/** Seeding a large database takes longer than any statement of the product may. */
export async function withOwner<T>(
  { ownerUrl }: Pick<Stage, 'ownerUrl'>,
  work: (owner: OwnerDb) => Promise<T>,
): Promise<T> {
  const owner = openDb({ url: ownerUrl, applicationName: 'bench-owner', statementTimeoutMs: 900_000 });
  try {
    return await work(owner);
  } finally {
    await owner.end();
  }
}
