import type { Knex } from 'knex';

/**
 * The urgent messages of somebody's last hour, each with its moment: a count by the clock's hours let twice as many
 * through around the full hour. What was counted before is forgotten, which gives a person at most one hour's worth more.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    drop table urgent_counts;
    create table urgent_sends (
      user_id uuid not null,
      message_id uuid not null,
      at timestamptz not null,
      primary key (user_id, message_id)
    );
    grant select, insert, delete on urgent_sends to homing_app;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
