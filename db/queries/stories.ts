import type { AttemptId, ConversationId, MessageId, UserId } from '../../contracts/ids.ts';
import type { Queryable } from '../client.ts';
import type { AttemptRow, Cover } from './attempts.ts';
import type { DecisionRow } from './decisions.ts';
import { mentioned, messageGates, standingBy } from './notifiable.ts';
import { asOf } from './past-rules.ts';

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

const decisionColumns = `id, episode, at, step, outcome, reason, until, attempt_id as "attemptId", evaluation,
  workflow_id as "workflowId", run_id as "runId", conversation_id as "conversationId"`;

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
        select ${decisionColumns} from decisions where user_id = $1 and episode = i.episode order by at desc, id desc limit $3
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

// Keys of events stay here: they hold fingerprints of what was sent to.
const toldColumns = (
  most: string,
) => `t.id, t.episode, t.channel, t.state, t.covers, t.tries, t.claimed_at as "claimedAt",
  t.called_at as "calledAt", t.finished_at as "finishedAt", t.provider_id as "providerId", t.error_class as "errorClass",
  t.error_code as "errorCode", coalesce((
    select jsonb_agg(jsonb_build_object('at', h.at, 'source', h.source, 'kind', h.kind, 'code', h.code) order by h.at, h.key)
    from (select * from attempt_events v where v.user_id = t.user_id and v.attempt_id = t.id order by v.at desc limit ${most}) h
  ), '[]') as events`;

/** The latest attempts of each of these episodes in their order, each with what was heard of it in its order. */
export async function attemptsOfEpisodes(
  db: Queryable,
  userId: UserId,
  episodes: readonly number[],
  most: number,
): Promise<ToldAttemptRow[]> {
  const { rows } = await db.query<ToldAttemptRow>({
    name: 'attempts-of-episodes',
    text: `
      select ${toldColumns('$3')}
      from unnest($2::bigint[]) as i(episode) cross join lateral (
        select * from attempts where user_id = $1 and episode = i.episode order by claimed_at desc, id desc limit $3
      ) t order by t.claimed_at, t.id`,
    values: [userId, episodes, most],
  });
  return rows;
}

/** One attempt of a person, with the latest that was heard of it. */
export async function toldAttemptOf(
  db: Queryable,
  userId: UserId,
  id: AttemptId,
  most: number,
): Promise<ToldAttemptRow | undefined> {
  const { rows } = await db.query<ToldAttemptRow>({
    name: 'told-attempt-of',
    text: `select ${toldColumns('$3')} from attempts t where t.user_id = $1 and t.id = $2`,
    values: [userId, id, most],
  });
  return rows[0];
}

/** The decision by which an attempt was begun. */
export async function decisionForAttempt(
  db: Queryable,
  userId: UserId,
  { id, episode }: { id: string; episode: number },
): Promise<DecisionRow | undefined> {
  const { rows } = await db.query<DecisionRow>({
    name: 'decision-for-attempt',
    text: `select ${decisionColumns} from decisions where user_id = $1 and episode = $2 and attempt_id = $3 limit 1`,
    values: [userId, episode, id],
  });
  return rows[0];
}

export interface ToldMessage {
  id: MessageId;
  conversationId: ConversationId;
  seq: number;
  createdAt: Date;
}

/** The latest messages that these covers hold, in their order; a deleted one among them, and nothing of what was written. */
export async function messagesCovered(db: Queryable, covers: readonly Cover[], most: number): Promise<ToldMessage[]> {
  const { rows } = await db.query<ToldMessage>({
    name: 'messages-covered',
    text: `
      select * from (
        select g.id, g.conversation_id as "conversationId", g.seq, g.created_at as "createdAt"
        from jsonb_to_recordset($1::jsonb) as c("conversationId" uuid, "fromSeq" bigint, "toSeq" bigint)
        join messages g on g.conversation_id = c."conversationId" and g.seq between c."fromSeq" and c."toSeq"
        order by g.created_at desc, g.id desc limit $2
      ) latest order by "createdAt", id`,
    values: [JSON.stringify(covers), most],
  });
  return rows;
}

/** A message as it is to one person: what each gate comes to, and what shows that it was armed. */
export interface GatesRow {
  /** Nothing is sent to a bot. */
  isBot: boolean;
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
  gates: { [Name in 'active' | 'member' | keyof ReturnType<typeof messageGates>]: boolean };
  /** The episode that goes on, where it stands among what calls for attention right now. */
  armedIn: number | null;
  /** The episode of the first attempt that announced it. */
  announcedIn: number | null;
  /** The episode in which the conversation was called off for the first time after it was stored. */
  calledOffIn: number | null;
  /** The episode that was open when it was stored. */
  openThen: number | null;
}

const gatesThen = (at: string) => {
  const then = asOf(at);
  const { effectiveLevel, followsThread } = standingBy(then);
  const gates = messageGates(then);
  const results = Object.entries(gates).map(([name, sql]) => `'${name}', coalesce(${sql}, false)`);
  return { ...then, effectiveLevel, followsThread, unread: gates.unread, results: results.join(', ') };
};
const then = gatesThen('$3::timestamptz');

/**
 * Every gate between a message and a person, each with its result at an instant, in the words that arming itself asks by.
 * Reading, deletion and the account are told as they stand now. Nothing where there is no such message or person.
 */
export async function gatesOf(
  db: Queryable,
  { messageId, userId, at }: { messageId: MessageId; userId: UserId; at: Date },
): Promise<GatesRow | undefined> {
  const { rows } = await db.query<GatesRow>({
    name: 'gates-of',
    text: `
      select g.id, g.conversation_id as "conversationId", g.seq, g.created_at as "createdAt", g.priority = 'urgent' as urgent,
        case when m.user_id is not null then ${then.effectiveLevel} end as level, coalesce(${mentioned}, false) as mentioned,
        g.thread_seq is not null as "inThread", ${then.followsThread} as "followsThread",
        m.user_id is not null and not coalesce(${then.unread}, true) as read,
        u.kind = 'bot' as "isBot", jsonb_build_object('active', u.status = 'active' and u.kind = 'person',
          'member', coalesce(m.joined_at <= greatest($3, g.created_at) and (m.left_at is null or m.left_at > $3)
            and (c.deleted_at is null or c.deleted_at > $3), false), ${then.results}) as gates,
        (select t.episode from armed a join attention t on t.user_id = a.user_id and t.state <> 'quiet'
          where a.user_id = u.id and a.conversation_id = g.conversation_id
          and g.seq between a.from_seq and a.last_seq) as "armedIn",
        (select t.episode from attempts t where t.user_id = u.id and exists (
          select from jsonb_array_elements(t.covers) k where (k->>'conversationId')::uuid = g.conversation_id
            and g.seq between (k->>'fromSeq')::bigint and (k->>'toSeq')::bigint)
          order by t.state = 'dropped', t.claimed_at limit 1) as "announcedIn",
        (select d.episode from decisions d where d.user_id = u.id and d.conversation_id = g.conversation_id
          and d.step = 'conversation' and d.at >= g.created_at order by d.at limit 1) as "calledOffIn",
        (select e.episode from episodes e where e.user_id = u.id and e.opened_at <= g.created_at
          and (e.closed_at is null or e.closed_at >= g.created_at) order by e.episode desc limit 1) as "openThen"
      from ${then.message('$1')} g
      join conversations c on c.id = g.conversation_id
      join users u on u.id = $2
      left join lateral ${then.membership('g.conversation_id', 'u.id')} m on true
      left join lateral ${then.settings('u.id')} n on true`,
    values: [messageId, userId, at],
  });
  return rows[0];
}
