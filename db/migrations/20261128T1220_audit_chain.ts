import type { Knex } from 'knex';

/**
 * Each entry of the audit carries its number, and a hash over what it says and the hash before it: what is changed or taken
 * away afterwards breaks the chain, whoever did it. The database numbers and hashes, whatever an insert brings along; one
 * entry follows another until its transaction is over, so an entry is written last.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table audit add column seq bigint, add column hash bytea;

    create function audit_hash(previous bytea, entry audit) returns bytea
    language sql stable set search_path = public, pg_temp as $$
      select sha256(previous || convert_to(json_build_array(
        entry.seq, entry.id, (extract(epoch from entry.at) * 1000000)::bigint, entry.actor_id, entry.operator, entry.action,
        entry.user_id, entry.message_id, entry.job_id)::text, 'UTF8'))
    $$;

    do $$
    declare
      entry audit;
      last_seq bigint := 0;
      last_hash bytea := '';
    begin
      for entry in select * from audit order by at, id loop
        last_seq := last_seq + 1;
        entry.seq := last_seq;
        last_hash := audit_hash(last_hash, entry);
        update audit set seq = last_seq, hash = last_hash where id = entry.id;
      end loop;
    end $$;

    alter table audit alter column seq set not null, alter column hash set not null, add unique (seq);

    create function chain_audit() returns trigger
    language plpgsql set search_path = public, pg_temp as $$
    declare
      last_seq bigint;
      last_hash bytea;
    begin
      perform pg_advisory_xact_lock(2, 2);
      select seq, hash into last_seq, last_hash from audit order by seq desc limit 1;
      new.seq := coalesce(last_seq, 0) + 1;
      new.hash := audit_hash(coalesce(last_hash, ''), new);
      return new;
    end $$;
    create trigger chain before insert on audit for each row execute function chain_audit();
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
