import type {
  Conversation,
  Member,
  MyMembership,
  MyMembershipPatch,
  OpenChannel,
  Reason,
} from '../../contracts/entities/index.ts';
import type { ConversationId } from '../../contracts/ids.ts';
import {
  type ListPlace,
  type ListWay,
  conversationsPage,
  listStart,
  openChannelsPage,
} from '../../db/queries/conversations.ts';
import { lookAgain } from '../../db/queries/episodes.ts';
import { membersPage, updateMembershipSettings } from '../../db/queries/members.ts';
import { readableConversation, readableMembership } from '../access/index.ts';
import { callOff } from '../calling-off/index.ts';
import { commit } from '../commit.ts';
import { openCursor, sealCursor } from '../cursor.ts';
import type { Actor, Deps } from '../deps.ts';
import { notFound } from '../errors.ts';
import {
  membershipChanged,
  presentConversation,
  presentMember,
  presentMyMembership,
  tellsReceipts,
} from './present.ts';

export interface PageRequest {
  limit: number;
  cursor?: string | undefined;
}
export interface PageOf<Item> {
  items: Item[];
  nextCursor: string | null;
}

export async function getConversation(deps: Pick<Deps, 'db'>, actor: Actor, id: ConversationId): Promise<Conversation> {
  return presentConversation(await readableConversation(deps.db, actor, id));
}

/**
 * The actor's conversations, the latest active first. Who pages to the end has been told each at least once: a
 * conversation moves to the top, so a walk of several pages goes down to the end, and then up again through what was
 * active since it began. What moves on the way up stays ahead of it.
 */
export async function listConversations(
  deps: Pick<Deps, 'db' | 'mac'>,
  actor: Actor,
  { limit, cursor }: PageRequest,
): Promise<PageOf<Conversation>> {
  const walk: Walk = cursor === undefined ? { way: 'down', ...listStart.down } : openWalk(deps, cursor);
  const rows = await conversationsPage(deps.db, actor.userId, { ...walk, limit: limit + 1 });
  const items = rows.slice(0, limit);
  const next = nextOf(walk, rows.length > limit ? items.at(-1) : undefined);
  return { items: items.map(presentConversation), nextCursor: next ? sealWalk(deps, next) : null };
}

/**
 * Milliseconds before a walk's beginning from which it looks again: a change has the time at which its transaction began,
 * and none takes longer until it is seen.
 */
const unseenMs = 60_000;

interface Walk extends ListPlace {
  way: ListWay;
  /** When it began, by the database's clock; from its second page on. */
  began?: string;
}

/** Where the walk goes on; `last` is the last of a page that has more behind it. */
function nextOf({ way, began }: Walk, last: Awaited<ReturnType<typeof conversationsPage>>[number] | undefined) {
  if (last) return { way, at: last.lastActivePlace, id: last.id, began: began ?? last.askedAt };
  // One page is one look: nothing moved meanwhile.
  if (way === 'up' || began === undefined) return undefined;
  const at = new Date(new Date(began).getTime() - unseenMs).toISOString();
  return { way: 'up' as const, at, id: listStart.up.id, began };
}

/** A name of its own: a cursor of a server from before the walks holds something else. */
const walkCursor = 'conversation walk';

const sealWalk = (deps: Pick<Deps, 'mac'>, { way, at, id, began }: Required<Walk>) =>
  sealCursor(deps, walkCursor, [way, at, id, began]);

function openWalk(deps: Pick<Deps, 'mac'>, cursor: string): Required<Walk> {
  const [way, at, id, began] = openCursor(deps, walkCursor, cursor) as [ListWay, string, string, string];
  return { way, at, id, began };
}

export async function listMembers(
  deps: Pick<Deps, 'db' | 'mac'>,
  actor: Actor,
  conversationId: ConversationId,
  { limit, cursor }: PageRequest,
): Promise<PageOf<Member>> {
  const membership = await readableMembership(deps.db, actor, conversationId);
  const list = `members:${conversationId}`;
  const after = cursor === undefined ? undefined : openCursor(deps, list, cursor)[0];
  const rows = await membersPage(deps.db, membership, { after, limit: limit + 1 });
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map((row) => presentMember(row, tellsReceipts(membership))),
    nextCursor: rows.length > limit && last ? sealCursor(deps, list, [last.userId]) : null,
  };
}

/**
 * How this conversation calls for the actor's attention: theirs alone, so it is no event of the log, and only their own
 * devices are told.
 */
export async function updateMyMembership(
  deps: Pick<Deps, 'db' | 'now' | 'publishLive'>,
  actor: Pick<Actor, 'userId'>,
  id: ConversationId,
  patch: MyMembershipPatch,
): Promise<MyMembership> {
  const { userId } = actor;
  await commit(deps, async (tx) => {
    if (!(await updateMembershipSettings(tx, userId, id, patch))) throw notFound();
    // What they want to be told has changed, also for what is already on its way.
    if (changesWhatIsTold(patch)) await callOff(tx, deps, { userIds: [userId], conversationId: id }, lessOf(patch));
    if (changesWhatIsTold(patch) || patch.channels !== undefined) await lookAgain(tx, [userId], 0);
    return { value: undefined };
  });
  const me = presentMyMembership(await readableConversation(deps.db, actor, id));
  deps.publishLive([membershipChanged(actor.userId, id, me)]);
  // What is muted stands on no icon.
  if (patch.mutedUntil !== undefined) deps.publishLive([{ type: 'unread.changed', userId: actor.userId }]);
  return me;
}

const changesWhatIsTold = ({ level, mutedUntil, muteExcept }: MyMembershipPatch) =>
  [level, mutedUntil, muteExcept].some((value) => value !== undefined);

function lessOf({ level, mutedUntil, muteExcept }: MyMembershipPatch): Reason {
  if (mutedUntil || muteExcept !== undefined) return 'muted_conversation';
  return level === 'nothing' ? 'level_nothing' : 'level_mentions_only';
}

/** Open channels whose title begins with the words, by title. */
export async function listChannels(
  deps: Pick<Deps, 'db' | 'mac'>,
  actor: Actor,
  { q = '', limit, cursor }: PageRequest & { q?: string | undefined },
): Promise<PageOf<OpenChannel>> {
  const [title, id] = cursor === undefined ? [] : openCursor(deps, 'channels', cursor);
  const after = title === undefined || id === undefined ? undefined : { title, id };
  const rows = await openChannelsPage(deps.db, actor.userId, { q, after, limit: limit + 1 });
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last;
  return {
    items: shown.map(({ sortKey: _, ...channel }) => channel),
    nextCursor: more ? sealCursor(deps, 'channels', [last.sortKey, last.id]) : null,
  };
}
