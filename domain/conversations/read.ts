import type {
  Conversation,
  Member,
  MyMembership,
  MyMembershipPatch,
  OpenChannel,
} from '../../contracts/entities/index.ts';
import type { ConversationId } from '../../contracts/ids.ts';
import {
  type ListPlace,
  type ListRow,
  conversationsPage,
  listBegin,
  openChannelsPage,
} from '../../db/queries/conversations.ts';
import { lookAgain } from '../../db/queries/episodes.ts';
import { membersPage, updateMembershipSettings } from '../../db/queries/members.ts';
import { readableConversation, readableMembership } from '../access/index.ts';
import { openCursor, sealCursor } from '../cursor.ts';
import type { Actor, Deps } from '../deps.ts';
import { notFound } from '../errors.ts';
import { presentConversation, presentMember, presentMyMembership } from './present.ts';

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
 * The actor's conversations, the latest active first. Who pages to the end has been told each at least once: what moves
 * up while they page, past the place where they are, comes once more behind the rest.
 */
export async function listConversations(
  deps: Pick<Deps, 'db' | 'mac'>,
  actor: Actor,
  { limit, cursor }: PageRequest,
): Promise<PageOf<Conversation>> {
  const after = cursor === undefined ? undefined : openPlace(deps, cursor);
  const rows = await conversationsPage(deps.db, actor.userId, { after, limit: limit + 1 });
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(({ conversation }) => presentConversation(conversation)),
    nextCursor: rows.length > limit && last ? sealPlace(deps, placeAfter(last, after)) : null,
  };
}

/** Those that moved are a round of their own: what moves while it is paged through makes another one. */
function placeAfter({ conversation, moved, horizon }: ListRow, before: ListPlace | undefined): ListPlace {
  const { lastActivePlace: at, id } = conversation;
  if (!before) return { at, id, base: listBegin, seen: horizon };
  if (moved) return { at, id, base: before.seen, seen: horizon };
  return { ...before, at, id };
}

const sealPlace = (deps: Pick<Deps, 'mac'>, { at, id, base, seen }: ListPlace) =>
  sealCursor(deps, 'conversations', [at, id, base, seen]);

function openPlace(deps: Pick<Deps, 'mac'>, cursor: string): ListPlace {
  // One of an older server names a place only: all that stands above it counts as moved.
  const [at = 'infinity', id = '', base = listBegin, seen = listBegin] = openCursor(deps, 'conversations', cursor);
  return { at, id, base, seen };
}

export async function listMembers(
  deps: Pick<Deps, 'db' | 'mac'>,
  actor: Actor,
  conversationId: ConversationId,
  { limit, cursor }: PageRequest,
): Promise<PageOf<Member>> {
  const { kind } = await readableMembership(deps.db, actor, conversationId);
  const list = `members:${conversationId}`;
  const after = cursor === undefined ? undefined : openCursor(deps, list, cursor)[0];
  const rows = await membersPage(deps.db, conversationId, { after, limit: limit + 1 });
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map((row) => presentMember(row, kind !== 'channel')),
    nextCursor: rows.length > limit && last ? sealCursor(deps, list, [last.userId]) : null,
  };
}

/** How this conversation calls for the actor's attention: theirs alone, so it is no event of the log. */
export async function updateMyMembership(
  deps: Pick<Deps, 'db'>,
  actor: Actor,
  id: ConversationId,
  patch: MyMembershipPatch,
): Promise<MyMembership> {
  if (!(await updateMembershipSettings(deps.db, actor.userId, id, patch))) throw notFound();
  // What they want to be told has changed, also for what is already on its way.
  if (patch.level !== undefined || patch.mutedUntil !== undefined) await lookAgain(deps.db, [actor.userId], 0);
  return presentMyMembership(await readableConversation(deps.db, actor, id));
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
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const more = rows.length > limit && last;
  return { items, nextCursor: more ? sealCursor(deps, 'channels', [last.title.toLowerCase(), last.id]) : null };
}
