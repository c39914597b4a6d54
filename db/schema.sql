-- Generated from the migrations: see CONTRIBUTING. Do not edit.

create table access_tokens (
  user_id uuid not null,
  id uuid not null,
  token_hash bytea not null,
  name text not null,
  scopes text[] not null,
  created_at timestamp with time zone not null,
  last_used_at timestamp with time zone,
  expires_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  revoke_reason text,
  constraint access_tokens_pkey PRIMARY KEY (user_id, id)
);
CREATE UNIQUE INDEX access_tokens_by_hash ON public.access_tokens USING btree (token_hash);
CREATE INDEX access_tokens_revoked ON public.access_tokens USING btree (revoked_at) WHERE (revoked_at IS NOT NULL);
grant delete, insert, select, update on access_tokens to homing_app;
create policy everybody on access_tokens to homing_app, homing_owner using (true);
create policy person on access_tokens to homing_person using ((user_id = ( SELECT person() AS person)) OR (user_id IN ( SELECT users.id FROM users WHERE (users.owner_id = ( SELECT person() AS person)))));

create table allowances (
  key bytea not null,
  used integer not null,
  until timestamp with time zone not null,
  constraint allowances_pkey PRIMARY KEY (key)
);
CREATE INDEX allowances_past ON public.allowances USING btree (until);
grant delete, insert, select, update on allowances to homing_app;

create table armed (
  user_id uuid not null,
  conversation_id uuid not null,
  armed_at timestamp with time zone not null,
  from_seq bigint not null,
  last_seq bigint not null,
  last_at timestamp with time zone not null,
  urgent boolean not null default false,
  constraint armed_pkey PRIMARY KEY (user_id, conversation_id)
);
grant delete, insert, select, update on armed to homing_app;
create policy everybody on armed to homing_app, homing_owner using (true);
create policy person on armed to homing_person using (user_id = ( SELECT person() AS person));
CREATE TRIGGER armed_disarmed AFTER DELETE ON armed REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION keep_disarmed();

create table attempt_events (
  user_id uuid not null,
  attempt_id uuid not null,
  key text not null,
  source text not null,
  kind text not null,
  code text,
  at timestamp with time zone not null,
  constraint attempt_events_pkey PRIMARY KEY (user_id, attempt_id, key)
);
grant insert, select on attempt_events to homing_app;
create policy everybody on attempt_events to homing_app, homing_owner using (true);
create policy person on attempt_events to homing_person using (user_id = ( SELECT person() AS person));

create table attempts (
  user_id uuid not null,
  id uuid not null,
  episode bigint not null,
  channel text not null,
  state text not null,
  covers jsonb not null,
  tries integer not null default 0,
  provider_id text,
  error_class text,
  error_code text,
  claimed_at timestamp with time zone not null,
  called_at timestamp with time zone,
  finished_at timestamp with time zone,
  unanswered integer not null default 0,
  reported text,
  setbacks text[] not null default '{}'::text[],
  kind text not null default 'unread'::text,
  asked_at timestamp with time zone,
  urgent boolean not null default false,
  sound boolean not null default true,
  reopened_by text,
  read_at timestamp with time zone default now(),
  constraint attempts_pkey PRIMARY KEY (user_id, id),
  constraint attempts_channel_check CHECK ((channel = ANY (ARRAY['push'::text, 'email'::text, 'sms'::text]))),
  constraint attempts_kind_check CHECK ((kind = ANY (ARRAY['unread'::text, 'summary'::text]))),
  constraint attempts_reported_check CHECK ((reported = ANY (ARRAY['accepted'::text, 'unknown_final'::text, 'sent'::text, 'delivered'::text, 'engaged'::text]))),
  constraint attempts_state_check CHECK ((state = ANY (ARRAY['claimed'::text, 'accepted'::text, 'failed'::text, 'unknown'::text, 'dropped'::text])))
);
CREATE INDEX attempts_by_id ON public.attempts USING btree (id);
CREATE INDEX attempts_of_episode ON public.attempts USING btree (user_id, episode, channel, state, finished_at);
CREATE INDEX attempts_unsettled ON public.attempts USING btree (claimed_at) WHERE ((state = 'claimed'::text) OR ((state = 'accepted'::text) AND (channel <> 'push'::text) AND (COALESCE(reported, 'accepted'::text) = 'accepted'::text)));
grant insert, select, update on attempts to homing_app;
create policy everybody on attempts to homing_app, homing_owner using (true);
create policy person on attempts to homing_person using (user_id = ( SELECT person() AS person));

create table attention (
  user_id uuid not null,
  episode bigint not null,
  state text not null,
  opened_at timestamp with time zone not null,
  revision bigint not null default 1,
  start_at timestamp with time zone not null,
  start_tries integer not null default 0,
  wakes_at timestamp with time zone,
  nudge_at timestamp with time zone,
  summary_at timestamp with time zone,
  summary_due timestamp with time zone,
  summarised_at timestamp with time zone,
  summaries integer not null default 0,
  called_off_for text,
  urgent boolean not null default false,
  stuck uuid[] not null default '{}'::uuid[],
  constraint attention_pkey PRIMARY KEY (user_id),
  constraint attention_state_check CHECK ((state = ANY (ARRAY['quiet'::text, 'held'::text, 'running'::text])))
);
CREATE INDEX attention_awake ON public.attention USING btree (user_id) WHERE (state <> 'quiet'::text);
CREATE INDEX attention_overdue ON public.attention USING btree (COALESCE(wakes_at, start_at)) WHERE (state = 'running'::text);
CREATE INDEX attention_stuck ON public.attention USING btree (user_id) WHERE (stuck <> '{}'::uuid[]);
CREATE INDEX attention_to_nudge ON public.attention USING btree (urgent, nudge_at) WHERE (nudge_at IS NOT NULL);
CREATE INDEX attention_to_start ON public.attention USING btree (urgent, start_at) WHERE (state = 'held'::text);
CREATE INDEX attention_to_summarise ON public.attention USING btree (summary_at) WHERE (summary_at IS NOT NULL);
grant delete, insert, select, update on attention to homing_app;
create policy everybody on attention to homing_app, homing_owner using (true);
create policy person on attention to homing_person using (user_id = ( SELECT person() AS person));

create table audit (
  id uuid not null,
  at timestamp with time zone not null default now(),
  actor_id uuid,
  operator text,
  action text not null,
  user_id uuid,
  message_id uuid,
  job_id text,
  seq bigint not null,
  hash bytea not null,
  was text,
  became text,
  constraint audit_pkey PRIMARY KEY (id),
  constraint audit_seq_key UNIQUE (seq),
  constraint audit_check CHECK (((actor_id IS NULL) <> (operator IS NULL))),
  constraint audit_check1 CHECK (((was IS NULL) = (became IS NULL)))
);
grant insert, select on audit to homing_app;
create policy everybody on audit to homing_app, homing_owner using (true);
create policy person_adds on audit for insert to homing_person with check ((actor_id = ( SELECT person() AS person)));
CREATE TRIGGER chain BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION chain_audit();

