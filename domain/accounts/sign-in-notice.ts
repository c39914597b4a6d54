import type { Tx } from '../../db/client.ts';
import { userById } from '../../db/queries/users.ts';
import { audit } from '../audit/index.ts';
import type { Actor, Deps } from '../deps.ts';
import { tellOwner } from './notices.ts';

/** Leaves it to the durable lane to tell the person that somebody has signed in where nobody had before. */
export async function noticeSignIn(tx: Tx, deps: Pick<Deps, 'now' | 'newId'>, actor: Actor): Promise<void> {
  const user = await userById(tx, actor.userId);
  if (user) await tellOwner(tx, deps, user, 'new_sign_in');
  await audit(tx, deps, actor, { action: 'new_sign_in', userId: actor.userId });
}
