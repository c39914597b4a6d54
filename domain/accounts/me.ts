import type { Me, User } from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import type { MePatch } from '../../contracts/rest/me.ts';
import { lookAgain } from '../../db/queries/episodes.ts';
import { publicUserById, updateUser, userById } from '../../db/queries/users.ts';
import type { Actor, Deps } from '../deps.ts';
import { notFound } from '../errors.ts';
import { presentMe, presentUser } from './present.ts';

export async function getMe(deps: Pick<Deps, 'db'>, actor: Actor): Promise<Me> {
  const row = await userById(deps.db, actor.userId);
  if (!row) throw notFound();
  return presentMe(row);
}

export async function updateMe(deps: Pick<Deps, 'db' | 'publishLive'>, actor: Actor, patch: MePatch): Promise<Me> {
  const row = await updateUser(deps.db, actor.userId, patch);
  if (!row) throw notFound();
  // Quiet hours are by the clock of this zone.
  if (patch.timeZone) await lookAgain(deps.db, [actor.userId], 0);
  if (patch.privacy?.tellLastSeen) deps.publishLive([{ type: 'visibility.changed', userId: actor.userId }]);
  return presentMe(row);
}

/** Anybody who is signed in may see a person's name. */
export async function getUser(deps: Pick<Deps, 'db'>, _actor: Actor, id: UserId): Promise<User> {
  const row = await publicUserById(deps.db, id);
  if (!row || row.status !== 'active') throw notFound();
  return presentUser(row);
}
