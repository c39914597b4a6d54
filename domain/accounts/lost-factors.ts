import type { SessionId, UserId } from '../../contracts/ids.ts';
import type { Tx } from '../../db/client.ts';
import { deleteChallenges } from '../../db/queries/challenges.ts';
import { type FactorsRow, deleteFactors, factorsOf, lockFactors } from '../../db/queries/factors.ts';
import { deleteTickets } from '../../db/queries/oauth-tickets.ts';
import { deletePasswordResets } from '../../db/queries/password-resets.ts';
import { revokeSessions } from '../../db/queries/sessions.ts';
import { userById } from '../../db/queries/users.ts';
import { deleteVerifications } from '../../db/queries/verifications.ts';
import { hasFactor } from '../access/index.ts';
import type { Deps } from '../deps.ts';
import { notFound } from '../errors.ts';
import { tellOwner } from './notices.ts';

/**
 * Takes away all that somebody proves themselves by beside the password, who has lost it. What was proved by it, or was on
 * its way, counts no more: sessions end, and so do challenges, sign-ins elsewhere, links to a password and codes. They are
 * told wherever they can be: who asked for this may have been somebody else. Of who has no factor nothing is taken.
 */
export async function loseFactors(
  tx: Tx,
  deps: Pick<Deps, 'now' | 'newId'>,
  userId: UserId,
): Promise<{ lost: FactorsRow; sessionIds: SessionId[] }> {
  // Who adds one waits, and finds then that what they began is gone.
  await lockFactors(tx, userId);
  const [user, lost] = [await userById(tx, userId), await factorsOf(tx, userId)];
  if (!user) throw notFound();
  if (!hasFactor(lost)) return { lost, sessionIds: [] };
  // Before the challenges, as who answers one takes them: else two would wait for each other. And before the sessions: one
  // that a factor opened a moment ago is among them.
  await deleteFactors(tx, userId);
  for (const end of [deleteChallenges, deleteTickets, deletePasswordResets, deleteVerifications]) await end(tx, userId);
  const sessionIds = await revokeSessions(tx, userId, { allBut: null }, 'factors_removed');
  await tellOwner(tx, deps, user, 'factors_removed');
  return { lost, sessionIds };
}
