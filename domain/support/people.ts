import type { Me, UserRole } from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import type { Registration } from '../../contracts/rest/auth.ts';
import { updateUserRole } from '../../db/queries/users.ts';
import { makeAccount, refuseTaken } from '../accounts/index.ts';
import { commit } from '../commit.ts';
import type { Deps } from '../deps.ts';
import { notFound } from '../errors.ts';
import { type By, audit } from '../audit/index.ts';

type PeopleDeps = Pick<Deps, 'db' | 'now' | 'newId' | 'mac' | 'passwords' | 'publishLive'>;

/** Makes an account with a role, as the first admin is made: whoever signs up has none. */
export async function createUser(
  deps: PeopleDeps,
  by: By,
  { role, ...input }: Registration & { role: UserRole },
): Promise<Me> {
  await refuseTaken(deps, input);
  return makeAccount(deps, input, async (tx, me) => {
    await updateUserRole(tx, me.id, role);
    await audit(tx, deps, by, { action: 'create_user', userId: me.id });
    return me;
  });
}

export async function changeUserRole(
  deps: Pick<Deps, 'db' | 'newId' | 'publishLive'>,
  by: By,
  userId: UserId,
  role: UserRole,
): Promise<void> {
  await commit(deps, async (tx) => {
    if (!(await updateUserRole(tx, userId, role))) throw notFound();
    return { value: await audit(tx, deps, by, { action: 'change_role', userId }) };
  });
}
