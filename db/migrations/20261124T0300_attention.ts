import type { Knex } from 'knex';

/** What the relay and the ladder need to notice what is lost, and to remember what was told how often. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
-- Each topic has a relay loop of its own: without the topic one that waits would be read over by all others.
drop index outbox_due;
create index outbox_due on outbox (topic, due_at, id);

-- Running episodes by the moment at which their workflow should have been heard of again.
create index attention_overdue on attention (coalesce(wakes_at, start_at)) where state = 'running';

-- How often a channel has told something of a conversation since it was last read: the next time waits longer.
alter table watermarks add column times int not null default 1;

-- Calls of an attempt whose outcome was never known: what bounds a repeat. Known failures do not count.
alter table attempts add column unanswered int not null default 0;
`);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