create table audit_end (
  single boolean not null default true,
  seq bigint not null,
  hash bytea not null,
  constraint audit_end_pkey PRIMARY KEY (single),
  constraint audit_end_single_check CHECK (single)
);
grant select on audit_end to homing_app;

create table bans (
  conversation_id uuid not null,
  user_id uuid not null,
  banned_by uuid not null,
  at timestamp with time zone not null,
  constraint bans_pkey PRIMARY KEY (conversation_id, user_id)
);
grant delete, insert, select, update on bans to homing_app;
create policy everybody on bans to homing_app, homing_owner using (true);
create policy person on bans for select to homing_person using ((user_id = ( SELECT person() AS person)) OR person_leads(conversation_id));
create policy person_adds on bans for insert to homing_person with check (((banned_by = ( SELECT person() AS person)) AND person_leads(conversation_id)));
create policy person_lifts on bans for delete to homing_person using person_leads(conversation_id);

create table blocks (
  user_id uuid not null,
  blocked_id uuid not null,
  at timestamp with time zone not null,
  constraint blocks_pkey PRIMARY KEY (user_id, blocked_id),
  constraint blocks_check CHECK ((user_id <> blocked_id))
);
grant delete, insert, select, update on blocks to homing_app;
create policy everybody on blocks to homing_app, homing_owner using (true);
create policy person on blocks for select to homing_person using ((user_id = ( SELECT person() AS person)) OR (blocked_id = ( SELECT person() AS person)));
create policy person_adds on blocks for insert to homing_person with check ((user_id = ( SELECT person() AS person)));
create policy person_lifts on blocks for delete to homing_person using (user_id = ( SELECT person() AS person));
CREATE TRIGGER blocks_lifted AFTER DELETE ON blocks FOR EACH ROW EXECUTE FUNCTION keep_lifted_block();

create table challenges (
  token_hash bytea not null,
  purpose text not null,
  user_id uuid,
  device_name text,
  expires_at timestamp with time zone not null,
  tries integer not null default 0,
  begun_by uuid,
  constraint challenges_pkey PRIMARY KEY (token_hash),
  constraint challenges_purpose_check CHECK ((purpose = ANY (ARRAY['sign_in'::text, 'passkey_sign_in'::text, 'passkey_registration'::text, 'step_up'::text])))
);
CREATE INDEX challenges_expired ON public.challenges USING btree (expires_at);
CREATE INDEX challenges_of_user ON public.challenges USING btree (user_id) WHERE (user_id IS NOT NULL);
grant delete, insert, select, update on challenges to homing_app;
create policy everybody on challenges to homing_app, homing_owner using (true);
create policy person on challenges to homing_person using (user_id = ( SELECT person() AS person));

create table conversation_keys (
  key text not null,
  conversation_id uuid not null,
  fingerprint bytea not null,
  constraint conversation_keys_pkey PRIMARY KEY (key)
);
grant delete, insert, select, update on conversation_keys to homing_app;
create policy everybody on conversation_keys to homing_app, homing_owner using (true);
create policy person on conversation_keys to homing_person using ((split_part(key, ':'::text, 2) = ( SELECT (person())::text AS person)) OR ((split_part(key, ':'::text, 1) = 'direct'::text) AND (split_part(key, ':'::text, 3) = ( SELECT (person())::text AS person))));

create table conversations (
  id uuid not null,
  kind text not null,
  title text,
  created_by uuid not null,
  created_at timestamp with time zone not null,
  version bigint not null,
  last_seq bigint not null,
  last_active_at timestamp with time zone not null,
  member_count integer not null,
  member_version bigint not null default 1,
  description text,
  visibility text not null default 'invited'::text,
  posting text not null default 'members'::text,
  history text not null default 'all'::text,
  blocked boolean not null default false,
  deleted_at timestamp with time zone,
  constraint conversations_pkey PRIMARY KEY (id),
  constraint conversations_history_check CHECK ((history = ANY (ARRAY['all'::text, 'joining'::text]))),
  constraint conversations_kind_check CHECK ((kind = ANY (ARRAY['direct'::text, 'group'::text, 'channel'::text]))),
  constraint conversations_posting_check CHECK ((posting = ANY (ARRAY['members'::text, 'admins'::text]))),
  constraint conversations_visibility_check CHECK ((visibility = ANY (ARRAY['invited'::text, 'open'::text])))
);
CREATE INDEX conversations_open ON public.conversations USING btree (lower(title) text_pattern_ops, id) WHERE ((visibility = 'open'::text) AND (kind = 'channel'::text) AND (deleted_at IS NULL));
grant delete, insert, select, update on conversations to homing_app;
grant update (blocked, deleted_at, description, history, last_active_at, last_seq, member_count, member_version, posting, title, version, visibility) on conversations to homing_person;
create policy everybody on conversations to homing_app, homing_owner using (true);
create policy person on conversations for select to homing_person using ((visibility = 'open'::text) OR (EXISTS ( SELECT FROM members mine WHERE ((mine.conversation_id = conversations.id) AND (mine.user_id = ( SELECT person() AS person)) AND (mine.left_at IS NULL)))));
create policy person_changes on conversations for update to homing_person using person_belongs(id);
CREATE TRIGGER blocked_truly AFTER UPDATE OF blocked ON conversations FOR EACH ROW WHEN (old.blocked <> new.blocked) EXECUTE FUNCTION refuse_untrue_block();
CREATE TRIGGER count_led AFTER UPDATE OF member_count ON conversations FOR EACH ROW WHEN (new.member_count <> old.member_count AND new.member_count <> (old.member_count - 1)) EXECUTE FUNCTION refuse_unled_settings();
CREATE TRIGGER settings_led AFTER UPDATE OF title, description, visibility, posting, history, deleted_at ON conversations FOR EACH ROW WHEN (old.title IS DISTINCT FROM new.title OR old.description IS DISTINCT FROM new.description OR old.visibility IS DISTINCT FROM new.visibility OR old.posting IS DISTINCT FROM new.posting OR old.history IS DISTINCT FROM new.history OR old.deleted_at IS DISTINCT FROM new.deleted_at) EXECUTE FUNCTION refuse_unled_settings();

create table decisions (
  user_id uuid not null,
  id uuid not null,
  episode bigint not null,
  at timestamp with time zone not null,
  step text not null,
  outcome text not null,
  reason text not null,
  until timestamp with time zone,
  attempt_id uuid,
  evaluation jsonb not null,
  workflow_id text not null,
  run_id text not null,
  conversation_id uuid,
  constraint decisions_pkey PRIMARY KEY (user_id, id),
  constraint decisions_outcome_check CHECK ((outcome = ANY (ARRAY['send'::text, 'deferred'::text, 'skipped'::text, 'cancelled'::text, 'failed'::text])))
);
CREATE INDEX decisions_of_step ON public.decisions USING btree (user_id, episode, step, at, id);
grant insert, select on decisions to homing_app;
create policy everybody on decisions to homing_app, homing_owner using (true);
create policy person on decisions to homing_person using (user_id = ( SELECT person() AS person));

