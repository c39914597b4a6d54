import type { ConversationEvent } from '../../contracts/entities/index.ts';
import type { LogRow } from '../../db/queries/log.ts';
import { presentMessage } from '../messages/index.ts';

/** An entry of the log as clients see it: the same shape that was told live. */
export function presentLogRow(row: LogRow): ConversationEvent {
  const logged = {
    conversationId: row.conversationId,
    version: row.version,
    at: row.at.toISOString(),
    actorId: row.actorId,
  };
  if (row.message) return { ...logged, type: 'message.created', data: { message: presentMessage(row.message) } };
  return { ...logged, type: row.type, data: row.data } as ConversationEvent;
}
