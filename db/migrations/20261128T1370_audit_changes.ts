import type { Knex } from 'knex';

/** What a change changed, from what to what: of a role. It is part of what an entry's hash is over, where there is one. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table audit add column was text, add column became text,
      add check ((was is null) = (became is null));

    create or replace function audit_hash(previous bytea, entry audit) returns bytea
    language sql stable set search_path = public, pg_temp as $$
      select sha256(previous || convert_to(case when entry.was is null and entry.became is null
        then json_build_array(
          entry.seq, entry.id, (extract(epoch from entry.at) * 1000000)::bigint, entry.actor_id, entry.operator, entry.action,
          entry.user_id, entry.message_id, entry.job_id)
        else json_build_array(
          entry.seq, entry.id, (extract(epoch from entry.at) * 1000000)::bigint, entry.actor_id, entry.operator, entry.action,
          entry.user_id, entry.message_id, entry.job_id, entry.was, entry.became)
        end::text, 'UTF8'))
    $$;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
