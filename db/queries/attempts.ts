import { stuckReasons } from '../../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Channel } from '../../contracts/workflows/names.ts';
import type { Queryable, Tx } from '../client.ts';

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
  /** The request by which an operator last had it tried again. */
  reopenedBy: string | null;
  /** The instant of this look, by the database's clock. */
  seenAt: Date;
}

const columns = `id, episode, channel, kind, state, covers, tries, unanswered, claimed_at as "claimedAt", called_at as "calledAt",
  finished_at as "finishedAt", error_class as "errorClass", error_code as "errorCode", urgent, sound,
  reopened_by as "reopenedBy", now() as "seenAt", exists (select from attempt_events e
    where e.user_id = attempts.user_id and e.attempt_id = attempts.id and e.kind = 'accepted') as reached`;

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

/** Claims a send: the attempt is written and the watermarks move in the one transaction, before the provider is called. */
export async function insertAttempt(tx: Tx, userId: UserId, attempt: NewAttempt): Promise<void> {
  await tx.query({
    name: 'insert-attempt',
    text: `
      with claimed as (
        insert into attempts (user_id, id, episode, channel, state, covers, claimed_at, urgent, sound, kind)
        values ($1, $2, $3, $4, 'claimed', $5, $6, $7::text is not null, $8, $9)
      ), late as (
        update late_calls l set told_by = $2 from jsonb_array_elements($5::jsonb) c
        where l.user_id = $1 and l.channel = $4 and l.told_by is null and l.conversation_id = (c->>'conversationId')::uuid
          and l.seq between (c->>'fromSeq')::bigint and (c->>'toSeq')::bigint
      )
      insert into watermarks as w (user_id, conversation_id, channel, through_seq, at, sounded_at)
      select $1, (c->>'conversationId')::uuid, $4, max((c->>'toSeq')::bigint), $6, case when $8 then $6 end
      from jsonb_array_elements($5::jsonb) c group by c->>'conversationId'
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

/** What an episode's attempts have come to, as far as its next decision goes by it. */
export interface EpisodeOutcomes {
  /** Somebody may have been told, on whatever channel. */
  handedOver: boolean;
  /** A push was taken: by one device of several, too. */
  pushHandedOver: boolean;
  /** When a mail last failed for what is wrong with its address. */
  emailFailedAt: Date | null;
  /** Channels by which nothing has come since they were last refused. */
  refused: Channel[];
}

/** Pushes of each state of which it is asked which devices took them: the latest. */
const partlyLooked = 20;

/** Failures that say nothing of the address: while a provider is out of order nothing else is brought forward by it. */
const ofProvider = `('provider_configuration', 'provider_failing')`;

/** Of pushes that only devices took whose keys are in `notCounted` it counts that they were tried, and no more. */
export async function outcomesOfEpisode(
  db: Queryable,
  userId: UserId,
  { episode, notCounted }: { episode: number; notCounted: readonly string[] },
): Promise<EpisodeOutcomes> {
  const of = (channel: string, state: string) =>
    `from attempts t where t.user_id = $1 and t.episode = $2 and t.channel = ${channel} and t.state = ${state}`;
  const takenBy = (which: string) => `exists (
    select from unnest('{accepted,claimed,unknown,failed,dropped}'::text[]) as i(state)
    cross join lateral (select t.id ${of(`'push'`, 'i.state')} order by t.finished_at desc limit ${partlyLooked}) p
    join attempt_events e on e.user_id = $1 and e.attempt_id = p.id and e.kind = 'accepted' and ${which})`;
  const { rows } = await db.query<EpisodeOutcomes>({
    name: 'outcomes-of-episode',
    text: `
      select exists (select from unnest('{push,email,sms}'::text[]) c, unnest('{accepted,unknown}'::text[]) s
            cross join lateral (select ${of('c', 's')} limit 1) any_of) or ${takenBy('true')} as "handedOver",
        cardinality($3::text[]) = 0 and exists (select ${of(`'push'`, `'accepted'`)})
          or ${takenBy('e.key <> all($3::text[])')} as "pushHandedOver",
        (select t.finished_at ${of(`'email'`, `'failed'`)} and t.finished_at is not null
          and (t.error_class is null or t.error_class not in ${ofProvider})
          order by t.finished_at desc limit 1) as "emailFailedAt",
        array(select c from unnest('{push,email,sms}'::text[]) c
          cross join lateral (select t.finished_at ${of('c', `'failed'`)} order by t.finished_at desc limit 1) f
          left join lateral (select t.finished_at ${of('c', `'accepted'`)} order by t.finished_at desc limit 1) a on true
          where a.finished_at is null or a.finished_at < f.finished_at) as refused`,
    values: [userId, episode, notCounted],
  });
  return rows[0] as EpisodeOutcomes;
}

/** Attempts of an episode of which it is not written down what they came to, in the order of their making. */
export async function openAttempts(db: Queryable, userId: UserId, episode: number): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>({
    name: 'open-attempts',
    text: `select id from attempts where user_id = $1 and episode = $2 and state = 'claimed' order by claimed_at, id`,
    values: [userId, episode],
  });
  return rows.map(({ id }) => id);
}

/** What is said of a call that was about to be made. */
export type Calling = 'called' | 'read' | 'superseded';

/**
 * The provider is about to be called: from here on a crash leaves the outcome unknown, and the row says so. A call before
 * that nobody has answered for stays unanswered.
 *
 * `readAt`: when what it tells was read for this call, by the database's clock; null for the call that follows the claim.
 *
 * It is the last word on whether to call at all, in one statement. `superseded`: another worker has tried the same since
 * it was claimed, as when this one stood still for so long that it was taken for dead. `read`: nothing of it is unread.
 */
export async function markCalled(
  db: Queryable,
  userId: UserId,
  { id, tries, at, readAt }: { id: string; tries: number; at: Date; readAt: Date | null },
): Promise<Calling> {
  const { rows } = await db.query<{ unread: boolean }>({
    name: 'mark-attempt-called',
    text: `
      with mine as (
        select a.id, exists (
          select from jsonb_to_recordset(a.covers) as c("conversationId" uuid, "toSeq" bigint)
          join members m on m.conversation_id = c."conversationId" and m.user_id = a.user_id and m.left_at is null
          where m.seen_seq < c."toSeq") as unread
        from attempts a where a.user_id = $1 and a.id = $2 and a.state = 'claimed' and a.tries = $3 for update
      ), called as (
        update attempts a set tries = a.tries + 1, unanswered = a.unanswered + (a.called_at is not null)::int, called_at = $4,
          read_at = coalesce($5, a.read_at)
        from mine where a.user_id = $1 and a.id = mine.id and mine.unread
      )
      select unread from mine`,
    values: [userId, id, tries, at, readAt],
  });
  const [mine] = rows;
  if (!mine) return 'superseded';
  return mine.unread ? 'called' : 'read';
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

/**
 * An operator asks for another try of an attempt that failed or whose fate was never known. What came of earlier calls
 * is forgotten here, once: later tries of the same request know of theirs.
 */
export async function reopenAttempt(tx: Tx, userId: UserId, id: string, request: string | undefined): Promise<void> {
  await tx.query({
    name: 'reopen-attempt',
    text: `update attempts set state = 'claimed', called_at = null, unanswered = 0, finished_at = null, error_class = null,
        error_code = null, reported = null, setbacks = '{}', reopened_by = $3
      where user_id = $1 and id = $2 and state in ('failed', 'unknown')`,
    values: [userId, id, request ?? null],
  });
}

/**
 * Takes back a claim of which no provider has heard: what it was to tell counts as told no more, and is decided on again.
 * What a later claim has told stays told.
 */
export async function giveBackAttempt(tx: Tx, userId: UserId, id: string, at: Date): Promise<void> {
  await tx.query({
    name: 'give-back-attempt',
    text: `
      with given as (
        update attempts set state = 'dropped', finished_at = $3
        where user_id = $1 and id = $2 and state = 'claimed' and called_at is null returning channel, covers
      ), late as (
        update late_calls l set told_by = null from given where l.user_id = $1 and l.told_by = $2
      )
      update watermarks w set through_seq = (c->>'fromSeq')::bigint - 1, times = greatest(0, w.times - 1)
      from given g, jsonb_array_elements(g.covers) c
      where w.user_id = $1 and w.channel = g.channel and w.conversation_id = (c->>'conversationId')::uuid
        and w.through_seq = (c->>'toSeq')::bigint`,
    values: [userId, id, at],
  });
}

/** What these attempts were to tell, and by which channel. */
export async function coversOf(
  tx: Tx,
  userId: UserId,
  ids: readonly string[],
): Promise<(Cover & { channel: Channel })[]> {
  if (ids.length === 0) return [];
  const { rows } = await tx.query<Cover & { channel: Channel }>({
    name: 'covers-of',
    text: `select t.channel, c.* from attempts t,
        jsonb_to_recordset(t.covers) as c("conversationId" uuid, "fromSeq" bigint, "toSeq" bigint)
      where t.user_id = $1 and t.id = any($2::uuid[])`,
    values: [userId, ids],
  });
  return rows;
}

/** Those of the attempts of which it is known by now, mostly by a late report, what became of them. */
export async function settledAttempts(tx: Tx, userId: UserId, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const { rows } = await tx.query<{ id: string }>({
    name: 'settled-attempts',
    text: `select id from attempts where user_id = $1 and id = any($2::uuid[])
        and (state = 'accepted' or state in ('failed', 'unknown') and not coalesce(error_class = any($3::text[]), false))`,
    values: [userId, ids, stuckReasons],
  });
  return rows.map(({ id }) => id);
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
