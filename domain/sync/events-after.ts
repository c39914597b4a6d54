import type { EventsAfter } from '../../contracts/entities/index.ts';
import type { ConversationId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import { logAfter } from '../../db/queries/log.ts';
import { readableMembership } from '../access/index.ts';
import type { Actor, Deps } from '../deps.ts';
import { notFound } from '../errors.ts';
import { presentLog } from '../log/index.ts';
import { withinBytes } from './budget.ts';
import { leadsOut, loadSnapshots } from './snapshots.ts';

/**
 * The log after a version. Too far behind, or ahead of what there is (a client of a database that was restored), the
 * answer is the state to start from; so it is to a client whose version is from before its person joined, or came back.
 */
export async function eventsAfter(
  deps: Pick<Deps, 'db'>,
  actor: Actor,
  conversationId: ConversationId,
  { after, limit }: { after: number; limit: number },
): Promise<EventsAfter> {
  const membership = await readableMembership(deps.db, actor, conversationId);
  const { version, joinedVersion } = membership;
  const tooFar = after > version || after < joinedVersion || version - after > limits.catchUpEvents;
  if (tooFar) {
    const whole = await snapshot(deps, actor, conversationId);
    if (!whole) throw notFound();
    return whole;
  }
  const rows = await logAfter(deps.db, actor.userId, [{ scope: membership, version: after }], limit);
  const events = withinBytes(await presentLog(deps.db, rows));
  const anew = leadsOut(events, actor) ? await snapshot(deps, actor, conversationId) : undefined;
  const reached = events.at(-1)?.version ?? after;
  return anew ?? { snapshot: false, events, hasMore: reached < version };
}

async function snapshot(deps: Pick<Deps, 'db'>, actor: Actor, id: ConversationId): Promise<EventsAfter | undefined> {
  const state = (await loadSnapshots(deps, actor, [id])).get(id);
  return state && { snapshot: true, state };
}
