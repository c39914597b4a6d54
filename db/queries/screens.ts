import type { ConversationId, DeviceId, SessionId, UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';
import { unreadConversations } from './announcements.ts';
import type { Cover } from './attempts.ts';
import { messagesBetween, notifiable } from './notifiable.ts';

/** The number on the app's icon, and the how-manieth it is: a client leaves the older of two aside. */
export interface Badge {
  count: number;
  revision: number;
}

/**
 * The person's badge as it is now. The revision is taken first and held: a later one is of a later look, so whoever goes
 * by it never goes back.
 */
export async function nextBadge(tx: Tx, userId: UserId): Promise<Badge> {
  const { rows } = await tx.query<{ revision: number }>({
    name: 'next-badge',
    text: `
      insert into screens as s (user_id, badge_revision) values ($1, 1)
      on conflict (user_id) do update set badge_revision = s.badge_revision + 1 returning badge_revision as revision`,
    values: [userId],
  });
  return { count: await unreadConversations(tx, userId), revision: rows[0]?.revision ?? 0 };
}

/**
 * A push of these messages is about to replace what the devices show of the conversation. Written down before they are
 * called: one that took it and could not say so shows it as well.
 */
export async function recordShown(
  tx: Tx,
  userId: UserId,
  push: { attemptId: string; covers: readonly Cover[]; deviceIds: readonly DeviceId[] },
): Promise<void> {
  await tx.query({
    name: 'record-shown',
    text: `
      insert into shown as w (user_id, conversation_id, attempt_id, from_seq, through_seq, device_ids)
      select $1::uuid, k.conversation_id, $2::uuid, min(k.from_seq), max(k.through_seq), $6::uuid[]
      from unnest($3::uuid[], $4::bigint[], $5::bigint[]) as k(conversation_id, from_seq, through_seq)
      group by k.conversation_id
      on conflict (user_id, conversation_id) do update set
        attempt_id = excluded.attempt_id, from_seq = excluded.from_seq, through_seq = excluded.through_seq, at = now(),
        -- A device that is not reached this time goes on showing the one before.
        device_ids = array(select distinct unnest(w.device_ids || excluded.device_ids))`,
    values: [
      userId,
      push.attemptId,
      push.covers.map(({ conversationId }) => conversationId),
      push.covers.map(({ fromSeq }) => fromSeq),
      push.covers.map(({ toSeq }) => toSeq),
      push.deviceIds,
    ],
  });
}

export interface ScreenReader {
  userId: UserId;
  /** Null: any conversation of theirs. */
  conversationId: ConversationId | null;
  /** The session that reads, whose device sees to its own screen. */
  sessionId: SessionId | null;
}

const lookTiming = `look_at = least(s.look_at, greatest(now() + $2 * interval '1 millisecond', s.rests_until))`;

/**
 * These people have read something: where their screens show it they are looked at soon, and never sooner than their rest
 * allows. Whoever was never pushed has no row here.
 */
export async function lookAtScreens(db: Queryable, readers: readonly ScreenReader[], delayMs: number): Promise<void> {
  await db.query({
    name: 'look-at-screens',
    text: `
      with readers as (
        -- Read in two sessions: neither of them has seen all of it.
        select user_id, case when count(distinct session_id) = 1 and bool_and(session_id is not null)
          then min(session_id::text)::uuid end as session_id
        from unnest($1::uuid[], $3::uuid[], $4::uuid[]) as i(user_id, conversation_id, session_id)
        where exists (select from shown w where w.user_id = i.user_id
          and (i.conversation_id is null or w.conversation_id = i.conversation_id))
        group by user_id
      ), held as (
        select s.user_id, r.session_id from screens s join readers r on r.user_id = s.user_id
        order by s.user_id for update of s
      )
      update screens s set ${lookTiming},
        read_by = case when s.look_at is null or s.read_by = h.session_id then h.session_id end
      from held h where s.user_id = h.user_id`,
    values: [
      readers.map(({ userId }) => userId),
      delayMs,
      readers.map(({ conversationId }) => conversationId),
      readers.map(({ sessionId }) => sessionId),
    ],
  });
}

/** The same of one person whose reading nobody has told of: where no look is to come already. */
export async function lookOnceAtScreens(tx: Tx, userId: UserId, delayMs: number): Promise<void> {
  await tx.query({
    name: 'look-once-at-screens',
    text: `update screens s set ${lookTiming}
      where s.user_id = $1 and s.look_at is null and exists (select from shown w where w.user_id = s.user_id)`,
    values: [userId, delayMs],
  });
}

/** What stands there was deleted, or calls for somebody no longer: whose screens show it is looked for by that. */
export async function lookAtScreensOf(
  db: Queryable,
  { conversationId, seqFrom, seqTo }: { conversationId: ConversationId; seqFrom: number; seqTo: number },
  delayMs: number,
): Promise<void> {
  await db.query({
    name: 'look-at-screens-of',
    text: `
      with held as (
        select s.user_id from screens s where s.user_id in (
          select w.user_id from shown w where w.conversation_id = $1 and w.through_seq >= $3 and w.from_seq <= $4)
        order by s.user_id for update
      )
      update screens s set ${lookTiming}, read_by = null from held h where s.user_id = h.user_id`,
    values: [conversationId, delayMs, seqFrom, seqTo],
  });
}

export interface DueScreens {
  userId: UserId;
  readBy: SessionId | null;
}

/** Takes people whose screens are to be looked at. What comes to pass meanwhile asks for another look. */
export async function takeDueScreens(db: Queryable, limit: number): Promise<DueScreens[]> {
  const { rows } = await db.query<DueScreens>({
    name: 'take-due-screens',
    text: `
      with due as (
        select user_id, read_by from screens where look_at <= now() order by look_at limit $1 for update skip locked
      )
      update screens s set look_at = null, read_by = null from due d where s.user_id = d.user_id
      returning d.user_id as "userId", d.read_by as "readBy"`,
    values: [limit],
  });
  return rows;
}

/** What is shown of a conversation and is not so any more. */
export interface OvertakenRow {
  userId: UserId;
  conversationId: ConversationId;
  attemptId: string;
  fromSeq: number;
  throughSeq: number;
  deviceIds: DeviceId[];
  /** Nothing of it calls for the person's attention; else something of it was deleted or says something else. */
  gone: boolean;
}

/** Of all that these people's screens show: what was read or is gone, and what is left of something else than is shown. */
export async function overtakenScreens(db: Queryable, userIds: readonly UserId[]): Promise<OvertakenRow[]> {
  const { rows } = await db.query<OvertakenRow>({
    name: 'overtaken-screens',
    text: `
      select w.user_id as "userId", w.conversation_id as "conversationId", w.attempt_id as "attemptId",
        w.from_seq as "fromSeq", w.through_seq as "throughSeq", w.device_ids as "deviceIds", unread.gone
      from shown w
      cross join lateral (select not exists (
        select from members m
        join conversations c on c.id = m.conversation_id
        left join notification_settings n on n.user_id = m.user_id
        cross join lateral ${messagesBetween('m.conversation_id', 'greatest(w.from_seq, m.seen_seq + 1)', 'w.through_seq')}
        where m.conversation_id = w.conversation_id and m.user_id = w.user_id and m.left_at is null and ${notifiable}
      ) as gone) unread
      where w.user_id = any($1::uuid[]) and (unread.gone or exists (
        select from messages d where d.conversation_id = w.conversation_id and d.seq between w.from_seq and w.through_seq
          and (d.deleted_at > w.at or d.edited_at > w.at)))
      order by w.user_id, w.at`,
    values: [userIds],
  });
  return rows;
}

/** They show it no more. What was pushed since stays written down. */
export async function forgetShown(db: Queryable, rows: readonly OvertakenRow[]): Promise<void> {
  await db.query({
    name: 'forget-shown',
    text: `
      delete from shown w using unnest($1::uuid[], $2::uuid[], $3::uuid[]) as i(user_id, conversation_id, attempt_id)
      where w.user_id = i.user_id and w.conversation_id = i.conversation_id and w.attempt_id = i.attempt_id`,
    values: [
      rows.map(({ userId }) => userId),
      rows.map(({ conversationId }) => conversationId),
      rows.map(({ attemptId }) => attemptId),
    ],
  });
}

/** They show it as it is now: what changed before is no news. */
export async function refreshShown(db: Queryable, { userId, conversationId, attemptId }: OvertakenRow): Promise<void> {
  await db.query({
    name: 'refresh-shown',
    text: 'update shown set at = now() where user_id = $1 and conversation_id = $2 and attempt_id = $3',
    values: [userId, conversationId, attemptId],
  });
}

/** Leaves the person's screens alone for a while; with `again` they are looked at once it is over. */
export async function restScreens(
  db: Queryable,
  userId: UserId,
  { restMs, again }: { restMs: number; again: boolean },
): Promise<void> {
  await db.query({
    name: 'rest-screens',
    text: `
      update screens set rests_until = now() + $2 * interval '1 millisecond',
        look_at = case when $3 or look_at is not null then now() + $2 * interval '1 millisecond' end
      where user_id = $1`,
    values: [userId, restMs, again],
  });
}
