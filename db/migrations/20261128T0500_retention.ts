import type { Knex } from 'knex';

/**
 * The application only adds to what explains a notification, and may take nothing of it away but by this function, which
 * belongs to the owner of the schema: it forgets the stories of episodes that ended 90 days ago or earlier, the oldest
 * first, and refuses to forget sooner. Of each kind of row it deletes a batch at most.
 *
 * Nothing is forgotten that the recount has not gone past, or of somebody of whom it knows a difference: it would call that
 * another one, or none.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create index unreached_at on unreached (at);
    revoke delete on attempts, episodes from homing_app;

    create function forget_attention(older_than interval, batch integer) returns integer
    language plpgsql security definer set search_path = public, pg_temp as $$
    declare
      people uuid[];
      numbers bigint[];
      deleted integer;
      forgotten integer := 0;
    begin
      if coalesce(older_than < interval '90 days', true) then
        raise exception 'what was decided is kept for 90 days' using errcode = 'invalid_parameter_value';
      end if;
      if coalesce(batch not between 1 and 1000, true) then
        raise exception 'a batch has from 1 to 1000 rows' using errcode = 'invalid_parameter_value';
      end if;

      -- Locked, so that of two relays each forgets others.
      select array_agg(user_id), array_agg(episode) into people, numbers from (
        select e.user_id, e.episode from episodes e
        where e.closed_at < now() - older_than
          and e.closed_at < coalesce((select min(through) from recount_walks where name <> 'began'), 'infinity')
          and not exists (select from differences f where f.user_id = e.user_id)
        order by e.closed_at, e.user_id limit batch for update of e skip locked
      ) past;

      delete from decisions d using (
        select o.user_id, o.id from unnest(people, numbers) as p(user_id, episode)
        join decisions o on o.user_id = p.user_id and o.episode = p.episode limit batch
      ) past where d.user_id = past.user_id and d.id = past.id;
      get diagnostics deleted = row_count;
      forgotten := forgotten + deleted;

      -- What was heard goes before that of which it was heard, and the episode last: each is found by the next.
      delete from attempt_events v using (
        select o.user_id, o.attempt_id, o.key from unnest(people, numbers) as p(user_id, episode)
        join attempts t on t.user_id = p.user_id and t.episode = p.episode
        join attempt_events o on o.user_id = t.user_id and o.attempt_id = t.id limit batch
      ) past where v.user_id = past.user_id and v.attempt_id = past.attempt_id and v.key = past.key;
      get diagnostics deleted = row_count;
      forgotten := forgotten + deleted;

      delete from attempts t using (
        select o.user_id, o.id from unnest(people, numbers) as p(user_id, episode)
        join attempts o on o.user_id = p.user_id and o.episode = p.episode
        where not exists (select from attempt_events v where v.user_id = o.user_id and v.attempt_id = o.id) limit batch
      ) past where t.user_id = past.user_id and t.id = past.id;
      get diagnostics deleted = row_count;
      forgotten := forgotten + deleted;

      delete from episodes e using unnest(people, numbers) as p(user_id, episode)
      where e.user_id = p.user_id and e.episode = p.episode
        and not exists (select from decisions d where d.user_id = e.user_id and d.episode = e.episode)
        and not exists (select from attempts t where t.user_id = e.user_id and t.episode = e.episode);
      get diagnostics deleted = row_count;
      forgotten := forgotten + deleted;

      delete from unreached u using (
        select o.conversation_id, o.seq, o.user_id from unreached o
        where o.at < now() - older_than order by o.at limit batch for update skip locked
      ) past where u.conversation_id = past.conversation_id and u.seq = past.seq and u.user_id = past.user_id;
      get diagnostics deleted = row_count;
      return forgotten + deleted;
    end $$;
    revoke execute on function forget_attention from public;
    grant execute on function forget_attention to homing_app;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