create table devices (
  user_id uuid not null,
  id uuid not null,
  platform text not null,
  push_token text,
  push_token_at timestamp with time zone,
  push_state text not null default 'active'::text,
  push_state_at timestamp with time zone,
  push_permission text not null default 'unknown'::text,
  app_version text,
  locale text,
  time_zone text,
  last_seen_at timestamp with time zone not null,
  push_token_hash bytea,
  session_id uuid,
  push_enabled boolean not null default true,
  constraint devices_pkey PRIMARY KEY (user_id, id),
  constraint devices_push_permission_check CHECK ((push_permission = ANY (ARRAY['granted'::text, 'denied'::text, 'unknown'::text]))),
  constraint devices_push_state_check CHECK ((push_state = ANY (ARRAY['active'::text, 'suspect'::text, 'dead'::text])))
);
CREATE INDEX devices_of_session ON public.devices USING btree (user_id, session_id) WHERE (push_token IS NOT NULL);
CREATE UNIQUE INDEX devices_push_token ON public.devices USING btree (push_token_hash) WHERE (push_token_hash IS NOT NULL);
CREATE INDEX devices_unseen ON public.devices USING btree (last_seen_at) WHERE ((push_token IS NOT NULL) AND (push_state <> 'dead'::text));
grant delete, insert, select, update on devices to homing_app;
create policy everybody on devices to homing_app, homing_owner using (true);
create policy person on devices to homing_person using (user_id = ( SELECT person() AS person));

create table differences (
  id bigint generated always as identity not null,
  kind text not null,
  user_id uuid not null,
  conversation_id uuid,
  seq bigint,
  episode bigint,
  attempt_id uuid,
  found_at timestamp with time zone not null default now(),
  constraint differences_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX differences_once ON public.differences USING btree (kind, user_id, conversation_id, seq, episode, attempt_id) NULLS NOT DISTINCT;
grant delete, insert, select, update on differences to homing_app;

create table disarmed (
  user_id uuid not null,
  id bigint generated always as identity not null,
  conversation_id uuid not null,
  episode bigint not null,
  from_seq bigint not null,
  last_seq bigint not null,
  at timestamp with time zone not null,
  constraint disarmed_pkey PRIMARY KEY (user_id, id)
);
CREATE INDEX disarmed_at ON public.disarmed USING btree (at);
CREATE INDEX disarmed_of_conversation ON public.disarmed USING btree (user_id, conversation_id, last_seq);
grant delete, insert, select on disarmed to homing_app;
create policy everybody on disarmed to homing_app, homing_owner using (true);
create policy person on disarmed to homing_person using (user_id = ( SELECT person() AS person));

create table drafts (
  user_id uuid not null,
  conversation_id uuid not null,
  text text not null,
  reply_to uuid,
  at timestamp with time zone not null,
  constraint drafts_pkey PRIMARY KEY (user_id, conversation_id)
);
grant delete, insert, select, update on drafts to homing_app;
create policy everybody on drafts to homing_app, homing_owner using (true);
create policy person on drafts to homing_person using (user_id = ( SELECT person() AS person));

create table episodes (
  user_id uuid not null,
  episode bigint not null,
  opened_at timestamp with time zone not null,
  workflow_id text,
  started_at timestamp with time zone,
  closed_at timestamp with time zone,
  outcome text,
  constraint episodes_pkey PRIMARY KEY (user_id, episode)
);
CREATE INDEX episodes_closed ON public.episodes USING btree (closed_at, user_id) WHERE (closed_at IS NOT NULL);
grant insert, select, update on episodes to homing_app;
create policy everybody on episodes to homing_app, homing_owner using (true);
create policy person on episodes to homing_person using (user_id = ( SELECT person() AS person));

create table events (
  conversation_id uuid not null,
  version bigint not null,
  seq bigint not null,
  type text not null,
  actor_id uuid not null,
  at timestamp with time zone not null,
  data jsonb not null,
  message_seq bigint,
  constraint events_pkey PRIMARY KEY (conversation_id, version)
);
grant delete, insert, select, update on events to homing_app;
create policy everybody on events to homing_app, homing_owner using (true);
create policy person on events for select to homing_person using ((actor_id = ( SELECT person() AS person)) OR (EXISTS ( SELECT FROM members mine WHERE ((mine.conversation_id = events.conversation_id) AND (mine.user_id = ( SELECT person() AS person)) AND (mine.joined_version < events.version) AND ((mine.left_at IS NULL) OR (events.version <= mine.left_version))))));
create policy person_adds on events for insert to homing_person with check (((actor_id = ( SELECT person() AS person)) AND person_belongs(conversation_id)));

create table here_calls (
  conversation_id uuid not null,
  seq bigint not null,
  user_id uuid not null,
  constraint here_calls_pkey PRIMARY KEY (conversation_id, seq, user_id)
);
grant delete, insert, select on here_calls to homing_app;
create policy everybody on here_calls to homing_app, homing_owner using (true);
create policy person on here_calls to homing_person using (user_id = ( SELECT person() AS person));

create table identities (
  user_id uuid not null,
  provider text not null,
  issuer text not null,
  subject text not null,
  email text,
  display_name text,
  created_at timestamp with time zone not null,
  last_used_at timestamp with time zone,
  constraint identities_pkey PRIMARY KEY (user_id, provider)
);
CREATE UNIQUE INDEX identities_subject ON public.identities USING btree (issuer, subject);
grant delete, insert, select, update on identities to homing_app;
create policy everybody on identities to homing_app, homing_owner using (true);
create policy person on identities to homing_person using (user_id = ( SELECT person() AS person));

create table invites (
  conversation_id uuid not null,
  id uuid not null,
  code text not null,
  created_by uuid not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone,
  max_uses integer,
  uses integer not null default 0,
  revoked_at timestamp with time zone,
  client_id uuid,
  fingerprint bytea,
  constraint invites_pkey PRIMARY KEY (conversation_id, id),
  constraint invites_check CHECK (((max_uses IS NULL) OR (uses <= max_uses))),
  constraint invites_max_uses_check CHECK ((max_uses > 0))
);
CREATE UNIQUE INDEX invites_by_code ON public.invites USING btree (code);
CREATE UNIQUE INDEX invites_once ON public.invites USING btree (conversation_id, created_by, client_id) WHERE (client_id IS NOT NULL);
grant delete, insert, select, update on invites to homing_app;
grant update (revoked_at) on invites to homing_person;
create policy everybody on invites to homing_app, homing_owner using (true);
create policy person on invites for select to homing_person using person_leads(conversation_id);
create policy person_adds on invites for insert to homing_person with check (((created_by = ( SELECT person() AS person)) AND person_leads(conversation_id)));
create policy person_changes on invites for update to homing_person using person_leads(conversation_id);

create table late_calls (
  user_id uuid not null,
  conversation_id uuid not null,
  channel text not null,
  seq bigint not null,
  at timestamp with time zone not null,
  told_by uuid,
  constraint late_calls_pkey PRIMARY KEY (user_id, conversation_id, channel, seq),
  constraint late_calls_channel_check CHECK ((channel = ANY (ARRAY['push'::text, 'email'::text, 'sms'::text])))
);
grant delete, insert, select, update on late_calls to homing_app;
create policy everybody on late_calls to homing_app, homing_owner using (true);
create policy person on late_calls to homing_person using (user_id = ( SELECT person() AS person));

create table late_looks (
  conversation_id uuid not null,
  seq_from bigint not null,
  seq_to bigint not null,
  at timestamp with time zone not null default now(),
  constraint late_looks_pkey PRIMARY KEY (conversation_id, seq_from, at)
);
grant delete, insert, select on late_looks to homing_app;

create table lifted_blocks (
  user_id uuid not null,
  blocked_id uuid not null,
  at timestamp with time zone not null,
  constraint lifted_blocks_pkey PRIMARY KEY (user_id, blocked_id)
);
grant delete, insert, select, update on lifted_blocks to homing_app;
create policy everybody on lifted_blocks to homing_app, homing_owner using (true);
create policy person on lifted_blocks to homing_person using (user_id = ( SELECT person() AS person));

create table members (
  conversation_id uuid not null,
  user_id uuid not null,
  role text not null,
  joined_at timestamp with time zone not null,
  joined_seq bigint not null,
  left_at timestamp with time zone,
  delivered_seq bigint not null default 0,
  read_seq bigint not null default 0,
  seen_seq bigint not null default 0,
  level text,
  muted_until timestamp with time zone,
  joined_version bigint not null default 0,
  left_version bigint,
  archived boolean not null default false,
  pinned boolean not null default false,
  unread_mark bigint,
  channels jsonb,
  ruled_at timestamp with time zone,
  mute_except text,
  came_seq bigint not null default 0,
  constraint members_pkey PRIMARY KEY (conversation_id, user_id),
  constraint members_check CHECK ((delivered_seq >= read_seq)),
  constraint members_check1 CHECK ((seen_seq >= read_seq)),
  constraint members_level_check CHECK ((level = ANY (ARRAY['all'::text, 'mentions'::text, 'nothing'::text]))),
  constraint members_mute_except_check CHECK ((mute_except = 'mentions'::text)),
  constraint members_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'member'::text, 'read_only'::text])))
);
CREATE INDEX members_by_role ON public.members USING btree (conversation_id, role) WHERE ((left_at IS NULL) AND (role = ANY (ARRAY['owner'::text, 'admin'::text])));
CREATE INDEX members_by_user ON public.members USING btree (user_id, conversation_id) WHERE (left_at IS NULL);
CREATE INDEX members_joined ON public.members USING btree (joined_at) WHERE (left_at IS NULL);
grant delete, insert, select, update on members to homing_app;
create policy everybody on members to homing_app, homing_owner using (true);
create policy person on members for select to homing_person using ((user_id = ( SELECT person() AS person)) OR person_belongs(conversation_id));
create policy person_adds on members for insert to homing_person with check (person_leads(conversation_id));
create policy person_changes on members for update to homing_person using ((user_id = ( SELECT person() AS person)) OR person_leads(conversation_id));
CREATE TRIGGER ended AFTER UPDATE OF left_version ON members FOR EACH ROW WHEN (new.user_id = person() AND old.left_version IS DISTINCT FROM new.left_version) EXECUTE FUNCTION refuse_late_end();
CREATE TRIGGER led AFTER UPDATE OF conversation_id, user_id, role, joined_seq, joined_version, came_seq, left_at, left_version ON members FOR EACH ROW WHEN (old.conversation_id <> new.conversation_id OR old.user_id <> new.user_id OR old.role IS DISTINCT FROM new.role OR old.joined_seq IS DISTINCT FROM new.joined_seq OR old.joined_version IS DISTINCT FROM new.joined_version OR old.came_seq IS DISTINCT FROM new.came_seq OR old.left_at IS NOT NULL AND (old.left_at IS DISTINCT FROM new.left_at OR old.left_version IS DISTINCT FROM new.left_version) OR new.left_at IS NULL AND old.left_version IS DISTINCT FROM new.left_version) EXECUTE FUNCTION refuse_unled_membership();
CREATE TRIGGER members_ruled BEFORE UPDATE OF level, muted_until, mute_except ON members FOR EACH ROW WHEN (old.level IS DISTINCT FROM new.level OR old.muted_until IS DISTINCT FROM new.muted_until OR old.mute_except IS DISTINCT FROM new.mute_except) EXECUTE FUNCTION stamp_ruled_at();

