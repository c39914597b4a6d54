import type { Knex } from 'knex';

/**
 * Mail that is gathered, and the weekly summary for who is away. A person's row says when to look next whether they are
 * due one (`summary_at`), so that a look is by an index and bounded; that they are (`summary_due`), until the mail is
 * claimed; and how many they were sent since they were last here. What is switched on or off for one conversation stands
 * with the membership, by channel; what is not said there is as in the account.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table attention
      add column summary_at timestamptz,
      add column summary_due timestamptz,
      add column summarised_at timestamptz,
      add column summaries integer not null default 0;
    create index attention_to_summarise on attention (summary_at) where summary_at is not null;
    alter table attempts add column kind text not null default 'unread' check (kind in ('unread', 'summary'));
    alter table members add column channels jsonb;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
