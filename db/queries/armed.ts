import type { ConversationId, UserId } from '../../contracts/ids.ts';
import { type Channel, channels } from '../../contracts/workflows/names.ts';
import type { Queryable, Tx } from '../client.ts';
import {
  acknowledged,
  callsSince,
  followsThread,
  meantMembers,
  mentioned,
  messagesBetween,
  named,
  notifiable,
} from './notifiable.ts';

/** How far one channel has come with a conversation. */
export interface Progress {
  /** Everything up to here was announced; 0 before the first time. */
  throughSeq: number;
  /** When something was last announced that is still unread, and how often since the last reading. */
  last: Date | null;
  times: number;
  /** When the oldest message came that calls for attention and was not announced; null where there is none. */
  since: Date | null;
  /**
   * In a channel, for mail and texts: the same of the oldest message that calls for this person themselves, by a mention,
   * in a thread that they follow or because it is urgent. Null in other conversations, and where there is none.
   */
  calledSince?: Date | null;
  /** How often what is urgent and unread was told once more. */
  repeats: number;
  /** Messages up to `throughSeq` that call for this person by an edit since, and were not announced as that. */
  late?: readonly number[];
}

/** An urgent message that is unread. */
export interface Urgent {
  seq: number;
  at: Date;
}

/** Of urgent messages of one conversation that are unread, so many of the latest count. */
const urgentLimit = 100;

/** Something unread of a person, and how far each channel has announced it. */
export interface ArmedRow extends Record<Channel, Progress> {
  conversationId: ConversationId;
  kind: 'direct' | 'group' | 'channel';
  armedAt: Date;
  fromSeq: number;
  lastSeq: number;
  lastAt: Date;
  /** The oldest first. */
  urgents: readonly Urgent[];
  seenSeq: number;
  /** A client of the person's has said that it holds all of it. */
  acknowledged: boolean;
  /** Nothing comes through the mute. */
  muted: boolean;
  /** Of the conversation; at least mentions where one of its threads has a level of its own. */
  level: 'all' | 'mentions' | 'nothing' | null;
  /** What the person has switched on or off for this conversation; what is not there is as in the account. */
  channels: Partial<Record<Channel, boolean>> | null;
}

type Stored = Omit<Progress, Instants> & Record<Instants, string | null>;
type Instants = 'last' | 'since' | 'calledSince';
type StoredRow = Omit<ArmedRow, Channel | 'urgents'> &
  Record<Channel, Stored> & { urgents: { seq: number; at: string }[] };

/** What is armed for the person and not seen, the oldest first. */
export async function armedConversations(db: Queryable, userId: UserId): Promise<ArmedRow[]> {
  const { rows } = await db.query<StoredRow>({
    name: 'armed-conversations',
    text: `
      select a.conversation_id as "conversationId", c.kind, a.armed_at as "armedAt", a.from_seq as "fromSeq",
        a.last_seq as "lastSeq", a.last_at as "lastAt", ${urgents} as urgents, m.seen_seq as "seenSeq", ${acknowledged} as acknowledged,
        m.mute_except is null and coalesce(m.muted_until > now(), false) as muted, m.channels,
        case when exists (select from thread_members t where t.user_id = a.user_id
          and t.conversation_id = a.conversation_id and t.level <> 'nothing') then 'mentions' else m.level end as level,
        ${channels.map(progressOf).join(', ')}
      from armed a
      join conversations c on c.id = a.conversation_id
      join members m on m.conversation_id = a.conversation_id and m.user_id = a.user_id and m.left_at is null
      left join notification_settings n on n.user_id = a.user_id
      where a.user_id = $1 and a.last_seq > m.seen_seq
      order by a.armed_at, a.conversation_id`,
    values: [userId],
  });
  const instant = (text: string | null) => (text === null ? null : new Date(text));
  const progress = ({ last, since, calledSince, ...rest }: Stored) => ({
    ...rest,
    ...{ last: instant(last), since: instant(since), calledSince: instant(calledSince ?? null) },
  });
  return rows.map(({ push, email, sms, urgents: stored, ...row }) => ({
    ...row,
    urgents: stored.map(({ seq, at }) => ({ seq, at: new Date(at) })),
    push: progress(push),
    email: progress(email),
    sms: progress(sms),
  }));
}

