import type { Knex } from 'knex';

/**
 * How a session's person proved last who they are: where they have a factor, a proof without one counts for nothing. Proofs
 * from before this count as such; the next is asked for at most five minutes early.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table sessions add column proved_by_factor boolean not null default false;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
