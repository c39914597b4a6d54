import type { Knex } from 'knex';

/**
 * Null says that somebody has not said whether they follow a thread: who has only read in it follows it once they write in
 * it or are mentioned there, and only who said no is left alone.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw('alter table thread_members alter column following drop not null');
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