create table message_edits (
  conversation_id uuid not null,
  seq bigint not null,
  nth integer not null,
  client_id uuid not null,
  fingerprint bytea not null,
  text text not null,
  mentions jsonb,
  written_at timestamp with time zone not null,
  constraint message_edits_pkey PRIMARY KEY (conversation_id, seq, nth)
);
CREATE UNIQUE INDEX message_edits_once ON public.message_edits USING btree (conversation_id, seq, client_id);
grant delete, insert, select, update on message_edits to homing_app;
create policy everybody on message_edits to homing_app, homing_owner using (true);
create policy person on message_edits for select to homing_person using (EXISTS ( SELECT FROM members mine WHERE ((mine.conversation_id = message_edits.conversation_id) AND (mine.user_id = ( SELECT person() AS person)) AND (mine.left_at IS NULL) AND (mine.joined_seq < message_edits.seq))));
create policy person_adds on message_edits for insert to homing_person with check ((person_belongs(conversation_id) AND (EXISTS ( SELECT
   FROM messages m
  WHERE ((m.conversation_id = message_edits.conversation_id) AND (m.seq = message_edits.seq) AND (m.sender_id = ( SELECT person() AS person)))))));
create policy person_erases on message_edits for delete to homing_person using (person_leads(conversation_id) OR (EXISTS ( SELECT FROM messages m WHERE ((m.conversation_id = message_edits.conversation_id) AND (m.seq = message_edits.seq) AND (m.sender_id = ( SELECT person() AS person))))));