/** Looked for only where something urgent was armed: elsewhere it would read everything that is unread. */
const urgents = `case when a.urgent then (
    select coalesce(jsonb_agg(jsonb_build_object('seq', u.seq, 'at', u.at) order by u.seq), '[]') from (
      select g.seq, ${callsSince} as at from messages g where g.conversation_id = a.conversation_id and g.priority = 'urgent'
        and g.seq > greatest(a.from_seq - 1, m.seen_seq) and g.seq <= a.last_seq and ${notifiable}
      order by g.seq desc limit ${urgentLimit}) u) else '[]' end`;
const untold = `g.conversation_id = a.conversation_id
      and g.seq > greatest(a.from_seq - 1, m.seen_seq, w.through_seq) and g.seq <= a.last_seq and ${notifiable}`;
const firstUntold = (what: string, which: string) =>
  `select ${what} from messages g where ${untold} ${which} order by g.seq limit 1`;

const calls = `${followsThread} or g.priority = 'urgent'`;
/** Texts cost money and patience: of a mention of all there are none where those are many. */
const calling = {
  email: `and (${mentioned} or ${calls})`,
  sms: `and (${named} or c.member_count <= ${meantMembers} and ${mentioned} or ${calls})`,
};

/** So many of what edits call for are told at a time. */
const lateLimit = 100;
const lateCalls = (channel: Channel) => `(
    select jsonb_agg(l.seq) as seqs, min(l.at) as at, min(l.at) filter (where l.own) as own_at from (
      select l.seq, l.at, true ${channel === 'push' ? '' : calling[channel]} as own
      from late_calls l join messages g on g.conversation_id = l.conversation_id and g.seq = l.seq
      where l.user_id = a.user_id and l.conversation_id = a.conversation_id and l.channel = '${channel}'
        and l.told_by is null and l.seq between a.from_seq and w.through_seq and ${mentioned} and ${notifiable}
      order by l.seq limit ${lateLimit}) l)`;

const progressOf = (channel: Channel) => `(
  select jsonb_build_object('throughSeq', coalesce(w.through_seq, 0),
    'last', case when w.through_seq > m.seen_seq then w.at end,
    'times', case when w.through_seq > m.seen_seq then w.times else 0 end,
    'repeats', case when w.through_seq > m.seen_seq then w.repeats else 0 end,
    'late', coalesce(late.seqs, '[]'),
    'since', least(late.at, (select case when g.called_at is null then g.created_at
        -- An edit that mentions somebody anew must not put off what was written before it.
        else least(${callsSince}, (${firstUntold('g.created_at', 'and g.called_at is null')})) end
      from messages g where ${untold} order by g.seq limit 1)),
    'calledSince', ${channel === 'push' ? 'null' : `case when c.kind = 'channel' then least(late.own_at, (${firstUntold('g.created_at', calling[channel])})) end`})
  from (values (1)) one left join watermarks w
    on w.user_id = a.user_id and w.conversation_id = a.conversation_id and w.channel = '${channel}'
  cross join lateral ${lateCalls(channel)} late) as ${channel}`;

/** Takes conversations out of what is armed: their messages no longer call for the person's attention. */
export async function disarm(tx: Tx, userId: UserId, conversationIds: readonly ConversationId[]): Promise<void> {
  if (conversationIds.length === 0) return;
  await tx.query({
    name: 'disarm',
    text: 'delete from armed where user_id = $1 and conversation_id = any($2::uuid[])',
    values: [userId, conversationIds],
  });
}

/**
 * Disarms conversations of the person's whose last message is a reply that they have read in its thread, where nothing else
 * of what is armed is unread and calls for them. The mark of the conversation says nothing of what was read in a thread.
 */
export async function disarmReadInThreads(tx: Tx, userId: UserId): Promise<void> {
  await tx.query({
    name: 'disarm-read-in-threads',
    text: `
      delete from armed a using messages l, thread_members t
      where a.user_id = $1 and l.conversation_id = a.conversation_id and l.seq = a.last_seq
        and t.conversation_id = l.conversation_id and t.root_seq = l.thread_seq and t.user_id = a.user_id
        and t.read_seq >= l.seq and not exists (
          select from members m
          join conversations c on c.id = m.conversation_id
          left join notification_settings n on n.user_id = m.user_id
          cross join lateral ${messagesBetween('m.conversation_id', 'greatest(a.from_seq, m.seen_seq + 1)', 'a.last_seq')}
          where m.conversation_id = a.conversation_id and m.user_id = a.user_id and m.left_at is null and ${notifiable})`,
    values: [userId],
  });
}
