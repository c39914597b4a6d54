import type { Knex } from 'knex';

/**
 * How often pushes about a conversation have made a sound since the last reading, and when one last did; and whether an
 * attempt is to. Of what was announced before nobody knows: the next push makes one.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table watermarks add column sounds integer not null default 0, add column sounded_at timestamptz;
    alter table attempts add column sound boolean not null default true;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
