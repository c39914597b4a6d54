import type { UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { NotificationSettings } from '../../contracts/entities/index.ts';
import type { Queryable } from '../client.ts';
import type { AttemptRow, Cover } from './attempts.ts';
import type { DecisionRow, LatestDecision } from './decisions.ts';
import { messageGates } from './notifiable.ts';
import { asOf } from './past-rules.ts';
import type { ToldMessage } from './stories.ts';

/**
 * What called for the person at an instant, by the rules as they were. Whether it is read by now changes nothing of what
 * was told, nor that it was deleted since; of a deleted message that was told for a mention it is not known any more.
 */
export function callingAt(at: string): string {
  const { text, notOwn, visible, notBlocked, notMuted, level } = messageGates(asOf(at));
  const was = `(g.deleted_at is null or g.deleted_at > ${at})`;
  return [text, notOwn, visible, notBlocked, notMuted, level, was].join(' and ');
}

const then = asOf('$5::timestamptz');
const calledThen = callingAt('$5::timestamptz');

const covers = `unnest($2::uuid[], $3::bigint[], $4::bigint[]) with ordinality as k(conversation_id, from_seq, to_seq, nth)
  join conversations c on c.id = k.conversation_id
  join lateral ${then.membership('k.conversation_id', '$1')} m on true
  left join lateral ${then.settings('$1')} n on true`;
// As many as a mail counts, the latest first.
const messages = `${then.messagesBetween(
  'k.conversation_id',
  `greatest(k.from_seq, k.to_seq - ${limits.unreadCounted} + 1)`,
  'k.to_seq',
)} g`;

const values = (userId: UserId, { covers, claimedAt }: Pick<AttemptRow, 'covers' | 'claimedAt'>) => [
  userId,
  ...(['conversationId', 'fromSeq', 'toSeq'] as const).map((key: keyof Cover) => covers.map((cover) => cover[key])),
  claimedAt,
];

export interface ToldConversation {
  kind: 'direct' | 'group' | 'channel';
  /** Its title, or the name of the other one of two; null where the person belongs to it no more. */
  name: string | null;
  count: number;
  /** When the oldest and the newest of them were written. */
  from: Date | null;
  to: Date | null;
}

/** The conversations of which an attempt told, and how many messages of each, in its own order. */
export async function toldConversations(
  db: Queryable,
  userId: UserId,
  attempt: Pick<AttemptRow, 'covers' | 'claimedAt'>,
): Promise<ToldConversation[]> {
  const { rows } = await db.query<ToldConversation>({
    name: 'told-conversations',
    text: `
      select c.kind, case when belongs.now then coalesce(c.title, other.name, '') end as name,
        sum(g.count)::bigint as count, min(g.from) as from, max(g.to) as to
      from ${covers}
      cross join lateral (select c.deleted_at is null and exists (
        select from members b where b.conversation_id = c.id and b.user_id = $1 and b.left_at is null) as now) belongs
      left join lateral (
        select u.display_name as name from members o join users u on u.id = o.user_id
        where c.kind = 'direct' and o.conversation_id = c.id and o.user_id <> $1 limit 1
      ) other on true
      cross join lateral (
        select count(*) as count, min(g.created_at) as from, max(g.created_at) as to from ${messages} where ${calledThen}
      ) g
      group by k.conversation_id, c.id, belongs.now, other.name
      order by min(k.nth)`,
    values: values(userId, attempt),
  });
  return rows;
}

/** The latest messages of which an attempt told, the oldest first. */
export async function toldMessages(
  db: Queryable,
  userId: UserId,
  attempt: Pick<AttemptRow, 'covers' | 'claimedAt'>,
): Promise<ToldMessage[]> {
  const { rows } = await db.query<ToldMessage>({
    name: 'told-messages',
    text: `
      select * from (
        select g.id, g.conversation_id as "conversationId", g.seq, g.created_at as "createdAt"
        from ${covers}
        -- Of each conversation it looks no further back than to as many as are told.
        cross join lateral (select g.* from ${messages} where ${calledThen} limit ${limits.messagesOfAttempt}) g
        order by g.created_at desc, g.id desc limit ${limits.messagesOfAttempt}
      ) latest order by "createdAt", id`,
    values: values(userId, attempt),
  });
  return rows;
}

/** What was decided of the same step right before, in the same episode. */
export async function decisionBefore(
  db: Queryable,
  userId: UserId,
  { episode, step, at, id }: Pick<DecisionRow, 'episode' | 'step' | 'at' | 'id'>,
): Promise<LatestDecision | undefined> {
  const { rows } = await db.query<LatestDecision>({
    name: 'decision-before',
    text: `select outcome, reason, until from decisions
      where user_id = $1 and episode = $2 and step = $3 and (at, id) < ($4, $5) order by at desc, id desc limit 1`,
    values: [userId, episode, step, at, id],
  });
  return rows[0];
}

/** How often the person wanted mail at an instant; undefined where they had never said anything. */
export async function emailFrequencyAt(
  db: Queryable,
  userId: UserId,
  at: Date,
): Promise<NotificationSettings['emailFrequency'] | undefined> {
  const { rows } = await db.query<{ frequency: NotificationSettings['emailFrequency'] | null }>({
    name: 'email-frequency-at',
    text: `select n.settings->>'emailFrequency' as frequency from ${asOf('$2::timestamptz').settings('$1::uuid')} n`,
    values: [userId, at],
  });
  return rows[0]?.frequency ?? undefined;
}
