import type { Knex } from 'knex';

/**
 * What somebody may do beside what every person may, and who has looked at what of whom. An audit that its subject could
 * change is none: the application writes and reads it, and can do no more.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table users add column role text not null default 'member'
      check (role in ('member', 'moderator', 'support', 'operator', 'admin'));
    create table audit (
      id uuid primary key,
      at timestamptz not null default now(),
      actor_id uuid,
      operator text,
      action text not null,
      user_id uuid not null,
      message_id uuid,
      check ((actor_id is null) <> (operator is null))
    );
    grant select, insert on audit to homing_app;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
