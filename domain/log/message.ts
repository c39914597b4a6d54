import type { Message, Origin } from '../../contracts/entities/index.ts';
import type { ClientId } from '../../contracts/ids.ts';
import type { MessageRow, StoredOrigin } from '../../db/queries/messages.ts';

const presentOrigin = ({ senderId, createdAt }: StoredOrigin): Origin => ({ senderId, createdAt });

/** A message as its reader sees it. */
export function presentMessage(row: MessageRow): Message {
  return {
    id: row.id,
    conversationId: row.conversationId,
    seq: row.seq,
    version: row.version,
    changedVersion: row.changedVersion,
    clientId: row.clientId as ClientId,
    senderId: row.senderId,
    kind: row.kind,
    text: row.text,
    system: row.system,
    attachments: [],
    replyTo: row.replyTo,
    threadId: row.threadId,
    thread: row.threadId === null ? row.thread : null,
    forwardedFrom: row.forwardedFrom && presentOrigin(row.forwardedFrom),
    mentions: row.mentions ?? [],
    priority: row.priority,
    reactions: row.reactions ?? [],
    createdAt: row.createdAt.toISOString(),
    editedAt: row.editedAt?.toISOString() ?? null,
    deletedAt: row.deletedAt?.toISOString() ?? null,
    pinnedAt: row.pinnedAt?.toISOString() ?? null,
    ...(row.fromBlocked ? { fromBlocked: true } : {}),
  };
}
