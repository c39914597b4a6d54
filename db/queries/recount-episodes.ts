import type { UserId } from '../../contracts/ids.ts';
import type { Channel } from '../../contracts/workflows/names.ts';
import type { Queryable } from '../client.ts';

/** An episode that goes on, with what says whether it does. */
export interface OpenEpisode {
  userId: UserId;
  episode: number;
  state: 'held' | 'running';
  openedAt: Date | null;
  startedAt: Date | null;
  decidedAt: Date | null;
  /** When the earliest of what was put off is due. */
  dueAt: Date | null;
  /** Since when its oldest unread message has waited; null where all is read. */
  oldestAt: Date | null;
}

const openColumns = `t.user_id as "userId", t.episode, t.state, e.opened_at as "openedAt", e.started_at as "startedAt",
  (select max(d.at) from decisions d where d.user_id = t.user_id and d.episode = t.episode) as "decidedAt", (
    select min(d.until) filter (where d.outcome = 'deferred') from (
      select distinct on (step) outcome, until from decisions where user_id = t.user_id and episode = t.episode
      order by step, at desc, id desc
    ) d
  ) as "dueAt", (
    -- A weekly summary arms anew what has waited for long: its episode is as old as itself.
    select min(greatest(a.armed_at, e.opened_at)) from armed a join members m on m.conversation_id = a.conversation_id and m.user_id = a.user_id
    where a.user_id = t.user_id and m.left_at is null and a.last_seq > m.seen_seq
  ) as "oldestAt"`;

/** Episodes that go on, in the order of their people, after one (exclusive). */
export async function openEpisodesAfter(db: Queryable, after: string, limit: number): Promise<OpenEpisode[]> {
  const { rows } = await db.query<OpenEpisode>({
    name: 'open-episodes-after',
    text: `
      select ${openColumns}
      from (select * from attention where state <> 'quiet' and user_id > $1 order by user_id limit $2) t
      left join episodes e on e.user_id = t.user_id and e.episode = t.episode order by t.user_id`,
    values: [after, limit],
  });
  return rows;
}

/** Those of these people whose episode goes on. */
export async function openEpisodesOf(db: Queryable, userIds: readonly UserId[]): Promise<OpenEpisode[]> {
  const { rows } = await db.query<OpenEpisode>({
    name: 'open-episodes-of',
    text: `select ${openColumns} from attention t left join episodes e on e.user_id = t.user_id and e.episode = t.episode
      where t.state <> 'quiet' and t.user_id = any($1::uuid[])`,
    values: [userIds],
  });
  return rows;
}

/** An episode that has ended, and how many verdicts say why. */
export interface ClosedEpisode {
  userId: UserId;
  episode: number;
  outcome: string | null;
  /** To the microsecond, as PostgreSQL writes it. */
  closedAt: string;
  verdicts: number;
  /** The last channel of the ladder on which something was announced in it. */
  after: Channel | 'nothing';
}

const closedColumns = `e.user_id as "userId", e.episode, e.outcome,
  to_char(e.closed_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "closedAt",
  (select count(*) from decisions d where d.user_id = e.user_id and d.episode = e.episode and d.step = 'episode') as verdicts,
  coalesce((select t.channel from attempts t where t.user_id = e.user_id and t.episode = e.episode and t.state = 'accepted'
    order by array_position(array['sms', 'email', 'push'], t.channel) limit 1), 'nothing') as after`;

/** Episodes in the order in which they ended: after a place, up to an instant. */
export async function closedEpisodesAfter(
  db: Queryable,
  { after, upTo, limit }: { after: { closedAt: string; userId: string }; upTo: Date; limit: number },
): Promise<ClosedEpisode[]> {
  const { rows } = await db.query<ClosedEpisode>({
    name: 'closed-episodes-after',
    text: `select ${closedColumns} from episodes e
      where e.closed_at is not null and (e.closed_at, e.user_id) > ($1::timestamptz, $2::uuid) and e.closed_at <= $3
      order by e.closed_at, e.user_id limit $4`,
    values: [after.closedAt, after.userId, upTo, limit],
  });
  return rows;
}

/** Those of these episodes that have ended. */
export async function closedEpisodesOf(
  db: Queryable,
  episodes: readonly { userId: UserId; episode: number }[],
): Promise<ClosedEpisode[]> {
  const { rows } = await db.query<ClosedEpisode>({
    name: 'closed-episodes-of',
    text: `select ${closedColumns} from unnest($1::uuid[], $2::bigint[]) as i(user_id, episode)
      join episodes e on e.user_id = i.user_id and e.episode = i.episode where e.closed_at is not null`,
    values: [episodes.map(({ userId }) => userId), episodes.map(({ episode }) => episode)],
  });
  return rows;
}
