import type { Knex } from 'knex';

/**
 * Whether a session is in the same network as another one of its person, which is said by a keyed hash: where that is, the
 * row does not tell.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table sessions add column network bytea;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
