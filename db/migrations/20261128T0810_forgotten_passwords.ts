import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- Somebody says that they forgot the password of whoever has this address or number. Whose it is, is looked up when
    -- the mail is sent: the request is the same whether there is anybody. The token is derived from the id and kept as
    -- a hash.
    create table password_resets (
      id uuid primary key,
      token_hash bytea not null unique,
      channel text not null check (channel in ('email', 'sms')),
      target text not null,
      expires_at timestamptz not null,
      sent_at timestamptz,
      user_id uuid
    );
    create index password_resets_past on password_resets (expires_at);
    create index password_resets_of_user on password_resets (user_id) where user_id is not null;

    -- What a person is told at an address or number of theirs about their account; gone once it is sent.
    create table notices (
      id uuid primary key,
      user_id uuid not null,
      kind text not null,
      channel text not null check (channel in ('email', 'sms')),
      target text not null,
      at timestamptz not null
    );

    -- What was used of a limit since when. Here and not in Redis, so that it holds while that is away; keys are hashes.
    create table allowances (
      key bytea primary key,
      used int not null,
      until timestamptz not null
    );
    create index allowances_past on allowances (until);

    grant select, insert, update, delete on password_resets, notices, allowances to homing_app;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
