import type { Knex } from 'knex';

/** What an edit calls for and when, and why something stopped calling for a person before they had read it. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- When an edit mentioned somebody for the first time: for them the message is as new.
    alter table messages add column called_at timestamptz;

    -- The last rule by which something of the episode was called off; null while nothing was.
    alter table attention add column called_off_for text;

    -- What was decided of one conversation of an episode.
    alter table decisions add column conversation_id uuid;

    -- Hardly anybody: asked for each recipient, and answered without a look at the accounts themselves.
    create index users_inactive on users (id) where status <> 'active';
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
