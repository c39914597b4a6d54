import { createHash } from 'node:crypto';
import type { DeviceInput } from '../../contracts/entities/index.ts';
import type { DeviceId, SessionId, UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';

export interface DeviceRow {
  userId: UserId;
  id: DeviceId;
  /** The session that registered it last. */
  sessionId: SessionId | null;
  platform: DeviceInput['platform'];
  pushToken: string | null;
  pushTokenAt: Date | null;
  pushState: 'active' | 'suspect' | 'dead';
  pushPermission: 'granted' | 'denied' | 'unknown';
  pushEnabled: boolean;
  appVersion: string | null;
  locale: string | null;
  timeZone: string | null;
  lastSeenAt: Date;
}

/** FCM's own tokens end when nothing was heard of an installation for so long. */
const goneAfter = `interval '270 days'`;

/**
 * An app that registers once and then only renews its session is seen as well: at each renewal, which a connection that
 * lasts needs, too. That is written down with the session already.
 */
const seenAt = `greatest(d.last_seen_at, (
  select s.last_used_at from sessions s where s.user_id = d.user_id and s.id = d.session_id))`;

/** The zone of the device that was seen last and has told one. */
export const pushZone = (userId: string) =>
  `(select d.time_zone from devices d where d.user_id = ${userId} and d.time_zone is not null order by ${seenAt} desc, d.id desc limit 1)`;

const columnsWith = (pushState: string, lastSeen: string) => `
  user_id as "userId", id, session_id as "sessionId", platform, push_token as "pushToken", push_token_at as "pushTokenAt",
  ${pushState} as "pushState", push_permission as "pushPermission", push_enabled as "pushEnabled", app_version as "appVersion",
  locale, time_zone as "timeZone", ${lastSeen} as "lastSeenAt"`;
const columns = columnsWith('push_state', 'last_seen_at');
const columnsNow = columnsWith(`case when ${seenAt} < now() - ${goneAfter} then 'dead' else push_state end`, seenAt);

/** Registrations of one person follow one another, so that their number can be judged. */
export async function lockDevices(tx: Tx, userId: UserId): Promise<void> {
  await tx.query({
    name: 'lock-devices',
    text: `select pg_advisory_xact_lock(hashtextextended($1, 2))`,
    values: [userId],
  });
}

/**
 * Takes a push token from whoever holds it: one installation belongs to one account at a time. Two who register the same
 * one at the same moment follow one another.
 */
export async function releasePushToken(tx: Tx, token: string, keep: { userId: UserId; id: DeviceId }): Promise<void> {
  await tx.query({
    name: 'lock-push-token',
    text: `select pg_advisory_xact_lock(hashtextextended($1, 1))`,
    values: [token],
  });
  // Whose it was is told to nobody.
  await tx.asEverybody((all) =>
    all.query({
      name: 'release-push-token',
      text: `update devices set push_token = null, push_token_hash = null, push_token_at = null
        where push_token_hash = $1 and not (user_id = $2 and id = $3)`,
      values: [hashOf(token), keep.userId, keep.id],
    }),
  );
}

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/**
 * Stores a device, or what changed of it; a field that was not sent stays. A token that is sent again after it was found
 * dead becomes active: the app knows better than the provider's old answer.
 */
export async function upsertDevice(
  tx: Tx,
  userId: UserId,
  id: DeviceId,
  input: DeviceInput,
  { at, sessionId }: { at: Date; sessionId: SessionId },
): Promise<DeviceRow> {
  const { rows } = await tx.query<DeviceRow>({
    name: 'upsert-device',
    text: `
      insert into devices as d (user_id, id, platform, push_token, push_token_at, push_permission, app_version, locale, time_zone, last_seen_at, push_token_hash, session_id, push_enabled)
      values ($1, $2, $3, $4, case when $4::text is null then null else $9::timestamptz end, coalesce($6, 'unknown'), $7, $8, $10, $9, $11, $12, coalesce($13, true))
      on conflict (user_id, id) do update set
        platform = excluded.platform,
        push_token = case when $5 then excluded.push_token else d.push_token end,
        push_token_hash = case when $5 then excluded.push_token_hash else d.push_token_hash end,
        session_id = excluded.session_id,
        push_token_at = case when $5 then excluded.push_token_at else d.push_token_at end,
        push_state = case when $5 then 'active' else d.push_state end,
        push_state_at = case when $5 then null else d.push_state_at end,
        push_permission = coalesce($6, d.push_permission),
        push_enabled = coalesce($13, d.push_enabled),
        app_version = coalesce($7, d.app_version),
        locale = coalesce($8, d.locale),
        time_zone = coalesce($10, d.time_zone),
        last_seen_at = excluded.last_seen_at
      returning ${columns}`,
    values: [
      userId,
      id,
      input.platform,
      input.pushToken ?? null,
      input.pushToken !== undefined,
      input.pushPermission ?? null,
      input.appVersion ?? null,
      input.locale ?? null,
      at,
      input.timeZone ?? null,
      input.pushToken ? hashOf(input.pushToken) : null,
      sessionId,
      input.pushEnabled ?? null,
    ],
  });
  return rows[0] as DeviceRow;
}

export async function devicesOf(db: Queryable, userId: UserId): Promise<DeviceRow[]> {
  const { rows } = await db.query<DeviceRow>({
    name: 'devices-of',
    text: `select ${columnsNow} from devices d where user_id = $1 order by "lastSeenAt" desc, id desc`,
    values: [userId],
  });
  return rows;
}

export async function deleteDevice(db: Queryable, userId: UserId, id: DeviceId): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'delete-device',
    text: 'delete from devices where user_id = $1 and id = $2',
    values: [userId, id],
  });
  return rowCount === 1;
}

