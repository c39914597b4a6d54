import type { Knex } from 'knex';

/**
 * Who said no to a thread that they had never followed. Following it later is a beginning: what stands there is not unread
 * to them. Who follows again what they had followed finds unread what was. Of those who had said no before today nobody
 * knows which they are; they keep what was. And who asks for all of a thread follows it.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table thread_members add column declined boolean not null default false;
    update thread_members set following = true where level = 'all' and following is not true;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
