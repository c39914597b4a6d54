import { createHash, randomBytes } from 'node:crypto';
import type { Invite, NewInvite } from '../../contracts/entities/index.ts';
import type { ConversationId, InviteId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { LockedConversation } from '../../db/queries/changes.ts';
import {
  type InviteRow,
  insertInvite,
  inviteByClientId,
  openInvites,
  revokeInvite as revoke,
} from '../../db/queries/invites.ts';
import { holdConversation, readableMembership } from '../access/index.ts';
import { commit } from '../commit.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError, faultyField, notFound } from '../errors.ts';

/** Bytes of randomness in a code: nobody guesses their way into a conversation. */
const codeBytes = 16;

interface MadeInvite {
  invite: Invite;
  /** False when it existed. */
  created: boolean;
}

/** Makes an invitation, once a maker and `clientId` where there is one: a repeat answers with the first, as it stands now. */
export async function createInvite(
  deps: Pick<Deps, 'db' | 'now' | 'newId' | 'publishLive'>,
  actor: Actor,
  conversationId: ConversationId,
  { clientId, ...content }: NewInvite,
): Promise<MadeInvite> {
  const once = clientId && { clientId, fingerprint: fingerprintOf(content) };
  return commit<MadeInvite>(deps, async (tx) => {
    // Its lock puts two requests with one clientId one after the other.
    const { conversation, scope } = await holdConversation(tx, actor, conversationId, 'invite');
    expectRoom(conversation, content.maxUses);
    const first = once && (await inviteByClientId(tx, conversationId, actor.userId, once.clientId));
    if (first && !first.fingerprint.equals(once.fingerprint)) throw new DomainError('idempotency_conflict');
    if (first) return { value: { invite: presentInvite(first.invite), created: false } };
    const open = await openInvites(tx, scope);
    if (open.length >= limits.invitesPerConversation) throw tooMany();
    const row = await insertInvite(tx, toRow(deps, actor, conversationId, content), once);
    return { value: { invite: presentInvite(row), created: true } };
  });
}

const fingerprintOf = ({ expiresInSeconds, maxUses }: Omit<NewInvite, 'clientId'>): Buffer =>
  createHash('sha256').update(JSON.stringify({ expiresInSeconds, maxUses })).digest();

/** No code is good for more people than can ever come. */
function expectRoom({ kind }: Pick<LockedConversation, 'kind'>, maxUses = 1): void {
  if (kind === 'channel' || maxUses <= limits.groupMembers) return;
  throw faultyField('maxUses', 'too_big', `must be at most ${limits.groupMembers}, the members of a group`);
}

const toRow = (
  deps: Pick<Deps, 'now' | 'newId'>,
  { userId: createdBy }: Actor,
  conversationId: ConversationId,
  { expiresInSeconds, maxUses }: Omit<NewInvite, 'clientId'>,
) => ({
  ...{ id: deps.newId() as InviteId, conversationId, createdBy, maxUses: maxUses ?? null },
  code: randomBytes(codeBytes).toString('base64url'),
  expiresAt: new Date(deps.now().getTime() + expiresInSeconds * 1_000),
});

const tooMany = () =>
  new DomainError('limit_reached', {
    detail: `A conversation may have ${limits.invitesPerConversation} invitations; take one back that is not needed.`,
  });

export async function listInvites(deps: Pick<Deps, 'db'>, actor: Actor, id: ConversationId): Promise<Invite[]> {
  const scope = await readableMembership(deps.db, actor, id, 'invite');
  return (await openInvites(deps.db, scope)).map(presentInvite);
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
