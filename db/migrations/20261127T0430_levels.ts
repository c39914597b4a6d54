import type { Knex } from 'knex';

/** What comes through a mute, and a level of one thread. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table members add column mute_except text check (mute_except in ('mentions'));
    alter table thread_members add column level text check (level in ('all', 'mentions', 'nothing'));
    create index thread_members_by_level on thread_members (user_id, conversation_id) where level is not null;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