create table messages (
  conversation_id uuid not null,
  seq bigint not null,
  version bigint not null,
  id uuid not null,
  client_id uuid not null,
  sender_id uuid not null,
  kind text not null default 'text'::text,
  text text,
  reply_to uuid,
  mentions jsonb,
  priority text not null default 'normal'::text,
  fingerprint bytea not null,
  created_at timestamp with time zone not null,
  edited_at timestamp with time zone,
  deleted_at timestamp with time zone,
  system jsonb,
  thread_seq bigint,
  thread_id uuid,
  forwarded_from jsonb,
  changed_version bigint not null,
  edits integer not null default 0,
  pinned_at timestamp with time zone,
  called_at timestamp with time zone,
  constraint messages_pkey PRIMARY KEY (conversation_id, seq),
  constraint messages_kind_check CHECK ((kind = ANY (ARRAY['text'::text, 'system'::text])))
);
CREATE UNIQUE INDEX messages_by_id ON public.messages USING btree (id, conversation_id);
CREATE INDEX messages_of_thread ON public.messages USING btree (conversation_id, thread_seq, seq) WHERE (thread_seq IS NOT NULL);
CREATE UNIQUE INDEX messages_once ON public.messages USING btree (client_id, sender_id, conversation_id);
CREATE INDEX messages_pinned ON public.messages USING btree (conversation_id, pinned_at) WHERE (pinned_at IS NOT NULL);
grant delete, insert, select, update on messages to homing_app;
grant update (called_at, changed_version, deleted_at, edited_at, edits, fingerprint, forwarded_from, mentions, pinned_at, text) on messages to homing_person;
create policy everybody on messages to homing_app, homing_owner using (true);
create policy person on messages for select to homing_person using ((sender_id = ( SELECT person() AS person)) OR (EXISTS ( SELECT FROM members mine WHERE ((mine.conversation_id = messages.conversation_id) AND (mine.user_id = ( SELECT person() AS person)) AND ((mine.left_at IS NULL) OR (messages.version = mine.left_version)) AND (mine.joined_seq < messages.seq)))));
create policy person_adds on messages for insert to homing_person with check (((sender_id = ( SELECT person() AS person)) AND (kind = 'system'::text) AND person_belongs(conversation_id)));
create policy person_changes on messages for update to homing_person using (EXISTS ( SELECT FROM members mine WHERE ((mine.conversation_id = messages.conversation_id) AND (mine.user_id = ( SELECT person() AS person)) AND (mine.left_at IS NULL) AND (mine.joined_seq < messages.seq))));
CREATE TRIGGER own_words AFTER UPDATE OF text, mentions, forwarded_from, edits, edited_at, deleted_at ON messages FOR EACH ROW WHEN (old.text IS DISTINCT FROM new.text OR old.mentions IS DISTINCT FROM new.mentions OR old.forwarded_from IS DISTINCT FROM new.forwarded_from OR old.edits IS DISTINCT FROM new.edits OR old.edited_at IS DISTINCT FROM new.edited_at OR old.deleted_at IS DISTINCT FROM new.deleted_at) EXECUTE FUNCTION refuse_words_of_others();

create table notices (
  id uuid not null,
  user_id uuid not null,
  kind text not null,
  channel text not null,
  target text not null,
  at timestamp with time zone not null,
  constraint notices_pkey PRIMARY KEY (id),
  constraint notices_channel_check CHECK ((channel = ANY (ARRAY['email'::text, 'sms'::text])))
);
grant delete, insert, select, update on notices to homing_app;
create policy everybody on notices to homing_app, homing_owner using (true);
create policy person on notices to homing_person using (user_id = ( SELECT person() AS person));

create table notification_budgets (
  user_id uuid not null,
  bucket text not null,
  tokens double precision not null,
  at timestamp with time zone not null,
  constraint notification_budgets_pkey PRIMARY KEY (user_id, bucket)
);
grant delete, insert, select, update on notification_budgets to homing_app;
create policy everybody on notification_budgets to homing_app, homing_owner using (true);
create policy person on notification_budgets to homing_person using (user_id = ( SELECT person() AS person));

create table notification_settings (
  user_id uuid not null,
  settings jsonb not null,
  version bigint not null default 1,
  ruled_at timestamp with time zone not null default now(),
  constraint notification_settings_pkey PRIMARY KEY (user_id)
);
grant delete, insert, select, update on notification_settings to homing_app;
create policy everybody on notification_settings to homing_app, homing_owner using (true);
create policy person on notification_settings to homing_person using (user_id = ( SELECT person() AS person));
CREATE TRIGGER notification_settings_ruled BEFORE UPDATE ON notification_settings FOR EACH ROW WHEN (old.settings IS DISTINCT FROM new.settings) EXECUTE FUNCTION stamp_ruled_at();

create table oauth_tickets (
  token_hash bytea not null,
  purpose text not null,
  user_id uuid,
  challenge bytea,
  about jsonb not null default '{}'::jsonb,
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  begun_by uuid,
  constraint oauth_tickets_pkey PRIMARY KEY (token_hash),
  constraint oauth_tickets_purpose_check CHECK ((purpose = ANY (ARRAY['transaction'::text, 'begin_link'::text, 'sign_in'::text, 'link'::text])))
);
CREATE INDEX oauth_tickets_expired ON public.oauth_tickets USING btree (expires_at);
CREATE INDEX oauth_tickets_of_user ON public.oauth_tickets USING btree (user_id) WHERE (user_id IS NOT NULL);
grant delete, insert, select, update on oauth_tickets to homing_app;
create policy everybody on oauth_tickets to homing_app, homing_owner using (true);
create policy person on oauth_tickets to homing_person using (user_id = ( SELECT person() AS person));

create table outbox (
  id bigint generated always as identity not null,
  topic text not null,
  conversation_id uuid,
  seq_from bigint,
  seq_to bigint,
  user_id uuid,
  payload jsonb,
  created_at timestamp with time zone not null default now(),
  due_at timestamp with time zone not null default now(),
  tries integer not null default 0,
  constraint outbox_pkey PRIMARY KEY (id)
);
CREATE INDEX outbox_due ON public.outbox USING btree (topic, due_at, id);
grant delete, insert, select, update on outbox to homing_app;
create policy everybody on outbox to homing_app, homing_owner using (true);
create policy person_adds on outbox for insert to homing_person with check (
CASE
    WHEN (conversation_id IS NULL) THEN (user_id = ( SELECT person() AS person))
    ELSE ((user_id IS NULL) AND person_belongs(conversation_id))
END);

create table passkeys (
  user_id uuid not null,
  id uuid not null,
  credential_id bytea not null,
  public_key bytea not null,
  counter bigint not null,
  transports text[] not null,
  name text not null,
  created_at timestamp with time zone not null,
  last_used_at timestamp with time zone,
  constraint passkeys_pkey PRIMARY KEY (user_id, id)
);
CREATE UNIQUE INDEX passkeys_credential ON public.passkeys USING btree (credential_id);
grant delete, insert, select, update on passkeys to homing_app;
create policy everybody on passkeys to homing_app, homing_owner using (true);
create policy person on passkeys to homing_person using (user_id = ( SELECT person() AS person));

create table password_resets (
  id uuid not null,
  token_hash bytea not null,
  channel text not null,
  target text not null,
  expires_at timestamp with time zone not null,
  sent_at timestamp with time zone,
  user_id uuid,
  constraint password_resets_pkey PRIMARY KEY (id),
  constraint password_resets_token_hash_key UNIQUE (token_hash),
  constraint password_resets_channel_check CHECK ((channel = ANY (ARRAY['email'::text, 'sms'::text])))
);
CREATE INDEX password_resets_of_user ON public.password_resets USING btree (user_id) WHERE (user_id IS NOT NULL);
CREATE INDEX password_resets_past ON public.password_resets USING btree (expires_at);
grant delete, insert, select, update on password_resets to homing_app;
create policy everybody on password_resets to homing_app, homing_owner using (true);
create policy person on password_resets to homing_person using (user_id = ( SELECT person() AS person));

create table past_rules (
  user_id uuid not null,
  kind text not null,
  subject text not null,
  since timestamp with time zone,
  until timestamp with time zone not null,
  was jsonb,
  constraint past_rules_pkey PRIMARY KEY (user_id, kind, subject, until),
  constraint past_rules_kind_check CHECK ((kind = ANY (ARRAY['membership'::text, 'settings'::text, 'block'::text, 'thread'::text])))
);
grant delete, insert, select on past_rules to homing_app;
create policy everybody on past_rules to homing_app, homing_owner using (true);
create policy person on past_rules to homing_person using (user_id = ( SELECT person() AS person));
create policy person_adds on past_rules for insert to homing_person with check (
CASE
    WHEN (kind = 'membership'::text) THEN person_leads((subject)::uuid)
    ELSE false
END);

