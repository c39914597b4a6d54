import type { ConversationId, UserId } from '../../contracts/ids.ts';
import { type Channel, channels } from '../../contracts/workflows/names.ts';
import type { Queryable, Tx } from '../client.ts';
import { acknowledged, callsSince, followsThread, mentioned, notifiable } from './notifiable.ts';

/** Messages of one conversation that an attempt announces. Both bounds belong to it. */
export interface Cover {
  conversationId: ConversationId;
  fromSeq: number;
  toSeq: number;
}

export type AttemptKind = 'unread' | 'summary';

export interface AttemptRow {
  id: string;
  episode: number;
  channel: Channel;
  /** `summary`: a mail about everything that waits, told before or not. */
  kind: AttemptKind;
  state: 'claimed' | 'accepted' | 'failed' | 'unknown' | 'dropped';
  covers: Cover[];
  /** Calls to the provider. */
  tries: number;
  /** Those of them whose outcome was never known. */
  unanswered: number;
  /** A target of it was accepted: one device of several. */
  reached: boolean;
  claimedAt: Date;
  /** When the provider was last called; null when it never was. */
  calledAt: Date | null;
  finishedAt: Date | null;
  errorClass: string | null;
  errorCode: string | null;
  /** It tells of something urgent. */
  urgent: boolean;
  /** A push of it makes a sound. */
  sound: boolean;
}

const columns = `id, episode, channel, kind, state, covers, tries, unanswered, claimed_at as "claimedAt", called_at as "calledAt",
  finished_at as "finishedAt", error_class as "errorClass", error_code as "errorCode", urgent, sound, exists (select from attempt_events e
    where e.user_id = attempts.user_id and e.attempt_id = attempts.id and e.kind = 'accepted') as reached`;

/** How far one channel has come with a conversation. */
export interface Progress {
  /** Everything up to here was announced; 0 before the first time. */
  throughSeq: number;
  /** When something was last announced that is still unread, and how often since the last reading. */
  last: Date | null;
  times: number;
  /** When the oldest message came that calls for attention and was not announced; null where there is none. */
  since: Date | null;
  /** How often what is urgent and unread was told once more. */
  repeats: number;
}

/** How often pushes about a conversation sounded since the last reading, the first not counted, and when one last did. */
export async function soundedOf(
  tx: Tx,
  userId: UserId,
  conversationId: ConversationId,
): Promise<{ times: number; last: Date | null; replaces: boolean } | undefined> {
  const { rows } = await tx.query<{ times: number; last: Date | null; replaces: boolean }>({
    name: 'sounded-of',
    text: `select case when ${stillUnread} then w.sounds else 0 end as times, w.sounded_at as last, ${stillUnread} as replaces
      from watermarks w where w.user_id = $1 and w.conversation_id = $2 and w.channel = 'push'`,
    values: [userId, conversationId],
  });
  return rows[0];
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
  /**
   * In a channel: when the oldest message came that mail has not announced and that calls for this person themselves, by
   * a mention or in a thread that they follow. Null in other conversations, and where there is none.
   */
  calledSince: Date | null;
}

type Stored = Omit<Progress, 'last' | 'since'> & { last: string | null; since: string | null };
type StoredRow = Omit<ArmedRow, Channel | 'urgents'> &
  Record<Channel, Stored> & { urgents: { seq: number; at: string }[] };

