import type { Knex } from 'knex';

/**
 * Where urgent messages went, so that one recipient gets a few of one sender a day in whatever conversation; how often
 * one was pushed again; and whether an attempt was urgent. Sends of before name no conversation and count for the sender
 * alone.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table urgent_sends add column conversation_id uuid;
    alter table watermarks add column repeats integer not null default 0;
    alter table attempts add column urgent boolean not null default false;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
