import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Tx } from '../client.ts';
import { callsSince, messagesBetween, notifiable } from './notifiable.ts';

/** Messages of one conversation that were stored together. */
export interface StoredRange {
  conversationId: ConversationId;
  seqFrom: number;
  seqTo: number;
}

/**
 * Arms attention for everybody for whom a message of these ranges is notifiable: not its sender, not who has seen it,
 * muted the conversation, or asked for less. Who was quiet gets the next episode, held until the grace is over; who has
 * a running one is nudged if the message calls for something earlier than the workflow's next waking.
 *
 * `opened` locks one row a person, in the order of their ids, before anything else of theirs is touched: arming,
 * deciding and closing of one person never overlap. Answers with how many people were armed. With a page, only of its
 * members: a statement has seconds, and a hundred thousand people take more.
 */
export async function armRecipients(
  tx: Tx,
  ranges: readonly StoredRange[],
  timing: { graceMs: number; realertGapMs: number; urgentMs: number },
  page?: MemberPage,
): Promise<number> {
  const { rows } = await tx.query<{ people: number }>({
    name: page ? 'arm-page' : 'arm-recipients',
    text: page ? armPageSql : armRecipientsSql,
    values: [
      ranges.map(({ conversationId }) => conversationId),
      ranges.map(({ seqFrom }) => seqFrom),
      ranges.map(({ seqTo }) => seqTo),
      timing.graceMs,
      timing.realertGapMs,
      timing.urgentMs,
      ...(page ? [page.after, page.through ?? lastId] : []),
    ],
  });
  return rows[0]?.people ?? 0;
}

/** Members of one conversation by their ids: those after one (exclusive), up to another or all that are left. */
export interface MemberPage {
  after: UserId;
  through: UserId | undefined;
}
const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

const arming = (page = '') => `
with input as (
  select * from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as i(conversation_id, seq_from, seq_to)
), armable as (
  select m.user_id, m.conversation_id, min(g.seq) as from_seq, max(g.seq) as last_seq,
    min(${callsSince}) as armed_at, max(${callsSince}) as last_at, bool_or(g.priority = 'urgent') as urgent
  from input i
  cross join lateral ${messagesBetween('i.conversation_id', 'i.seq_from', 'i.seq_to')}
  join conversations c on c.id = i.conversation_id
  join members m on m.conversation_id = i.conversation_id and m.left_at is null${page}
  left join notification_settings n on n.user_id = m.user_id
  where ${notifiable} and not exists (select from users u where u.id = m.user_id and u.status <> 'active')
    -- A bot is told by its socket, and by nothing else.
    and not exists (select from users u where u.id = m.user_id and u.kind = 'bot')
  group by m.user_id, m.conversation_id
), people as (
  select k.user_id, min(k.armed_at) as armed_at, bool_or(k.urgent) as urgent,
    -- A push that replaces an earlier one of its conversation keeps its distance; so does the look that leads to it. What
    -- is urgent keeps none.
    min(case when k.urgent then k.armed_at + $6 * interval '1 millisecond'
      else greatest(k.armed_at + $4 * interval '1 millisecond', w.at + $5 * interval '1 millisecond') end) as look_at
  from armable k
  left join watermarks w on w.user_id = k.user_id and w.conversation_id = k.conversation_id and w.channel = 'push'
  group by k.user_id
), opened as (
  -- nudge_at of a new row only carries look_at to the conflict: it is held, and starting it clears the nudge.
  insert into attention as a (user_id, episode, state, opened_at, start_at, nudge_at, urgent)
  select user_id, 1, 'held', armed_at, case when urgent then look_at else armed_at + $4 * interval '1 millisecond' end, look_at,
    urgent
  from people order by user_id
  on conflict (user_id) do update set
    revision = a.revision + 1,
    episode = case when a.state = 'quiet' then a.episode + 1 else a.episode end,
    opened_at = case when a.state = 'quiet' then excluded.opened_at else a.opened_at end,
    start_at = case
      when a.state = 'quiet' then excluded.start_at
      -- The grace of who is connected is for what is not urgent.
      when a.state = 'held' and excluded.urgent then least(a.start_at, excluded.start_at)
      else a.start_at
    end,
    start_tries = case when a.state = 'quiet' then 0 else a.start_tries end,
    wakes_at = case when a.state = 'quiet' then null else a.wakes_at end,
    called_off_for = case when a.state = 'quiet' then null else a.called_off_for end,
    urgent = excluded.urgent or (a.state <> 'quiet' and a.urgent),
    nudge_at = case
      when a.state <> 'running' then null
      -- It wakes by itself before that. One that should have woken already may be gone: it is nudged, and found out.
      when a.wakes_at between now() and excluded.nudge_at then a.nudge_at
      else least(a.nudge_at, excluded.nudge_at)
    end,
    state = case when a.state = 'quiet' then 'held' else a.state end
  returning a.user_id, a.episode, a.state, a.opened_at
), armed_now as (
  insert into armed as a (user_id, conversation_id, armed_at, from_seq, last_seq, last_at, urgent)
  select n.user_id, n.conversation_id, n.armed_at, n.from_seq, n.last_seq, n.last_at, n.urgent
  -- All of them are opened, and before this: joined to each other, the two would be compared each row with each.
  from armable n where (select count(*) from opened) > 0
  on conflict (user_id, conversation_id) do update set
    -- What was read since begins anew; what is unread keeps its clock, or a chatty sender would postpone the mail for ever.
    (armed_at, from_seq, urgent, last_seq, last_at) = (
      select
        case when a.last_seq <= m.seen_seq then excluded.armed_at else least(a.armed_at, excluded.armed_at) end,
        case when a.last_seq <= m.seen_seq then excluded.from_seq else least(a.from_seq, excluded.from_seq) end,
        case when a.last_seq <= m.seen_seq then excluded.urgent else a.urgent or excluded.urgent end,
        greatest(a.last_seq, excluded.last_seq),
        greatest(a.last_at, excluded.last_at)
      from members m where m.user_id = excluded.user_id and m.conversation_id = excluded.conversation_id
    )
), recorded as (
  insert into episodes (user_id, episode, opened_at)
  select user_id, episode, opened_at from opened where state = 'held'
  on conflict (user_id, episode) do nothing
)
select count(*) as people from opened`;
const armRecipientsSql = arming();
const armPageSql = arming(' and m.user_id > $7::uuid and m.user_id <= $8::uuid');

