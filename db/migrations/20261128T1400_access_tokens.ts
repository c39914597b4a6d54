import type { Knex } from 'knex';

/** Tokens that people make for programs, and users that are programs. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table access_tokens (
      user_id uuid not null,
      id uuid not null,
      -- The hash alone: of 256 random bits nobody finds what was hashed.
      token_hash bytea not null,
      name text not null,
      scopes text[] not null,
      created_at timestamptz not null,
      -- By the hour: where somebody is all day long is nobody's business, ours neither.
      last_used_at timestamptz,
      expires_at timestamptz not null,
      revoked_at timestamptz,
      revoke_reason text,
      primary key (user_id, id)
    );
    create unique index access_tokens_by_hash on access_tokens (token_hash);
    create index access_tokens_revoked on access_tokens (revoked_at) where revoked_at is not null;
    grant select, insert, update, delete on access_tokens to homing_app;

    alter table users
      add column kind text not null default 'person' constraint users_kind_check check (kind in ('person', 'bot')),
      -- Who answers for a bot.
      add column owner_id uuid;
    -- Nothing can be sent to a bot, and nobody signs in as one: it names no address and no number.
    alter table users add constraint users_bot_check check (
      (kind = 'bot') = (owner_id is not null) and (kind = 'person' or (email is null and phone is null))
    );
    create index users_bots on users (owner_id) where owner_id is not null;
    -- The few whom no message arms.
    create index users_that_are_bots on users (id) where kind = 'bot';
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
