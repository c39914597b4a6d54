import { type Reason, type StuckReason, stuckReasons } from '../../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Channel } from '../../contracts/workflows/names.ts';
import type { Queryable, Tx } from '../client.ts';
import { acknowledged } from './notifiable.ts';

export interface HeldEpisode {
  userId: UserId;
  episode: number;
  revision: number;
  /** When the person's oldest unread message was stored; null when everything was read meanwhile. */
  armedAt: Date | null;
  urgent: boolean;
  tries: number;
  /** What is unread, by conversation. */
  unseen: { conversationId: ConversationId; since: Date; lastAt: Date; acknowledged: boolean }[];
  /** The person's own time to read before they are pushed to; null where they have chosen none. */
  graceSeconds: number | null;
  /** Until when the lease is; whatever calls for an earlier look moves it. */
  leasedUntil: Date;
}

type StoredUnseen = { conversationId: ConversationId; since: string; lastAt: string; acknowledged: boolean }[];

/**
 * People whose time is due, whom somebody calls urgently before all others. Each half is a walk along its own part of the
 * index that ends at the limit, however many are waiting.
 */
const dueFirstUrgent = (state: 'held' | 'running', time: 'start_at' | 'nudge_at', limit: string) => {
  const due = (urgent: boolean, most: string) => `
        select user_id from attention where state = '${state}' and urgent = ${urgent} and ${time} <= now()
        order by ${time} limit ${most} for update skip locked`;
  return `urgent_due as (${due(true, limit)}
      ), other_due as (${due(false, `${limit} - (select count(*) from urgent_due)`)}
      ), due as (
        select user_id from urgent_due union all select user_id from other_due
      )`;
};

/**
 * Takes episodes whose grace is over, on a lease: until it runs out no other relay takes them, and no lock is held while
 * Temporal is asked. A relay that dies leaves them to the next one; the workflow's id makes a second start harmless.
 * Those in which something is urgent come first, then those that have waited longest.
 */
export async function leaseHeldEpisodes(db: Queryable, limit: number, leaseMs: number): Promise<HeldEpisode[]> {
  const { rows } = await db.query<Omit<HeldEpisode, 'unseen'> & { unseen: StoredUnseen | null }>({
    name: 'lease-held-episodes',
    text: `
      with ${dueFirstUrgent('held', 'start_at', '$1')}, leased as (
        update attention a set start_at = now() + $2 * interval '1 millisecond', start_tries = start_tries + 1
        from due where a.user_id = due.user_id
        returning a.user_id, a.episode, a.revision, a.start_tries - 1 as tries, a.start_at
      )
      select l.user_id as "userId", l.episode, l.revision, l.tries, u.armed_at as "armedAt", coalesce(u.urgent, false) as urgent,
        u.unseen, (n.settings->>'graceSeconds')::int as "graceSeconds", l.start_at as "leasedUntil"
      from leased l
      left join notification_settings n on n.user_id = l.user_id
      left join lateral (
        select min(a.armed_at) as armed_at, bool_or(a.urgent) as urgent, jsonb_agg(jsonb_build_object(
          'conversationId', a.conversation_id, 'since', a.armed_at, 'lastAt', a.last_at, 'acknowledged', ${acknowledged})) as unseen
        from armed a
        join conversations c on c.id = a.conversation_id
        join members m on m.conversation_id = a.conversation_id and m.user_id = a.user_id
          and m.left_at is null and m.seen_seq < a.last_seq
        where a.user_id = l.user_id
      ) u on true`,
    values: [limit, leaseMs],
  });
  return rows.map(({ unseen, ...row }) => ({
    ...row,
    unseen: (unseen ?? []).map((one) => ({ ...one, since: new Date(one.since), lastAt: new Date(one.lastAt) })),
  }));
}

/**
 * Gives a held episode back to wait until `at`: Temporal was away, or the person is present. Where something has called for
 * an earlier look during the lease, as the end of that presence does, the earlier one stays.
 */
export async function holdUntil(
  db: Queryable,
  { userId, episode, leasedUntil }: { userId: UserId; episode: number; leasedUntil: Date },
  at: Date,
): Promise<void> {
  await db.query({
    name: 'hold-episode-until',
    text: `update attention set start_at = case
        when date_trunc('milliseconds', start_at) = date_trunc('milliseconds', $4::timestamptz) then $3
        else least(start_at, $3) end
      where user_id = $1 and episode = $2 and state = 'held'`,
    values: [userId, episode, at, leasedUntil],
  });
}

/**
 * Temporal has it. If something was armed since the lease read the revision, the workflow may have looked too early, so
 * it is nudged at once; and if something has called for an earlier look during the lease, which a held episode notes in its
 * start, then that becomes the nudge. An episode that the workflow has ended meanwhile stays ended.
 */
