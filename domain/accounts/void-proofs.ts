import type { Tx } from '../../db/client.ts';
import { deleteOtherChallenges } from '../../db/queries/challenges.ts';
import { voidOtherProofs } from '../../db/queries/sessions.ts';
import type { Actor } from '../deps.ts';

/**
 * What people prove themselves by is another from now on, so nothing that was proved by what it was counts in other sessions,
 * and nothing goes on that was begun by that. Last of what locks anything: who proves something locks in the same order.
 */
export async function voidProofs(tx: Tx, { userId, sessionId }: Actor): Promise<void> {
  await deleteOtherChallenges(tx, userId, sessionId);
  await voidOtherProofs(tx, userId, sessionId);
}
