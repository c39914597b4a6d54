import type { Knex } from 'knex';

/**
 * The second line held back what somebody may not read, and let through most of what they may not change: a statement in
 * their name could make them an owner of any conversation, or an admin of the house, and then they might read.
 *
 * Who comes and goes, and as what, is changed by those who lead a conversation; whoever has a key to it is let in by a step
 * that acts for everybody. Of people the names are everybody's, so their table hides no row. What is nobody else's
 * (addresses, numbers and the password's hash) a person's statements read by the view alone, which shows them their own
 * account; and of the table they change themselves and their bots. What explains a notification is its person's alone.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(view);
  await knex.raw(columns);
  await knex.raw(people);
  await knex.raw(leaders);
  await knex.raw(conversations);
  for (const table of ['attempts', 'attempt_events', 'decisions', 'episodes', 'notification_budgets'])
    await knex.raw(`
      alter table ${table} enable row level security;
      alter table ${table} force row level security;
      create policy everybody on ${table} to homing_owner, homing_app using (true);
      create policy person on ${table} to homing_person using (user_id = (select person()));`);
}

// With the rights of its owner, who sees all; whoever acts for everybody sees all of it, too.
const view = `
  create view accounts as select * from users where current_user <> 'homing_person' or id = (select person());
  grant select, update on accounts to homing_app;
  grant select on accounts to homing_person;`;

const seen = 'display_name, locale, time_zone, tell_read, tell_last_seen, last_seen_at';
const ownAlone = 'email, email_verified_at, phone, phone_verified_at, password_hash';

// Of nothing that somebody says of themselves they become an admin, or active again.
const columns = `
  revoke select, update, delete on users from homing_person;
  grant select (${seen}, id, status, status_at, created_at, role, kind, owner_id) on users to homing_person;
  grant update (${seen}, ${ownAlone}) on users to homing_person;
  grant update (${seen}, ${ownAlone}) on accounts to homing_person;`;

const people = `
  alter table users enable row level security;
  alter table users force row level security;
  create policy everybody on users to homing_owner, homing_app using (true);
  create policy person on users for select to homing_person using (true);
  create policy person_changes on users for update to homing_person
    using (id = (select person()) or owner_id = (select person()));
  create policy person_adds on users for insert to homing_person with check (owner_id = (select person()));`;

// As the owner: see person_belongs. A policy sees a row as it becomes and not as it was, and what it reads of others as the
// statement found it: an update that has waited for somebody else's would be refused for what that one did. So what a member
// is, and from where they read, is held by a trigger, which sees both rows. It is asked only by statements that set these.
const leaders = `
  create function person_leads(conversation uuid) returns boolean language plpgsql stable security definer as $$
  begin
    return exists (
      select from public.members m
      where m.conversation_id = conversation and m.user_id = public.person() and m.left_at is null
        and m.role in ('owner', 'admin'));
  end $$;

  create function refuse_unled_membership() returns trigger language plpgsql as $$
  begin
    -- By now they may lead it who did not, and the other way round: of their own row it counts what it was.
    if current_user = 'homing_person' and (
      old.conversation_id <> new.conversation_id or old.user_id <> new.user_id
      or not case when old.user_id = person() then old.left_at is null and old.role in ('owner', 'admin')
        else person_leads(old.conversation_id) end)
    then
      raise insufficient_privilege using message = 'whoever leads no conversation changes no membership of it';
    end if;
    return null;
  end $$;

  create trigger led after update of conversation_id, user_id, role, joined_seq, left_at on members for each row
    when (old.conversation_id <> new.conversation_id or old.user_id <> new.user_id or old.role is distinct from new.role or old.joined_seq is distinct from new.joined_seq
      or (old.left_at is not null and new.left_at is null))
    execute function refuse_unled_membership();`;

const conversations = `
  drop policy person on members;
  create policy person on members for select to homing_person
    using (user_id = (select person()) or person_belongs(conversation_id));
  create policy person_adds on members for insert to homing_person with check (person_leads(conversation_id));
  create policy person_changes on members for update to homing_person
    using (user_id = (select person()) or person_leads(conversation_id));

  alter policy person on invites using (person_leads(conversation_id));

  drop policy person on bans;
  create policy person on bans for select to homing_person
    using (user_id = (select person()) or person_leads(conversation_id));
  create policy person_adds on bans for insert to homing_person with check (person_leads(conversation_id));
  create policy person_lifts on bans for delete to homing_person using (person_leads(conversation_id));

  alter table conversations enable row level security;
  alter table conversations force row level security;
  create policy everybody on conversations to homing_owner, homing_app using (true);
  create policy person on conversations for select to homing_person using (true);
  create policy person_changes on conversations for update to homing_person using (person_belongs(id));`;

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
