import type { Message } from '../contracts/entities/index.ts';
import type { UserId } from '../contracts/ids.ts';
import type { ClientConversation } from './view.ts';

/** How many a message is for, and who of them has it, and has read it, as far as they tell. */
export interface Delivery {
  recipients: number;
  deliveredTo: UserId[];
  readBy: UserId[];
}

/**
 * How far a message of one's own has come, from what is held: as `messageReceipts` says it, without asking. Who came, or
 * came back, after it is not among its recipients. Undefined where nobody is told it by name: in channels, where the
 * members are too many, and of a reply in a thread, in which one reads apart.
 */
export function deliveryOf(
  { kind, members, receipts }: Pick<ClientConversation, 'kind' | 'members' | 'receipts'>,
  { seq, threadId }: Pick<Message, 'seq' | 'threadId'>,
): Delivery | undefined {
  if (kind === 'channel' || members === null || threadId !== null) return undefined;
  const asked = [...receipts].filter(([, { cameSeq }]) => cameSeq !== null && cameSeq < seq);
  const having = (mark: 'deliveredSeq' | 'readSeq') =>
    asked
      .filter(([, at]) => (at[mark] ?? 0) >= seq)
      .map(([userId]) => userId)
      .sort();
  return {
    recipients: asked.length,
    deliveredTo: having('deliveredSeq'),
    readBy: having('readSeq'),
  };
}
