import type { Knex } from 'knex';

/** Who asked which durable job to do something. A look at the list of jobs is about nobody. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table audit alter column user_id drop not null, add column job_id text;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
