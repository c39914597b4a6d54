import type { Knex } from 'knex';

/**
 * When somebody was suspended or let in again: what came before that was judged by what held then, which the recount must not
 * take for a mistake. And the admins by an index, because each change of a role looks whether one stays.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table users add column status_at timestamptz;
    create index users_admins on users (id) where role = 'admin';
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
