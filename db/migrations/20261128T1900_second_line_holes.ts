import type { Knex } from 'knex';

/**
 * A fresh reader acted as `homing_person` and got through: a policy for everything lets whoever may see a row write one like
 * it, tables without any were anybody's to change, and whoever had gone could say until when they read.
 *
 * So what is added, changed and deleted has rules of its own, what no operation asks for in a person's name is no right of
 * theirs at all, and what a policy cannot see (a row as it was) is held by triggers.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(memberships);
  await knex.raw(settings);
  await knex.raw(conversations);
  await knex.raw(words);
  await knex.raw(people);
  for (const [table, rule] of Object.entries(own)) {
    await knex.raw(`
      alter table ${table} enable row level security;
      alter table ${table} force row level security;
      create policy everybody on ${table} to homing_owner, homing_app using (true);
      create policy person on ${table} to homing_person using (${rule});`);
  }
  await knex.raw(inserted);
  for (const [table, rights] of Object.entries(withheld))
    await knex.raw(`revoke ${rights} on ${table} from homing_person;`);
}

// Nobody widens what they read themselves, also who leads, and who goes reads no further than to where it has come. A trigger
// with a condition is asked of these rows alone: an end for a hundred thousand members asks of who ends it.
const memberships = `
  create or replace function refuse_unled_membership() returns trigger language plpgsql as $$
  begin
    -- By now they may lead it who did not, and the other way round: of their own row it counts what it was.
    if current_user = 'homing_person' and (
      old.conversation_id <> new.conversation_id or old.user_id <> new.user_id
      or not case when old.user_id = person() then old.left_at is null and old.role in ('owner', 'admin')
          and (old.joined_seq, old.joined_version, old.came_seq) is not distinct from (new.joined_seq, new.joined_version, new.came_seq)
        else person_leads(old.conversation_id) end)
    then
      raise insufficient_privilege using message = 'whoever leads no conversation changes no membership of it';
    end if;
    return null;
  end $$;

  drop trigger led on members;
  create trigger led after update of conversation_id, user_id, role, joined_seq, joined_version, came_seq, left_at, left_version
    on members for each row
    when (old.conversation_id <> new.conversation_id or old.user_id <> new.user_id or old.role is distinct from new.role
      or (old.joined_seq, old.joined_version, old.came_seq) is distinct from (new.joined_seq, new.joined_version, new.came_seq)
      or (old.left_at is not null and (old.left_at, old.left_version) is distinct from (new.left_at, new.left_version))
      or (new.left_at is null and old.left_version is distinct from new.left_version))
    execute function refuse_unled_membership();

  create function version_of(conversation uuid) returns bigint language plpgsql stable security definer as $$
  begin
    -- Of what they have belonged to alone: anybody may call it.
    return (
      select c.version from public.conversations c where c.id = conversation and exists (
        select from public.members m where m.conversation_id = c.id and m.user_id = public.person()));
  end $$;

  create function refuse_late_end() returns trigger language plpgsql as $$
  begin
    if current_user = 'homing_person' and new.left_version > coalesce(version_of(new.conversation_id), 0) then
      raise insufficient_privilege using message = 'nobody reads beyond their end';
    end if;
    return null;
  end $$;

  create trigger ended after update of left_version on members for each row
    when (new.user_id = person() and old.left_version is distinct from new.left_version)
    execute function refuse_late_end();`;

// Stable: they see who leads as the statement found it, for the one that ends a conversation ends memberships, too. And after
// it: before it PostgreSQL locks each row once more, also where a send changes none of these columns.
const settings = `
  create function refuse_unled_settings() returns trigger language plpgsql stable as $$
  begin
    if current_user = 'homing_person' and not person_leads(old.id) then
      raise insufficient_privilege using message = 'whoever leads no conversation changes no setting of it';
    end if;
    return null;
  end $$;

  create trigger settings_led after update of title, description, visibility, posting, history, deleted_at on conversations
    for each row when (
      (old.title, old.description, old.visibility, old.posting, old.history, old.deleted_at)
      is distinct from (new.title, new.description, new.visibility, new.posting, new.history, new.deleted_at))
    execute function refuse_unled_settings();

  -- Anybody may go.
  create trigger count_led after update of member_count on conversations
    for each row when (new.member_count not in (old.member_count, old.member_count - 1))
    execute function refuse_unled_settings();

  create function refuse_untrue_block() returns trigger language plpgsql stable as $$
  begin
    if current_user = 'homing_person' and (new.kind <> 'direct' or new.blocked <> exists (
      select from members m
      join blocks b on (b.user_id, b.blocked_id) in ((person(), m.user_id), (m.user_id, person()))
      where m.conversation_id = new.id and m.user_id <> person()))
    then
      raise insufficient_privilege using message = 'a conversation is blocked as its pair has blocked each other';
    end if;
    return null;
  end $$;

  create trigger blocked_truly after update of blocked on conversations
    for each row when (old.blocked <> new.blocked) execute function refuse_untrue_block();

  revoke update on conversations from homing_person;
  grant update (title, description, visibility, posting, history, deleted_at, blocked, version, last_seq, last_active_at,
    member_count, member_version) on conversations to homing_person;`;

const member = (table: string, more = '') => `exists (
    select from members mine where mine.conversation_id = ${table}.conversation_id and mine.user_id = (select person())
      and mine.left_at is null ${more})`;
const author = (table: string) => `exists (
    select from messages m where m.conversation_id = ${table}.conversation_id and m.seq = ${table}.seq
      and m.sender_id = (select person()))`;

// Who is let in by a key is no member yet, and is looked for by a step that acts for everybody.
const conversations = `
  alter policy person on conversations using (visibility = 'open' or exists (
    select from members mine where mine.conversation_id = conversations.id and mine.user_id = (select person())
      and mine.left_at is null));

  drop policy person on invites;
  create policy person on invites for select to homing_person using (person_leads(conversation_id));
  create policy person_adds on invites for insert to homing_person
    with check (created_by = (select person()) and person_leads(conversation_id));
  create policy person_changes on invites for update to homing_person using (person_leads(conversation_id));
  revoke update on invites from homing_person;
  grant update (revoked_at) on invites to homing_person;
  alter policy person_adds on bans with check (banned_by = (select person()) and person_leads(conversation_id));

  -- Either of two knows that they do not hear of each other; who wants that says so, and takes it back.
  drop policy person on blocks;
  create policy person on blocks for select to homing_person
    using (user_id = (select person()) or blocked_id = (select person()));
  create policy person_adds on blocks for insert to homing_person with check (user_id = (select person()));
  create policy person_lifts on blocks for delete to homing_person using (user_id = (select person()));`;

// What people write is stored by a statement for many, as everybody: in a person's name there are lines of what they changed.
const words = `
  drop policy person on messages;
  create policy person on messages for select to homing_person using (sender_id = (select person()) or exists (
    select from members mine where mine.conversation_id = messages.conversation_id and mine.user_id = (select person())
      and (mine.left_at is null or messages.version = mine.left_version) and mine.joined_seq < messages.seq));
  create policy person_adds on messages for insert to homing_person
    with check (sender_id = (select person()) and kind = 'system' and person_belongs(conversation_id));
  create policy person_changes on messages for update to homing_person
    using (${member('messages', 'and mine.joined_seq < messages.seq')});
  revoke update on messages from homing_person;
  grant update (text, mentions, forwarded_from, fingerprint, edits, edited_at, deleted_at, pinned_at, called_at, changed_version)
    on messages to homing_person;

  create function refuse_words_of_others() returns trigger language plpgsql stable as $$
  begin
    if current_user = 'homing_person' and old.sender_id <> person()
      and not (new.text is null and new.mentions is null and person_leads(old.conversation_id))
    then
      raise insufficient_privilege using message = 'nobody writes in another’s name; who leads a conversation may erase';
    end if;
    return null;
  end $$;

  create trigger own_words after update of text, mentions, forwarded_from, edits, edited_at, deleted_at on messages
    for each row when (
      (old.text, old.mentions, old.forwarded_from, old.edits, old.edited_at, old.deleted_at)
      is distinct from (new.text, new.mentions, new.forwarded_from, new.edits, new.edited_at, new.deleted_at))
    execute function refuse_words_of_others();

  drop policy person on message_edits;
  create policy person on message_edits for select to homing_person
    using (${member('message_edits', 'and mine.joined_seq < message_edits.seq')});
  create policy person_adds on message_edits for insert to homing_person
    with check (person_belongs(conversation_id) and ${author('message_edits')});
  create policy person_erases on message_edits for delete to homing_person
    using (person_leads(conversation_id) or ${author('message_edits')});

  drop policy person on reactions;
  create policy person on reactions for select to homing_person
    using (${member('reactions', 'and mine.joined_seq < reactions.seq')});
  create policy person_adds on reactions for insert to homing_person
    with check (user_id = (select person()) and ${member('reactions', 'and mine.joined_seq < reactions.seq')});
  create policy person_erases on reactions for delete to homing_person
    using (user_id = (select person()) or person_leads(conversation_id) or ${author('reactions')});

  drop policy person on threads;
  create policy person on threads for select to homing_person using (${member('threads')});
  create policy person_changes on threads for update to homing_person using (${member('threads')});

  drop policy person on thread_members;
  create policy person on thread_members for select to homing_person
    using (user_id = (select person()) or ${member('thread_members')});
  create policy person_adds on thread_members for insert to homing_person with check (person_belongs(conversation_id));
  create policy person_changes on thread_members for update to homing_person using (${member('thread_members')});

  drop policy person on events;
  create policy person on events for select to homing_person using (actor_id = (select person()) or exists (
    select from members mine where mine.conversation_id = events.conversation_id and mine.user_id = (select person())
      and mine.joined_version < events.version and (mine.left_at is null or events.version <= mine.left_version)));
  create policy person_adds on events for insert to homing_person
    with check (actor_id = (select person()) and person_belongs(conversation_id));`;

// A bot is made without a role, and without a password. What somebody has proved is written by who saw the proof.
const people = `
  alter policy person_adds on users with check (owner_id = (select person()) and kind = 'bot' and password_hash = '');
  revoke insert on users from homing_person;
  grant insert (id, display_name, kind, owner_id, password_hash, locale, time_zone, created_at) on users to homing_person;
  revoke update (email, email_verified_at, phone, phone_verified_at) on users from homing_person;
  revoke update (email, email_verified_at, phone, phone_verified_at) on accounts from homing_person;`;

const mine = 'user_id = (select person())';

// A key names its pair, or who founds by it.
const keyed = `split_part(key, ':', 2) = (select person()::text)
  or (split_part(key, ':', 1) = 'direct' and split_part(key, ':', 3) = (select person()::text))`;

const own: Record<string, string> = {
  challenges: mine,
  oauth_tickets: mine,
  password_resets: mine,
  notices: mine,
  conversation_keys: keyed,
  // What keeps somebody from being told, or has them told.
  armed: mine,
  attention: mine,
  screens: mine,
  shown: mine,
  disarmed: mine,
  here_calls: mine,
  late_calls: mine,
  lifted_blocks: mine,
  past_rules: mine,
};

const inserted = `
  -- Whoever makes somebody a member again writes down what they were.
  create policy person_adds on past_rules for insert to homing_person
    with check (case when kind = 'membership' then person_leads(subject::uuid) else false end);

  alter table outbox enable row level security;
  alter table outbox force row level security;
  create policy everybody on outbox to homing_owner, homing_app using (true);
  create policy person_adds on outbox for insert to homing_person
    with check (case when conversation_id is null then ${mine} else user_id is null and person_belongs(conversation_id) end);

  alter table audit enable row level security;
  alter table audit force row level security;
  create policy everybody on audit to homing_owner, homing_app using (true);
  create policy person_adds on audit for insert to homing_person with check (actor_id = (select person()));`;

const all = 'all privileges';
const withheld: Record<string, string> = {
  // A person's own may be looked for, and ended.
  password_resets: 'insert, update',
  notices: 'select, update, delete',
  conversation_keys: 'update, delete',
  outbox: 'select, update, delete',
  audit: 'select',
  armed: 'insert, update',
  attention: 'insert, delete',
  screens: 'insert',
  shown: 'insert, update, delete',
  here_calls: 'insert, delete',
  suppressions: 'insert, update, delete',
  // Of no person, or by a hash that tells nobody whose it is.
  allowances: all,
  audit_end: all,
  differences: all,
  late_looks: all,
  provider_reports: all,
  recount_walks: all,
  signing_keys: all,
  text_days: all,
  unreached: all,
  unreadable_reports: all,
  urgent_sends: all,
  watermarks: all,
};

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
