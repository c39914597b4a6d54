import type { Knex } from 'knex';

/** An invitation is made once a maker and client id, however often it is asked for: else a lost answer leaves a second code. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table invites add column client_id uuid, add column fingerprint bytea;
    create unique index invites_once on invites (conversation_id, created_by, client_id) where client_id is not null;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
