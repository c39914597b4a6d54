import type { Knex } from 'knex';

/**
 * The first schema. Conversation-scoped tables begin their keys with conversation_id, person-scoped ones with user_id,
 * and no foreign key, unique key or trigger crosses the two: that is what lets the tables be distributed later.
 * The application's role (homing_app) may use the tables; it owns none of them and cannot change the schema.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(people);
  await knex.raw(conversations);
  await knex.raw(attention);
  await knex.raw(rights);
}

const people = `
create table users (
  id uuid primary key,
  display_name text not null,
  email text unique check (email = lower(email)),
  email_verified_at timestamptz,
  phone text unique,
  phone_verified_at timestamptz,
  password_hash text not null,
  locale text not null,
  time_zone text not null,
  status text not null default 'active' check (status in ('active', 'suspended')),
  created_at timestamptz not null,
  check (email is not null or phone is not null)
);

create table sessions (
  user_id uuid not null,
  id uuid not null,
  device_name text,
  created_at timestamptz not null,
  last_used_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  revoke_reason text,
  primary key (user_id, id)
);
-- Every node reloads the sessions revoked in the last minutes every two seconds.
create index sessions_revoked on sessions (revoked_at) where revoked_at is not null;

-- One row a rotation; a session's rows are its family. Only hashes: a stolen table opens nothing.
create table refresh_tokens (
  token_hash bytea primary key,
  user_id uuid not null,
  session_id uuid not null,
  parent_hash bytea,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz
);
create index refresh_tokens_of_session on refresh_tokens (user_id, session_id);

create table devices (
  user_id uuid not null,
  id uuid not null,
  platform text not null,
  push_token text,
  push_token_at timestamptz,
  push_state text not null default 'active' check (push_state in ('active', 'suspect', 'dead')),
  push_state_at timestamptz,
  push_permission text not null default 'unknown' check (push_permission in ('granted', 'denied', 'unknown')),
  app_version text,
  locale text,
  time_zone text,
  last_seen_at timestamptz not null,
  primary key (user_id, id)
);
-- A token names one installation: registering it under another account moves it (a shared phone).
create unique index devices_push_token on devices (push_token) where push_token is not null;

-- At most one open request a person and channel; the code itself is derived from the id, never stored.
create table verifications (
  user_id uuid not null,
  channel text not null check (channel in ('email', 'sms')),
  id uuid not null,
  target text not null,
  expires_at timestamptz not null,
  wrong_tries int not null default 0,
  primary key (user_id, channel)
);

create table notification_settings (
  user_id uuid primary key,
  settings jsonb not null,
  version bigint not null default 1
);
`;

const conversations = `
create table conversations (
  id uuid primary key,
  kind text not null check (kind in ('direct', 'group')),
  title text,
  created_by uuid not null,
  created_at timestamptz not null,
  -- The number of the last change and of the last message; both are taken in the transaction that makes the change.
  version bigint not null,
  last_seq bigint not null,
  last_active_at timestamptz not null,
  member_count int not null,
  -- Rises with every change of membership: a send that was checked against an older one stores nothing.
  member_version bigint not null default 1
) with (fillfactor = 70);

-- What makes a creation happen once: the pair of a direct conversation, or creator and clientId of a group.
create table conversation_keys (
  key text primary key,
  conversation_id uuid not null,
  fingerprint bytea not null
);

create table members (
  conversation_id uuid not null,
  user_id uuid not null,
  role text not null check (role in ('owner', 'admin', 'member', 'read_only')),
  joined_at timestamptz not null,
  joined_seq bigint not null,
  left_at timestamptz,
  delivered_seq bigint not null default 0,
  read_seq bigint not null default 0,
  -- The highest that read_seq ever was: marking as unread moves read_seq back, never this.
  seen_seq bigint not null default 0,
  level text check (level in ('all', 'mentions', 'nothing')),
  muted_until timestamptz,
  primary key (conversation_id, user_id),
  check (delivered_seq >= read_seq),
  check (seen_seq >= read_seq)
) with (fillfactor = 70);
create index members_by_user on members (user_id, conversation_id) where left_at is null;

create table messages (
  conversation_id uuid not null,
  seq bigint not null,
  version bigint not null,
  id uuid not null,
  client_id uuid not null,
  sender_id uuid not null,
  kind text not null default 'text',
  text text,
  reply_to uuid,
  mentions jsonb,
  priority text not null default 'normal',
  -- SHA-256 of the content as it was sent, so that a repeat can be told from another message even after an edit.
  fingerprint bytea not null,
  created_at timestamptz not null,
  edited_at timestamptz,
  deleted_at timestamptz,
  primary key (conversation_id, seq)
);
-- Idempotency for as long as the message exists: the message's own row is the record of its clientId.
create unique index messages_once on messages (conversation_id, sender_id, client_id);
create unique index messages_by_id on messages (conversation_id, id);

-- Changes other than new messages. A new message is its own log entry: the version after event e and before the next
-- belong to messages, so the seq at version v is e.seq + (v - e.version). The hot path writes one row less.
create table events (
  conversation_id uuid not null,
  version bigint not null,
  -- last_seq at the moment of this change.
  seq bigint not null,
  type text not null,
  actor_id uuid not null,
  at timestamptz not null,
  data jsonb not null,
  primary key (conversation_id, version)
);

-- What is owed to the durable lane. Rows are claimed with SKIP LOCKED and deleted with their effect, in any order: the
-- identity column is not a cursor, because a higher number may commit first.
create table outbox (
  id bigint generated always as identity primary key,
  topic text not null,
  conversation_id uuid,
  seq_from bigint,
  seq_to bigint,
  user_id uuid,
  payload jsonb,
  created_at timestamptz not null default now(),
  due_at timestamptz not null default now(),
  tries int not null default 0
);
create index outbox_due on outbox (due_at);
`;

const attention = `
-- One row a person: the lock under which an episode opens and closes.
create table attention (
  user_id uuid primary key,
  episode bigint not null,
  -- quiet: nothing is owed. held: the relay waits through the grace. running: a workflow has it.
  state text not null check (state in ('quiet', 'held', 'running')),
  opened_at timestamptz not null,
  -- Rises with every arming, so that one that slips in between reading and starting is noticed.
  revision bigint not null default 1,
  -- held: when Temporal is told; later after a failed try.
  start_at timestamptz not null,
  start_tries int not null default 0,
  -- running: when the workflow wakes by itself, as it last said.
  wakes_at timestamptz,
  -- running: when the relay should nudge it, if at all.
  nudge_at timestamptz
);
create index attention_to_start on attention (start_at) where state = 'held';
create index attention_to_nudge on attention (nudge_at) where nudge_at is not null;

-- One row a person and conversation with something notifiable. It is armed while last_seq is above the member's
-- seen_seq; reading disarms it without touching it.
create table armed (
  user_id uuid not null,
  conversation_id uuid not null,
  -- Commit time of the first message of this arming: every step is counted from it.
  armed_at timestamptz not null,
  from_seq bigint not null,
  last_seq bigint not null,
  last_at timestamptz not null,
  urgent boolean not null default false,
  primary key (user_id, conversation_id)
);

-- What was announced, by channel: moved in the transaction that claims a send, so nothing is announced twice.
create table watermarks (
  user_id uuid not null,
  conversation_id uuid not null,
  channel text not null check (channel in ('push', 'email', 'sms')),
  through_seq bigint not null,
  at timestamptz not null,
  primary key (user_id, conversation_id, channel)
);

create table episodes (
  user_id uuid not null,
  episode bigint not null,
  opened_at timestamptz not null,
  workflow_id text,
  started_at timestamptz,
  closed_at timestamptz,
  outcome text,
  primary key (user_id, episode)
);

-- One intended delivery on one channel.
create table attempts (
  user_id uuid not null,
  id uuid not null,
  episode bigint not null,
  channel text not null check (channel in ('push', 'email', 'sms')),
  state text not null check (state in ('claimed', 'accepted', 'failed', 'unknown', 'dropped')),
  -- [{conversationId, fromSeq, toSeq}]
  covers jsonb not null,
  tries int not null default 0,
  provider_id text,
  error_class text,
  error_code text,
  claimed_at timestamptz not null,
  called_at timestamptz,
  finished_at timestamptz,
  primary key (user_id, id)
);

-- What was heard of an attempt: appended, never changed. The key makes a repeated report harmless.
create table attempt_events (
  user_id uuid not null,
  attempt_id uuid not null,
  key text not null,
  source text not null,
  kind text not null,
  code text,
  at timestamptz not null,
  primary key (user_id, attempt_id, key)
);

-- Every decision and its reason, the decision not to send too.
create table decisions (
  user_id uuid not null,
  id uuid not null,
  episode bigint not null,
  at timestamptz not null,
  step text not null,
  outcome text not null check (outcome in ('send', 'deferred', 'skipped', 'cancelled', 'failed')),
  reason text not null,
  until timestamptz,
  attempt_id uuid,
  -- Every gate with its result, not only the first that failed.
  evaluation jsonb not null,
  workflow_id text not null,
  run_id text not null,
  primary key (user_id, id)
);
create index decisions_of_episode on decisions (user_id, episode);
`;

const rights = `
grant usage on schema public to homing_app;
grant select, insert, update, delete on all tables in schema public to homing_app;
-- What explains a notification is append-only for the application.
revoke update, delete on attempt_events, decisions from homing_app;
revoke all on knex_migrations, knex_migrations_lock from homing_app;
-- Readiness compares the newest migration with the one that the code needs.
grant select on knex_migrations to homing_app;
`;

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
