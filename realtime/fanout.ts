import type { DomainEvent } from '../contracts/events.ts';
import { type ServerEventName, type ServerEventPayload, serverEvents } from '../contracts/realtime/index.ts';
import type { Log } from '../domain/deps.ts';
import { type Io, rooms } from './io.ts';

/**
 * Tells domain events to the sockets that follow, on every node. Best effort: a failure is logged and forgotten, because
 * whoever missed an event sees the gap in the versions and asks.
 */
export function createFanout(io: Io, { log, checkEvents }: { log: Log; checkEvents: boolean }) {
  const emit = <Name extends ServerEventName>(room: string, name: Name, payload: ServerEventPayload<Name>) => {
    if (checkEvents) serverEvents[name].payload.parse(payload);
    (io.to(room).emit as (event: string, payload: unknown) => void)(name, payload);
  };

  const tell = (event: DomainEvent): void => {
    switch (event.type) {
      case 'conversation.event': {
        const room = rooms.conversation(event.event.conversationId);
        for (const userId of event.joins ?? []) {
          // Here at once: through Redis even our own sockets would join after the event.
          io.local.in(rooms.user(userId)).socketsJoin(room);
          // Elsewhere by the same connection as the event, and before it.
          io.in(rooms.user(userId)).socketsJoin(room);
        }
        return emit(room, 'event', event.event);
      }
      case 'receipts.moved': {
        const byConversation = Map.groupBy(event.receipts, ({ conversationId }) => conversationId);
        for (const [id, receipts] of byConversation) emit(rooms.conversation(id), 'receipts', { receipts });
        return;
      }
      case 'session.ended':
        io.serverSideEmit('session.ended', event.sessionIds);
        return;
    }
  };

  return (events: readonly DomainEvent[]): void => {
    for (const event of events) {
      try {
        tell(event);
      } catch (error) {
        log.error('a live event could not be told', { type: event.type, error });
      }
    }
  };
}