create table provider_reports (
  source text not null,
  key text not null,
  id bigint generated always as identity not null,
  channel text not null,
  fact text not null,
  says text,
  code text,
  attempt_id uuid,
  target bytea,
  owner_id uuid,
  at timestamp with time zone not null,
  received_at timestamp with time zone not null default now(),
  due_at timestamp with time zone not null default now(),
  tries integer not null default 0,
  applied_at timestamp with time zone,
  constraint provider_reports_pkey PRIMARY KEY (source, key),
  constraint provider_reports_channel_check CHECK ((channel = ANY (ARRAY['email'::text, 'sms'::text]))),
  constraint provider_reports_source_check CHECK ((source = ANY (ARRAY['sendgrid'::text, 'twilio'::text]))),
  constraint provider_reports_target_check CHECK ((octet_length(target) = 32))
);
CREATE INDEX provider_reports_due ON public.provider_reports USING btree (due_at, id) WHERE (applied_at IS NULL);
CREATE INDEX provider_reports_of_target ON public.provider_reports USING btree (channel, target, at);
CREATE INDEX provider_reports_received ON public.provider_reports USING btree (received_at);
grant delete, insert, select, update on provider_reports to homing_app;

create table reactions (
  conversation_id uuid not null,
  seq bigint not null,
  emoji text not null,
  user_id uuid not null,
  at timestamp with time zone not null,
  constraint reactions_pkey PRIMARY KEY (conversation_id, seq, emoji, user_id)
);
grant delete, insert, select, update on reactions to homing_app;
create policy everybody on reactions to homing_app, homing_owner using (true);
create policy person on reactions for select to homing_person using (EXISTS ( SELECT FROM members mine WHERE ((mine.conversation_id = reactions.conversation_id) AND (mine.user_id = ( SELECT person() AS person)) AND (mine.left_at IS NULL) AND (mine.joined_seq < reactions.seq))));
create policy person_adds on reactions for insert to homing_person with check (((user_id = ( SELECT person() AS person)) AND (EXISTS ( SELECT
   FROM members mine
  WHERE ((mine.conversation_id = reactions.conversation_id) AND (mine.user_id = ( SELECT person() AS person)) AND (mine.left_at IS NULL) AND (mine.joined_seq < reactions.seq))))));
create policy person_erases on reactions for delete to homing_person using ((user_id = ( SELECT person() AS person)) OR person_leads(conversation_id) OR (EXISTS ( SELECT FROM messages m WHERE ((m.conversation_id = reactions.conversation_id) AND (m.seq = reactions.seq) AND (m.sender_id = ( SELECT person() AS person))))));

create table recount_walks (
  name text not null,
  cursor text not null,
  through timestamp with time zone not null,
  leased_until timestamp with time zone not null default now(),
  constraint recount_walks_pkey PRIMARY KEY (name)
);
grant delete, insert, select, update on recount_walks to homing_app;

create table recovery_codes (
  user_id uuid not null,
  code_hash bytea not null,
  used_at timestamp with time zone,
  constraint recovery_codes_pkey PRIMARY KEY (user_id, code_hash)
);
grant delete, insert, select, update on recovery_codes to homing_app;
create policy everybody on recovery_codes to homing_app, homing_owner using (true);
create policy person on recovery_codes to homing_person using (user_id = ( SELECT person() AS person));

create table refresh_tokens (
  token_hash bytea not null,
  user_id uuid not null,
  session_id uuid not null,
  parent_hash bytea,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  constraint refresh_tokens_pkey PRIMARY KEY (token_hash)
);
CREATE INDEX refresh_tokens_of_session ON public.refresh_tokens USING btree (user_id, session_id);
grant delete, insert, select, update on refresh_tokens to homing_app;
create policy everybody on refresh_tokens to homing_app, homing_owner using (true);
create policy person on refresh_tokens to homing_person using (user_id = ( SELECT person() AS person));

create table screens (
  user_id uuid not null,
  badge_revision bigint not null default 0,
  look_at timestamp with time zone,
  rests_until timestamp with time zone not null default '1970-01-01 00:00:00+00'::timestamp with time zone,
  read_by uuid,
  constraint screens_pkey PRIMARY KEY (user_id)
);
CREATE INDEX screens_to_look_at ON public.screens USING btree (look_at) WHERE (look_at IS NOT NULL);
grant insert, select, update on screens to homing_app;
create policy everybody on screens to homing_app, homing_owner using (true);
create policy person on screens to homing_person using (user_id = ( SELECT person() AS person));

create table sessions (
  user_id uuid not null,
  id uuid not null,
  device_name text,
  created_at timestamp with time zone not null,
  last_used_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  revoke_reason text,
  second_factor boolean not null default false,
  proved_at timestamp with time zone,
  proof_tries integer not null default 0,
  proof_tries_since timestamp with time zone,
  network bytea,
  proved_by_factor boolean not null default false,
  constraint sessions_pkey PRIMARY KEY (user_id, id)
);
CREATE INDEX sessions_revoked ON public.sessions USING btree (revoked_at) WHERE (revoked_at IS NOT NULL);
grant delete, insert, select, update on sessions to homing_app;
create policy everybody on sessions to homing_app, homing_owner using (true);
create policy person on sessions to homing_person using (user_id = ( SELECT person() AS person));

create table shown (
  user_id uuid not null,
  conversation_id uuid not null,
  attempt_id uuid not null,
  from_seq bigint not null,
  through_seq bigint not null,
  device_ids uuid[] not null,
  at timestamp with time zone not null default now(),
  constraint shown_pkey PRIMARY KEY (user_id, conversation_id)
);
CREATE INDEX shown_in ON public.shown USING btree (conversation_id);
grant delete, insert, select, update on shown to homing_app;
create policy everybody on shown to homing_app, homing_owner using (true);
create policy person on shown to homing_person using (user_id = ( SELECT person() AS person));

create table signing_keys (
  kid text not null,
  sealed text not null,
  signs_from timestamp with time zone not null,
  created_at timestamp with time zone not null default now(),
  constraint signing_keys_pkey PRIMARY KEY (kid)
);
grant delete, insert, select on signing_keys to homing_app;

create table suppressions (
  channel text not null,
  target bytea not null,
  cause text not null,
  created_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone,
  constraint suppressions_pkey PRIMARY KEY (channel, target, cause),
  constraint suppressions_cause_check CHECK ((cause = ANY (ARRAY['unsubscribed'::text, 'complaint'::text, 'hard_bounce'::text, 'soft_bounces'::text, 'opted_out'::text, 'invalid'::text]))),
  constraint suppressions_channel_check CHECK ((channel = ANY (ARRAY['email'::text, 'sms'::text]))),
  constraint suppressions_target_check CHECK ((octet_length(target) = 32))
);
grant delete, insert, select, update on suppressions to homing_app;

