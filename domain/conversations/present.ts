import type { Conversation, ConversationChannels, Member, Receipt } from '../../contracts/entities/index.ts';
import type { DomainEvent } from '../../contracts/events.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { ConversationRow } from '../../db/queries/conversations.ts';
import type { MemberRow } from '../../db/queries/members.ts';
import { presentMessage } from '../log/index.ts';

/** A conversation as one of its members sees it. */
export function presentConversation(row: ConversationRow): Conversation {
  return {
    id: row.id,
    kind: row.kind,
    title: row.title,
    description: row.description,
    visibility: row.visibility,
    posting: row.posting,
    history: row.history,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
    lastActiveAt: row.lastActiveAt.toISOString(),
    version: row.version,
    lastSeq: row.lastSeq,
    memberCount: row.memberCount,
    digest: row.digest,
    me: presentMyMembership(row),
    lastMessage: row.lastMessage && presentMessage(row.lastMessage),
  };
}

export function presentMyMembership(row: ConversationRow): Conversation['me'] {
  return {
    role: row.role,
    deliveredSeq: row.deliveredSeq,
    readSeq: row.readSeq,
    unread: row.unread,
    mentions: row.mentions,
    unreadMark: row.unreadMark,
    level: row.level,
    mutedUntil: row.mutedUntil?.toISOString() ?? null,
    channels: presentChannels(row.channels),
    muteExcept: row.muteExcept,
    archived: row.archived,
    pinned: row.pinned,
  };
}

/** Each channel of a conversation: what is not said is as in the account. */
export const presentChannels = (channels: Partial<ConversationChannels> | null): ConversationChannels => ({
  push: null,
  email: null,
  sms: null,
  ...channels,
});

/** Tells a person's own devices what they have set: of role and counts the log tells. */
export function membershipChanged(
  userId: UserId,
  conversationId: ConversationId,
  { level, mutedUntil, muteExcept, channels, archived, pinned, unreadMark, readSeq }: Conversation['me'],
): DomainEvent {
  const own = { level, mutedUntil, muteExcept, channels, archived, pinned, unreadMark, readSeq };
  const settings = { conversationId, ...own };
  return { type: 'membership.changed', userId, settings };
}

/**
 * Whether its members are told by name how far the others are: not in channels, not where they are many, and not between
 * two, one of whom has blocked the other. There neither is told, so that it says nothing of which one it was.
 */
export const tellsReceipts = ({
  kind,
  blocked,
  memberCount,
}: Pick<ConversationRow, 'kind' | 'blocked' | 'memberCount'>): boolean =>
  kind !== 'channel' && !blocked && memberCount <= limits.namedMembers;

/** A member as others see them: how far they have come is told where the conversation tells receipts and they do. */
export function presentMember({ userId, displayName, role, ...row }: MemberRow, isTold: boolean): Member {
  const none = { deliveredSeq: null, readSeq: null, cameSeq: null };
  return { userId, displayName, role, ...(isTold ? presentWatermarks(row) : none) };
}

/** Tells the two of a direct conversation how far they are: what was read while one had blocked the other, neither heard. */
export function pairTold(rows: readonly (MemberRow & { memberVersion: number })[]): DomainEvent[] {
  const [first] = rows;
  if (!first) return [];
  const { conversationId, memberVersion } = first;
  const receipts = rows.map(({ userId, ...row }) => ({ conversationId, userId, ...presentWatermarks(row) }));
  return [{ type: 'receipts.moved', conversationId, memberVersion, receipts }];
}

/** How far somebody is, to the others of a conversation that tells receipts. */
export const presentWatermarks = ({
  deliveredSeq,
  readSeq,
  cameSeq,
  tellRead,
}: Pick<MemberRow, 'deliveredSeq' | 'readSeq' | 'cameSeq' | 'tellRead'>): Pick<
  Receipt,
  'deliveredSeq' | 'readSeq' | 'cameSeq'
> => ({ deliveredSeq, readSeq: tellRead ? readSeq : null, cameSeq });
