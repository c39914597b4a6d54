import type { Knex } from 'knex';

/**
 * Who was there when a message called whoever is here. That is over a moment later, and what calls for somebody's attention
 * is asked again for days, so it is kept; the sender is always among them. Rows of what was read go with the next call.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table here_calls (
      conversation_id uuid not null,
      seq bigint not null,
      user_id uuid not null,
      primary key (conversation_id, seq, user_id)
    );
    grant select, insert, delete on here_calls to homing_app;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