/** Messages of their own, one after the other, by which a sender comes on at a time; the next one takes them further. */
const ownLooked = 32;

/**
 * How far each sender has come by what they wrote in these ranges. Writing counts as having read what one's clients hold:
 * up to one's own message where nothing is missing before it, else up to what is missing. A message that was written
 * offline, or in the same moment as another's, says nothing of what its writer has not seen; nor does a reply in a
 * thread, which has a mark of its own.
 */
export async function sendersOf(
  tx: Tx,
  ranges: readonly StoredRange[],
): Promise<{ conversationId: ConversationId; userId: UserId; seq: number }[]> {
  const { rows } = await tx.query<{ conversationId: ConversationId; userId: UserId; seq: number }>({
    name: 'senders-of-ranges',
    text: `
      with own as (
        select g.conversation_id, g.sender_id, max(g.seq) as seq
        from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as i(conversation_id, seq_from, seq_to)
        cross join lateral ${messagesBetween('i.conversation_id', 'i.seq_from', 'i.seq_to')}
        where g.thread_seq is null
        group by g.conversation_id, g.sender_id
      )
      select o.conversation_id as "conversationId", o.sender_id as "userId", least(o.seq, came.seq) as seq
      from own o
      join members m on m.conversation_id = o.conversation_id and m.user_id = o.sender_id and m.left_at is null
      cross join lateral (
        select coalesce(min(x.seq) filter (where x.sender_id <> o.sender_id) - 1,
          case count(*) when ${ownLooked} then max(x.seq) else o.seq end) as seq
        from (
          select seq, sender_id from messages x
          where x.conversation_id = o.conversation_id and x.seq > m.delivered_seq and x.seq < o.seq
          order by seq limit ${ownLooked}
        ) x
      ) came`,
    values: [
      ranges.map(({ conversationId }) => conversationId),
      ranges.map(({ seqFrom }) => seqFrom),
      ranges.map(({ seqTo }) => seqTo),
    ],
  });
  return rows;
}
