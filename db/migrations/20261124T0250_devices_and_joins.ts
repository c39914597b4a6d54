import type { Knex } from 'knex';

/**
 * A push token is unique by its hash: tokens may be longer than an index row. A device knows the session that registered
 * it, so that a session's end silences it. Who joined of late is found without a look at everybody.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    drop index devices_push_token;
    alter table devices
      add column push_token_hash bytea,
      add column session_id uuid;
    update devices set push_token_hash = sha256(convert_to(push_token, 'UTF8')) where push_token is not null;
    -- A token names one installation: registering it under another account moves it (a shared phone).
    create unique index devices_push_token on devices (push_token_hash) where push_token_hash is not null;
    create index devices_of_session on devices (user_id, session_id) where push_token is not null;
    create index members_joined on members (joined_at) where left_at is null;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
