import type { ConversationEvent, Message, SyncResponse } from '../../contracts/entities/index.ts';

/** What a client holds of one conversation. */
export interface ConversationState {
  version: number;
  title: string | null;
  members: Map<string, string>;
  messages: Map<number, Message>;
}

/**
 * The smallest client that keeps the rules: an event with the next version is applied, an older one dropped, a later one
 * is a gap. It is what the proof "old state + events = fresh state" is made with.
 */
export class SyncClient {
  readonly conversations = new Map<string, ConversationState>();
  /** Events that came too early, kept until the gap before them is filled. */
  readonly held = new Map<string, Map<number, ConversationEvent>>();

  get known(): [string, number][] {
    return [...this.conversations]
      .map(([id, { version }]): [string, number] => [id, version])
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** A live event, in whatever order and number it arrives. Answers whether there is a gap now. */
  hear(event: ConversationEvent): boolean {
    const state = this.conversations.get(event.conversationId);
    const version = state?.version ?? 0;
    if (event.version <= version) return this.#hasGap(event.conversationId);
    const held = this.held.get(event.conversationId) ?? new Map<number, ConversationEvent>();
    held.set(event.version, event);
    this.held.set(event.conversationId, held);
    this.#applyHeld(event.conversationId);
    return this.#hasGap(event.conversationId);
  }

  /** The answer to a sync. */
  take({ changes }: SyncResponse): void {
    for (const { conversationId, how, events, state } of changes) {
      if (how === 'lost') this.conversations.delete(conversationId);
      if (state) {
        this.conversations.set(conversationId, {
          version: state.conversation.version,
          title: state.conversation.title,
          members: new Map(state.members.map(({ userId, role }) => [userId, role])),
          messages: new Map(state.messages.map((message) => [message.seq, message])),
        });
      }
      for (const event of events) this.hear(event);
      this.#applyHeld(conversationId);
    }
  }

  #hasGap(id: string): boolean {
    return (this.held.get(id)?.size ?? 0) > 0;
  }

  #applyHeld(id: string): void {
    const held = this.held.get(id);
    if (!held) return;
    for (;;) {
      const version = this.conversations.get(id)?.version ?? 0;
      for (const old of held.keys()) if (old <= version) held.delete(old);
      const next = held.get(version + 1);
      if (!next) return;
      held.delete(version + 1);
      this.#apply(next);
    }
  }

  #apply(event: ConversationEvent): void {
    const state = this.conversations.get(event.conversationId) ?? {
      version: 0,
      title: null,
      members: new Map(),
      messages: new Map(),
    };
    state.version = event.version;
    if (event.type === 'conversation.created') {
      state.title = event.data.title;
      for (const { userId, role } of event.data.members) state.members.set(userId, role);
    } else {
      state.messages.set(event.data.message.seq, event.data.message);
    }
    this.conversations.set(event.conversationId, state);
  }
}
