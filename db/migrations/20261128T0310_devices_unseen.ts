import type { Knex } from 'knex';

/** Devices that could be pushed to, those first that were not seen for longest: so long that they are called dead. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create index devices_unseen on devices (last_seen_at) where push_token is not null and push_state <> 'dead';
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
