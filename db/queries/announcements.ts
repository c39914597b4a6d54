import type { ConversationId, MessageId, UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { Queryable } from '../client.ts';
import type { Cover } from './attempts.ts';
import { callsSince, mentioned, messagesBetween, notifiable } from './notifiable.ts';
import { byOthers, hasUnreadThread } from './unread.ts';

/** One conversation's messages as a notification tells them: the newest, and how many there are. */
export interface Announced {
  conversationId: ConversationId;
  kind: 'direct' | 'group' | 'channel';
  title: string | null;
  seq: number;
  id: MessageId;
  senderName: string;
  text: string;
  /** When the newest was stored, or was edited so that it calls for the person. */
  createdAt: Date;
  /** That call for the person, the newest counted. */
  count: number;
  /** The same of the oldest that was counted. */
  since: Date;
}

/** The end of a cover, of which what calls for the person is counted: nobody reads a number beyond it. */
const counted = ({ conversationId, from, to }: { conversationId: string; from: string; to: string }) =>
  messagesBetween(conversationId, `greatest(${from}, ${to} - ${limits.unreadCounted} + 1)`, to);
const valuesOf = (userId: UserId, covers: readonly Cover[]) => [
  userId,
  covers.map(({ conversationId }) => conversationId),
  covers.map(({ fromSeq }) => fromSeq),
  covers.map(({ toSeq }) => toSeq),
];
const covered = { conversationId: 'k.conversation_id', from: 'k.from_seq', to: 'k.to_seq' };

/**
 * What an attempt covers, as it is now, by conversation: the messages that call for the person's attention. What only
 * stands between two of them, such as a message beside two mentions, is not told. The newest is looked for in all of it,
 * backwards, so that what is counted may end.
 */
export async function announcedConversations(
  db: Queryable,
  userId: UserId,
  covers: readonly Cover[],
): Promise<Announced[]> {
  const { rows } = await db.query<Announced>({
    name: 'announced-conversations',
    text: `
      select k.conversation_id as "conversationId", c.kind, c.title, newest.seq, newest.id,
        u.display_name as "senderName", newest.text, newest.since as "createdAt",
        greatest(1, fresh.count) as count, coalesce(fresh.since, newest.since) as since
      from unnest($2::uuid[], $3::bigint[], $4::bigint[]) as k(conversation_id, from_seq, to_seq)
      join conversations c on c.id = k.conversation_id
      join members m on m.conversation_id = k.conversation_id and m.user_id = $1 and m.left_at is null
      left join notification_settings n on n.user_id = m.user_id
      cross join lateral (
        select g.seq, g.id, g.sender_id, g.text, g.created_at, ${callsSince} as since from messages g
        where g.conversation_id = k.conversation_id and g.seq between k.from_seq and k.to_seq and ${notifiable}
        order by g.seq desc limit 1
      ) newest
      cross join lateral (
        select count(*) as count, min(${callsSince}) as since from ${counted(covered)} where ${notifiable}
      ) fresh
      join users u on u.id = newest.sender_id
      order by newest.created_at, k.conversation_id`,
    values: valuesOf(userId, covers),
  });
  return joined(rows);
}

/** Several covers of one conversation are told as one, in the place of the newest. */
function joined(rows: readonly Announced[]): Announced[] {
  const byConversation = Map.groupBy(rows, ({ conversationId }) => conversationId);
  return rows.flatMap((row) => {
    const parts = byConversation.get(row.conversationId) as Announced[];
    if (row !== parts.at(-1)) return [];
    const count = parts.reduce((sum, part) => sum + part.count, 0);
    return { ...row, count, since: new Date(Math.min(...parts.map(({ since }) => since.getTime()))) };
  });
}

/** How messages that an attempt covers, all of one conversation, call for the person: by name, as one of all, or by being there. */
export async function callsIn(
  db: Queryable,
  userId: UserId,
  covers: readonly Cover[],
): Promise<
  { kind: 'direct' | 'group' | 'channel'; memberCount: number; byName: boolean; mentioned: boolean } | undefined
> {
  const { rows } = await db.query<{
    kind: 'direct' | 'group' | 'channel';
    memberCount: number;
    byName: boolean;
    mentioned: boolean;
  }>({
    name: 'calls-in',
    text: `
      select c.kind, c.member_count as "memberCount",
        coalesce(bool_or(g.mentions @> jsonb_build_array(jsonb_build_object('userId', m.user_id))), false) as "byName",
        coalesce(bool_or(${mentioned}), false) as mentioned
      from unnest($2::uuid[], $3::bigint[], $4::bigint[]) as k(conversation_id, from_seq, to_seq)
      cross join lateral ${counted(covered)}
      join conversations c on c.id = g.conversation_id
      join members m on m.conversation_id = g.conversation_id and m.user_id = $1 and m.left_at is null
      left join notification_settings n on n.user_id = m.user_id
      where ${notifiable}
      group by c.id`,
    values: valuesOf(userId, covers),
  });
  return rows[0];
}

/** Conversations with something unread, in a thread that the person follows too: the number on the app's icon. */
export async function unreadConversations(db: Queryable, userId: UserId): Promise<number> {
  const { rows } = await db.query<{ unread: number }>({
    name: 'unread-conversations',
    text: `
      select count(*) as unread from members m join conversations c on c.id = m.conversation_id
      where m.user_id = $1 and m.left_at is null and (m.muted_until is null or m.muted_until <= now())
        and (exists (select from messages g where g.conversation_id = m.conversation_id
          and g.seq > greatest(m.read_seq, m.joined_seq) and ${byOthers('g')} and g.deleted_at is null
          and g.kind = 'text' and g.thread_seq is null)
          or ${hasUnreadThread('m')})`,
    values: [userId],
  });
  return rows[0]?.unread ?? 0;
}
