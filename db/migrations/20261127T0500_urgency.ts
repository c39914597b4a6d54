import type { Knex } from 'knex';

/**
 * Whether something urgent is in a person's episode: after an outage there may be a hundred thousand to hand over, and
 * whom somebody calls urgently is not to stand behind all of them. It is set by arming and cleared when an episode
 * opens; for what the workflow is told it is looked up anew.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table attention add column urgent boolean not null default false;
    drop index attention_to_start;
    create index attention_to_start on attention (urgent, start_at) where state = 'held';
    drop index attention_to_nudge;
    create index attention_to_nudge on attention (urgent, nudge_at) where nudge_at is not null;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
