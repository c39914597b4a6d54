import type { UserId } from '../../contracts/ids.ts';
import { type HereCall, memberIdsAfter, recordCall } from '../../db/queries/here-calls.ts';
import type { Deps } from '../deps.ts';

/** Members whose presence is asked for at a time. */
const membersAtATime = 1_000;

/**
 * Keeps who is there as a message calls whoever is here. When Redis cannot say, everybody is taken to be there: better one
 * push too many than a call that nobody hears. The sender comes last, and says that the call is recorded whole.
 */
export async function recordPresent(deps: Pick<Deps, 'db' | 'presences'>, call: HereCall): Promise<void> {
  let after: UserId | undefined;
  do {
    const ids = await memberIdsAfter(deps.db, call.conversationId, { after, limit: membersAtATime });
    const states = await deps.presences(ids);
    const here = ids.filter((id) => id !== call.senderId && states.get(id) !== 'offline');
    if (here.length > 0) await recordCall(deps.db, call, here);
    after = ids.length === membersAtATime ? ids.at(-1) : undefined;
  } while (after);
  await recordCall(deps.db, call, [call.senderId]);
}
