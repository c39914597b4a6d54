import type { ConversationId, MessageId, UserId } from '../../contracts/ids.ts';
import type { Queryable } from '../client.ts';
import type { AttemptRow } from './attempts.ts';
import type { DecisionRow } from './decisions.ts';
import { effectiveLevel, followsThread, mentioned, messageGates } from './notifiable.ts';

export interface EpisodeRow {
  episode: number;
  openedAt: Date;
  startedAt: Date | null;
  closedAt: Date | null;
  outcome: string | null;
  workflowId: string | null;
  /** Of the one that goes on: when it starts, or looks again. */
  startAt: Date | null;
  wakesAt: Date | null;
}

const episodeColumns = `e.episode, e.opened_at as "openedAt", e.started_at as "startedAt", e.closed_at as "closedAt",
  e.outcome, e.workflow_id as "workflowId", a.start_at as "startAt", a.wakes_at as "wakesAt"`;
const episodesOf = `episodes e left join attention a
  on a.user_id = e.user_id and a.episode = e.episode and a.state <> 'quiet'`;

/** A page of a person's episodes, the latest first, before a number (exclusive). */
export async function episodesPage(
  db: Queryable,
  userId: UserId,
  { before, limit }: { before: number | undefined; limit: number },
): Promise<EpisodeRow[]> {
  const { rows } = await db.query<EpisodeRow>({
    name: 'episodes-page',
    text: `select ${episodeColumns} from ${episodesOf} where e.user_id = $1 and e.episode < $2
      order by e.episode desc limit $3`,
    values: [userId, before ?? Number.MAX_SAFE_INTEGER, limit],
  });
  return rows;
}

/** The latest decisions of each of these episodes, in the order in which they were made. */
export async function decisionsOfEpisodes(
  db: Queryable,
  userId: UserId,
  episodes: readonly number[],
  most: number,
): Promise<DecisionRow[]> {
  const { rows } = await db.query<DecisionRow>({
    name: 'decisions-of-episodes',
    text: `
      select d.* from unnest($2::bigint[]) as i(episode) cross join lateral (
        select id, episode, at, step, outcome, reason, until, attempt_id as "attemptId", evaluation,
          workflow_id as "workflowId", run_id as "runId"
        from decisions where user_id = $1 and episode = i.episode order by at desc, id desc limit $3
      ) d order by d.at, d.id`,
    values: [userId, episodes, most],
  });
  return rows;
}

export interface HeardOfAttempt {
  at: string;
  source: string;
  kind: string;
  code: string | null;
}
export type ToldAttemptRow = Pick<
  AttemptRow,
  'id' | 'episode' | 'channel' | 'state' | 'covers' | 'tries' | 'claimedAt' | 'calledAt' | 'errorClass' | 'errorCode'
> & { finishedAt: Date | null; providerId: string | null; events: HeardOfAttempt[] };

/** The latest attempts of each of these episodes in their order, each with what was heard of it in its order. */
export async function attemptsOfEpisodes(
  db: Queryable,
  userId: UserId,
  episodes: readonly number[],
  most: number,
): Promise<ToldAttemptRow[]> {
  const { rows } = await db.query<ToldAttemptRow>({
    name: 'attempts-of-episodes',
    // Keys of events stay here: they hold fingerprints of what was sent to.
    text: `
      select t.id, t.episode, t.channel, t.state, t.covers, t.tries, t.claimed_at as "claimedAt", t.called_at as "calledAt",
        t.finished_at as "finishedAt", t.provider_id as "providerId", t.error_class as "errorClass",
        t.error_code as "errorCode", coalesce((
          select jsonb_agg(jsonb_build_object('at', h.at, 'source', h.source, 'kind', h.kind, 'code', h.code) order by h.at, h.key)
          from (select * from attempt_events v where v.user_id = t.user_id and v.attempt_id = t.id
            order by v.at desc limit $3) h
        ), '[]') as events
      from unnest($2::bigint[]) as i(episode) cross join lateral (
        select * from attempts where user_id = $1 and episode = i.episode order by claimed_at desc, id desc limit $3
      ) t order by t.claimed_at, t.id`,
    values: [userId, episodes, most],
  });
  return rows;
}

/** A message as it is to one person: what each gate comes to, and what shows that it was armed. */
export interface GatesRow {
  id: MessageId;
  conversationId: ConversationId;
  seq: number;
  createdAt: Date;
  urgent: boolean;
  /** Null where the person never belonged to the conversation. */
  level: 'all' | 'mentions' | 'nothing' | null;
  mentioned: boolean;
  inThread: boolean;
  followsThread: boolean;
  read: boolean;
  gates: { [Name in 'active' | 'member' | 'notMuted' | keyof typeof messageGates]: boolean };
  /** The episode that goes on, where it stands among what calls for attention right now. */
  armedIn: number | null;
  /** The episode of the first attempt that announced it. */
  announcedIn: number | null;
  /** The episode that was open when it was stored. */
  openThen: number | null;
}

/**
 * Every gate between a message and a person, each with its result, in the words that arming itself asks by. Nothing where
 * there is no such message or person.
 */
export async function gatesOf(
  db: Queryable,
  { messageId, userId }: { messageId: MessageId; userId: UserId },
): Promise<GatesRow | undefined> {
  const gates = Object.entries(messageGates).map(([name, sql]) => `'${name}', coalesce(${sql}, false)`);
  const { rows } = await db.query<GatesRow>({
    name: 'gates-of',
    text: `
      select g.id, g.conversation_id as "conversationId", g.seq, g.created_at as "createdAt", g.priority = 'urgent' as urgent,
        case when m.user_id is not null then ${effectiveLevel} end as level, coalesce(${mentioned}, false) as mentioned,
        g.thread_seq is not null as "inThread", ${followsThread} as "followsThread",
        m.user_id is not null and not coalesce(${messageGates.unread}, true) as read,
        jsonb_build_object('active', u.status = 'active',
          'member', m.user_id is not null and m.left_at is null and c.deleted_at is null,
          'notMuted', m.muted_until is null or m.muted_until <= now(), ${gates.join(', ')}) as gates,
        (select t.episode from armed a join attention t on t.user_id = a.user_id and t.state <> 'quiet'
          where a.user_id = u.id and a.conversation_id = g.conversation_id
          and g.seq between a.from_seq and a.last_seq) as "armedIn",
        (select t.episode from attempts t where t.user_id = u.id and exists (
          select from jsonb_array_elements(t.covers) k where (k->>'conversationId')::uuid = g.conversation_id
            and g.seq between (k->>'fromSeq')::bigint and (k->>'toSeq')::bigint)
          order by t.claimed_at limit 1) as "announcedIn",
        (select e.episode from episodes e where e.user_id = u.id and e.opened_at <= g.created_at
          and (e.closed_at is null or e.closed_at >= g.created_at) order by e.episode desc limit 1) as "openThen"
      from messages g
      join conversations c on c.id = g.conversation_id
      join users u on u.id = $2
      left join members m on m.conversation_id = g.conversation_id and m.user_id = u.id
      left join notification_settings n on n.user_id = u.id
      where g.id = $1`,
    values: [messageId, userId],
  });
  return rows[0];
}
