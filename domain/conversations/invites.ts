import { randomBytes } from 'node:crypto';
import type { Invite, NewInvite } from '../../contracts/entities/index.ts';
import type { ConversationId, InviteId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import { type InviteRow, insertInvite, openInvites, revokeInvite as revoke } from '../../db/queries/invites.ts';
import { forbidden, holdConversation, may, readableMembership } from '../access/index.ts';
import { commit } from '../commit.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError, notFound } from '../errors.ts';

/** Bytes of randomness in a code: nobody guesses their way into a conversation. */
const codeBytes = 16;

export async function createInvite(
  deps: Pick<Deps, 'db' | 'now' | 'newId' | 'publishLive'>,
  actor: Actor,
  conversationId: ConversationId,
  { expiresInSeconds, maxUses }: NewInvite,
): Promise<Invite> {
  return commit(deps, async (tx) => {
    await holdConversation(tx, actor, conversationId, 'invite');
    const open = await openInvites(tx, conversationId);
    if (open.length >= limits.invitesPerConversation) throw tooMany();
    const row = await insertInvite(tx, {
      id: deps.newId() as InviteId,
      conversationId,
      code: randomBytes(codeBytes).toString('base64url'),
      createdBy: actor.userId,
      expiresAt: expiresInSeconds === undefined ? null : new Date(deps.now().getTime() + expiresInSeconds * 1_000),
      maxUses: maxUses ?? null,
    });
    return { value: presentInvite(row) };
  });
}

const tooMany = () =>
  new DomainError('limit_reached', {
    detail: `A conversation may have ${limits.invitesPerConversation} invitations; take one back that is not needed.`,
  });

export async function listInvites(deps: Pick<Deps, 'db'>, actor: Actor, id: ConversationId): Promise<Invite[]> {
  const { kind, role } = await readableMembership(deps.db, actor, id);
  if (!may('invite', kind, role)) throw forbidden('invite');
  return (await openInvites(deps.db, id)).map(presentInvite);
}

export async function revokeInvite(
  deps: Pick<Deps, 'db' | 'publishLive'>,
  actor: Actor,
  conversationId: ConversationId,
  id: InviteId,
): Promise<void> {
  await commit(deps, async (tx) => {
    await holdConversation(tx, actor, conversationId, 'invite');
    if (!(await revoke(tx, conversationId, id))) throw notFound();
    return { value: undefined };
  });
}

function presentInvite(row: InviteRow): Invite {
  const { createdAt, expiresAt, ...invite } = row;
  return { ...invite, createdAt: createdAt.toISOString(), expiresAt: expiresAt?.toISOString() ?? null };
}
