import { defaultNotificationSettings } from '../../contracts/entities/index.ts';
import { announcedConversations } from '../../db/queries/announcements.ts';
import { type DeviceRow, devicesOf, markPushTokenRefused } from '../../db/queries/devices.ts';
import { notificationSettingsOf } from '../../db/queries/notification-settings.ts';
import {
  type Badge,
  type DueScreens,
  type OvertakenRow,
  forgetShown,
  nextBadge,
  overtakenScreens,
  refreshShown,
  restScreens,
  takeDueScreens,
} from '../../db/queries/screens.ts';
import { userById } from '../../db/queries/users.ts';
import { screenLimits } from '../calling-off/index.ts';
import type { Deps, PushMessage, SendOutcome } from '../deps.ts';
import { zoneOf } from './devices.ts';
import { canPush } from './outage.ts';
import { keyOfScreen, toPush } from './push-message.ts';

type ScreenDeps = Pick<Deps, 'db' | 'now' | 'senders' | 'ladder' | 'publicUrl' | 'log'>;

/**
 * The relay's round of taking down, on a person's other devices, what they have read on one, and what was deleted since it
 * was pushed. Best effort: a message that fails is not sent again, and whoever was never pushed is never looked at.
 * Answers with how many people were looked at.
 */
export async function clearScreens(deps: ScreenDeps): Promise<number> {
  const due = await takeDueScreens(deps.db, screenLimits.people);
  if (due.length === 0) return 0;
  const overtaken = Map.groupBy(
    await overtakenScreens(
      deps.db,
      due.map(({ userId }) => userId),
    ),
    ({ userId }) => userId,
  );
  await Promise.all(due.map((person) => clearOne(deps, person, overtaken.get(person.userId) ?? [])));
  return due.length;
}

/** One message to each device: what is gone is taken down first, all of it together; what is left comes after the rest. */
async function clearOne(deps: ScreenDeps, person: DueScreens, rows: readonly OvertakenRow[]): Promise<void> {
  const gone = rows.filter((row) => row.gone).slice(0, screenLimits.conversations);
  const [changed] = gone.length > 0 ? [] : rows;
  const told = changed ? [changed] : gone;
  if (told.length === 0) return;
  const { userId, readBy } = person;
  const devices = (await devicesOf(deps.db, userId))
    .filter(canPush)
    .filter(showsOneOf(told))
    // Whoever reads takes down by themselves what they read; of what was deleted nobody is the reader.
    .filter(({ sessionId }) => readBy === null || sessionId !== readBy);
  const restMs = devices.length > 0 ? screenLimits.restMs : 0;
  await restScreens(deps.db, userId, { restMs, again: rows.length > told.length });
  const badge = await deps.db.transaction((tx) => nextBadge(tx, userId));
  if (changed) return replace(deps, changed, devices, badge);
  await forgetShown(deps.db, gone);
  await takeDown(deps, gone, devices, badge);
}

const showsOneOf = (rows: readonly OvertakenRow[]) => {
  const ids = new Set(rows.flatMap(({ deviceIds }) => deviceIds));
  return ({ id }: DeviceRow) => ids.has(id);
};

async function takeDown(
  deps: ScreenDeps,
  rows: readonly OvertakenRow[],
  devices: readonly DeviceRow[],
  badge: Badge,
): Promise<void> {
  const conversations = rows.map(({ userId, conversationId, throughSeq }) => ({
    conversationId,
    throughSeq,
    tag: keyOfScreen(userId, conversationId),
  }));
  const data = {
    kind: 'clear',
    conversations: JSON.stringify(conversations),
    badgeRevision: String(badge.revision),
  };
  const { ttlSeconds } = screenLimits;
  await toEach(deps, devices, (to) => deps.senders.push.sendSilently({ ...to, data, badge: badge.count, ttlSeconds }));
}

/** The same notification as it is now, without a sound: what was deleted stands on no screen. */
async function replace(
  deps: ScreenDeps,
  row: OvertakenRow,
  devices: readonly DeviceRow[],
  badge: Badge,
): Promise<void> {
  const { userId, conversationId, fromSeq, throughSeq, attemptId } = row;
  await refreshShown(deps.db, row);
  const [user, stored, told] = await Promise.all([
    userById(deps.db, userId),
    notificationSettingsOf(deps.db, userId),
    announcedConversations(deps.db, userId, [{ conversationId, fromSeq, toSeq: throughSeq }]),
  ]);
  if (!user || told.length === 0) return;
  const settings = stored?.settings ?? defaultNotificationSettings;
  const content = { user, settings, told, attemptId, urgent: false, sound: false, pushZone: zoneOf(devices, user) };
  await toEach(deps, devices, (to) => deps.senders.push.send(toPush(deps, content, to, badge)));
}

async function toEach(
  deps: ScreenDeps,
  devices: readonly DeviceRow[],
  send: (to: Pick<PushMessage, 'platform' | 'token'>) => Promise<SendOutcome>,
): Promise<void> {
  await Promise.all(
    devices.map(async (device) => {
      const [token, sentAt] = [device.pushToken as string, deps.now()];
      const outcome = await send({ platform: device.platform, token });
      if (outcome.class === 'ok') return;
      if (outcome.class === 'recipient_dead') await markPushTokenRefused(deps.db, device.userId, token, sentAt);
      deps.log.info('a screen could not be brought up to date', { deviceId: device.id, code: outcome.code });
    }),
  );
}
