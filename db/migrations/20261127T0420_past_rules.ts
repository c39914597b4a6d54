import type { Knex } from 'knex';

/**
 * What people's rules were before they changed them, so that it can be told why a message did not call for somebody when
 * it came. A rule that never changes costs no row, and no message costs one: only where the relay looked late is it
 * written down when that was.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table past_rules (
      user_id uuid not null,
      kind text not null check (kind in ('membership', 'settings', 'block', 'thread')),
      -- The conversation, the person or the thread that the rule is about.
      subject text not null,
      since timestamptz,
      until timestamptz not null,
      was jsonb,
      primary key (user_id, kind, subject, until)
    );
    grant select, insert, delete on past_rules to homing_app;

    create table late_looks (
      conversation_id uuid not null,
      seq_from bigint not null,
      seq_to bigint not null,
      at timestamptz not null default now(),
      primary key (conversation_id, seq_from, at)
    );
    grant select, insert, delete on late_looks to homing_app;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
