import type { Knex } from 'knex';

/**
 * When what an attempt tells was last read for a call, by the database's clock: whether that was before or after an edit is
 * asked of no worker's. What was attempted before this has none, and its edits are told by themselves.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table attempts add column read_at timestamptz;
    alter table attempts alter column read_at set default now();
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
