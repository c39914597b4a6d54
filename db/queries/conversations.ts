import type { ConversationChannels, ConversationSettings, Level, Role } from '../../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';
import { type MessageRow, messageColumns } from './messages.ts';
import { unreadLateral } from './unread.ts';

/** A conversation together with what it is to one of its members. */
export interface ConversationRow extends ConversationSettings {
  id: ConversationId;
  kind: 'direct' | 'group' | 'channel';
  createdBy: UserId;
  createdAt: Date;
  version: number;
  lastSeq: number;
  lastActiveAt: Date;
  /** The same to the microsecond, as a place in the list: a batch of sends stamps many conversations alike. */
  lastActivePlace: string;
  memberCount: number;
  role: Role;
  joinedSeq: number;
  joinedVersion: number;
  deliveredSeq: number;
  readSeq: number;
  unread: number;
  mentions: number;
  unreadMark: number | null;
  level: Level | null;
  mutedUntil: Date | null;
  channels: Partial<ConversationChannels> | null;
  muteExcept: 'mentions' | null;
  archived: boolean;
  pinned: boolean;
  digest: { userId: UserId; displayName: string }[];
  /** Direct, and one of the two has blocked the other. */
  blocked: boolean;
  lastMessage: MessageRow | null;
}

// The last message comes as columns with a prefix, because JSON would turn its times into text.
type FlatRow = Omit<ConversationRow, 'lastMessage'> & {
  [Key in keyof MessageRow as `last_${Key}`]: MessageRow[Key] | null;
};

/** Some of the others, for a title and faces in a list. */
const digest = `coalesce((
  select jsonb_agg(jsonb_build_object('userId', d.user_id, 'displayName', d.display_name) order by d.user_id)
  from (
    select o.user_id, u.display_name from members o join users u on u.id = o.user_id
    where o.conversation_id = c.id and o.left_at is null and o.user_id <> m.user_id order by o.user_id limit 3
  ) d
), '[]') as digest`;

/** The reader is `$1`. */
const conversationsOf = (where: string, more = '') => `
  select c.id, c.kind, c.title, c.description, c.visibility, c.posting, c.history, c.created_by as "createdBy",
    c.created_at as "createdAt", c.version, c.last_seq as "lastSeq", c.last_active_at as "lastActiveAt",
    c.last_active_at::text as "lastActivePlace",
    c.member_count as "memberCount", m.role, m.joined_seq as "joinedSeq", m.joined_version as "joinedVersion",
    m.delivered_seq as "deliveredSeq", m.read_seq as "readSeq", m.unread_mark as "unreadMark", m.level,
    m.muted_until as "mutedUntil", m.mute_except as "muteExcept", m.channels, m.archived, m.pinned, c.blocked, unread.unread, unread.mentions,
    ${digest}, ${messageColumns('l', '$1', 'last_')}${more}
  from members m
  join conversations c on c.id = m.conversation_id
  ${unreadLateral('m')}
  left join messages l on l.conversation_id = c.id and l.seq = c.last_seq and l.seq > m.joined_seq
  where m.left_at is null and ${where}`;

/** The conversation, if the person is a member of it now. */
export async function conversationOf(
  db: Queryable,
  userId: UserId,
  id: ConversationId,
): Promise<ConversationRow | undefined> {
  const { rows } = await db.query<FlatRow>({
    name: 'conversation-of',
    text: conversationsOf('m.user_id = $1 and m.conversation_id = $2'),
    values: [userId, id],
  });
  return rows[0] && unflatten(rows[0]);
}

/** Several of the person's conversations at once; those they do not belong to are left out. */
export async function conversationsByIds(
  db: Queryable,
  userId: UserId,
  ids: readonly ConversationId[],
): Promise<ConversationRow[]> {
  const { rows } = await db.query<FlatRow>({
    name: 'conversations-by-ids',
    text: conversationsOf('m.user_id = $1 and m.conversation_id = any($2::uuid[])'),
    values: [userId, ids],
  });
  return rows.map(unflatten);
}

/** Which way a walk through the list goes: down from the latest active, or up again. */
export type ListWay = 'down' | 'up';
export interface ListPlace {
  at: string;
  id: string;
}

/** Before the first of all, whichever way. */
export const listStart: Record<ListWay, ListPlace> = {
  down: { at: 'infinity', id: 'ffffffff-ffff-ffff-ffff-ffffffffffff' },
  up: { at: '-infinity', id: '00000000-0000-0000-0000-000000000000' },
};
const ways: Record<ListWay, { beyond: string; order: string }> = {
  down: { beyond: '<', order: 'desc' },
  up: { beyond: '>', order: 'asc' },
};

/** A page of the person's conversations by their last activity, beyond a place (exclusive), with the database's time. */
export async function conversationsPage(
  db: Queryable,
  userId: UserId,
  { way, at, id, limit }: ListPlace & { way: ListWay; limit: number },
): Promise<(ConversationRow & { askedAt: string })[]> {
  const { beyond, order } = ways[way];
  const { rows } = await db.query<FlatRow & { askedAt: string }>({
    name: `conversations-${way}`,
    text: `${conversationsOf(
      `m.user_id = $1 and (c.last_active_at, c.id) ${beyond} ($2::timestamptz, $3::uuid)`,
      ', now()::text as "askedAt"',
    )}
      order by c.last_active_at ${order}, c.id ${order} limit $4`,
    values: [userId, at, id, limit],
  });
  return rows.map(({ askedAt, ...row }) => ({ ...unflatten(row as FlatRow), askedAt }));
}

