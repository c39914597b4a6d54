import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Channel } from '../../contracts/workflows/names.ts';
import type { Queryable, Tx } from '../client.ts';

/** Messages of one conversation that an attempt announces. Both bounds belong to it. */
export interface Cover {
  conversationId: ConversationId;
  fromSeq: number;
  toSeq: number;
}

export interface AttemptRow {
  id: string;
  episode: number;
  channel: Channel;
  state: 'claimed' | 'accepted' | 'failed' | 'unknown' | 'dropped';
  covers: Cover[];
  tries: number;
  claimedAt: Date;
  /** When the provider was last called; null when it never was. */
  calledAt: Date | null;
  errorClass: string | null;
  errorCode: string | null;
}

const columns = `id, episode, channel, state, covers, tries, claimed_at as "claimedAt", called_at as "calledAt",
  error_class as "errorClass", error_code as "errorCode"`;

/** Something unread of a person, and how far each channel has announced it. */
export interface ArmedRow {
  conversationId: ConversationId;
  kind: 'direct' | 'group' | 'channel';
  armedAt: Date;
  fromSeq: number;
  lastSeq: number;
  lastAt: Date;
  urgent: boolean;
  seenSeq: number;
  muted: boolean;
  level: 'all' | 'mentions' | 'nothing' | null;
  push: { throughSeq: number; at: string } | null;
  email: { throughSeq: number; at: string } | null;
  sms: { throughSeq: number; at: string } | null;
}

/** What is armed for the person and not seen, the oldest first. */
export async function armedConversations(db: Queryable, userId: UserId): Promise<ArmedRow[]> {
  const watermark = (
    channel: Channel,
  ) => `(select jsonb_build_object('throughSeq', w.through_seq, 'at', w.at) from watermarks w
    where w.user_id = a.user_id and w.conversation_id = a.conversation_id and w.channel = '${channel}') as ${channel}`;
  const { rows } = await db.query<ArmedRow>({
    name: 'armed-conversations',
    text: `
      select a.conversation_id as "conversationId", c.kind, a.armed_at as "armedAt", a.from_seq as "fromSeq",
        a.last_seq as "lastSeq", a.last_at as "lastAt", a.urgent, m.seen_seq as "seenSeq",
        coalesce(m.muted_until > now(), false) as muted, m.level,
        ${watermark('push')}, ${watermark('email')}, ${watermark('sms')}
      from armed a
      join conversations c on c.id = a.conversation_id
      join members m on m.conversation_id = a.conversation_id and m.user_id = a.user_id and m.left_at is null
      where a.user_id = $1 and a.last_seq > m.seen_seq
      order by a.armed_at, a.conversation_id`,
    values: [userId],
  });
  return rows;
}

/** Claims a send: the attempt is written and the watermarks move in the one transaction, before the provider is called. */
export async function insertAttempt(
  tx: Tx,
  userId: UserId,
  attempt: { id: string; episode: number; channel: Channel; covers: Cover[]; at: Date },
): Promise<void> {
  await tx.query({
    name: 'insert-attempt',
    text: `
      with claimed as (
        insert into attempts (user_id, id, episode, channel, state, covers, claimed_at) values ($1, $2, $3, $4, 'claimed', $5, $6)
      )
      insert into watermarks as w (user_id, conversation_id, channel, through_seq, at)
      select $1, (c->>'conversationId')::uuid, $4, (c->>'toSeq')::bigint, $6 from jsonb_array_elements($5::jsonb) c
      on conflict (user_id, conversation_id, channel) do update
      set through_seq = greatest(w.through_seq, excluded.through_seq), at = excluded.at`,
    values: [userId, attempt.id, attempt.episode, attempt.channel, JSON.stringify(attempt.covers), attempt.at],
  });
}

export async function attemptOf(db: Queryable, userId: UserId, id: string): Promise<AttemptRow | undefined> {
  const { rows } = await db.query<AttemptRow>({
    name: 'attempt-of',
    text: `select ${columns} from attempts where user_id = $1 and id = $2`,
    values: [userId, id],
  });
  return rows[0];
}

export async function attemptsOfEpisode(db: Queryable, userId: UserId, episode: number): Promise<AttemptRow[]> {
  const { rows } = await db.query<AttemptRow>({
    name: 'attempts-of-episode',
    text: `select ${columns} from attempts where user_id = $1 and episode = $2 order by claimed_at, id`,
    values: [userId, episode],
  });
  return rows;
}

/** The provider is about to be called: from here on a crash leaves the outcome unknown, and the row says so. */
export async function markCalled(db: Queryable, userId: UserId, id: string, at: Date): Promise<void> {
  await db.query({
    name: 'mark-attempt-called',
    text: `update attempts set tries = tries + 1, called_at = $3 where user_id = $1 and id = $2`,
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
    text: `update attempts set state = $3, finished_at = $4, provider_id = coalesce($5, provider_id), error_class = $6,
      error_code = $7 where user_id = $1 and id = $2`,
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

/** An operator asks for another try of an attempt that failed or whose fate was never known. */
export async function reopenAttempt(tx: Tx, userId: UserId, id: string): Promise<void> {
  await tx.query({
    name: 'reopen-attempt',
    text: `update attempts set state = 'claimed', called_at = null, finished_at = null, error_class = null, error_code = null
      where user_id = $1 and id = $2 and state in ('failed', 'unknown')`,
    values: [userId, id],
  });
}
