import { join } from 'node:path';
import { migrateByHand } from '../db/migrate.ts';
import { isAlive } from '../scripts/lock.mjs';
import { readRun } from './run-file.ts';
import { root } from './services/index.ts';

// npm run db:migrate: the database of the environment, else the one of the start that runs here.

process.exitCode = await migrateByHand(process.env.DATABASE_OWNER_URL ?? addressOfRun());

/** In production nobody means the database that happens to run beside. */
function addressOfRun(): string | undefined {
  if (process.env.NODE_ENV === 'production') return undefined;
  const run = readRun(join(root, '.homing'));
  if (!run?.postgresOwner || !isAlive(run)) return undefined;
  process.stdout.write(`DATABASE_OWNER_URL is not set: using the database of npm start (pid ${run.pid}).\n`);
  return run.postgresOwner;
}
