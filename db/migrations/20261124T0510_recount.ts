import type { Knex } from 'knex';

/**
 * What the recount needs to judge who should have been told, without asking the code that tells: when somebody's rules last
 * changed, since a message is judged by those of its own time, and what was taken out of what is armed, in which episode.
 * Triggers write it, so that no path through the code can leave it out; each stays within its own table's key.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table members add column ruled_at timestamptz;
    alter table notification_settings add column ruled_at timestamptz not null default now();
    alter table thread_members add column ruled_at timestamptz not null default now();

    create function stamp_ruled_at() returns trigger language plpgsql as $$
    begin
      new.ruled_at := now();
      return new;
    end $$;
    create trigger members_ruled before update of level, muted_until on members for each row
      when ((old.level, old.muted_until) is distinct from (new.level, new.muted_until)) execute function stamp_ruled_at();
    create trigger notification_settings_ruled before update on notification_settings for each row
      when (old.settings is distinct from new.settings) execute function stamp_ruled_at();
    create trigger thread_members_ruled before update of following on thread_members for each row
      when (old.following is distinct from new.following) execute function stamp_ruled_at();

    create table lifted_blocks (
      user_id uuid not null,
      blocked_id uuid not null,
      at timestamptz not null,
      primary key (user_id, blocked_id)
    );
    grant select, insert, update, delete on lifted_blocks to homing_app;
    create function keep_lifted_block() returns trigger language plpgsql as $$
    begin
      insert into lifted_blocks as l (user_id, blocked_id, at) values (old.user_id, old.blocked_id, now())
      on conflict (user_id, blocked_id) do update set at = excluded.at;
      return null;
    end $$;
    create trigger blocks_lifted after delete on blocks for each row execute function keep_lifted_block();

    create table disarmed (
      user_id uuid not null,
      id bigint generated always as identity not null,
      conversation_id uuid not null,
      episode bigint not null,
      from_seq bigint not null,
      last_seq bigint not null,
      at timestamptz not null,
      primary key (user_id, id)
    );
    create index disarmed_of_conversation on disarmed (user_id, conversation_id, last_seq);
    create index disarmed_at on disarmed (at);
    grant select, insert, delete on disarmed to homing_app;
    create function keep_disarmed() returns trigger language plpgsql as $$
    begin
      insert into disarmed (user_id, conversation_id, episode, from_seq, last_seq, at)
      select g.user_id, g.conversation_id, a.episode, g.from_seq, g.last_seq, now()
      from gone g join attention a on a.user_id = g.user_id;
      return null;
    end $$;
    create trigger armed_disarmed after delete on armed referencing old table as gone
      for each statement execute function keep_disarmed();

    create index episodes_closed on episodes (closed_at, user_id) where closed_at is not null;

    -- How far each walk of the recount has come, and whose turn it is.
    create table recount_walks (
      name text primary key,
      cursor text not null,
      through timestamptz not null,
      leased_until timestamptz not null default now()
    );
    -- What was there before has no such records; the walks begin here.
    insert into recount_walks (name, cursor, through) values ('began', '', now());
    create index attention_awake on attention (user_id) where state <> 'quiet';
    grant select, insert, update, delete on recount_walks to homing_app;

    -- What does not agree: ids, never content. A row goes when the next look finds that it agrees.
    create table differences (
      id bigint generated always as identity primary key,
      kind text not null,
      user_id uuid not null,
      conversation_id uuid,
      seq bigint,
      episode bigint,
      attempt_id uuid,
      found_at timestamptz not null default now()
    );
    create unique index differences_once on differences (kind, user_id, conversation_id, seq, episode, attempt_id)
      nulls not distinct;
    grant select, insert, update, delete on differences to homing_app;

    -- Some of what operators do is about nobody in particular.
    alter table audit alter column user_id drop not null;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