/**
 * Calls devices dead that were not seen for so long that nothing reaches them, and writes down of the others when they were
 * seen, so that they are not looked at again before their time. Answers with how many were looked at.
 */
export async function retireDevices(db: Queryable, limit: number): Promise<number> {
  const { rowCount } = await db.query({
    name: 'retire-devices',
    text: `
      with unseen as (
        select user_id, id from devices
        where last_seen_at < now() - ${goneAfter} and push_token is not null and push_state <> 'dead'
        order by last_seen_at limit $1 for update skip locked
      )
      update devices d set last_seen_at = ${seenAt},
        push_state = case when ${seenAt} < now() - ${goneAfter} then 'dead' else push_state end,
        push_state_at = case when ${seenAt} < now() - ${goneAfter} then now() else push_state_at end
      from unseen u where d.user_id = u.user_id and d.id = u.id`,
    values: [limit],
  });
  return rowCount ?? 0;
}

/** Devices that were found suspect since then count again: what was said of them is not believed any more. */
export async function clearSuspects(db: Queryable, since: Date): Promise<number> {
  const { rowCount } = await db.query({
    name: 'clear-suspects',
    text: `update devices set push_state = 'active', push_state_at = null where push_state = 'suspect' and push_state_at >= $1`,
    values: [since],
  });
  return rowCount ?? 0;
}

/**
 * A provider said that this token reaches nobody. Compare and clear: only if the device still holds the very token that
 * was used, registered before the send; a token registered meanwhile is untouched. The first hit makes it suspect, a
 * later one dead.
 */
export async function markPushTokenRefused(db: Queryable, userId: UserId, token: string, sentAt: Date): Promise<void> {
  await db.query({
    name: 'mark-push-token-refused',
    text: `update devices set push_state = case push_state when 'active' then 'suspect' else 'dead' end, push_state_at = now()
      where user_id = $1 and push_token_hash = $2 and push_token_at < $3 and push_state <> 'dead'`,
    values: [userId, hashOf(token), sentAt],
  });
}

/** No device of the person is pushed to any more, until an app of theirs registers it anew. */
export async function silenceDevices(tx: Tx, userId: UserId): Promise<void> {
  await tx.query({
    name: 'silence-devices',
    text: `update devices set push_token = null, push_token_hash = null, push_token_at = null
      where user_id = $1 and push_token is not null`,
    values: [userId],
  });
}
