import type { Device, DeviceInput } from '../../contracts/entities/index.ts';
import type { DeviceId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import { deleteDevice, devicesOf, lockDevices, releasePushToken, upsertDevice } from '../../db/queries/devices.ts';
import { lookAgain } from '../../db/queries/episodes.ts';
import { commit } from '../commit.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError, notFound } from '../errors.ts';
import { presentDevice } from './present.ts';

/** Registers a device or what changed of it. A push token moves here from whichever account held it before. */
export async function putDevice(
  deps: Pick<Deps, 'db' | 'now' | 'publishLive'>,
  actor: Actor,
  id: DeviceId,
  input: DeviceInput,
): Promise<Device> {
  return commit(deps, async (tx) => {
    await lockDevices(tx, actor.userId);
    if (input.pushToken) await releasePushToken(tx, input.pushToken, { userId: actor.userId, id });
    const row = await upsertDevice(tx, actor.userId, id, input, { at: deps.now(), sessionId: actor.sessionId });
    const { length } = await devicesOf(tx, actor.userId);
    if (length > limits.devicesPerUser) throw tooManyDevices();
    // What could not be pushed may be pushed now, or no longer, by night too.
    const { pushToken, pushPermission, pushEnabled, timeZone } = input;
    if ([pushToken, pushPermission, pushEnabled, timeZone].some((change) => change !== undefined))
      await lookAgain(tx, [actor.userId], 0);
    return { value: presentDevice(row) };
  });
}

const tooManyDevices = () =>
  new DomainError('limit_reached', {
    detail: `An account may have ${limits.devicesPerUser} devices; delete one that is no longer used.`,
  });

export async function listDevices(deps: Pick<Deps, 'db'>, actor: Actor): Promise<Device[]> {
  return (await devicesOf(deps.db, actor.userId)).map(presentDevice);
}

export async function forgetDevice(deps: Pick<Deps, 'db'>, actor: Actor, id: DeviceId): Promise<void> {
  if (!(await deleteDevice(deps.db, actor.userId, id))) throw notFound();
  await lookAgain(deps.db, [actor.userId], 0);
}
