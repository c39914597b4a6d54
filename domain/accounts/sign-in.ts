import type { Me, SecondFactorNeeded, Session } from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import type { Login, Registration, SignedIn } from '../../contracts/rest/auth.ts';
import type { Tx } from '../../db/client.ts';
import {
  type UserRow,
  holdPassword,
  insertUser,
  replacePasswordHash,
  usersByIdentifier,
} from '../../db/queries/users.ts';
import { commit } from '../commit.ts';
import type { Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';
import { offerCode } from './contacts.ts';
import { countWrongPassword } from './guesses.ts';
import { checkNewPassword } from './password-policy.ts';
import { presentMe } from './present.ts';
import { admit } from './second-factor.ts';
import { openSession } from './sessions.ts';

type SignInDeps = Pick<Deps, 'db' | 'now' | 'newId' | 'mac' | 'passwords' | 'tokens' | 'publicUrl' | 'publishLive'>;

/**
 * Makes the account, its first session, and what is owed: a verification code to each contact that was given. The answer
 * is the same whether others have the contact: an account only names it until its code comes back.
 */
export function register(
  deps: SignInDeps,
  input: Registration,
  address?: string,
): Promise<{ user: Me; session: Session }> {
  return makeAccount(deps, input, async (tx, user) => {
    const { session } = await openSession(tx, deps, user.id, { deviceName: input.deviceName, address });
    return { user, session };
  });
}

/** Makes an account and what is owed for it; `withIt` does in the same transaction what else belongs to it. */
export async function makeAccount<Result>(
  deps: Pick<Deps, 'db' | 'now' | 'newId' | 'mac' | 'passwords' | 'publishLive'>,
  input: Registration,
  withIt: (tx: Tx, user: Me) => Promise<Result>,
): Promise<Result> {
  const [email, phone] = [input.email ?? null, input.phone ?? null];
  await checkNewPassword(deps, 'password', input.password, { displayName: input.displayName, email, phone });
  const passwordHash = await deps.passwords.hash(input.password);
  const user = {
    ...{ id: deps.newId() as UserId, displayName: input.displayName, email, phone, passwordHash },
    ...{ locale: input.locale ?? 'en', timeZone: input.timeZone ?? 'UTC', createdAt: deps.now() },
  };
  return commit(deps, async (tx) => {
    await insertUser(tx, user);
    if (email) await offerCode(tx, deps, user.id, { channel: 'email', target: email });
    if (phone) await offerCode(tx, deps, user.id, { channel: 'sms', target: phone });
    return { value: await withIt(tx, presentMe({ ...user, ...neverChanged })) };
  });
}

/** What the table gives a new person. */
const neverChanged = {
  ...{
    emailVerifiedAt: null,
    phoneVerifiedAt: null,
    status: 'active',
    kind: 'person',
    role: 'member',
    lastSeenAt: null,
  },
  ...{ tellRead: true, tellLastSeen: 'contacts' },
} satisfies Partial<UserRow>;

/** Accounts that only name an identifier, of which the password is tried. */
const unprovedTried = 3;

/**
 * Signs in, from that address, or asks for the second factor of whose password it is. An unknown identifier costs the same
 * work and gets the same answer as a wrong password, and so does one that somebody has proved. Several accounts may name one
 * that nobody has: then each try costs more, which tells of people who never proved anything.
 */
export async function login(deps: SignInDeps, input: Login, address?: string): Promise<SignedIn | SecondFactorNeeded> {
  const user = await whoseThisIs(deps, input);
  if (user?.status !== 'active') throw new DomainError('invalid_credentials');
  const passwordHash = await strengthen(deps, user, input.password);
  return commit(deps, async (tx) => {
    // The password may have become another one, or its person suspended, while it was looked at: what ended all sessions
    // ends this one.
    if (!(await holdPassword(tx, user.id, passwordHash))) throw new DomainError('invalid_credentials');
    return admit(tx, deps, user.id, { deviceName: input.deviceName, address });
  });
}

async function whoseThisIs(deps: SignInDeps, { identifier, password }: Login): Promise<PasswordUser | undefined> {
  const named = identifier.toLowerCase();
  const meant = await usersByIdentifier(deps.db, named, unprovedTried);
  for (const user of meant.length > 0 ? meant : [undefined])
    if ((await deps.passwords.verify(password, user?.passwordHash)) && hasPassword(user)) return user;
  await countWrongPassword(
    deps,
    named,
    meant.map(({ id }) => id),
  );
  return undefined;
}

type PasswordUser = UserRow & { passwordHash: string };

/** Who signs in elsewhere alone has none, and nothing is the right one. */
const hasPassword = (user: UserRow | undefined): user is PasswordUser => typeof user?.passwordHash === 'string';

/** Hashes the password anew where it was hashed in a weaker way, or with a pepper of before. Answers with its hash now. */
async function strengthen(
  { db, passwords }: Pick<Deps, 'db' | 'passwords'>,
  user: PasswordUser,
  password: string,
): Promise<string> {
  if (!passwords.needsRehash(user.passwordHash)) return user.passwordHash;
  const stronger = await passwords.hash(password);
  return (await replacePasswordHash(db, user.id, user.passwordHash, stronger)) ? stronger : user.passwordHash;
}
