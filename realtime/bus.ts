import type { ConversationId, UserId } from '../contracts/ids.ts';

/** What one node tells the others: finished frames, and who is to have them. */
export type BusItem =
  | {
      kind: 'conversation';
      id: ConversationId;
      memberVersion: number;
      /** The event's packet, encoded by the node where it happened. */
      text: string;
      /** The version in the log; zero for what stands outside it. */
      version: number;
      messageSeq: number;
      actorId: UserId;
      /** A new message: what is unread to those who are told is other than before, but for who wrote it. */
      arrives?: true;
      /** So it is to all who are told. */
      recounts?: true;
      /** About its actor and for this moment only: for others who look at the conversation, and have not blocked them. */
      hint?: true;
      joins?: { userId: UserId; joinedSeq: number; joinedVersion: number }[];
      leaves?: UserId[] | 'everybody';
    }
  | { kind: 'user'; userId: UserId; text: string }
  /** Somebody has blocked, or lets others see less or more of them. */
  | { kind: 'visibility'; userId: UserId }
  | { kind: 'unread'; userId: UserId };

export type ConversationItem = Extract<BusItem, { kind: 'conversation' }>;

/** Carries items to the other nodes, those of one turn of the loop together. A hint: what is lost is asked for. */
export interface Bus {
  send(item: BusItem): void;
}

export function createBus(io: { serverSideEmit(name: 'items', items: BusItem[]): unknown }): Bus {
  let waiting: BusItem[] = [];
  const flush = () => {
    const items = waiting;
    waiting = [];
    io.serverSideEmit('items', items);
  };
  return {
    send(item) {
      if (waiting.length === 0) setImmediate(flush);
      waiting.push(item);
    },
  };
}
