import type { Knex } from 'knex';

/**
 * How much of each kind of notification somebody may still get: what was left in a bucket, and when. No row is a full one.
 * And how many texts the organisation has paid for on a day (UTC). They stand here and not in Redis: what is lost there
 * would be sent again.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table notification_budgets (
      user_id uuid not null,
      bucket text not null,
      tokens double precision not null,
      at timestamptz not null,
      primary key (user_id, bucket)
    );
    create table text_days (day date primary key, texts integer not null);
    grant select, insert, update, delete on notification_budgets, text_days to homing_app;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