export async function markRunning(
  db: Queryable,
  {
    userId,
    episode,
    revision,
    leasedUntil,
    workflowId,
  }: Pick<HeldEpisode, 'userId' | 'episode' | 'revision' | 'leasedUntil'> & { workflowId: string },
): Promise<void> {
  await db.query({
    name: 'mark-episode-running',
    text: `
      with running as (
        update attention set state = 'running', nudge_at = case when revision <> $3 then now()
          when date_trunc('milliseconds', start_at) <> date_trunc('milliseconds', $5::timestamptz) then start_at end
        where user_id = $1 and episode = $2 and state = 'held'
      )
      update episodes set workflow_id = $4, started_at = coalesce(started_at, now()) where user_id = $1 and episode = $2`,
    values: [userId, episode, revision, workflowId, leasedUntil],
  });
}

/**
 * Closes held episodes whose messages were read or called off within the grace: Temporal never hears of them. Answers with
 * those that it closed, and why; for one in which something was armed since, the reading was too early.
 */
export async function closeReadEpisodes(
  tx: Tx,
  episodes: readonly { userId: UserId; episode: number; revision: number }[],
): Promise<{ userId: UserId; episode: number; calledOffFor: Reason | null }[]> {
  const { rows } = await tx.query<{ userId: UserId; episode: number; calledOffFor: Reason | null }>({
    name: 'close-read-episodes',
    text: `
      with unchanged as (
        select a.user_id from attention a
        join unnest($1::uuid[], $2::bigint[], $3::bigint[]) as i(user_id, episode, revision) on a.user_id = i.user_id
        where a.episode = i.episode and a.revision = i.revision and a.state = 'held'
        order by a.user_id for update of a
      ), quiet as (
        update attention a set state = 'quiet', nudge_at = null, wakes_at = null, summary_due = null
        from unchanged u where a.user_id = u.user_id returning a.user_id, a.episode, a.called_off_for
      ), disarmed as (
        delete from armed a using quiet q where a.user_id = q.user_id
      )
      update episodes e set closed_at = now(),
        outcome = case when q.called_off_for is null then 'read' else 'nothing-notifiable' end
      from quiet q where e.user_id = q.user_id and e.episode = q.episode
      returning e.user_id as "userId", e.episode, q.called_off_for as "calledOffFor"`,
    values: [
      episodes.map(({ userId }) => userId),
      episodes.map(({ episode }) => episode),
      episodes.map(({ revision }) => revision),
    ],
  });
  return rows;
}

/**
 * Has running episodes nudged that were not heard of for so long that their workflow may be gone. From then on they are
 * waited for as long again.
 */
export async function nudgeOverdue(db: Queryable, limit: number, overdueMs: number): Promise<void> {
  await db.query({
    name: 'nudge-overdue',
    text: `
      with overdue as (
        select user_id from attention
        where state = 'running' and coalesce(wakes_at, start_at) < now() - $2 * interval '1 millisecond'
        order by coalesce(wakes_at, start_at) limit $1 for update skip locked
      )
      update attention a set wakes_at = now(), nudge_at = least(a.nudge_at, now())
      from overdue o where a.user_id = o.user_id`,
    values: [limit, overdueMs],
  });
}

export interface LeasedNudge {
  userId: UserId;
  episode: number;
  leasedUntil: Date;
}

/** Takes running episodes whose nudge is due, on a lease like `leaseHeldEpisodes`. */
export async function leaseNudges(db: Queryable, limit: number, leaseMs: number): Promise<LeasedNudge[]> {
  const { rows } = await db.query<LeasedNudge>({
    name: 'lease-nudges',
    text: `
      with ${dueFirstUrgent('running', 'nudge_at', '$1')}
      update attention a set nudge_at = now() + $2 * interval '1 millisecond' from due where a.user_id = due.user_id
      returning a.user_id as "userId", a.episode, a.nudge_at as "leasedUntil"`,
    values: [limit, leaseMs],
  });
  return rows;
}

/** The nudge arrived. One that was asked for meanwhile, with another time, stays. */
export async function clearNudge(db: Queryable, userId: UserId, leasedUntil: Date): Promise<void> {
  await db.query({
    name: 'clear-nudge',
    text: `update attention set nudge_at = null where user_id = $1
      and date_trunc('milliseconds', nudge_at) = date_trunc('milliseconds', $2::timestamptz)`,
    values: [userId, leasedUntil],
  });
}

/**
 * The workflow of this running episode is gone without having closed it (terminated by hand, or its history lost). What
 * is still unread must not be lost with it: the person gets a new episode, held from now.
 */
