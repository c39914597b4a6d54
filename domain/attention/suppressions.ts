import type { Suppression } from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import type { Queryable } from '../../db/client.ts';
import { lookAgain } from '../../db/queries/episodes.ts';
import {
  type SuppressedChannel,
  type SuppressionCause,
  type SuppressionRow,
  type Target,
  liftSuppressions,
  suppress,
  suppressionsOf,
} from '../../db/queries/suppressions.ts';
import { type UserRow, userById } from '../../db/queries/users.ts';
import type { Actor, Deps } from '../deps.ts';

/** An address or number as suppressions know it: its hash, and never itself. */
export const targetOf = (deps: Pick<Deps, 'mac'>, channel: SuppressedChannel, address: string): Target => ({
  channel,
  hash: deps.mac('target', `${channel}:${address}`),
});

type Contacts = Pick<UserRow, 'email' | 'phone'>;

function targetsOf(deps: Pick<Deps, 'mac'>, { email, phone }: Contacts): Target[] {
  return [...(email ? [targetOf(deps, 'email', email)] : []), ...(phone ? [targetOf(deps, 'sms', phone)] : [])];
}

/** Why nothing may be sent to a person's address or number; nothing where it may. */
export async function suppressedOf(
  db: Queryable,
  deps: Pick<Deps, 'mac' | 'now'>,
  contacts: Contacts,
): Promise<Partial<Record<SuppressedChannel, SuppressionCause>>> {
  const rows = await suppressionsOf(db, targetsOf(deps, contacts), deps.now());
  return Object.fromEntries(rows.map(({ channel, cause }) => [channel, cause]));
}

/** What keeps the actor's own mails and texts back, for their settings page. */
export async function listSuppressions(deps: Pick<Deps, 'db' | 'mac' | 'now'>, actor: Actor): Promise<Suppression[]> {
  const user = await userById(deps.db, actor.userId);
  return user ? (await suppressionsOf(deps.db, targetsOf(deps, provedOf(user)), deps.now())).map(present) : [];
}

/** What somebody only names may be anybody's: they are told nothing of it, and change nothing about it. */
const provedOf = ({ email, emailVerifiedAt, phone, phoneVerifiedAt }: UserRow): Contacts => ({
  email: emailVerifiedAt && email,
  phone: phoneVerifiedAt && phone,
});

const present = ({ channel, cause, createdAt, expiresAt }: SuppressionRow): Suppression => ({
  channel,
  cause,
  since: createdAt.toISOString(),
  until: expiresAt?.toISOString() ?? null,
});

type OptDeps = Pick<Deps, 'db' | 'mac' | 'now'>;

/** No more mails about unread messages to the person's address, whatever their settings say. Twice is once. */
export async function unsubscribe(deps: OptDeps, userId: UserId): Promise<void> {
  const user = await userById(deps.db, userId);
  if (!user?.email) return;
  await suppress(deps.db, targetOf(deps, 'email', user.email), { cause: 'unsubscribed' });
  await lookAgain(deps.db, [userId], 0);
}

/** The person wants the mails again. What their provider reported stays: that is over when they verify the address anew. */
export async function resubscribe(deps: OptDeps, actor: Actor): Promise<void> {
  const user = await userById(deps.db, actor.userId);
  const email = user && provedOf(user).email;
  if (!email) return;
  const target = targetOf(deps, 'email', email);
  // As everybody: suppressions stand under hashes that tell nobody whose they are.
  await deps.db.transaction((tx) => tx.asEverybody((all) => liftSuppressions(all, target, ['unsubscribed'])));
  await lookAgain(deps.db, [actor.userId], 0);
}

/** Whoever has typed in a code that was sent there reads what is sent there. */
export const provedByCode: readonly SuppressionCause[] = ['complaint', 'hard_bounce', 'soft_bounces', 'invalid'];
