import type { Knex } from 'knex';

/** Whether its owner wants a device to be pushed to, whatever its own system allows. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw('alter table devices add column push_enabled boolean not null default true;');
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
