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

/** Under which keys attempts name devices that nobody may look at: where no other took the push, mail comes as without it. */
export const unseenKeys = (devices: readonly DeviceRow[], now: Date): string[] =>
  devices.filter(({ lastSeenAt }) => now.getTime() - lastSeenAt.getTime() > unseenMs).map(({ id }) => `device:${id}`);
