import type { Db } from '../../db/client.ts';
import type { Crowd } from '../lib/people.ts';

/** The tables of the usual build, with the product's indexes, and the same people in the same groups. */
export async function seedRooms(owner: Db, { groups }: Pick<Crowd, 'groups'>): Promise<void> {
  await owner.query({
    text: `
      drop schema if exists rooms cascade;
      create schema rooms;
      create table rooms.conversation (id uuid primary key, last_seq bigint not null);
      create table rooms.member (conversation_id uuid, user_id uuid, primary key (conversation_id, user_id));
      create index member_by_user on rooms.member (user_id, conversation_id);
      create table rooms.message (conversation_id uuid, seq bigint, id uuid not null default gen_random_uuid(), client_id uuid not null,
        sender_id uuid not null, text text not null, created_at timestamptz not null default now(), primary key (conversation_id, seq));
      create unique index message_once on rooms.message (client_id, sender_id, conversation_id);
      create unique index message_by_id on rooms.message (id, conversation_id);
      create table rooms.outbox (id bigint generated always as identity primary key, conversation_id uuid not null, seq_from bigint not null,
        seq_to bigint not null, due_at timestamptz not null default now());
      create index outbox_due on rooms.outbox (due_at, id);
      insert into rooms.conversation select id, 0 from conversations;
      insert into rooms.member select conversation_id, user_id from members;
      grant usage on schema rooms to homing_app;
      grant all on all tables in schema rooms to homing_app;
      grant all on all sequences in schema rooms to homing_app`,
    values: [],
  });
  const { rows } = await owner.query<{ n: number }>({
    text: 'select count(*) as n from rooms.conversation',
    values: [],
  });
  if (rows[0]?.n !== groups) throw new Error('the reference has other groups');
  for (const table of ['conversation', 'member'])
    await owner.query({ text: `vacuum (analyze) rooms.${table}`, values: [] });
}
