import type { Conversation, Member } from '../../contracts/entities/index.ts';
import type { ConversationRow } from '../../db/queries/conversations.ts';
import type { MemberRow } from '../../db/queries/members.ts';
import { presentMessage } from '../messages/index.ts';

/** A conversation as one of its members sees it. */
export function presentConversation(row: ConversationRow): Conversation {
  return {
    id: row.id,
    kind: row.kind,
    title: row.title,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
    version: row.version,
    lastSeq: row.lastSeq,
    memberCount: row.memberCount,
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
    level: row.level,
    mutedUntil: row.mutedUntil?.toISOString() ?? null,
  };
}

export function presentMember({ userId, displayName, role, deliveredSeq, readSeq }: MemberRow): Member {
  return { userId, displayName, role, deliveredSeq, readSeq };
}
