import type { Knex } from 'knex';

/**
 * Keys of access tokens. Which of them signs follows from the clock of the database alone: the latest whose time has come.
 * The one after it is published and waits; the one before it goes on verifying for a while. The private half is sealed by a
 * key that the database does not have.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table signing_keys (
      kid text primary key,
      sealed text not null,
      signs_from timestamptz not null,
      created_at timestamptz not null default now()
    );
    grant select, insert, delete on signing_keys to homing_app;
    grant update (signs_from) on signing_keys to homing_app;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
