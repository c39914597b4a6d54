import type { Knex } from 'knex';

/**
 * What became of mails and texts of which nothing more is told: asked of the provider where it can be asked, else written
 * down as not known for good. And reports that could not be read are kept whole, so that they can be read again.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table attempts drop constraint attempts_reported_check,
      add constraint attempts_reported_check
        check (reported in ('accepted', 'unknown_final', 'sent', 'delivered', 'engaged')),
      -- When the provider was last asked; until a while after nobody else asks.
      add column asked_at timestamptz;
    create index attempts_unsettled on attempts (claimed_at)
      where state = 'claimed' or (state = 'accepted' and channel <> 'push' and coalesce(reported, 'accepted') = 'accepted');

    -- What stands in the address that was posted to belongs to a report of Twilio's.
    alter table unreadable_reports add column path_and_query text not null default '';
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