function unflatten(row: FlatRow): ConversationRow {
  const conversation: Record<string, unknown> = { lastMessage: null };
  const last: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(row)) {
    if (key.startsWith('last_')) last[key.slice('last_'.length)] = value;
    else conversation[key] = value;
  }
  if (last.id !== null) conversation.lastMessage = last;
  return conversation as unknown as ConversationRow;
}

export interface NewConversationRow extends ConversationSettings {
  id: ConversationId;
  kind: 'direct' | 'group' | 'channel';
  createdBy: UserId;
  at: Date;
  members: { userId: UserId; role: Role }[];
  /** One of a pair has blocked the other. */
  blocked: boolean;
}

/** Takes the key of a creation. Answers with the conversation that holds it when somebody was first. */
export async function claimConversationKey(
  tx: Tx,
  { key, conversationId, fingerprint }: { key: string; conversationId: ConversationId; fingerprint: Buffer },
): Promise<{ conversationId: ConversationId; fingerprint: Buffer } | undefined> {
  // The insert waits for another transaction that is taking the same key, so what is read afterwards is final.
  const { rowCount } = await tx.query({
    name: 'claim-conversation-key',
    text: `insert into conversation_keys (key, conversation_id, fingerprint) values ($1, $2, $3) on conflict (key) do nothing`,
    values: [key, conversationId, fingerprint],
  });
  if (rowCount === 1) return undefined;
  const { rows } = await tx.query<{ conversationId: ConversationId; fingerprint: Buffer }>({
    name: 'conversation-by-key',
    text: `select conversation_id as "conversationId", fingerprint from conversation_keys where key = $1`,
    values: [key],
  });
  return rows[0];
}

/** Stores the conversation with its members; its log begins with version 1, written apart by `insertEvent`. */
export async function insertConversation(tx: Tx, conversation: NewConversationRow): Promise<void> {
  await tx.query({
    name: 'insert-conversation',
    text: `
      with made as (
        insert into conversations (id, kind, title, created_by, created_at, version, last_seq, last_active_at, member_count,
          description, visibility, posting, history, blocked)
        values ($1, $2, $3, $4, $5, 1, 0, $5, cardinality($6::uuid[]), $8, $9, $10, $11, $12)
      )
      insert into members (conversation_id, user_id, role, joined_at, joined_seq)
      select $1, user_id, role, now(), 0 from unnest($6::uuid[], $7::text[]) as m(user_id, role)`,
    values: [
      conversation.id,
      conversation.kind,
      conversation.title,
      conversation.createdBy,
      conversation.at,
      conversation.members.map(({ userId }) => userId),
      conversation.members.map(({ role }) => role),
      conversation.description,
      conversation.visibility,
      conversation.posting,
      conversation.history,
      conversation.blocked,
    ],
  });
}

/** Two transactions that make or block the direct conversation of one pair follow one another. */
export async function lockPair(tx: Tx, key: string): Promise<void> {
  await tx.query({ name: 'lock-pair', text: `select pg_advisory_xact_lock(hashtextextended($1, 0))`, values: [key] });
}

export async function isBlockedPair(tx: Tx, one: UserId, other: UserId): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'is-blocked-pair',
    text: `select from blocks where (user_id = $1 and blocked_id = $2) or (user_id = $2 and blocked_id = $1) limit 1`,
    values: [one, other],
  });
  return (rowCount ?? 0) > 0;
}

export interface OpenChannelRow {
  id: ConversationId;
  title: string;
  description: string | null;
  memberCount: number;
  joined: boolean;
  /** What the list is ordered by: the database's small letters are not JavaScript's. */
  sortKey: string;
}

/** A page of the open channels whose title begins with the words, by title and id, after a place (exclusive). */
export async function openChannelsPage(
  db: Queryable,
  reader: UserId,
  { q, after, limit }: { q: string; after?: { title: string; id: string } | undefined; limit: number },
): Promise<OpenChannelRow[]> {
  const { rows } = await db.query<OpenChannelRow>({
    name: 'open-channels-page',
    text: `
      select c.id, c.title, c.description, c.member_count as "memberCount", lower(c.title) as "sortKey",
        exists (select from members m where m.conversation_id = c.id and m.user_id = $1 and m.left_at is null) as joined
      from conversations c
      where c.visibility = 'open' and c.kind = 'channel' and c.deleted_at is null
        and lower(c.title) like lower($2) and (lower(c.title), c.id) > ($3, $4::uuid)
        and not exists (select from bans b where b.conversation_id = c.id and b.user_id = $1)
      order by lower(c.title), c.id limit $5`,
    values: [
      reader,
      `${q.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`,
      after?.title ?? '',
      after?.id ?? '00000000-0000-0000-0000-000000000000',
      limit,
    ],
  });
  return rows;
}
