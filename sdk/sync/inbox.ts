import type { ConversationEvent } from '../../contracts/entities/index.ts';
import type { ConversationId } from '../../contracts/ids.ts';
import type { ServerEvent } from '../connection.ts';
import type { Emitter } from '../emitter.ts';
import type { ClientEvents } from '../events.ts';
import type { ClientLimits } from '../limits.ts';
import type { CatchUp } from './catch-up.ts';
import type { Conversations } from './conversations.ts';
import type { Resync } from './resync.ts';

export interface InboxOptions {
  conversations: Conversations;
  catchUp: CatchUp;
  resync: Pick<Resync, 'expect' | 'heard'>;
  events: Emitter<ClientEvents>;
  limits: ClientLimits;
}

/**
 * What the server tells live. From the beginning of a sync until it was applied it is held, so that nothing falls between
 * the state that was read and the events that follow.
 */
export class Inbox {
  readonly #options: InboxOptions;
  #held: ServerEvent[] | undefined;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /**
   * A sync begins: what an older one held back comes again by this one. Answers how to release what is held, which does
   * nothing once another one has begun.
   */
  hold(): () => void {
    const held: ServerEvent[] = [];
    this.#held = held;
    return () => {
      if (this.#held !== held) return;
      this.#held = undefined;
      for (const event of held) this.hear(event);
    };
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
    const { conversations, events } = this.#options;
    switch (name) {
      case 'event':
        return this.#hearEvent(payload);
      case 'heads':
        for (const [id, version] of payload.heads) this.#hearHead(id as ConversationId, version);
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

  #hearEvent(event: ConversationEvent): void {
    const { conversations, catchUp, resync } = this.#options;
    const { conversationId: id, version } = event;
    const next = conversations.version(id) + 1;
    resync.heard(id, version);
    // One that is not held begins with a whole state, and lacks nothing.
    if (next > 1 && version > next) resync.expect(id, next);
    catchUp.hear(event);
  }

  #hearHead(id: ConversationId, version: number): void {
    const { conversations, catchUp, resync } = this.#options;
    if (version > conversations.version(id)) resync.expect(id, version);
    catchUp.hearHead(id, version);
  }
}
