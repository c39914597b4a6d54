import type { DomainEvent } from '../contracts/events.ts';
import { type ServerEventName, type ServerEventPayload, serverEvents } from '../contracts/realtime/index.ts';
import type { Log } from '../domain/deps.ts';
import type { Bus, BusItem } from './bus.ts';
import type { Io } from './io.ts';

export interface FanoutOptions {
  bus: Bus;
  /** The sockets of this process, where it has any. */
  here: (item: BusItem) => void;
  log: Log;
  checkEvents: boolean;
}

/**
 * Tells domain events to the sockets that follow, on every node: encoded once, given to this node's own at once and to
 * the others over the bus. Best effort: a failure is logged and forgotten, because whoever missed an event sees the gap
 * in the versions and asks.
 */
export function createFanout(io: Pick<Io, 'serverSideEmit'>, { bus, here, log, checkEvents }: FanoutOptions) {
  const packet = <Name extends ServerEventName>(name: Name, payload: ServerEventPayload<Name>): string => {
    if (checkEvents) serverEvents[name].payload.parse(payload);
    return `2${JSON.stringify([name, payload])}`;
  };
  const everywhere = (item: BusItem) => {
    here(item);
    bus.send(item);
  };

  const tell = (told: DomainEvent): void => {
    switch (told.type) {
      case 'conversation.event': {
        const { event, memberVersion, messageSeq = 0, recounts, joins, leaves } = told;
        const { conversationId: id, version, actorId } = event;
        const text = packet('event', event);
        const item = { kind: 'conversation' as const, id, memberVersion, version, messageSeq, actorId, text };
        const arrives = event.type === 'message.created' ? { arrives: true as const } : {};
        const counts = { ...arrives, ...(recounts ? { recounts } : {}) };
        return everywhere({ ...item, ...counts, ...(joins ? { joins } : {}), ...(leaves ? { leaves } : {}) });
      }
      case 'receipts.moved': {
        const { conversationId: id, memberVersion, receipts } = told;
        const [first] = receipts;
        if (!first) return;
        const text = packet('receipts', { receipts });
        const actorId = first.userId;
        return everywhere({ kind: 'conversation', id, memberVersion, text, version: 0, messageSeq: 0, actorId });
      }
      case 'typing.changed': {
        const { conversationId: id, memberVersion, userId: actorId, until } = told;
        const text = packet('typing', { conversationId: id, userId: actorId, until });
        return everywhere({
          kind: 'conversation',
          id,
          memberVersion,
          text,
          version: 0,
          messageSeq: 0,
          actorId,
          hint: true,
        });
      }
      case 'unread.changed':
        return everywhere({ kind: 'unread', userId: told.userId });
      case 'receipts.own':
        return everywhere({
          kind: 'user',
          userId: told.receipt.userId,
          text: packet('receipts', { receipts: [told.receipt] }),
        });
      case 'thread.changed':
        return everywhere({ kind: 'user', userId: told.userId, text: packet('thread', told.thread) });
      case 'draft.changed': {
        const { userId, conversationId, draft } = told;
        return everywhere({ kind: 'user', userId, text: packet('draft', { conversationId, draft }) });
      }
      case 'membership.changed':
        return everywhere({ kind: 'user', userId: told.userId, text: packet('membership', told.settings) });
      case 'settings.changed': {
        const { userId, settings, version } = told;
        return everywhere({ kind: 'user', userId, text: packet('notification-settings', { settings, version }) });
      }
      case 'visibility.changed':
        return everywhere({ kind: 'visibility', userId: told.userId });
      case 'session.ended':
        io.serverSideEmit('session.ended', told.sessionIds);
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
