import type { Knex } from 'knex';

/**
 * Where the audit ends is written down beside it, in the same transaction: that the last entries were taken away shows, now
 * and when others have followed, which go on from here. The application may read it; only the trigger moves it, as the owner
 * of the schema.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table audit_end (
      single boolean primary key default true check (single),
      seq bigint not null,
      hash bytea not null
    );
    insert into audit_end (seq, hash)
      select coalesce(max(seq), 0), coalesce((select hash from audit order by seq desc limit 1), '') from audit;
    grant select on audit_end to homing_app;

    create or replace function chain_audit() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
    declare
      last audit_end;
    begin
      select * into strict last from audit_end for update;
      new.seq := last.seq + 1;
      new.hash := audit_hash(last.hash, new);
      update audit_end set seq = new.seq, hash = new.hash;
      return new;
    end $$;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
