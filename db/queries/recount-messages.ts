import type { ConversationId, MessageId, UserId } from '../../contracts/ids.ts';
import type { Queryable } from '../client.ts';

/** A message as the recount judges it. */
export interface RecountedMessage {
  id: MessageId;
  conversationId: ConversationId;
  seq: number;
  conversationKind: 'direct' | 'group' | 'channel';
  conversationDeleted: boolean;
  /** Members of its conversation: how many pairs it may come to. */
  members: number;
  senderId: UserId;
  kind: 'text' | 'system';
  deleted: boolean;
  mentions: { type: string; userId?: UserId }[] | null;
  threadSeq: number | null;
  urgent: boolean;
  createdAt: Date;
  /** When an edit last mentioned somebody anew: to them it is a message of that moment. */
  calledAt: Date | null;
  editedAt: Date | null;
}

const messageColumns = `g.id, g.conversation_id as "conversationId", g.seq, c.kind as "conversationKind",
  c.deleted_at is not null as "conversationDeleted", c.member_count as members, g.sender_id as "senderId", g.kind,
  g.deleted_at is not null as deleted, g.mentions, g.thread_seq as "threadSeq", g.priority = 'urgent' as urgent,
  g.created_at as "createdAt", g.called_at as "calledAt", g.edited_at as "editedAt"`;

/** Messages in the order of their ids, which is that of time: after one, and before another (both exclusive). */
export async function messagesBetweenIds(
  db: Queryable,
  { after, before, limit }: { after: string; before: string; limit: number },
): Promise<RecountedMessage[]> {
  const { rows } = await db.query<RecountedMessage>({
    name: 'messages-between-ids',
    text: `select ${messageColumns} from (
        select * from messages where id > $1 and id < $2 order by id limit $3
      ) g join conversations c on c.id = g.conversation_id order by g.id`,
    values: [after, before, limit],
  });
  return rows;
}

/** These very messages. */
export async function messagesAt(
  db: Queryable,
  places: readonly { conversationId: ConversationId; seq: number }[],
): Promise<RecountedMessage[]> {
  const { rows } = await db.query<RecountedMessage>({
    name: 'messages-at',
    text: `select ${messageColumns} from unnest($1::uuid[], $2::bigint[]) as i(conversation_id, seq)
      join messages g on g.conversation_id = i.conversation_id and g.seq = i.seq
      join conversations c on c.id = g.conversation_id`,
    values: [places.map(({ conversationId }) => conversationId), places.map(({ seq }) => seq)],
  });
  return rows;
}

/** A member who has not read a message, with what they have asked for, as rows and unjudged. */
export interface Unreader {
  conversationId: ConversationId;
  seq: number;
  userId: UserId;
  active: boolean;
  /** Their level in the conversation, and their general one; null where they never chose. */
  level: string | null;
  generalLevel: string | null;
  mutedUntil: Date | null;
  /** What comes through a mute. */
  muteExcept: 'mentions' | null;
  /** Kinds of mentions that they have switched off are false. */
  mentionKinds: Partial<Record<'direct' | 'everyone' | 'here', boolean>> | null;
  blocked: boolean;
  /** Of the thread that the message is a reply in. */
  following: boolean;
  threadLevel: string | null;
  /** They were there when the message called whoever is here. */
  wasHere: boolean;
  /** Any of that was changed after the message came: what held then nobody knows. */
  ruledSince: boolean;
}

/** Who belongs to the messages' conversations since before them, and has read them neither there nor in their thread. */
export async function unreadersOf(
  db: Queryable,
  messages: readonly Pick<RecountedMessage, 'conversationId' | 'seq'>[],
  among: readonly UserId[] | null,
): Promise<Unreader[]> {
  const { rows } = await db.query<Unreader>({
    name: 'unreaders-of',
    text: `
      select g.conversation_id as "conversationId", g.seq, m.user_id as "userId", u.status = 'active' and u.kind = 'person' as active, m.level,
        n.settings->>'level' as "generalLevel", m.muted_until as "mutedUntil", m.mute_except as "muteExcept",
        n.settings->'mentions' as "mentionKinds", b.at is not null as blocked, coalesce(t.following, false) as following,
        t.level as "threadLevel", h.seq is not null as "wasHere",
        coalesce(greatest(m.ruled_at, n.ruled_at, t.ruled_at, b.at, l.at, u.status_at) > g.created_at, false) as "ruledSince"
      from unnest($1::uuid[], $2::bigint[]) as i(conversation_id, seq)
      join messages g on g.conversation_id = i.conversation_id and g.seq = i.seq
      join members m on m.conversation_id = g.conversation_id
      join users u on u.id = m.user_id
      left join notification_settings n on n.user_id = m.user_id
      left join thread_members t
        on t.conversation_id = g.conversation_id and t.root_seq = g.thread_seq and t.user_id = m.user_id
      left join blocks b on b.user_id = m.user_id and b.blocked_id = g.sender_id
      left join lifted_blocks l on l.user_id = m.user_id and l.blocked_id = g.sender_id
      left join here_calls h on h.conversation_id = g.conversation_id and h.seq = g.seq and h.user_id = m.user_id
      where m.left_at is null and m.joined_seq < coalesce(g.thread_seq, g.seq) and m.seen_seq < g.seq and coalesce(t.read_seq, 0) < g.seq
        and ($3::uuid[] is null or m.user_id = any($3))`,
    values: [messages.map(({ conversationId }) => conversationId), messages.map(({ seq }) => seq), among],
  });
  return rows;
}

/** What the ledger says of one message and one person. */
export interface LedgerEntry {
  /** The state of the attention that carries it; null where it is not among what is armed. */
  carriedBy: 'quiet' | 'held' | 'running' | null;
  /** The last episode out of which it was taken; null where it never was. */
  leftEpisode: { closed: boolean; outcome: string | null } | null;
  /** An attempt on some channel covers it. */
  announced: boolean;
}

/** One entry for each pair, in their order. `since`: an id from before the message, below which no attempt can know it. */
export async function ledgerOf(
  db: Queryable,
  pairs: readonly { conversationId: ConversationId; seq: number; userId: UserId; since: string }[],
): Promise<LedgerEntry[]> {
  if (pairs.length === 0) return [];
  const { rows } = await db.query<LedgerEntry>({
    name: 'ledger-of',
    text: `
      select (
          select t.state from armed a join attention t on t.user_id = a.user_id
          where a.user_id = i.user_id and a.conversation_id = i.conversation_id and i.seq between a.from_seq and a.last_seq
        ) as "carriedBy", (
          select jsonb_build_object('closed', e.closed_at is not null, 'outcome', e.outcome)
          from disarmed d left join episodes e on e.user_id = d.user_id and e.episode = d.episode
          where d.user_id = i.user_id and d.conversation_id = i.conversation_id and i.seq between d.from_seq and d.last_seq
          order by d.id desc limit 1
        ) as "leftEpisode", exists (
          select from attempts t, jsonb_array_elements(t.covers) k
          where t.user_id = i.user_id and t.id >= i.since and (k->>'conversationId')::uuid = i.conversation_id
            and i.seq between (k->>'fromSeq')::bigint and (k->>'toSeq')::bigint
        ) as announced
      from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[]) with ordinality
        as i(conversation_id, seq, user_id, since, place)
      order by i.place`,
    values: [
      pairs.map(({ conversationId }) => conversationId),
      pairs.map(({ seq }) => seq),
      pairs.map(({ userId }) => userId),
      pairs.map(({ since }) => since),
    ],
  });
  return rows;
}