create table text_days (
  day date not null,
  texts integer not null,
  constraint text_days_pkey PRIMARY KEY (day)
);
grant delete, insert, select, update on text_days to homing_app;

create table thread_members (
  conversation_id uuid not null,
  root_seq bigint not null,
  user_id uuid not null,
  following boolean,
  read_seq bigint not null default 0,
  ruled_at timestamp with time zone not null default now(),
  level text,
  declined boolean not null default false,
  constraint thread_members_pkey PRIMARY KEY (conversation_id, root_seq, user_id),
  constraint thread_members_level_check CHECK ((level = ANY (ARRAY['all'::text, 'mentions'::text, 'nothing'::text])))
);
CREATE INDEX thread_members_by_level ON public.thread_members USING btree (user_id, conversation_id) WHERE (level IS NOT NULL);
CREATE INDEX thread_members_by_user ON public.thread_members USING btree (conversation_id, user_id) WHERE following;
grant delete, insert, select, update on thread_members to homing_app;
create policy everybody on thread_members to homing_app, homing_owner using (true);
create policy person on thread_members for select to homing_person using ((user_id = ( SELECT person() AS person)) OR (EXISTS ( SELECT FROM members mine WHERE ((mine.conversation_id = thread_members.conversation_id) AND (mine.user_id = ( SELECT person() AS person)) AND (mine.left_at IS NULL)))));
create policy person_adds on thread_members for insert to homing_person with check (person_belongs(conversation_id));
create policy person_changes on thread_members for update to homing_person using (EXISTS ( SELECT FROM members mine WHERE ((mine.conversation_id = thread_members.conversation_id) AND (mine.user_id = ( SELECT person() AS person)) AND (mine.left_at IS NULL))));
CREATE TRIGGER thread_members_ruled BEFORE UPDATE OF following, level ON thread_members FOR EACH ROW WHEN (old.following IS DISTINCT FROM new.following OR old.level IS DISTINCT FROM new.level) EXECUTE FUNCTION stamp_ruled_at();

create table threads (
  conversation_id uuid not null,
  root_seq bigint not null,
  reply_count integer not null,
  last_seq bigint not null,
  constraint threads_pkey PRIMARY KEY (conversation_id, root_seq)
);
grant delete, insert, select, update on threads to homing_app;
create policy everybody on threads to homing_app, homing_owner using (true);
create policy person on threads for select to homing_person using (EXISTS ( SELECT FROM members mine WHERE ((mine.conversation_id = threads.conversation_id) AND (mine.user_id = ( SELECT person() AS person)) AND (mine.left_at IS NULL))));
create policy person_changes on threads for update to homing_person using (EXISTS ( SELECT FROM members mine WHERE ((mine.conversation_id = threads.conversation_id) AND (mine.user_id = ( SELECT person() AS person)) AND (mine.left_at IS NULL))));

create table totp (
  user_id uuid not null,
  secret bytea not null,
  key_id text not null,
  begun_at timestamp with time zone not null,
  confirmed_at timestamp with time zone,
  last_step bigint,
  begun_by uuid,
  constraint totp_pkey PRIMARY KEY (user_id)
);
grant delete, insert, select, update on totp to homing_app;
create policy everybody on totp to homing_app, homing_owner using (true);
create policy person on totp to homing_person using (user_id = ( SELECT person() AS person));

create table unreached (
  conversation_id uuid not null,
  seq bigint not null,
  user_id uuid not null,
  at timestamp with time zone not null default now(),
  constraint unreached_pkey PRIMARY KEY (conversation_id, seq, user_id)
);
CREATE INDEX unreached_at ON public.unreached USING btree (at);
grant insert, select on unreached to homing_app;

create table unreadable_reports (
  id bigint generated always as identity not null,
  source text not null,
  reason text not null,
  body bytea not null,
  received_at timestamp with time zone not null default now(),
  path_and_query text not null default ''::text,
  constraint unreadable_reports_pkey PRIMARY KEY (id),
  constraint unreadable_reports_source_check CHECK ((source = ANY (ARRAY['sendgrid'::text, 'twilio'::text])))
);
CREATE INDEX unreadable_reports_received ON public.unreadable_reports USING btree (received_at);
grant delete, insert, select on unreadable_reports to homing_app;

create table urgent_sends (
  user_id uuid not null,
  message_id uuid not null,
  at timestamp with time zone not null,
  conversation_id uuid,
  constraint urgent_sends_pkey PRIMARY KEY (user_id, message_id)
);
grant delete, insert, select on urgent_sends to homing_app;

create table users (
  id uuid not null,
  display_name text not null,
  email text,
  email_verified_at timestamp with time zone,
  phone text,
  phone_verified_at timestamp with time zone,
  password_hash text,
  locale text not null,
  time_zone text not null,
  status text not null default 'active'::text,
  created_at timestamp with time zone not null,
  tell_read boolean not null default true,
  tell_last_seen text not null default 'contacts'::text,
  last_seen_at timestamp with time zone,
  role text not null default 'member'::text,
  status_at timestamp with time zone,
  kind text not null default 'person'::text,
  owner_id uuid,
  constraint users_pkey PRIMARY KEY (id),
  constraint users_bot_check CHECK ((((kind = 'bot'::text) = (owner_id IS NOT NULL)) AND ((kind = 'person'::text) OR ((email IS NULL) AND (phone IS NULL))))),
  constraint users_email_check CHECK ((email = lower(email))),
  constraint users_kind_check CHECK ((kind = ANY (ARRAY['person'::text, 'bot'::text]))),
  constraint users_role_check CHECK ((role = ANY (ARRAY['member'::text, 'moderator'::text, 'support'::text, 'operator'::text, 'admin'::text]))),
  constraint users_status_check CHECK (((status = ANY (ARRAY['active'::text, 'suspended'::text])) OR ((status = 'ended'::text) AND (kind = 'bot'::text)))),
  constraint users_tell_last_seen_check CHECK ((tell_last_seen = ANY (ARRAY['everyone'::text, 'contacts'::text, 'nobody'::text])))
);
CREATE INDEX users_admins ON public.users USING btree (id) WHERE (role = 'admin'::text);
CREATE INDEX users_bots ON public.users USING btree (owner_id) WHERE (owner_id IS NOT NULL);
CREATE INDEX users_by_email ON public.users USING btree (email) WHERE (email IS NOT NULL);
CREATE INDEX users_by_phone ON public.users USING btree (phone) WHERE (phone IS NOT NULL);
CREATE UNIQUE INDEX users_email_key ON public.users USING btree (email) WHERE (email_verified_at IS NOT NULL);
CREATE INDEX users_inactive ON public.users USING btree (id) WHERE (status <> 'active'::text);
CREATE UNIQUE INDEX users_phone_key ON public.users USING btree (phone) WHERE (phone_verified_at IS NOT NULL);
CREATE INDEX users_that_are_bots ON public.users USING btree (id) WHERE (kind = 'bot'::text);
grant delete, insert, select, update on users to homing_app;
grant select (created_at, display_name, id, kind, last_seen_at, locale, owner_id, role, status, status_at, tell_last_seen, tell_read, time_zone) on users to homing_person;
grant update (display_name, last_seen_at, locale, password_hash, tell_last_seen, tell_read, time_zone) on users to homing_person;
create policy everybody on users to homing_app, homing_owner using (true);
create policy person on users for select to homing_person using (true);
create policy person_adds on users for insert to homing_person with check (((owner_id = ( SELECT person() AS person)) AND (kind = 'bot'::text) AND (password_hash = ''::text)));
create policy person_changes on users for update to homing_person using ((id = ( SELECT person() AS person)) OR (owner_id = ( SELECT person() AS person)));

