import type { Knex } from 'knex';

/** Urgent messages for whom no step could be taken, so that their sender can be told. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table unreached (
      conversation_id uuid not null,
      seq bigint not null,
      user_id uuid not null,
      at timestamptz not null default now(),
      primary key (conversation_id, seq, user_id)
    );
    grant select, insert on unreached to homing_app;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
