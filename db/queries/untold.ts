import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Channel } from '../../contracts/workflows/names.ts';
import type { Queryable } from '../client.ts';
import { callsSince, followsThread, meantMembers, mentioned, named, notifiable } from './notifiable.ts';

/** A part of a conversation: what comes after `afterSeq`, through `throughSeq`. */
export interface Range {
  conversationId: ConversationId;
  afterSeq: number;
  throughSeq: number;
}

/** The same in SQL, with the person's membership and settings, as the gates ask for them. */
const ranges = `unnest($2::uuid[], $3::bigint[], $4::bigint[]) as i(conversation_id, after_seq, through_seq)
    join conversations c on c.id = i.conversation_id
    join members m on m.conversation_id = i.conversation_id and m.user_id = $1 and m.left_at is null
    left join notification_settings n on n.user_id = $1`;
const columnsOf = (given: readonly Range[]) => [
  given.map(({ conversationId }) => conversationId),
  given.map(({ afterSeq }) => afterSeq),
  given.map(({ throughSeq }) => throughSeq),
];
const first = (what: string, which: string) => `select ${what} from messages g
      where g.conversation_id = i.conversation_id and g.seq > greatest(i.after_seq, m.seen_seq) and g.seq <= i.through_seq
        and ${notifiable} ${which} order by g.seq limit 1`;

export interface Untold extends Pick<Range, 'conversationId' | 'afterSeq'> {
  /** When the oldest message came that calls for attention; null where there is none. */
  since: Date | null;
  /** How far the person has seen the conversation by now. */
  seenSeq: number;
}

/** Since when something in each part calls for the person. */
export async function untoldSince(db: Queryable, userId: UserId, given: readonly Range[]): Promise<Untold[]> {
  if (given.length === 0) return [];
  const { rows } = await db.query<Untold>({
    name: 'untold-since',
    text: `
      select i.conversation_id as "conversationId", i.after_seq as "afterSeq", m.seen_seq as "seenSeq",
        -- An edit that mentions somebody anew must not put off what was written before it.
        case when f.called_at is null then f.created_at
          else least(f.calls_since, (${first('g.created_at', 'and g.called_at is null')})) end as since
      from ${ranges}
      left join lateral (${first(`g.created_at, g.called_at, ${callsSince} as calls_since`, '')}) f on true`,
    values: [userId, ...columnsOf(given)],
  });
  return rows;
}

const calls = `${followsThread} or g.priority = 'urgent'`;
/** Texts cost money and patience: of a mention of all there are none where those are many. */
const calling = {
  email: `(${mentioned} or ${calls})`,
  sms: `(${named} or c.member_count <= ${meantMembers} and ${mentioned} or ${calls})`,
};

export interface Called extends Pick<Range, 'conversationId' | 'afterSeq'> {
  /** When the oldest message came that calls for the person themselves, by what mail and by what a text is sent for. */
  email: Date | null;
  sms: Date | null;
}

/** Of parts of channels, where mail and texts tell of more than all that is written. */
export async function calledSince(db: Queryable, userId: UserId, given: readonly Range[]): Promise<Called[]> {
  if (given.length === 0) return [];
  const { rows } = await db.query<Called>({
    name: 'called-since',
    text: `
      select i.conversation_id as "conversationId", i.after_seq as "afterSeq",
        (${first('g.created_at', `and ${calling.email}`)}) as email, (${first('g.created_at', `and ${calling.sms}`)}) as sms
      from ${ranges}`,
    values: [userId, ...columnsOf(given)],
  });
  return rows;
}

/** So many of what edits call for are told at a time. */
const lateLimit = 100;

export interface LateCalls {
  conversationId: ConversationId;
  channel: Channel;
  seqs: number[];
  /** When the first edit of them came, and of those that call for the person themselves. */
  at: Date;
  ownAt: Date | null;
}

/** What edits call for below what a channel has told; parts begin after what nobody is armed for. */
export async function lateCallsIn(db: Queryable, userId: UserId, given: readonly Range[]): Promise<LateCalls[]> {
  if (given.length === 0) return [];
  const { rows } = await db.query<LateCalls>({
    name: 'late-calls-in',
    text: `
      select i.conversation_id as "conversationId", w.channel, late.seqs, late.at, late.own_at as "ownAt"
      from ${ranges}
      join watermarks w on w.user_id = $1 and w.conversation_id = i.conversation_id
      cross join lateral (
        select jsonb_agg(l.seq) as seqs, min(l.at) as at, min(l.at) filter (where l.own) as own_at from (
          select l.seq, l.at, case l.channel when 'email' then ${calling.email} when 'sms' then ${calling.sms} else true end as own
          from late_calls l join messages g on g.conversation_id = l.conversation_id and g.seq = l.seq
          where l.user_id = $1 and l.conversation_id = i.conversation_id and l.channel = w.channel
            and l.told_by is null and l.seq > i.after_seq and l.seq <= w.through_seq and ${mentioned} and ${notifiable}
          order by l.seq limit ${lateLimit}) l) late
      where late.seqs is not null`,
    values: [userId, ...columnsOf(given)],
  });
  return rows;
}

/** An urgent message that is unread. */
export interface Urgent {
  seq: number;
  at: Date;
}

/** Of urgent messages of one conversation that are unread, so many of the latest count. */
const urgentLimit = 100;

/** Those of each part, the oldest first. */
export async function urgentsIn(
  db: Queryable,
  userId: UserId,
  given: readonly Range[],
): Promise<(Urgent & { conversationId: ConversationId })[]> {
  if (given.length === 0) return [];
  const { rows } = await db.query<Urgent & { conversationId: ConversationId }>({
    name: 'urgents-in',
    text: `
      select i.conversation_id as "conversationId", u.seq, u.at
      from ${ranges}
      cross join lateral (
        select g.seq, ${callsSince} as at from messages g
        where g.conversation_id = i.conversation_id and g.priority = 'urgent'
          and g.seq > greatest(i.after_seq, m.seen_seq) and g.seq <= i.through_seq and ${notifiable}
        order by g.seq desc limit ${urgentLimit}) u
      order by i.conversation_id, u.seq`,
    values: [userId, ...columnsOf(given)],
  });
  return rows;
}
