import type { ConversationId, UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { Queryable } from '../client.ts';
import type { Cover } from './attempts.ts';
import { messagesBetween, notifiable } from './notifiable.ts';

/** Limits of what a mail shows of one conversation. */
export const mailed = {
  /** Messages that it has not told before; the rest is counted. */
  messages: 10,
  /** Lines from before them. */
  earlier: 3,
  /** Messages back from the first new one among which those lines are looked for. */
  lookback: 50,
};

export interface MailedLine {
  seq: number;
  senderName: string;
  text: string;
}

/** A conversation as a mail tells it. */
export interface MailedConversation {
  conversationId: ConversationId;
  kind: 'direct' | 'group' | 'channel';
  /** Its title, or the name of the other one of two. */
  name: string;
  /** Messages that call for the person's attention and that no mail has told. */
  count: number;
  /** The first of them. */
  messages: MailedLine[];
  /** What stood right before these, to understand them by; the oldest first. */
  earlier: MailedLine[];
  /** In a summary: everything unread that calls for the person's attention, told before or not. */
  unread: number;
}

/** What is shown before the first new message, `f`: of the same thread, and nothing that the person could not read. */
const isEarlier = `g.kind = 'text' and g.deleted_at is null and g.seq > m.joined_seq
  and g.thread_seq is not distinct from f.thread_seq
  and not exists (select from blocks b where b.user_id = m.user_id and b.blocked_id = g.sender_id)`;

const line = `jsonb_build_object('seq', g.seq, 'senderName', u.display_name, 'text', g.text)`;

/**
 * What an attempt's mail tells, as it is now, the conversation with the oldest new message first: what was read, deleted,
 * muted or left since is in it no more.
 */
export async function mailedConversations(
  db: Queryable,
  userId: UserId,
  covers: readonly Cover[],
  { summary }: { summary: boolean },
): Promise<MailedConversation[]> {
  const { rows } = await db.query<MailedConversation>({
    name: 'mailed-conversations',
    text: `
      select k.conversation_id as "conversationId", c.kind, coalesce(c.title, other.name, '') as name,
        fresh.count, fresh.messages, coalesce(earlier.messages, '[]') as earlier, waiting.unread
      from unnest($2::uuid[], $3::bigint[], $4::bigint[]) as k(conversation_id, from_seq, to_seq)
      join conversations c on c.id = k.conversation_id and c.deleted_at is null
      join members m on m.conversation_id = k.conversation_id and m.user_id = $1 and m.left_at is null
      left join notification_settings n on n.user_id = m.user_id
      left join lateral (
        select u.display_name as name from members o join users u on u.id = o.user_id
        where c.kind = 'direct' and o.conversation_id = c.id and o.user_id <> m.user_id limit 1
      ) other on true
      cross join lateral (
        select count(*) as count, min(g.seq) as seq, min(g.created_at) as at,
          coalesce(jsonb_agg(${line} order by g.seq) filter (where g.nth <= ${mailed.messages}), '[]') as messages
        from (
          select f.*, row_number() over (order by f.seq) as nth from (
            -- As many as are counted anywhere: the first ones, of which some are shown.
            select g.seq, g.sender_id, g.text, g.created_at from messages g
            where g.conversation_id = k.conversation_id and g.seq between k.from_seq and k.to_seq and ${notifiable}
            order by g.seq limit ${limits.unreadCounted}
          ) f
        ) g join users u on u.id = g.sender_id
      ) fresh
      left join messages f on f.conversation_id = k.conversation_id and f.seq = fresh.seq
      left join lateral (
        select jsonb_agg(l.line order by l.seq) as messages from (
          select g.seq, ${line} as line
          from ${messagesBetween('f.conversation_id', `f.seq - ${mailed.lookback}`, 'f.seq - 1')}
          join users u on u.id = g.sender_id
          where ${isEarlier} order by g.seq desc limit ${mailed.earlier}
        ) l
      ) earlier on true
      left join lateral (
        select count(*) as unread
        from ${messagesBetween('k.conversation_id', `greatest(m.seen_seq, k.to_seq - ${limits.unreadCounted}) + 1`, 'k.to_seq')}
        where $5 and ${notifiable}
      ) waiting on true
      where fresh.count > 0 or waiting.unread > 0
      order by coalesce(fresh.at, now()), k.conversation_id`,
    values: [
      userId,
      covers.map(({ conversationId }) => conversationId),
      covers.map(({ fromSeq }) => fromSeq),
      covers.map(({ toSeq }) => toSeq),
      summary,
    ],
  });
  return joined(rows);
}

/** Several covers of one conversation are told as one, in the place of the oldest. */
function joined(rows: readonly MailedConversation[]): MailedConversation[] {
  const byConversation = Map.groupBy(rows, ({ conversationId }) => conversationId);
  return [...byConversation.values()].map((parts) => ({
    ...(parts[0] as MailedConversation),
    count: parts.reduce((sum, { count }) => sum + count, 0),
    messages: parts.flatMap(({ messages }) => messages).slice(0, mailed.messages),
    unread: Math.max(...parts.map(({ unread }) => unread)),
  }));
}
