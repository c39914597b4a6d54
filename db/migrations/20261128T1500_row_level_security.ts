import type { Knex } from 'knex';

/**
 * The second line behind the guards: what one person asks for runs as the role `homing_person`, with the person's id in
 * `homing.person`, and PostgreSQL shows it only what is theirs or of their conversations. A guard that somebody forgets
 * then finds nothing instead of another's words. Relay, workers and operators act for everybody, as `homing_app`.
 *
 * Whatever is not named here a person's statements may reach as before: the directory of people, what the durable lane is
 * owed, and tables of numbers.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(role);
  await knex.raw(functions);
  for (const [table, rule] of Object.entries(rules)) {
    await knex.raw(`
      alter table ${table} enable row level security;
      alter table ${table} force row level security;
      create policy everybody on ${table} to homing_owner, homing_app using (true);
      create policy person on ${table} to homing_person using (${rule}) ${mayAdd[table] ?? ''};`);
  }
}

// A role belongs to the cluster, which the schema's owner cannot add to: provisioning has made it.
const role = `
do $$
declare line record;
begin
  if not exists (select from pg_roles where rolname = 'homing_person') then
    raise exception 'The role homing_person is missing: create role homing_person nologin; grant homing_person to homing_app';
  end if;
  for line in select table_name, string_agg(privilege_type, ', ') as rights from information_schema.role_table_grants
    where grantee = 'homing_app' and table_schema = 'public' group by table_name
  loop
    execute format('grant %s on %I to homing_person', line.rights, line.table_name);
  end loop;
end $$;`;

const functions = `
-- Who asks; nobody where it was not said, and to nobody nothing is shown.
create function person() returns uuid language sql stable
  return nullif(current_setting('homing.person', true), '')::uuid;

-- As the owner, who sees all memberships: a policy of a table cannot look into the same table. In PL/pgSQL, which keeps its
-- plan: it is asked for each member of a list.
create function person_belongs(conversation uuid) returns boolean language plpgsql stable security definer as $$
begin
  return exists (
    select from public.members m
    where m.conversation_id = conversation and m.user_id = public.person() and m.left_at is null);
end $$;
`;

const own = 'user_id = (select person())';

const member = (table: string, from = '', here = 'mine.left_at is null') => `exists (
  select from members mine where mine.conversation_id = ${table}.conversation_id and mine.user_id = (select person())
    and ${here} ${from})`;

const rules: Record<string, string> = {
  // What they wrote themselves, and what they may read: from their joining on. Who is gone is told that they are, by the
  // line that says so.
  messages: `sender_id = (select person()) or ${member(
    'messages',
    'and mine.joined_seq < messages.seq',
    '(mine.left_at is null or messages.version = mine.left_version)',
  )}`,
  message_edits: member('message_edits', 'and mine.joined_seq < message_edits.seq'),
  reactions: member('reactions', 'and mine.joined_seq < reactions.seq'),
  threads: member('threads'),
  thread_members: `${own} or ${member('thread_members')}`,
  events: `actor_id = (select person()) or ${member('events', '', '(mine.left_at is null or events.version <= mine.left_version)')}`,
  members: `${own} or person_belongs(conversation_id)`,
  invites: member('invites'),
  bans: `${own} or ${member('bans')}`,
  // Either of two knows that they do not hear of each other.
  blocks: `${own} or blocked_id = (select person())`,
  drafts: own,
  devices: own,
  notification_settings: own,
  sessions: own,
  refresh_tokens: own,
  totp: own,
  recovery_codes: own,
  passkeys: own,
  identities: own,
  // And those of their bots, for which they answer.
  access_tokens: `${own} or user_id in (select id from users where owner_id = (select person()))`,
  verifications: own,
};

/** Whom somebody makes a member is judged by the guards: who founds a conversation belongs to it no sooner than they do. */
const mayAdd: Record<string, string> = { members: 'with check (true)' };

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
