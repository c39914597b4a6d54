import type { Knex } from 'knex';

/**
 * Addresses and numbers to which nothing is sent any more, and why. By a hash, so that it outlives the account and holds
 * for whoever gives the address again; a person's own setting can be changed by others of the house, this cannot.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table suppressions (
      channel text not null check (channel in ('email', 'sms')),
      target bytea not null check (octet_length(target) = 32),
      cause text not null check (cause in ('unsubscribed', 'complaint', 'hard_bounce', 'soft_bounces', 'opted_out', 'invalid')),
      created_at timestamptz not null default now(),
      expires_at timestamptz,
      primary key (channel, target, cause)
    );
    grant select, insert, update, delete on suppressions to homing_app;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
