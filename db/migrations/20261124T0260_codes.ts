import type { Knex } from 'knex';

/** A code's time begins when it is sent, not when it is asked for: what sends it may be away meanwhile. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw('alter table verifications add column sent_at timestamptz');
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
