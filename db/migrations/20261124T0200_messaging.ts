import type { Knex } from 'knex';

/**
 * Everything that people expect of messages: channels, roles and bans, invitations, edits, reactions, pins, threads,
 * drafts and blocks. Texts stand in `messages`, `message_edits` and `drafts` only: the log refers to them, so that a
 * deletion reaches every copy.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(conversations);
  await knex.raw(messages);
  await knex.raw(people);
  await knex.raw(rights);
}

const conversations = `
alter table conversations drop constraint conversations_kind_check;
alter table conversations
  add check (kind in ('direct', 'group', 'channel')),
  add column description text,
  add column visibility text not null default 'invited' check (visibility in ('invited', 'open')),
  -- Who may write: everybody who is more than read-only, or owners and admins alone (announcements).
  add column posting text not null default 'members' check (posting in ('members', 'admins')),
  -- What new members may read: all, or what comes from their joining on.
  add column history text not null default 'all' check (history in ('all', 'joining')),
  -- A direct conversation in which one has blocked the other: nothing more is stored.
  add column blocked boolean not null default false,
  add column deleted_at timestamptz;
-- Open channels by their title.
create index conversations_open on conversations (lower(title) text_pattern_ops, id)
  where visibility = 'open' and kind = 'channel' and deleted_at is null;

alter table members
  -- The log is readable after this version, the messages after joined_seq: zero where the whole history is.
  add column joined_version bigint not null default 0,
  -- The change that ended the membership: the last one that the person is told.
  add column left_version bigint,
  add column archived boolean not null default false,
  add column pinned boolean not null default false,
  -- Where the person wants to go on reading, whatever they have read: theirs alone, and arms nothing.
  add column unread_mark bigint;
create index members_by_role on members (conversation_id, role) where left_at is null and role in ('owner', 'admin');

create table bans (
  conversation_id uuid not null,
  user_id uuid not null,
  banned_by uuid not null,
  at timestamptz not null,
  primary key (conversation_id, user_id)
);

create table invites (
  conversation_id uuid not null,
  id uuid not null,
  code text not null,
  created_by uuid not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  max_uses int check (max_uses > 0),
  uses int not null default 0,
  revoked_at timestamptz,
  primary key (conversation_id, id),
  check (max_uses is null or uses <= max_uses)
);
create unique index invites_by_code on invites (code);
`;

const messages = `
alter table messages
  add check (kind in ('text', 'system')),
  -- What a message of kind system tells: {type, …}, ids only.
  add column system jsonb,
  -- The first message of the thread that this one stands in.
  add column thread_seq bigint,
  add column thread_id uuid,
  add column forwarded_from jsonb,
  -- The version of the last change of this message: of two states of it, the one with the higher number is newer.
  add column changed_version bigint,
  add column edits int not null default 0,
  add column pinned_at timestamptz;
update messages set changed_version = version;
alter table messages alter column changed_version set not null;
create index messages_of_thread on messages (conversation_id, thread_seq, seq) where thread_seq is not null;
create index messages_pinned on messages (conversation_id, pinned_at) where pinned_at is not null;

-- Which message a change is about; null where it is about none.
alter table events add column message_seq bigint;

-- What a message said before each edit.
create table message_edits (
  conversation_id uuid not null,
  seq bigint not null,
  nth int not null,
  client_id uuid not null,
  fingerprint bytea not null,
  text text not null,
  mentions jsonb,
  written_at timestamptz not null,
  primary key (conversation_id, seq, nth)
);
create unique index message_edits_once on message_edits (conversation_id, seq, client_id);

create table reactions (
  conversation_id uuid not null,
  seq bigint not null,
  emoji text not null,
  user_id uuid not null,
  at timestamptz not null,
  primary key (conversation_id, seq, emoji, user_id)
);

create table threads (
  conversation_id uuid not null,
  root_seq bigint not null,
  reply_count int not null,
  last_seq bigint not null,
  primary key (conversation_id, root_seq)
) with (fillfactor = 70);

create table thread_members (
  conversation_id uuid not null,
  root_seq bigint not null,
  user_id uuid not null,
  following boolean not null,
  read_seq bigint not null default 0,
  primary key (conversation_id, root_seq, user_id)
);
create index thread_members_by_user on thread_members (conversation_id, user_id) where following;
`;

const people = `
alter table users
  -- Whether others are told how far this person has read.
  add column tell_read boolean not null default true,
  add column tell_last_seen text not null default 'contacts' check (tell_last_seen in ('everyone', 'contacts', 'nobody')),
  add column last_seen_at timestamptz;

create table drafts (
  user_id uuid not null,
  conversation_id uuid not null,
  text text not null,
  reply_to uuid,
  at timestamptz not null,
  primary key (user_id, conversation_id)
);

-- How many urgent messages somebody has sent in an hour.
create table urgent_counts (
  user_id uuid not null,
  hour timestamptz not null,
  sent int not null,
  primary key (user_id, hour)
);

create table blocks (
  user_id uuid not null,
  blocked_id uuid not null,
  at timestamptz not null,
  primary key (user_id, blocked_id),
  check (user_id <> blocked_id)
);
`;

const rights = `
grant select, insert, update, delete on bans, invites, message_edits, reactions, threads, thread_members, drafts, blocks, urgent_counts to homing_app;
`;

/** Migrations go forward only: what a release added is taken away by a later migration, never by an untried way back. */
export async function down(): Promise<void> {
  throw new Error('Migrations go forward only; write a new one.');
}