/** What is armed for the person and not seen, the oldest first. */
export async function armedConversations(db: Queryable, userId: UserId): Promise<ArmedRow[]> {
  const { rows } = await db.query<StoredRow>({
    name: 'armed-conversations',
    text: `
      select a.conversation_id as "conversationId", c.kind, a.armed_at as "armedAt", a.from_seq as "fromSeq",
        a.last_seq as "lastSeq", a.last_at as "lastAt", ${urgents} as urgents, m.seen_seq as "seenSeq", ${acknowledged} as acknowledged,
        m.mute_except is null and coalesce(m.muted_until > now(), false) as muted, m.channels, ${calledSince} as "calledSince",
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
  const progress = ({ last, since, ...rest }: Stored) => ({ ...rest, last: instant(last), since: instant(since) });
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
    select coalesce(jsonb_agg(jsonb_build_object('seq', u.seq, 'at', u.created_at) order by u.seq), '[]') from (
      select g.seq, g.created_at from messages g where g.conversation_id = a.conversation_id and g.priority = 'urgent'
        and g.seq > greatest(a.from_seq - 1, m.seen_seq) and g.seq <= a.last_seq and ${notifiable}
      order by g.seq desc limit ${urgentLimit}) u) else '[]' end`;
const untold = `g.conversation_id = a.conversation_id
      and g.seq > greatest(a.from_seq - 1, m.seen_seq, w.through_seq) and g.seq <= a.last_seq and ${notifiable}`;
const firstUntold = (what: string, which: string) =>
  `select ${what} from messages g where ${untold} ${which} order by g.seq limit 1`;

const calledSince = `case when c.kind = 'channel' then (
  select g.created_at from messages g where g.conversation_id = a.conversation_id and g.seq > greatest(a.from_seq - 1, m.seen_seq,
      (select w.through_seq from watermarks w
        where w.user_id = a.user_id and w.conversation_id = a.conversation_id and w.channel = 'email'))
    and g.seq <= a.last_seq and ${notifiable} and (${mentioned} or ${followsThread}) order by g.seq limit 1) end`;

const progressOf = (channel: Channel) => `(
  select jsonb_build_object('throughSeq', coalesce(w.through_seq, 0),
    'last', case when w.through_seq > m.seen_seq then w.at end,
    'times', case when w.through_seq > m.seen_seq then w.times else 0 end,
    'repeats', case when w.through_seq > m.seen_seq then w.repeats else 0 end,
    'since', (select case when g.called_at is null then g.created_at
        -- An edit that mentions somebody anew must not put off what was written before it.
        else least(${callsSince}, (${firstUntold('g.created_at', 'and g.called_at is null')})) end
      from messages g where ${untold} order by g.seq limit 1))
  from (values (1)) one left join watermarks w
    on w.user_id = a.user_id and w.conversation_id = a.conversation_id and w.channel = '${channel}') as ${channel}`;

/** Takes conversations out of what is armed: their messages no longer call for the person's attention. */
export async function disarm(tx: Tx, userId: UserId, conversationIds: readonly ConversationId[]): Promise<void> {
  if (conversationIds.length === 0) return;
  await tx.query({
    name: 'disarm',
    text: 'delete from armed where user_id = $1 and conversation_id = any($2::uuid[])',
    values: [userId, conversationIds],
  });
}

export interface NewAttempt {
  id: string;
  episode: number;
  channel: Channel;
  kind: AttemptKind;
  covers: Cover[];
  at: Date;
  /** It tells of something urgent: for the first time, or once more. */
  alert: 'urgent' | 'repeat' | undefined;
  sound: boolean;
}

/** Claims a send: the attempt is written and the watermarks move in the one transaction, before the provider is called. */
export async function insertAttempt(tx: Tx, userId: UserId, attempt: NewAttempt): Promise<void> {
  await tx.query({
    name: 'insert-attempt',
    text: `
      with claimed as (
        insert into attempts (user_id, id, episode, channel, state, covers, claimed_at, urgent, sound, kind)
        values ($1, $2, $3, $4, 'claimed', $5, $6, $7::text is not null, $8, $9)
      )
      insert into watermarks as w (user_id, conversation_id, channel, through_seq, at, sounded_at)
      select $1, (c->>'conversationId')::uuid, $4, (c->>'toSeq')::bigint, $6, case when $8 then $6 end
      from jsonb_array_elements($5::jsonb) c
      on conflict (user_id, conversation_id, channel) do update
      set through_seq = greatest(w.through_seq, excluded.through_seq), at = excluded.at,
        -- Counted since the last reading: what was told before and is still unread.
        times = 1 + case when ${stillUnread} then w.times else 0 end,
        sounds = case when ${stillUnread} then w.sounds + $8::int else 0 end,
        sounded_at = coalesce(excluded.sounded_at, w.sounded_at),
        -- Something urgent that is new has repeats of its own.
        repeats = case when not ${stillUnread} or $7 = 'urgent' then 0 else w.repeats + ($7 is not distinct from 'repeat')::int end`,
    values: [
      userId,
      attempt.id,
      attempt.episode,
      attempt.channel,
      JSON.stringify(attempt.covers),
      attempt.at,
      attempt.alert ?? null,
      attempt.sound,
      attempt.kind,
    ],
  });
}

const stillUnread = `(w.through_seq > (select m.seen_seq from members m
  where m.conversation_id = w.conversation_id and m.user_id = w.user_id))`;

export async function attemptOf(db: Queryable, userId: UserId, id: string): Promise<AttemptRow | undefined> {
  const { rows } = await db.query<AttemptRow>({
    name: 'attempt-of',
    text: `select ${columns} from attempts where user_id = $1 and id = $2`,
    values: [userId, id],
  });
  return rows[0];
}

/** Whose attempt a provider's report is about. */
export async function ownerOfAttempt(db: Queryable, id: string): Promise<UserId | undefined> {
  const { rows } = await db.query<{ userId: UserId }>({
    name: 'owner-of-attempt',
    text: 'select user_id as "userId" from attempts where id = $1',
    values: [id],
  });
  return rows[0]?.userId;
}

// What is not known for good gives way to whatever is told after all, but for what was known before.
const ranks = `array['accepted', 'unknown_final', 'sent', 'delivered', 'engaged']`;

/**
 * The provider says how far an attempt has come. What came further stays; and if nobody knew what became of the call, it is
 * known now.
 */
export async function markReported(tx: Tx, userId: UserId, id: string, status: string, at: Date): Promise<void> {
  await tx.query({
    name: 'mark-attempt-reported',
    text: `
      update attempts set
        reported = case when array_position(${ranks}, $3) > coalesce(array_position(${ranks}, reported), 0)
          then $3 else reported end,
        state = case when state in ('claimed', 'unknown') then 'accepted' else state end,
        finished_at = case when state in ('claimed', 'unknown') then $4 else finished_at end,
        error_class = case when state = 'unknown' then null else error_class end,
        error_code = case when state = 'unknown' then null else error_code end
      where user_id = $1 and id = $2`,
    values: [userId, id, status, at],
  });
}

/** The provider says what stands against an attempt. Where it did not come, it counts as never handed over. */
export async function markSetback(
  tx: Tx,
  userId: UserId,
  id: string,
  setback: { fact: string; failed: boolean; errorClass: string; code: string | null; at: Date },
): Promise<void> {
  await tx.query({
    name: 'mark-attempt-setback',
    text: `
      update attempts set
        setbacks = case when $3 = any(setbacks) then setbacks else setbacks || $3 end,
        state = case when $4 then 'failed' else state end,
        finished_at = case when $4 then $5 else finished_at end,
        error_class = case when $4 then $6 else error_class end,
        error_code = case when $4 then $7 else error_code end
      where user_id = $1 and id = $2`,
    values: [userId, id, setback.fact, setback.failed, setback.at, setback.errorClass, setback.code],
  });
}

export async function attemptsOfEpisode(db: Queryable, userId: UserId, episode: number): Promise<AttemptRow[]> {
  const { rows } = await db.query<AttemptRow>({
    name: 'attempts-of-episode',
    text: `select ${columns} from attempts where user_id = $1 and episode = $2 order by claimed_at, id`,
    values: [userId, episode],
  });
  return rows;
}

/**
 * The provider is about to be called: from here on a crash leaves the outcome unknown, and the row says so. A call before
 * that nobody has answered for stays unanswered.
 */
export async function markCalled(db: Queryable, userId: UserId, id: string, at: Date): Promise<void> {
  await db.query({
    name: 'mark-attempt-called',
    text: `update attempts set tries = tries + 1, unanswered = unanswered + (called_at is not null)::int, called_at = $3
      where user_id = $1 and id = $2`,
    values: [userId, id, at],
  });
}

/** The provider said that it took nothing: the next try need not wonder what came of this one. */
export async function markNotTaken(db: Queryable, userId: UserId, id: string): Promise<void> {
  await db.query({
    name: 'mark-attempt-not-taken',
    text: 'update attempts set called_at = null where user_id = $1 and id = $2',
    values: [userId, id],
  });
}

const stateAfterCall = `(case
  when $3 = 'accepted' and setbacks && array['bounced', 'blocked', 'dropped', 'undelivered', 'failed', 'opted_out'] then 'failed'
  when $3 = 'unknown' and state in ('accepted', 'failed') then state else $3 end)`;

/**
 * Writes down what the call came to. A report may have come before: what was reported to have failed is not accepted by the
 * provider's first yes, and what it was heard of is not unknown.
 */
export async function finishAttempt(
  db: Queryable,
  userId: UserId,
  id: string,
  result: {
    state: 'accepted' | 'failed' | 'unknown' | 'dropped';
    at: Date;
    providerId?: string | undefined;
    errorClass?: string | undefined;
    errorCode?: string | undefined;
  },
): Promise<void> {
  await db.query({
    name: 'finish-attempt',
    text: `
      update attempts set provider_id = coalesce($5, provider_id), state = ${stateAfterCall}, finished_at = $4,
        error_class = case when ${stateAfterCall} = $3 then $6 else error_class end,
        error_code = case when ${stateAfterCall} = $3 then $7 else error_code end
      where user_id = $1 and id = $2`,
    values: [
      userId,
      id,
      result.state,
      result.at,
      result.providerId ?? null,
      result.errorClass ?? null,
      result.errorCode ?? null,
    ],
  });
}

/** Appends what was heard of an attempt; a repeat of the same key is ignored. */
export async function appendAttemptEvent(
  db: Queryable,
  userId: UserId,
  attemptId: string,
  event: { key: string; source: string; kind: string; code?: string | undefined; at: Date },
): Promise<void> {
  await db.query({
    name: 'append-attempt-event',
    text: `insert into attempt_events (user_id, attempt_id, key, source, kind, code, at) values ($1, $2, $3, $4, $5, $6, $7)
      on conflict do nothing`,
    values: [userId, attemptId, event.key, event.source, event.kind, event.code ?? null, event.at],
  });
}

/** The keys of what was already accepted for an attempt: a retry leaves those targets alone. */
export async function acceptedKeys(db: Queryable, userId: UserId, attemptId: string): Promise<Set<string>> {
  const { rows } = await db.query<{ key: string }>({
    name: 'accepted-keys',
    text: `select key from attempt_events where user_id = $1 and attempt_id = $2 and kind = 'accepted'`,
    values: [userId, attemptId],
  });
  return new Set(rows.map(({ key }) => key));
}

/**
 * An operator asks for another try of an attempt that failed or whose fate was never known. What came of earlier calls
 * is forgotten here, once: later tries of the same request know of theirs.
 */
export async function reopenAttempt(tx: Tx, userId: UserId, id: string): Promise<void> {
  await tx.query({
    name: 'reopen-attempt',
    text: `update attempts set state = 'claimed', called_at = null, unanswered = 0, finished_at = null, error_class = null,
        error_code = null, reported = null, setbacks = '{}'
      where user_id = $1 and id = $2 and state in ('failed', 'unknown')`,
    values: [userId, id],
  });
}

/**
 * Attempts whose provider failed until nobody tried again: a person must look. An answer that comes after all, from a
 * call that still ran, is written over this.
 */
export async function giveUpAttempts(tx: Tx, userId: UserId, ids: readonly string[], at: Date): Promise<void> {
  if (ids.length === 0) return;
  await tx.query({
    name: 'give-up-attempts',
    text: `update attempts set state = case when called_at is null then 'failed' else 'unknown' end, finished_at = $3,
        error_class = 'provider_failing'
      where user_id = $1 and id = any($2::uuid[]) and state = 'claimed'`,
    values: [userId, ids, at],
  });
}
