import type { PersonPresence } from '../../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import {
  type View,
  type VisiblePerson,
  conversationsWith,
  markSeen,
  markStillSeen,
  peopleInViews,
} from '../../db/queries/presence.ts';
import { readableMembership } from '../access/index.ts';
import type { Actor, Deps } from '../deps.ts';

export type { View, VisiblePerson } from '../../db/queries/presence.ts';

/** Milliseconds that a typing hint is good for unless it is renewed. */
export const typingMs = 6_000;

/**
 * Whose presence the actor may see in a conversation that they look at: of those who tell it to everyone, or to their
 * contacts with the actor among them, and have not blocked the actor. Of nobody where the members are many.
 */
export async function peopleToWatch(
  deps: Pick<Deps, 'db'>,
  actor: Actor,
  conversationId: ConversationId,
): Promise<VisiblePerson[]> {
  await readableMembership(deps.db, actor, conversationId);
  const [people = []] = await peopleToWatchIn(deps, [{ viewer: actor.userId, conversationId }]);
  return people;
}

/** The same of many views that were opened before, in one reading; of nobody where the viewer may read no more. */
export const peopleToWatchIn = (deps: Pick<Deps, 'db'>, views: readonly View[]): Promise<VisiblePerson[][]> =>
  peopleInViews(deps.db, views, limits.namedMembers);

/** Those of these conversations in which the people may be seen otherwise than before. */
export const conversationsOf = (
  deps: Pick<Deps, 'db'>,
  userIds: readonly UserId[],
  among: readonly ConversationId[],
): Promise<ConversationId[]> => conversationsWith(deps.db, userIds, among);

/** Their presence at this moment. */
export async function presencesOf(
  deps: Pick<Deps, 'presences'>,
  people: readonly VisiblePerson[],
): Promise<PersonPresence[]> {
  const states = await deps.presences(people.map(({ userId }) => userId));
  return people.map((person) => presenceOf(person, states.get(person.userId) ?? 'unknown'));
}

export const presenceOf = ({ userId, lastSeenAt }: VisiblePerson, state: PersonPresence['state']): PersonPresence => ({
  userId,
  state,
  lastSeenAt: lastSeenAt?.toISOString() ?? null,
});

/** Somebody's last connection closed: they were last seen now. */
export const lastSeenNow = (deps: Pick<Deps, 'db'>, userIds: readonly UserId[]): Promise<void> =>
  markSeen(deps.db, userIds);

/** Seconds in which one note that somebody was seen is enough. */
const coarseSeconds = 90;

/** These people are still connected: noted coarsely, for their node may die without a word. */
export const stillSeen = (deps: Pick<Deps, 'db'>, userIds: readonly UserId[]): Promise<void> =>
  markStillSeen(deps.db, userIds, coarseSeconds);

/** Tells the others that the actor writes, or does so no longer. A hint: it is never stored, and runs out by itself. */
export async function setTyping(
  deps: Pick<Deps, 'db' | 'now' | 'publishLive'>,
  actor: Actor,
  conversationId: ConversationId,
  on: boolean,
): Promise<void> {
  const { kind, memberCount, memberVersion } = await readableMembership(deps.db, actor, conversationId, 'write');
  if (kind === 'channel' || memberCount > limits.namedMembers) return;
  const until = on ? new Date(deps.now().getTime() + typingMs).toISOString() : null;
  deps.publishLive([{ type: 'typing.changed', conversationId, memberVersion, userId: actor.userId, until }]);
}
