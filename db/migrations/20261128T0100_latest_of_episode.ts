import type { Knex } from 'knex';

/**
 * Each decision asks for the latest of each step, and for what came of two channels' attempts. An episode of a busy week
 * has thousands of both: they are found from the end, never gone through.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create index decisions_of_step on decisions (user_id, episode, step, at, id);
    -- Whoever asks for all of an episode is served by the beginning of the new one.
    drop index decisions_of_episode;
    create index attempts_of_episode on attempts (user_id, episode, channel, state, finished_at);
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
