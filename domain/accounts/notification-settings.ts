import {
  type NotificationSettings,
  type NotificationSettingsPatch,
  defaultNotificationSettings,
} from '../../contracts/entities/index.ts';
import { lookAgain } from '../../db/queries/episodes.ts';
import {
  type NotificationSettingsRow,
  notificationSettingsOf,
  putNotificationSettings,
} from '../../db/queries/notification-settings.ts';
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
  deps: Pick<Deps, 'db' | 'publishLive'>,
  actor: Pick<Actor, 'userId'>,
  patch: NotificationSettingsPatch,
  expected?: number,
): Promise<NotificationSettingsRow> {
  for (let tried = 0; tried < maxTries; tried += 1) {
    const current = await getNotificationSettings(deps, actor);
    if (expected !== undefined && expected !== current.version) break;
    const settings = merge(current.settings, patch);
    const version = await putNotificationSettings(deps.db, actor.userId, settings, current.version);
    if (version === undefined) continue;
    await lookAgain(deps.db, [actor.userId], 0);
    deps.publishLive([{ type: 'settings.changed', userId: actor.userId, settings, version }]);
    return { settings, version };
  }
  throw new DomainError(expected === undefined ? 'conflict' : 'precondition_failed');
}

function merge(
  settings: NotificationSettings,
  { channels, ...patch }: NotificationSettingsPatch,
): NotificationSettings {
  const [others, switches] = [given(patch), given(channels ?? {})];
  return { ...settings, ...others, channels: { ...settings.channels, ...switches } };
}

const given = (patch: object) => Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
