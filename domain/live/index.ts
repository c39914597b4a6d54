import type { ConversationId, UserId } from '../../contracts/ids.ts';
import { blocksOf } from '../../db/queries/blocks.ts';
import { type FollowedRow, followedBy, followersAmong, headsOf, recentJoins } from '../../db/queries/members.ts';
import type { Actor, Deps } from '../deps.ts';

/** What a node of the live lane asks of the rows: who follows what, and how far things have come. */

/** Everything that the actor follows. */
export const loadFollowing = (deps: Pick<Deps, 'db'>, actor: Actor): Promise<FollowedRow[]> =>
  followedBy(deps.db, actor.userId);

/** Whom somebody has blocked. */
export const loadBlocks = async (deps: Pick<Deps, 'db'>, userId: UserId): Promise<UserId[]> =>
  (await blocksOf(deps.db, userId)).map((block) => block.userId);

/** Those of these people who belong to the conversation at this moment, and those who did, with how far. */
export const loadFollowers = (deps: Pick<Deps, 'db'>, id: ConversationId, userIds: readonly UserId[]) =>
  followersAmong(deps.db, id, userIds);

/** Those of these people who joined something in the last seconds. */
export const loadRecentJoins = (deps: Pick<Deps, 'db'>, userIds: readonly UserId[], seconds: number) =>
  recentJoins(deps.db, userIds, seconds);

/** The versions of these conversations as they stand. */
export const loadHeads = (deps: Pick<Deps, 'db'>, ids: readonly ConversationId[]) => headsOf(deps.db, ids);
