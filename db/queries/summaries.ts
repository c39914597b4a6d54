import type { NotificationSettings } from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';
import { messagesBetween, notifiable } from './notifiable.ts';
import type { UserStatus } from './users.ts';

/** Somebody of whom it is time to see whether they are due a weekly summary. */
export interface SummaryCandidate {
  userId: UserId;
  status: UserStatus;
  hasEmail: boolean;
  timeZone: string;
  /** Null where they have never changed the defaults. */
  settings: Partial<NotificationSettings> | null;
  /** When they last did anything at all. */
  lastActiveAt: Date;
  /** Summaries since they were first away, and when the last of them was made. */
  summaries: number;
  summarisedAt: Date | null;
}

/** A socket that closed, a session that was renewed; for who has never been here, their registration. */
const lastActive = `greatest(u.created_at, u.last_seen_at,
  (select max(s.last_used_at) from sessions s where s.user_id = u.id))`;

/**
 * Takes those whose time to be looked at has come. They stay locked until the transaction ends; whom another relay has
 * taken is passed over.
 */
export async function takeSummaryCandidates(tx: Tx, at: Date, limit: number): Promise<SummaryCandidate[]> {
  const { rows } = await tx.query<SummaryCandidate>({
    name: 'take-summary-candidates',
    text: `
      select a.user_id as "userId", u.status, u.email is not null and u.email_verified_at is not null as "hasEmail",
        u.time_zone as "timeZone", n.settings, ${lastActive} as "lastActiveAt", a.summaries, a.summarised_at as "summarisedAt"
      from attention a join users u on u.id = a.user_id left join notification_settings n on n.user_id = a.user_id
      where a.summary_at <= $1 order by a.summary_at limit $2 for update of a skip locked`,
    values: [at, limit],
  });
  return rows;
}

/** When to look at each of these people again; null: not before something of theirs is left unread anew. */
export async function lookForSummaryAt(tx: Tx, looks: readonly { userId: UserId; at: Date | null }[]): Promise<void> {
  await tx.query({
    name: 'look-for-summary-at',
    text: `update attention a set summary_at = i.at from unnest($1::uuid[], $2::timestamptz[]) as i(user_id, at)
      where a.user_id = i.user_id`,
    values: [looks.map(({ userId }) => userId), looks.map(({ at }) => at)],
  });
}

/** Limits of what one person's summary tells. */
const waiting = {
  /** Conversations, the latest active first. */
  conversations: 50,
  /** Messages of one conversation, the newest. */
  messages: 1_000,
};

/**
 * A summary is due for each of these people (of whom the caller holds the lock) who has anything unread that calls for
 * their attention: it is armed again, and who was quiet gets an episode of their own to tell it in. Answers with them.
 */
export async function openSummaries(
  tx: Tx,
  people: readonly { userId: UserId; nth: number }[],
  at: Date,
): Promise<UserId[]> {
  const { rows } = await tx.query<{ userId: UserId }>({
    name: 'open-summaries',
    text: openSummariesSql,
    values: [people.map(({ userId }) => userId), people.map(({ nth }) => nth), at],
  });
  return rows.map(({ userId }) => userId);
}

const openSummariesSql = `
with people as (
  select * from unnest($1::uuid[], $2::int[]) as p(user_id, nth)
), unread as (
  select k.user_id, k.conversation_id, min(g.seq) as from_seq, max(g.seq) as last_seq,
    min(g.created_at) as armed_at, max(g.created_at) as last_at
  from people p
  cross join lateral (
    select m.user_id, m.conversation_id, greatest(m.seen_seq, m.joined_seq, c.last_seq - ${waiting.messages}) as after, c.last_seq
    from members m join conversations c on c.id = m.conversation_id and c.deleted_at is null
    where m.user_id = p.user_id and m.left_at is null
      and (m.muted_until is null or m.muted_until <= now() or m.mute_except is not null)
      and c.last_seq > greatest(m.seen_seq, m.joined_seq)
    order by c.last_active_at desc limit ${waiting.conversations}
  ) k
  cross join lateral ${messagesBetween('k.conversation_id', 'k.after + 1', 'k.last_seq')}
  join conversations c on c.id = k.conversation_id
  join members m on m.conversation_id = k.conversation_id and m.user_id = k.user_id
  left join notification_settings n on n.user_id = k.user_id
  where ${notifiable}
  group by k.user_id, k.conversation_id
), rearmed as (
  -- Not urgent any more, a week later.
  insert into armed as a (user_id, conversation_id, armed_at, from_seq, last_seq, last_at)
  select user_id, conversation_id, armed_at, from_seq, last_seq, last_at from unread
  on conflict (user_id, conversation_id) do update set
    armed_at = least(a.armed_at, excluded.armed_at), from_seq = least(a.from_seq, excluded.from_seq),
    last_seq = greatest(a.last_seq, excluded.last_seq), last_at = greatest(a.last_at, excluded.last_at)
), due as (
  update attention a set
    summary_due = $3, summarised_at = $3, summaries = p.nth, revision = a.revision + 1,
    episode = case when a.state = 'quiet' then a.episode + 1 else a.episode end,
    opened_at = case when a.state = 'quiet' then $3 else a.opened_at end,
    start_at = case when a.state = 'running' then a.start_at else now() end,
    start_tries = case when a.state = 'quiet' then 0 else a.start_tries end,
    urgent = a.state <> 'quiet' and a.urgent,
    wakes_at = case when a.state = 'quiet' then null else a.wakes_at end,
    nudge_at = case when a.state = 'running' then now() end,
    state = case when a.state = 'quiet' then 'held' else a.state end
  from people p where a.user_id = p.user_id and exists (select from unread k where k.user_id = p.user_id)
  returning a.user_id, a.episode, a.opened_at, a.state
), recorded as (
  insert into episodes (user_id, episode, opened_at) select user_id, episode, opened_at from due where state = 'held'
  on conflict (user_id, episode) do nothing
)
select user_id as "userId" from due`;

/** Whether the person has done anything since a moment. */
export async function activeSince(db: Queryable, userId: UserId, at: Date): Promise<boolean> {
  const { rows } = await db.query<{ active: boolean }>({
    name: 'active-since',
    text: `select ${lastActive} > $2 as active from users u where u.id = $1`,
    values: [userId, at],
  });
  return rows[0]?.active ?? false;
}

/** The summary that was due is claimed: the next mail is an ordinary one. */
export async function takeSummary(tx: Tx, userId: UserId): Promise<void> {
  await tx.query({
    name: 'take-summary',
    text: 'update attention set summary_due = null where user_id = $1',
    values: [userId],
  });
}
