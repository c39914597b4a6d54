import type { ConversationId } from '../../contracts/ids.ts';
import type { ServerEvent } from '../connection.ts';
import type { Emitter } from '../emitter.ts';
import type { ClientEvents } from '../events.ts';
import type { ClientLimits } from '../limits.ts';
import type { CatchUp } from './catch-up.ts';
import type { Conversations } from './conversations.ts';

export interface InboxOptions {
  conversations: Conversations;
  catchUp: CatchUp;
  events: Emitter<ClientEvents>;
  limits: ClientLimits;
}

/**
 * What the server tells live. From a connect until its sync was applied it is held, so that nothing falls between the
 * state that was read and the events that follow.
 */
export class Inbox {
  readonly #options: InboxOptions;
  #held: ServerEvent[] | undefined;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /** A connection begins: what an older one held back comes again by the sync. */
  hold(): void {
    this.#held = [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const event of held) this.hear(event);
  }

  hear(event: ServerEvent): void {
    // About no version and complete in itself: it needs no sync before it, and must not be lost where too much is held.
    if (!this.#held || event.name === 'blocks') return this.#take(event);
    if (this.#held.length < this.#options.limits.eventsBeforeSync) this.#held.push(event);
    // Only how far the conversation has come is kept: what is missing is fetched.
    else if (event.name === 'event')
      this.#options.catchUp.hearHead(event.payload.conversationId, event.payload.version);
  }

  #take({ name, payload }: ServerEvent): void {
    const { conversations, catchUp, events } = this.#options;
    switch (name) {
      case 'event':
        return catchUp.hear(payload);
      case 'heads':
        for (const [id, version] of payload.heads) catchUp.hearHead(id as ConversationId, version);
        return;
      case 'receipts':
        for (const receipt of payload.receipts) conversations.hearReceipt(receipt);
        return events.emit('receipts', payload.receipts);
      case 'blocks':
        conversations.setBlocked(payload.userIds);
        return events.emit('blocks', payload);
      case 'membership':
        return conversations.setSettings(payload.conversationId, payload);
      case 'notification-settings':
        return events.emit('notificationSettings', payload);
      case 'draft':
        return events.emit('draft', payload);
      case 'thread':
        return events.emit('thread', payload);
      case 'typing':
        return events.emit('typing', payload);
      case 'presence':
        return events.emit('presence', payload);
      case 'attention':
        return events.emit('attention', payload);
      case 'hello':
      case 'notice':
    }
  }
}
