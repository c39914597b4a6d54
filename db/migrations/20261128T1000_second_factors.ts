import type { Knex } from 'knex';

/** Second factors of people, what is open of their proofs, and when each session was last proved to be its person's. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- Encrypted: a table that was stolen makes no codes. Until it is confirmed it is asked of nobody.
    create table totp (
      user_id uuid primary key,
      secret bytea not null,
      key_id text not null,
      begun_at timestamptz not null,
      confirmed_at timestamptz,
      -- The last thirty seconds whose code was taken: each code works once.
      last_step bigint
    );

    -- Hashes alone: of 128 random bits nobody finds what was hashed.
    create table recovery_codes (
      user_id uuid not null,
      code_hash bytea not null,
      used_at timestamptz,
      primary key (user_id, code_hash)
    );

    -- What somebody must answer within minutes, once. Its token is known to who asked, and here by its hash.
    create table challenges (
      token_hash bytea primary key,
      purpose text not null check (purpose in ('sign_in', 'passkey_sign_in', 'passkey_registration', 'step_up')),
      -- Null where whoever has a passkey shall say who they are.
      user_id uuid,
      device_name text,
      expires_at timestamptz not null,
      tries int not null default 0
    );
    create index challenges_expired on challenges (expires_at);
    create index challenges_of_user on challenges (user_id) where user_id is not null;

    create table passkeys (
      user_id uuid not null,
      id uuid not null,
      credential_id bytea not null,
      public_key bytea not null,
      counter bigint not null,
      transports text[] not null,
      name text not null,
      created_at timestamptz not null,
      last_used_at timestamptz,
      primary key (user_id, id)
    );
    create unique index passkeys_credential on passkeys (credential_id);

    grant select, insert, update, delete on totp, recovery_codes, challenges, passkeys to homing_app;

    alter table sessions
      add column second_factor boolean not null default false,
      -- When its person last proved who they are; null: never since this is known.
      add column proved_at timestamptz,
      add column proof_tries int not null default 0,
      add column proof_tries_since timestamptz;
    update sessions set proved_at = created_at where revoked_at is null;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
