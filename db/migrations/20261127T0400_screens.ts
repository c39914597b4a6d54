import type { Knex } from 'knex';

/**
 * What a person's screens may show of each conversation, so that it can be taken down once it is read or gone; and of
 * whoever was ever pushed how many badges they were sent, and when their screens are looked at again.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table shown (
      user_id uuid not null,
      conversation_id uuid not null,
      attempt_id uuid not null,
      from_seq bigint not null,
      through_seq bigint not null,
      device_ids uuid[] not null,
      at timestamptz not null default now(),
      primary key (user_id, conversation_id)
    );
    create index shown_in on shown (conversation_id);
    grant select, insert, update, delete on shown to homing_app;

    create table screens (
      user_id uuid primary key,
      badge_revision bigint not null default 0,
      look_at timestamptz,
      rests_until timestamptz not null default 'epoch',
      read_by uuid
    );
    create index screens_to_look_at on screens (look_at) where look_at is not null;
    grant select, insert, update on screens to homing_app;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