create table verifications (
  user_id uuid not null,
  channel text not null,
  id uuid not null,
  target text not null,
  expires_at timestamp with time zone not null,
  wrong_tries integer not null default 0,
  sent_at timestamp with time zone,
  begun_by uuid,
  constraint verifications_pkey PRIMARY KEY (user_id, channel),
  constraint verifications_channel_check CHECK ((channel = ANY (ARRAY['email'::text, 'sms'::text])))
);
grant delete, insert, select, update on verifications to homing_app;
create policy everybody on verifications to homing_app, homing_owner using (true);
create policy person on verifications to homing_person using (user_id = ( SELECT person() AS person));

create table watermarks (
  user_id uuid not null,
  conversation_id uuid not null,
  channel text not null,
  through_seq bigint not null,
  at timestamp with time zone not null,
  times integer not null default 1,
  repeats integer not null default 0,
  sounds integer not null default 0,
  sounded_at timestamp with time zone,
  constraint watermarks_pkey PRIMARY KEY (user_id, conversation_id, channel),
  constraint watermarks_channel_check CHECK ((channel = ANY (ARRAY['push'::text, 'email'::text, 'sms'::text])))
);
grant delete, insert, select, update on watermarks to homing_app;

create view accounts from users WHERE ((CURRENT_USER <> 'homing_person'::name) OR (id = ( SELECT person() AS person)));

CREATE OR REPLACE FUNCTION public.audit_hash(previous bytea, entry audit)
 RETURNS bytea
 LANGUAGE sql
 STABLE
 SET search_path TO 'public', 'pg_temp'
AS $function$
      select sha256(previous || convert_to(case when entry.was is null and entry.became is null
        then json_build_array(
          entry.seq, entry.id, (extract(epoch from entry.at) * 1000000)::bigint, entry.actor_id, entry.operator, entry.action,
          entry.user_id, entry.message_id, entry.job_id)
        else json_build_array(
          entry.seq, entry.id, (extract(epoch from entry.at) * 1000000)::bigint, entry.actor_id, entry.operator, entry.action,
          entry.user_id, entry.message_id, entry.job_id, entry.was, entry.became)
        end::text, 'UTF8'))
    $function$
;

CREATE OR REPLACE FUNCTION public.chain_audit()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
    declare
      last audit_end;
    begin
      select * into strict last from audit_end for update;
      new.seq := last.seq + 1;
      new.hash := audit_hash(last.hash, new);
      update audit_end set seq = new.seq, hash = new.hash;
      return new;
    end $function$
;

CREATE OR REPLACE FUNCTION public.forget_attention(older_than interval, batch integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
    end $function$
;
grant execute on function forget_attention to homing_app;

CREATE OR REPLACE FUNCTION public.keep_disarmed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
    begin
      insert into disarmed (user_id, conversation_id, episode, from_seq, last_seq, at)
      select g.user_id, g.conversation_id, a.episode, g.from_seq, g.last_seq, now()
      from gone g join attention a on a.user_id = g.user_id;
      delete from late_calls l using gone g where l.user_id = g.user_id and l.conversation_id = g.conversation_id;
      return null;
    end $function$
;

CREATE OR REPLACE FUNCTION public.keep_lifted_block()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
    begin
      insert into lifted_blocks as l (user_id, blocked_id, at) values (old.user_id, old.blocked_id, now())
      on conflict (user_id, blocked_id) do update set at = excluded.at;
      return null;
    end $function$
;

CREATE OR REPLACE FUNCTION public.person()
 RETURNS uuid
 LANGUAGE sql
 STABLE
RETURN (NULLIF(current_setting('homing.person'::text, true), ''::text))::uuid
;

CREATE OR REPLACE FUNCTION public.person_belongs(conversation uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
AS $function$
begin
  return exists (
    select from public.members m
    where m.conversation_id = conversation and m.user_id = public.person() and m.left_at is null);
end $function$
;

CREATE OR REPLACE FUNCTION public.person_leads(conversation uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
AS $function$
  begin
    return exists (
      select from public.members m
      where m.conversation_id = conversation and m.user_id = public.person() and m.left_at is null
        and m.role in ('owner', 'admin'));
  end $function$
;

CREATE OR REPLACE FUNCTION public.refuse_late_end()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
  begin
    if current_user = 'homing_person' and new.left_version > coalesce(version_of(new.conversation_id), 0) then
      raise insufficient_privilege using message = 'nobody reads beyond their end';
    end if;
    return null;
  end $function$
;

CREATE OR REPLACE FUNCTION public.refuse_unled_membership()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
  end $function$
;

CREATE OR REPLACE FUNCTION public.refuse_unled_settings()
 RETURNS trigger
 LANGUAGE plpgsql
 STABLE
AS $function$
  begin
    if current_user = 'homing_person' and not person_leads(old.id) then
      raise insufficient_privilege using message = 'whoever leads no conversation changes no setting of it';
    end if;
    return null;
  end $function$
;

CREATE OR REPLACE FUNCTION public.refuse_untrue_block()
 RETURNS trigger
 LANGUAGE plpgsql
 STABLE
AS $function$
  begin
    if current_user = 'homing_person' and (new.kind <> 'direct' or new.blocked <> exists (
      select from members m
      join blocks b on (b.user_id, b.blocked_id) in ((person(), m.user_id), (m.user_id, person()))
      where m.conversation_id = new.id and m.user_id <> person()))
    then
      raise insufficient_privilege using message = 'a conversation is blocked as its pair has blocked each other';
    end if;
    return null;
  end $function$
;

CREATE OR REPLACE FUNCTION public.refuse_words_of_others()
 RETURNS trigger
 LANGUAGE plpgsql
 STABLE
AS $function$
  begin
    if current_user = 'homing_person' and old.sender_id <> person()
      and not (new.text is null and new.mentions is null and person_leads(old.conversation_id))
    then
      raise insufficient_privilege using message = 'nobody writes in another’s name; who leads a conversation may erase';
    end if;
    return null;
  end $function$
;

CREATE OR REPLACE FUNCTION public.stamp_ruled_at()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
    begin
      new.ruled_at := now();
      return new;
    end $function$
;

CREATE OR REPLACE FUNCTION public.version_of(conversation uuid)
 RETURNS bigint
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
AS $function$
  begin
    -- Of what they have belonged to alone: anybody may call it.
    return (
      select c.version from public.conversations c where c.id = conversation and exists (
        select from public.members m where m.conversation_id = c.id and m.user_id = public.person()));
  end $function$
;
