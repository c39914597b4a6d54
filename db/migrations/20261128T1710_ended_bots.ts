import type { Knex } from 'knex';

/** A bot that was ended is more than suspended: nothing brings it back. Those that were ended before are named by the audit. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table users drop constraint users_status_check;
    alter table users add constraint users_status_check
      check (status in ('active', 'suspended') or (status = 'ended' and kind = 'bot'));
    update users set status = 'ended' where kind = 'bot' and status = 'suspended' and exists (
      select from audit ending where ending.user_id = users.id and ending.action = 'end_bot' and not exists (
        select from audit later
        where later.user_id = users.id and later.action = 'reactivate_user' and later.seq > ending.seq));
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
