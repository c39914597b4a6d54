import {
  type NotificationSettings,
  type NotificationSettingsPatch,
  defaultNotificationSettings,
} from '../../contracts/entities/index.ts';
import type { Tx } from '../../db/client.ts';
import { lookAgain } from '../../db/queries/episodes.ts';
import {
  type NotificationSettingsRow,
  notificationSettingsOf,
  putNotificationSettings,
} from '../../db/queries/notification-settings.ts';
import { callOff } from '../calling-off/index.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';

/** Tries of a change that names no version and lost against another one. */
const maxTries = 5;

/** The settings and their version; version 0 are the defaults, never yet changed. */
export async function getNotificationSettings(
  deps: Pick<Deps, 'db'>,
  actor: Pick<Actor, 'userId'>,
): Promise<NotificationSettingsRow> {
  const stored = await notificationSettingsOf(deps.db, actor.userId);
  return stored ?? { settings: defaultNotificationSettings, version: 0 };
}

/** Changes some settings, and tells the person's devices. With `expected` the change happens to that version or not at all. */
export async function updateNotificationSettings(
  deps: Pick<Deps, 'db' | 'now' | 'publishLive'>,
  actor: Pick<Actor, 'userId'>,
  patch: NotificationSettingsPatch,
  expected?: number,
): Promise<NotificationSettingsRow> {
  for (let tried = 0; tried < maxTries; tried += 1) {
    const current = await getNotificationSettings(deps, actor);
    if (expected !== undefined && expected !== current.version) break;
    const settings = merge(current.settings, patch);
    const version = await deps.db.transaction((tx) => put(tx, deps, actor, settings, current));
    if (version === undefined) continue;
    deps.publishLive([{ type: 'settings.changed', userId: actor.userId, settings, version }]);
    return { settings, version };
  }
  throw new DomainError(expected === undefined ? 'conflict' : 'precondition_failed');
}

/** What is wanted less by the new settings is called off with them; what goes on is looked at anew. */
async function put(
  tx: Tx,
  deps: Pick<Deps, 'now'>,
  { userId }: Pick<Actor, 'userId'>,
  settings: NotificationSettings,
  before: NotificationSettingsRow,
): Promise<number | undefined> {
  const version = await putNotificationSettings(tx, userId, settings, before.version);
  if (version === undefined) return undefined;
  const wanted = ({ level, mentions }: NotificationSettings) => JSON.stringify([level, mentions]);
  const reason = settings.level === 'nothing' ? 'level_nothing' : 'level_mentions_only';
  if (wanted(settings) !== wanted(before.settings)) await callOff(tx, deps, { userIds: [userId] }, reason);
  await lookAgain(tx, [userId], 0);
  return version;
}

function merge(
  settings: NotificationSettings,
  { channels = {}, mentions = {}, ...patch }: NotificationSettingsPatch,
): NotificationSettings {
  return {
    ...settings,
    ...given(patch),
    channels: { ...settings.channels, ...given(channels) },
    mentions: { ...settings.mentions, ...given(mentions) },
  };
}

const given = (patch: object) => Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
