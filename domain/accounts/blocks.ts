import type { DomainEvent } from '../../contracts/events.ts';
import type { UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import { blocksOf, deleteBlock, insertBlock, setDirectBlocked } from '../../db/queries/blocks.ts';
import { lockPair } from '../../db/queries/conversations.ts';
import { watermarksOfPair } from '../../db/queries/members.ts';
import { publicUserById } from '../../db/queries/users.ts';
import { callOff } from '../calling-off/index.ts';
import { commit } from '../commit.ts';
import { directKey, pairTold } from '../conversations/index.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError, faultyField, notFound } from '../errors.ts';

/**
 * Blocks somebody, or takes the block away: in the direct conversation of the two nothing more is sent by either, and
 * neither is told how far the other has read; in groups the blocked one's messages are marked for the blocker alone, and
 * count as nothing unread. The blocked one is told nothing.
 */
export async function blockUser(
  deps: Pick<Deps, 'db' | 'now' | 'publishLive'>,
  actor: Actor,
  userId: UserId,
): Promise<void> {
  if (userId === actor.userId) throw faultyField('userId', 'self', 'must name somebody else');
  await commit(deps, async (tx) => {
    if (!(await publicUserById(tx, userId))) throw notFound();
    const key = directKey([actor.userId, userId]);
    await lockPair(tx, key);
    if (await insertBlock(tx, actor.userId, userId)) {
      // Counted with this one, so that one that is there already stays a success at the limit.
      if ((await blocksOf(tx, actor.userId)).length > limits.blocksPerUser) throw tooMany();
      await setDirectBlocked(tx, key, [actor.userId, userId]);
      await callOff(tx, deps, { userIds: [actor.userId] }, 'blocked_sender');
    }
    return { value: undefined, events: seenAnew(actor) };
  });
}

/** Who sees whom, and what counts as unread to the actor, is other than before. */
const seenAnew = ({ userId }: Actor): DomainEvent[] => [
  { type: 'visibility.changed', userId },
  { type: 'unread.changed', userId },
];

const tooMany = () =>
  new DomainError('limit_reached', { detail: `You may block ${limits.blocksPerUser} people; unblock somebody first.` });

/**
 * In groups watermarks are told whoever blocks whom; in the direct conversation of the two they were not, so what was read
 * meanwhile is told to both now, unless the other one still blocks.
 */
export async function unblockUser(deps: Pick<Deps, 'db' | 'publishLive'>, actor: Actor, userId: UserId): Promise<void> {
  await commit(deps, async (tx) => {
    const key = directKey([actor.userId, userId]);
    await lockPair(tx, key);
    if (!(await deleteBlock(tx, actor.userId, userId))) throw notFound();
    await setDirectBlocked(tx, key, [actor.userId, userId]);
    const told = pairTold(await watermarksOfPair(tx, key));
    return { value: undefined, events: [...seenAnew(actor), ...told] };
  });
}

/** Whom the actor has blocked, the latest first. */
export async function listBlocks(deps: Pick<Deps, 'db'>, actor: Actor): Promise<{ userId: UserId; at: string }[]> {
  return (await blocksOf(deps.db, actor.userId)).map(({ userId, at }) => ({ userId, at: at.toISOString() }));
}
