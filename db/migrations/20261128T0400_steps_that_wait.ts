import type { Knex } from 'knex';

/**
 * Steps of the episode that wait for a person, by their attempts, as its last decision knew them. Only those people stand
 * in the index: how many steps wait is counted every few seconds.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table attention add column stuck uuid[] not null default '{}';
    create index attention_stuck on attention (user_id) where stuck <> '{}';
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
