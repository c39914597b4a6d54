import type { ConversationId, SessionId, UserId } from '../../contracts/ids.ts';
import type { Db } from '../../db/client.ts';

/** Ids that follow from a number, so that a load need not remember them. Versions as of UUIDv7. */
const idOf = (kind: number, n: number): string =>
  `0190${kind.toString(16).padStart(4, '0')}-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
export const personId = (n: number): UserId => idOf(1, n) as UserId;
export const groupId = (n: number): ConversationId => idOf(2, n) as ConversationId;
export const sessionId = (n: number): SessionId => idOf(3, n) as SessionId;

/** The same in SQL, of a number that an expression gives. */
export const idSql = (kind: number, n: string): string =>
  `('0190${kind.toString(16).padStart(4, '0')}-0000-7000-8000-' || lpad(to_hex((${n})::bigint), 12, '0'))::uuid`;

/** Person `i` of group `g`: people belong to several groups where there are more seats than people. */
export const seat = (group: number, place: number, { size, people }: { size: number; people: number }): number =>
  (group * size + place) % people;

export interface Crowd {
  people: number;
  groups: number;
  /** Members of each group. */
  size: number;
}

/** Empties the tables and fills them with people in groups. */
export async function seed(db: Db, ownerDb: Db, { people, groups, size }: Crowd): Promise<void> {
  await ownerDb.query({
    text: 'truncate users, conversations, conversation_keys, members, messages, events, outbox, sessions, attention, armed',
    values: [],
  });
  await db.query({
    text: `insert into users (id, display_name, email, password_hash, locale, time_zone, created_at)
      select ${idSql(1, 'n')}, 'Person ' || n, 'p' || n || '@example.test', '', 'en', 'UTC', now()
      from generate_series(0, $1::bigint - 1) n`,
    values: [people],
  });
  await db.query({
    text: `insert into conversations (id, kind, title, created_by, created_at, version, last_seq, last_active_at, member_count)
      select ${idSql(2, 'g')}, 'group', 'Group ' || g, ${idSql(1, '0')}, now(), 1, 0, now(), $2
      from generate_series(0, $1::bigint - 1) g`,
    values: [groups, size],
  });
  await db.query({
    text: `insert into members (conversation_id, user_id, role, joined_at, joined_seq)
      select ${idSql(2, 'g')}, ${idSql(1, '(g * $2 + i) % $3')}, 'member', now(), 0
      from generate_series(0, $1::bigint - 1) g, generate_series(0, $2::bigint - 1) i`,
    values: [groups, size, people],
  });
  await ownerDb.query({ text: 'vacuum (analyze) users, conversations, members', values: [] });
}

/** So many messages in each group, a minute old, read by everybody but for the last five. */
export async function fill(owner: Db, { groups, people, size }: Crowd, perGroup: number): Promise<void> {
  await owner.query({
    text: `insert into messages (conversation_id, seq, version, changed_version, id, client_id, sender_id, text, fingerprint, created_at)
      select ${idSql(2, 'g')}, n, n + 1, n + 1, ${idSql(4, 'g * $2 + n')}, ${idSql(5, 'g * $2 + n')}, ${idSql(1, '(g * $3) % $4')},
        'a message of some length', '', now() - interval '1 minute'
      from generate_series(0, $1::bigint - 1) g, generate_series(1, $2::bigint) n`,
    values: [groups, perGroup, size, people],
  });
  await owner.query({
    text: `insert into events (conversation_id, version, seq, type, actor_id, at, data)
      select id, 1, 0, 'conversation.created', created_by, created_at,
        jsonb_build_object('kind', 'group', 'title', title, 'description', null, 'visibility', 'invited', 'posting', 'members',
          'history', 'all', 'members', '[]'::jsonb, 'memberCount', member_count) from conversations`,
    values: [],
  });
  await owner.query({ text: 'update conversations set version = $1 + 1, last_seq = $1', values: [perGroup] });
  await owner.query({
    text: 'update members set read_seq = $1::bigint - 5, delivered_seq = $1::bigint - 5, seen_seq = $1::bigint - 5',
    values: [perGroup],
  });
  await owner.query({ text: 'vacuum (analyze)', values: [] });
}

/** The groups that somebody is in. */
export function groupsOf(person: number, { people, groups, size }: Crowd): number[] {
  const seats = Math.floor((groups * size - 1 - person) / people) + 1;
  return Array.from({ length: seats }, (_, n) => Math.floor((person + n * people) / size));
}
