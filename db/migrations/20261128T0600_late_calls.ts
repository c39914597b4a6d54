import type { Knex } from 'knex';

/**
 * What an edit calls somebody for below what a channel has told already: the watermark cannot say that. It belongs to what is
 * armed and goes with it, however that ends.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table late_calls (
      user_id uuid not null,
      conversation_id uuid not null,
      channel text not null check (channel in ('push', 'email', 'sms')),
      seq bigint not null,
      at timestamptz not null,
      -- The attempt that tells of it; null until there is one.
      told_by uuid,
      primary key (user_id, conversation_id, channel, seq)
    );
    grant select, insert, update, delete on late_calls to homing_app;

    create or replace function keep_disarmed() returns trigger language plpgsql as $$
    begin
      insert into disarmed (user_id, conversation_id, episode, from_seq, last_seq, at)
      select g.user_id, g.conversation_id, a.episode, g.from_seq, g.last_seq, now()
      from gone g join attention a on a.user_id = g.user_id;
      delete from late_calls l using gone g where l.user_id = g.user_id and l.conversation_id = g.conversation_id;
      return null;
    end $$;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
