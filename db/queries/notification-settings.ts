import { type NotificationSettings, defaultNotificationSettings } from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import type { Queryable } from '../client.ts';
import { keepingPast } from './past-rules.ts';

export interface NotificationSettingsRow {
  settings: NotificationSettings;
  version: number;
}

/** The stored settings, or nothing where the person has never changed the defaults. */
export async function notificationSettingsOf(
  db: Queryable,
  userId: UserId,
): Promise<NotificationSettingsRow | undefined> {
  const { rows } = await db.query<NotificationSettingsRow>({
    name: 'notification-settings-of',
    text: 'select settings, version from notification_settings where user_id = $1',
    values: [userId],
  });
  const [row] = rows;
  // Stored by an older version, they lack what was added since.
  return row && { ...row, settings: { ...defaultNotificationSettings, ...row.settings } };
}

/** Stores settings if their version is still `expected` (0: never stored). Answers with the new version, or nothing. */
export async function putNotificationSettings(
  db: Queryable,
  userId: UserId,
  settings: NotificationSettings,
  expected: number,
): Promise<number | undefined> {
  const { rows } = await db.query<{ version: number }>({
    name: 'put-notification-settings',
    text: `
      with ${keepingPast(
        'settings',
        // Never stored: then the defaults held, as they do where there is nothing.
        `select $1::uuid as user_id, '' as subject, null::timestamptz as since, x.settings as was from (values (1)) one
          left join notification_settings x on x.user_id = $1 where coalesce(x.version, 0) = $3`,
      )}
      insert into notification_settings as n (user_id, settings) select $1, $2 where $3 = 0
        or exists (select from notification_settings where user_id = $1)
      on conflict (user_id) do update set settings = excluded.settings, version = n.version + 1 where n.version = $3
      returning version`,
    values: [userId, JSON.stringify(settings), expected],
  });
  return rows[0]?.version;
}
