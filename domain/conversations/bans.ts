import type { Ban } from '../../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import { bansPage, deleteBan, insertBan, roleOf } from '../../db/queries/memberships.ts';
import { publicUserById } from '../../db/queries/users.ts';
import { holdConversation, outranks, readableMembership } from '../access/index.ts';
import { commit } from '../commit.ts';
import { openCursor, sealCursor } from '../cursor.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError, notFound } from '../errors.ts';
import { dismiss } from './members.ts';
import type { PageOf, PageRequest } from './read.ts';

/** Keeps somebody out, member or not; a member is removed by the same change. */
export async function banMember(
  deps: Pick<Deps, 'db' | 'now' | 'newId' | 'publishLive'>,
  actor: Actor,
  id: ConversationId,
  userId: UserId,
): Promise<void> {
  await commit(deps, async (tx) => {
    const { conversation, role } = await holdConversation(tx, actor, id, 'removeMembers');
    if (!(await publicUserById(tx, userId))) throw notFound();
    const member = await roleOf(tx, id, userId);
    if (member && !outranks(role, member.role)) throw notYourRank();
    if (userId === actor.userId) throw new DomainError('forbidden', { detail: 'Nobody bans themselves.' });
    await insertBan(tx, id, { userId, bannedBy: actor.userId });
    const events = member ? await dismiss(tx, deps, actor, conversation, [userId], 'banned') : [];
    return { value: undefined, events };
  });
}

const notYourRank = () =>
  new DomainError('forbidden', { detail: 'Admins act on members only; owners act on everybody.' });

export async function unbanMember(
  deps: Pick<Deps, 'db' | 'publishLive'>,
  actor: Actor,
  id: ConversationId,
  userId: UserId,
): Promise<void> {
  await commit(deps, async (tx) => {
    await holdConversation(tx, actor, id, 'removeMembers');
    if (!(await deleteBan(tx, id, userId))) throw notFound();
    return { value: undefined };
  });
}

export async function listBans(
  deps: Pick<Deps, 'db' | 'mac'>,
  actor: Actor,
  id: ConversationId,
  { limit, cursor }: PageRequest,
): Promise<PageOf<Ban>> {
  const scope = await readableMembership(deps.db, actor, id, 'removeMembers');
  const list = `bans:${id}`;
  const after = cursor === undefined ? undefined : openCursor(deps, list, cursor)[0];
  const rows = await bansPage(deps.db, scope, { after, limit: limit + 1 });
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(({ at, ...ban }) => ({ ...ban, at: at.toISOString() })),
    nextCursor: rows.length > limit && last ? sealCursor(deps, list, [last.userId]) : null,
  };
}
