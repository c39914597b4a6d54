import type { UserId } from '../../contracts/ids.ts';
import type { Tx } from '../../db/client.ts';
import { userById } from '../../db/queries/users.ts';
import type { Deps } from '../deps.ts';
import { tellOwner } from './notices.ts';

/** Leaves it to the durable lane to tell the person that somebody has signed in where nobody had before. */
export async function noticeSignIn(tx: Tx, deps: Pick<Deps, 'now' | 'newId'>, userId: UserId): Promise<void> {
  const user = await userById(tx, userId);
  if (user) await tellOwner(tx, deps, user, 'new_sign_in');
}
