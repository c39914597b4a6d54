import type { UserId } from '../../contracts/ids.ts';
import type { Queryable } from '../../db/client.ts';
import { acceptedKeys } from '../../db/queries/attempt-reports.ts';
import type { AttemptRow } from '../../db/queries/attempts.ts';
import { type DeviceRow, retireDevices } from '../../db/queries/devices.ts';
import type { UserRow } from '../../db/queries/users.ts';
import type { Deps } from '../deps.ts';

/** Milliseconds after which a device that was not seen may lie in a drawer: it is pushed to, and not counted on. */
const unseenMs = 30 * 86_400_000;
/** Devices called dead in one round. */
const batch = 500;

/** Calls devices dead that were not seen for nine months. Answers with how many were looked at. */
export const retireUnseen = ({ db }: Pick<Deps, 'db'>): Promise<number> => retireDevices(db, batch);

/** By which clock pushes keep quiet hours: that of the device that was seen last and has told its own. */
export const zoneOf = (devices: readonly DeviceRow[], user: Pick<UserRow, 'timeZone'> | undefined): string =>
  devices.find(({ timeZone }) => timeZone !== null)?.timeZone ?? user?.timeZone ?? 'UTC';

/** Whether a push was handed over to a device that somebody may look at: where there was none, mail comes as without push. */
export async function wasPushed(
  db: Queryable,
  now: Date,
  { userId, attempts, devices }: { userId: UserId; attempts: readonly AttemptRow[]; devices: readonly DeviceRow[] },
): Promise<boolean> {
  const taken = attempts.filter(
    ({ channel, state, reached }) => channel === 'push' && (state === 'accepted' || reached),
  );
  const unseen = new Set(
    devices.filter(({ lastSeenAt }) => now.getTime() - lastSeenAt.getTime() > unseenMs).map(({ id }) => `device:${id}`),
  );
  if (unseen.size === 0) return taken.length > 0;
  const keys = await Promise.all(taken.map(({ id }) => acceptedKeys(db, userId, id)));
  return keys.some((accepted) => [...accepted].some((key) => !unseen.has(key)));
}
