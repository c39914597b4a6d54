import type { Knex } from 'knex';

/**
 * What somebody begins says in which session: it goes no further once what that session has proved is void, or once it has
 * ended. Null is for what nobody had to prove anything for: a code that was offered at the sign-up, a sign-in.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table totp add column begun_by uuid;
    alter table verifications add column begun_by uuid;
    alter table challenges add column begun_by uuid;
    alter table oauth_tickets add column begun_by uuid;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
