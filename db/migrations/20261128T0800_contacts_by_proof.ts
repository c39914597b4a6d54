import type { Knex } from 'knex';

/**
 * An address or number belongs to who has proved it. Any number of accounts may name the same one until somebody does;
 * then the others lose it, and may be left with none.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table users drop constraint users_email_key, drop constraint users_phone_key, drop constraint users_check;
    create unique index users_email_key on users (email) where email_verified_at is not null;
    create unique index users_phone_key on users (phone) where phone_verified_at is not null;
    -- Who signs in, and who loses what somebody else has proved.
    create index users_by_email on users (email) where email is not null;
    create index users_by_phone on users (phone) where phone is not null;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
