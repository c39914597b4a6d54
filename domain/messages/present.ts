import type { Message } from '../../contracts/entities/index.ts';
import type { ClientId } from '../../contracts/ids.ts';
import type { MessageRow } from '../../db/queries/messages.ts';

/** A message as clients see it. */
export function presentMessage(row: MessageRow): Message {
  return {
    id: row.id,
    conversationId: row.conversationId,
    seq: row.seq,
    version: row.version,
    clientId: row.clientId as ClientId,
    senderId: row.senderId,
    kind: row.kind,
    text: row.deletedAt ? null : row.text,
    attachments: [],
    replyTo: row.replyTo,
    mentions: row.mentions ?? [],
    priority: row.priority,
    reactions: [],
    createdAt: row.createdAt.toISOString(),
    editedAt: row.editedAt?.toISOString() ?? null,
    deletedAt: row.deletedAt?.toISOString() ?? null,
  };
}
