import type { Message, NewMessage } from '../contracts/entities/index.ts';
import type { ClientId } from '../contracts/ids.ts';
import type { Entry, OutgoingMessage } from './outbox.ts';

/** What a message says. */
export type MessageContent = Omit<NewMessage, 'clientId' | 'replyTo' | 'threadId'> & {
  replyTo?: string;
  threadId?: string;
};

/** A message that was just written. */
export interface Sending {
  readonly clientId: ClientId;
  /** How it stands at this moment. */
  readonly outgoing: OutgoingMessage;
  /** Resolves once the server has stored it, which may be after hours offline; rejects when it was refused, or its writer is gone. */
  readonly stored: Promise<Message>;
}

export const toSending = (entry: Entry): Sending => ({
  clientId: entry.outgoing.clientId,
  get outgoing() {
    return entry.outgoing;
  },
  stored: entry.answered.promise,
});
