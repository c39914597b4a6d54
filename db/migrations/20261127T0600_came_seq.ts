import type { Knex } from 'knex';

/**
 * The last message when somebody came, or came back: of those up to it nobody asks whether they have them. Everything may
 * be theirs to read all the same, which is why `joined_seq` does not say it. The line by which they came does, for those
 * who are there; channels have none, and tell no receipts.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table members add column came_seq bigint not null default 0;
    update members m set came_seq = l.seq
    from (
      select g.conversation_id, (p->>'userId')::uuid as user_id, max(g.seq) as seq
      from messages g cross join lateral jsonb_array_elements(g.system->'members') p
      where g.kind = 'system' and g.system->>'type' = 'members.added' group by g.conversation_id, p->>'userId'
    ) l where m.conversation_id = l.conversation_id and m.user_id = l.user_id;
  `);
}

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
