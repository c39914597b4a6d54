import type { Me, Session } from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import type { Login, Registration } from '../../contracts/rest/auth.ts';
import type { Tx } from '../../db/client.ts';
import { type UserRow, insertUser, updatePasswordHash, userByIdentifier } from '../../db/queries/users.ts';
import { commit } from '../commit.ts';
import type { Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';
import { requestCode } from './contacts.ts';
import { presentMe } from './present.ts';
import { openSession, tellEnded } from './sessions.ts';
import { refusingTaken } from './taken.ts';

type SignInDeps = Pick<Deps, 'db' | 'now' | 'newId' | 'passwords' | 'tokens' | 'publishLive'>;

/** Makes the account, its first session, and what is owed: a verification code to each contact that was given. */
export function register(deps: SignInDeps, input: Registration): Promise<{ user: Me; session: Session }> {
  return makeAccount(deps, input, async (tx, user) => {
    const { session } = await openSession(tx, deps, user.id, input.deviceName);
    return { user, session };
  });
}

/** Makes an account and what is owed for it; `withIt` does in the same transaction what else belongs to it. */
export async function makeAccount<Result>(
  deps: Pick<Deps, 'db' | 'now' | 'newId' | 'passwords' | 'publishLive'>,
  input: Registration,
  withIt: (tx: Tx, user: Me) => Promise<Result>,
): Promise<Result> {
  const passwordHash = await deps.passwords.hash(input.password);
  const user = {
    id: deps.newId() as UserId,
    displayName: input.displayName,
    email: input.email ?? null,
    phone: input.phone ?? null,
    passwordHash,
    locale: input.locale ?? 'en',
    timeZone: input.timeZone ?? 'UTC',
    createdAt: deps.now(),
  };
  return refusingTaken(() =>
    commit(deps, async (tx) => {
      await insertUser(tx, user);
      if (user.email) await requestCode(tx, deps, user.id, { channel: 'email', target: user.email });
      if (user.phone) await requestCode(tx, deps, user.id, { channel: 'sms', target: user.phone });
      return { value: await withIt(tx, presentMe({ ...user, ...neverChanged })) };
    }),
  );
}

/** What the table gives a new person. */
const neverChanged = {
  ...{ emailVerifiedAt: null, phoneVerifiedAt: null, status: 'active', role: 'member', lastSeenAt: null },
  ...{ tellRead: true, tellLastSeen: 'contacts' },
} satisfies Partial<UserRow>;

/** Signs in. An unknown identifier costs the same work and gets the same answer as a wrong password. */
export async function login(deps: SignInDeps, input: Login): Promise<{ user: Me; session: Session }> {
  const user = await userByIdentifier(deps.db, input.identifier.toLowerCase());
  const right = await deps.passwords.verify(input.password, user?.passwordHash);
  if (!user || !right || user.status !== 'active') throw new DomainError('invalid_credentials');
  if (deps.passwords.needsRehash(user.passwordHash)) {
    await updatePasswordHash(deps.db, user.id, await deps.passwords.hash(input.password));
  }
  const { session, ended } = await commit(deps, async (tx) => ({
    value: await openSession(tx, deps, user.id, input.deviceName),
  }));
  tellEnded(deps, user.id, ended);
  return { user: presentMe(user), session };
}
