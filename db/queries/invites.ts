import type { ClientId, ConversationId, InviteId, UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';
import type { ReadScope } from '../read-scope.ts';

export interface InviteRow {
  id: InviteId;
  conversationId: ConversationId;
  code: string;
  createdBy: UserId;
  createdAt: Date;
  expiresAt: Date | null;
  maxUses: number | null;
  uses: number;
}

const columns = `id, conversation_id as "conversationId", code, created_by as "createdBy", created_at as "createdAt",
  expires_at as "expiresAt", max_uses as "maxUses", uses`;
const good = `revoked_at is null and (expires_at is null or expires_at > now()) and (max_uses is null or uses < max_uses)`;

/** What one and the same making of an invitation is known by. */
export interface InviteOnce {
  clientId: ClientId;
  fingerprint: Buffer;
}

export async function insertInvite(
  tx: Tx,
  invite: Omit<InviteRow, 'uses' | 'createdAt'>,
  once?: InviteOnce,
): Promise<InviteRow> {
  const { rows } = await tx.query<InviteRow>({
    name: 'insert-invite',
    text: `insert into invites (id, conversation_id, code, created_by, created_at, expires_at, max_uses, client_id, fingerprint)
      values ($1, $2, $3, $4, now(), $5, $6, $7, $8) returning ${columns}`,
    values: [
      ...[invite.id, invite.conversationId, invite.code, invite.createdBy, invite.expiresAt, invite.maxUses],
      ...[once?.clientId ?? null, once?.fingerprint ?? null],
    ],
  });
  return rows[0] as InviteRow;
}

/** The invitation that somebody has made under this client id, good or not. */
export async function inviteByClientId(
  tx: Tx,
  conversationId: ConversationId,
  createdBy: UserId,
  clientId: ClientId,
): Promise<{ invite: InviteRow; fingerprint: Buffer } | undefined> {
  const { rows } = await tx.query<InviteRow & { fingerprint: Buffer }>({
    name: 'invite-by-client-id',
    text: `select ${columns}, fingerprint from invites where conversation_id = $1 and created_by = $2 and client_id = $3`,
    values: [conversationId, createdBy, clientId],
  });
  if (!rows[0]) return undefined;
  const { fingerprint, ...invite } = rows[0];
  return { invite, fingerprint };
}

/** Invitations that are still good, the newest first. */
export async function openInvites(db: Queryable, { conversationId }: ReadScope): Promise<InviteRow[]> {
  const { rows } = await db.query<InviteRow>({
    name: 'open-invites',
    text: `select ${columns} from invites where conversation_id = $1 and ${good} order by created_at desc, id desc`,
    values: [conversationId],
  });
  return rows;
}

/** The invitation of a code, and whether it lets anybody in yet. */
export async function inviteByCode(
  db: Queryable,
  code: string,
): Promise<(InviteRow & { isGood: boolean }) | undefined> {
  const { rows } = await db.query<InviteRow & { isGood: boolean }>({
    name: 'invite-by-code',
    text: `select ${columns}, ${good} as "isGood" from invites where code = $1`,
    values: [code],
  });
  return rows[0];
}

/** Uses an invitation once, if it is still good: of two who take the last use one gets it. */
export async function useInvite(tx: Tx, conversationId: ConversationId, id: InviteId): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'use-invite',
    text: `update invites set uses = uses + 1 where conversation_id = $1 and id = $2 and ${good}`,
    values: [conversationId, id],
  });
  return rowCount === 1;
}

export async function revokeInvite(tx: Tx, conversationId: ConversationId, id: InviteId): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'revoke-invite',
    text: `update invites set revoked_at = now() where conversation_id = $1 and id = $2 and revoked_at is null`,
    values: [conversationId, id],
  });
  return rowCount === 1;
}
