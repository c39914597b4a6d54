import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Db } from '../../db/client.ts';

/** Ids that follow from a number, so that a load need not remember them. Versions as of UUIDv7. */
const idOf = (kind: number, n: number): string =>
  `0190${kind.toString(16).padStart(4, '0')}-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
export const personId = (n: number): UserId => idOf(1, n) as UserId;
export const groupId = (n: number): ConversationId => idOf(2, n) as ConversationId;

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
