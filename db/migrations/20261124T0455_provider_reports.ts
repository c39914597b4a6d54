import type { Knex } from 'knex';

/**
 * What providers report of mails and texts: taken once by its key, seen to later by the relay. No address or number stands
 * in it, only the hash that suppressions have, and whose it was when the report came.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table provider_reports (
      source text not null check (source in ('sendgrid', 'twilio')),
      key text not null,
      -- The order in which they came: Twilio gives no time.
      id bigint generated always as identity not null,
      channel text not null check (channel in ('email', 'sms')),
      fact text not null,
      says text,
      code text,
      attempt_id uuid,
      target bytea check (octet_length(target) = 32),
      owner_id uuid,
      at timestamptz not null,
      received_at timestamptz not null default now(),
      due_at timestamptz not null default now(),
      tries int not null default 0,
      applied_at timestamptz,
      primary key (source, key)
    );
    create index provider_reports_due on provider_reports (due_at, id) where applied_at is null;
    create index provider_reports_of_target on provider_reports (channel, target, at);
    create index provider_reports_received on provider_reports (received_at);
    grant select, insert, update, delete on provider_reports to homing_app;

    -- Signed by a provider and yet not understood: kept for a person, for as long as reports are.
    create table unreadable_reports (
      id bigint generated always as identity primary key,
      source text not null check (source in ('sendgrid', 'twilio')),
      reason text not null,
      body bytea not null,
      received_at timestamptz not null default now()
    );
    create index unreadable_reports_received on unreadable_reports (received_at);
    grant select, insert, delete on unreadable_reports to homing_app;

    -- How far the provider says it has come, and what else it says, beside what we did.
    alter table attempts
      add column reported text check (reported in ('accepted', 'sent', 'delivered', 'engaged')),
      add column setbacks text[] not null default '{}';
    -- A report names the attempt alone.
    create index attempts_by_id on attempts (id);
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
