import type { ConversationId, UserId } from '../../contracts/ids.ts';
import { type Channel, channels } from '../../contracts/workflows/names.ts';
import type { Queryable, Tx } from '../client.ts';
import { acknowledged, messagesBetween, notifiable } from './notifiable.ts';
import {
  type Called,
  type LateCalls,
  type Range,
  type Untold,
  type Urgent,
  calledSince,
  lateCallsIn,
  untoldSince,
  urgentsIn,
} from './untold.ts';

export type { Urgent };

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

/** How far a channel has come, as it is stored. */
type Watermark = Pick<Progress, 'throughSeq' | 'times' | 'repeats'> & { at: string };
type StoredRow = Omit<ArmedRow, Channel | 'urgents'> & {
  urgent: boolean;
  hasLate: boolean;
  marks: Partial<Record<Channel, Watermark>> | null;
};

/**
 * What is armed for the person and not seen, the oldest first. What calls for them is looked for in statements of its own,
 * each only where there may be some: all in one took longer to begin than to answer, where nearly nothing is there.
 */
export async function armedConversations(db: Queryable, userId: UserId): Promise<ArmedRow[]> {
  const stored = await storedRows(db, userId);
  const untold = await untoldSince(db, userId, stored.flatMap(untoldParts));
  const called = await calledSince(db, userId, stored.filter(({ kind }) => kind === 'channel').flatMap(untoldParts));
  const late = await lateCallsIn(db, userId, stored.filter(({ hasLate }) => hasLate).map(armedPart));
  const urgents = await urgentsIn(db, userId, stored.filter(({ urgent }) => urgent).map(armedPart));
  const found: Found = { untold: byPart(untold), called: byPart(called), late, urgents };
  return stored.map((row) => armedRow(row, found)).filter(({ lastSeq, seenSeq }) => lastSeq > seenSeq);
}

async function storedRows(db: Queryable, userId: UserId): Promise<StoredRow[]> {
  const { rows } = await db.query<StoredRow>({
    name: 'armed-conversations',
    text: `
      select a.conversation_id as "conversationId", c.kind, a.armed_at as "armedAt", a.from_seq as "fromSeq",
        a.last_seq as "lastSeq", a.last_at as "lastAt", a.urgent, m.seen_seq as "seenSeq", ${acknowledged} as acknowledged,
        m.mute_except is null and coalesce(m.muted_until > now(), false) as muted, m.channels,
        case when exists (select from thread_members t where t.user_id = a.user_id
          and t.conversation_id = a.conversation_id and t.level <> 'nothing') then 'mentions' else m.level end as level,
        exists (select from late_calls l where l.user_id = a.user_id and l.conversation_id = a.conversation_id
          and l.told_by is null) as "hasLate",
        (select jsonb_object_agg(w.channel, jsonb_build_object('throughSeq', w.through_seq, 'at', w.at, 'times', w.times,
          'repeats', w.repeats)) from watermarks w where w.user_id = a.user_id and w.conversation_id = a.conversation_id) as marks
      from armed a
      join conversations c on c.id = a.conversation_id
      join members m on m.conversation_id = a.conversation_id and m.user_id = a.user_id and m.left_at is null
      where a.user_id = $1 and a.last_seq > m.seen_seq
      order by a.armed_at, a.conversation_id`,
    values: [userId],
  });
  return rows;
}

const through = ({ marks }: StoredRow, channel: Channel): number => marks?.[channel]?.throughSeq ?? 0;
const armedPart = ({ conversationId, fromSeq, lastSeq }: StoredRow): Range => ({
  ...{ conversationId, afterSeq: fromSeq - 1, throughSeq: lastSeq },
});

/** After what a channel has told, or where the person is armed from, or has seen: what is left for it begins there. */
const toldThrough = (row: StoredRow, channel: Channel): number =>
  Math.max(row.fromSeq - 1, row.seenSeq, through(row, channel));

/** Those that are left for some channel, each once: often mail and texts begin at the same message. */
function untoldParts(row: StoredRow): Range[] {
  const { conversationId, lastSeq } = row;
  const starts = new Set(channels.map((channel) => toldThrough(row, channel)));
  return [...starts]
    .filter((afterSeq) => afterSeq < lastSeq)
    .map((afterSeq) => ({ conversationId, afterSeq, throughSeq: lastSeq }));
}

interface Found {
  untold: Map<string, Untold>;
  called: Map<string, Called>;
  late: readonly LateCalls[];
  urgents: readonly (Urgent & { conversationId: ConversationId })[];
}

const partKey = (conversationId: string, afterSeq: number) => `${conversationId}/${afterSeq}`;
const byPart = <Part extends { conversationId: string; afterSeq: number }>(parts: readonly Part[]) =>
  new Map(parts.map((part) => [partKey(part.conversationId, part.afterSeq), part]));

/** They may have read on between the statements: then what they have seen by the last of these holds for all of it. */
function armedRow(row: StoredRow, found: Found): ArmedRow {
  const { urgent: _, hasLate: __, marks: ___, ...rest } = row;
  const looks = untoldParts(row).map(({ afterSeq }) => found.untold.get(partKey(row.conversationId, afterSeq)));
  const seenSeq = Math.max(row.seenSeq, ...looks.map((look) => look?.seenSeq ?? 0));
  const urgents = found.urgents.filter(({ conversationId }) => conversationId === row.conversationId);
  const progress = (channel: Channel) => progressOf(row, seenSeq, channel, found);
  return {
    ...rest,
    seenSeq,
    urgents: urgents.map(({ seq, at }) => ({ seq, at })),
    ...{ push: progress('push'), email: progress('email'), sms: progress('sms') },
  };
}

function progressOf(row: StoredRow, seenSeq: number, channel: Channel, { untold, called, late }: Found): Progress {
  const { conversationId, kind } = row;
  const mark = row.marks?.[channel];
  const stands = mark !== undefined && mark.throughSeq > seenSeq;
  const key = partKey(conversationId, toldThrough(row, channel));
  const calls = late.find((one) => one.conversationId === conversationId && one.channel === channel);
  const own = channel === 'push' || kind !== 'channel' ? undefined : called.get(key)?.[channel];
  return {
    throughSeq: mark?.throughSeq ?? 0,
    last: stands ? new Date(mark.at) : null,
    times: stands ? mark.times : 0,
    repeats: stands ? mark.repeats : 0,
    late: calls?.seqs ?? [],
    since: earlier(calls?.at, untold.get(key)?.since),
    calledSince: channel === 'push' || kind !== 'channel' ? null : earlier(calls?.ownAt, own),
  };
}

function earlier(one: Date | null | undefined, other: Date | null | undefined): Date | null {
  if (!one || !other) return one ?? other ?? null;
  return one < other ? one : other;
}

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
