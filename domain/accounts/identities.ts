import type { Identity } from '../../contracts/entities/index.ts';
import { limits } from '../../contracts/limits.ts';
import { isUniqueViolation } from '../../db/errors.ts';
import { lockFactors } from '../../db/queries/factors.ts';
import { type IdentityRow, deleteIdentity, identitiesOf, insertIdentity } from '../../db/queries/identities.ts';
import { deleteTickets } from '../../db/queries/oauth-tickets.ts';
import { userById } from '../../db/queries/users.ts';
import { holdProof, requireOwnBeginning } from '../access/index.ts';
import { commit } from '../commit.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError, faultyField, notFound } from '../errors.ts';
import { type ProvedIdentity, giveTicket, returnAddress, signInOver, takeTicket } from './elsewhere.ts';
import { tellOfFactor } from './notices.ts';
import { voidProofs } from './void-proofs.ts';
import { insistOnWayIn } from './ways-in.ts';

export async function listIdentities(
  { db }: Pick<Deps, 'db'>,
  { userId }: Actor,
): Promise<{ items: Identity[]; hasPassword: boolean }> {
  const [user, rows] = [await userById(db, userId), await identitiesOf(db, userId)];
  return { items: rows.map(present), hasPassword: typeof user?.passwordHash === 'string' };
}

const present = ({ provider, email, displayName, createdAt, lastUsedAt }: IdentityRow): Identity => ({
  ...{ provider, email, displayName },
  ...{ createdAt: createdAt.toISOString(), lastUsedAt: lastUsedAt?.toISOString() ?? null },
});

/**
 * Where the actor's browser goes to prove an account elsewhere. It carries a ticket, for a browser that follows a link has
 * no access token. Coming back links nothing yet: whoever is lured to follow somebody else's link would be linked to them.
 */
export async function beginIdentity(
  deps: Pick<Deps, 'db' | 'now' | 'publishLive' | 'identityProviders' | 'returnAddresses' | 'publicUrl'>,
  actor: Actor,
  provider: string,
  { returnTo, challenge = null }: { returnTo?: string | undefined; challenge?: string | null | undefined },
): Promise<{ url: string; expiresAt: string }> {
  if (!deps.identityProviders.some((each) => each.provider === provider))
    throw faultyField('provider', 'unknown', 'is no provider here; listProviders names those that there are');
  const { userId, sessionId } = actor;
  const about = { provider, returnTo: returnAddress(deps, returnTo) };
  if ((await identitiesOf(deps.db, userId)).some((each) => each.provider === provider))
    throw new DomainError('identity_exists');
  const ticket = { userId, begunBy: sessionId, challenge, about, seconds: limits.challengeSeconds };
  const { token, expiresAt } = await commit(deps, async (tx) => {
    await holdProof(tx, actor);
    return { value: await giveTicket({ ...deps, db: tx }, 'begin_link', ticket) };
  });
  const url = `${deps.publicUrl}/v1/auth/oauth/${provider}?ticket=${token}`;
  return { url, expiresAt: expiresAt.toISOString() };
}

/** Links what the provider proved, for who began it alone, in whose app, and session, the browser has come back. */
export async function addIdentity(
  deps: Pick<Deps, 'db' | 'now' | 'newId' | 'publishLive'>,
  actor: Actor,
  shown: { code: string; verifier?: string | undefined },
): Promise<Identity> {
  const { userId } = actor;
  return refusingLinked(() =>
    commit(deps, async (tx) => {
      await lockFactors(tx, userId);
      const ticket = await takeTicket({ ...deps, db: tx }, 'link', shown);
      if (ticket.userId !== userId) throw signInOver();
      await requireOwnBeginning(tx, actor, ticket.begunBy, signInOver);
      const { provider, issuer, subject, email, displayName } = ticket.about as ProvedIdentity;
      const row = { userId, provider, issuer, subject, email, displayName, createdAt: deps.now(), lastUsedAt: null };
      await insertIdentity(tx, row);
      await tellOfFactor(tx, deps, userId, 'identity_added');
      return { value: present(row) };
    }),
  );
}

async function refusingLinked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isUniqueViolation(error, 'identities_pkey')) throw new DomainError('identity_exists', { cause: error });
    if (isUniqueViolation(error, 'identities_subject')) throw new DomainError('identity_taken', { cause: error });
    throw error;
  }
}

/** Takes a way in away, with the codes that came by it. */
export async function removeIdentity(
  deps: Pick<Deps, 'db' | 'now' | 'newId' | 'publishLive'>,
  actor: Actor,
  provider: string,
): Promise<void> {
  const { userId } = actor;
  await commit(deps, async (tx) => {
    await holdProof(tx, actor);
    if (!(await deleteIdentity(tx, userId, provider))) throw notFound();
    await insistOnWayIn(tx, userId);
    await deleteTickets(tx, userId);
    await voidProofs(tx, actor);
    return { value: await tellOfFactor(tx, deps, userId, 'identity_removed') };
  });
}