export async function reopenLostEpisode(
  tx: Tx,
  { userId, episode }: { userId: UserId; episode: number },
): Promise<void> {
  await tx.query({
    name: 'reopen-lost-episode',
    text: `
      with lost as (
        update attention set state = 'held', episode = episode + 1, start_at = now(), start_tries = 0, nudge_at = null,
          wakes_at = null, opened_at = now(), revision = revision + 1, called_off_for = null, stuck = '{}'
        where user_id = $1 and episode = $2 and state = 'running'
        returning user_id, episode, opened_at
      ), closed as (
        update episodes e set closed_at = now(), outcome = 'workflow-lost' from lost where e.user_id = $1 and e.episode = $2
      )
      insert into episodes (user_id, episode, opened_at) select user_id, episode, opened_at from lost`,
    values: [userId, episode],
  });
}

/**
 * Asks for these people's attention to be looked at again after a while: they have read, or their last socket closed. A
 * running episode is nudged, a held one starts no later. Nothing depends on it but time.
 */
export async function lookAgain(db: Queryable, userIds: readonly UserId[], delayMs: number): Promise<void> {
  await db.query({
    name: 'look-again',
    text: `
      with people as (
        select user_id from attention where user_id = any($1::uuid[]) and state <> 'quiet' order by user_id for update
      )
      update attention a set
        start_at = case when a.state = 'held' then least(a.start_at, now() + $2 * interval '1 millisecond') else a.start_at end,
        nudge_at = case when a.state = 'running' then least(a.nudge_at, now() + $2 * interval '1 millisecond') end
      from people p where a.user_id = p.user_id`,
    values: [userIds, delayMs],
  });
}

export interface AttentionRow {
  episode: number;
  state: 'quiet' | 'held' | 'running';
  revision: number;
  openedAt: Date;
  /** Since when the weekly summary is due; null where it is not. */
  summaryDue: Date | null;
  /** The last rule by which something of the episode was called off; null while nothing was. */
  calledOffFor: Reason | null;
}

/** The person's attention, locked: until the transaction ends nothing is armed, decided or closed for them elsewhere. */
export async function lockAttention(tx: Tx, userId: UserId): Promise<AttentionRow | undefined> {
  const { rows } = await tx.query<AttentionRow>({
    name: 'lock-attention',
    text: `select episode, state, revision, opened_at as "openedAt", summary_due as "summaryDue",
        called_off_for as "calledOffFor"
      from attention where user_id = $1 for update`,
    values: [userId],
  });
  return rows[0];
}

/**
 * When the workflow looks again by itself, and which attempts wait for a person until then. A nudge before that stays: it
 * may stand for something that came after what this look has seen, such as the end of a presence.
 */
export async function setWakesAt(tx: Tx, userId: UserId, at: Date, stuck: readonly string[]): Promise<void> {
  await tx.query({
    name: 'set-wakes-at',
    text: `update attention set wakes_at = $2, nudge_at = case when nudge_at < $2 then nudge_at end, stuck = $3
      where user_id = $1`,
    values: [userId, at, stuck],
  });
}

/** People whose stuck steps are counted; what is beyond is as much work as anybody can have. */
const countedPeople = 10_000;

/** How many steps wait for a person now, by channel and reason. */
export async function stuckSteps(db: Queryable): Promise<{ channel: Channel; reason: StuckReason; steps: number }[]> {
  const { rows } = await db.query<{ channel: Channel; reason: StuckReason; steps: number }>({
    name: 'stuck-steps',
    text: `
      select t.channel, t.error_class as reason, count(*) as steps
      from (select user_id, stuck from attention where stuck <> '{}' order by user_id limit $1) a
      cross join unnest(a.stuck) as i(id)
      join attempts t on t.user_id = a.user_id and t.id = i.id
      where t.error_class = any($2) group by 1, 2`,
    values: [countedPeople, stuckReasons],
  });
  return rows;
}

/**
 * Ends an episode, and with it what it held: what comes later begins with a clock and a range of its own, and what was
 * closed, muted or spent is not told again.
 */
export async function closeEpisode(tx: Tx, userId: UserId, episode: number, outcome: string): Promise<void> {
  await tx.query({
    name: 'close-episode',
    text: `
      with quiet as (
        update attention set state = 'quiet', nudge_at = null, wakes_at = null, summary_due = null, stuck = '{}',
          -- What is left unread calls for a look in a week, whether its reader is away.
          summary_at = case when $3 = 'read' then null else coalesce(summary_at, now() + interval '7 days') end
        where user_id = $1 and episode = $2
      ), disarmed as (
        delete from armed where user_id = $1
      )
      update episodes set closed_at = now(), outcome = $3 where user_id = $1 and episode = $2 and closed_at is null`,
    values: [userId, episode, outcome],
  });
}

export async function episodeOutcome(db: Queryable, userId: UserId, episode: number): Promise<string | undefined> {
  const { rows } = await db.query<{ outcome: string | null }>({
    name: 'episode-outcome',
    text: 'select outcome from episodes where user_id = $1 and episode = $2',
    values: [userId, episode],
  });
  return rows[0]?.outcome ?? undefined;
}
