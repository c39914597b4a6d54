import type { Knex } from 'knex';

/**
 * Ids are made in the order of time (UUIDv7). With the id first, new messages of all conversations go to the same few
 * pages at the end of these indexes, however many messages are stored; with the conversation first each went to a page of
 * its own. The conversation stays part of the key: messages may be partitioned by it.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    drop index messages_once;
    drop index messages_by_id;
    create unique index messages_once on messages (client_id, sender_id, conversation_id);
    create unique index messages_by_id on messages (id, conversation_id);
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
