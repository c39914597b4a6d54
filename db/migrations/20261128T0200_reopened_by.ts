import type { Knex } from 'knex';

/**
 * By which request an operator last had an attempt tried again. When a worker dies with the answer the same request comes
 * once more, and a text whose fate is unknown again must not be sent a third time for one press of a button.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw('alter table attempts add column reopened_by text');
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
