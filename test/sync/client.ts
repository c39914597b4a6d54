import type { ConversationEvent, SyncResponse } from '../../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import { type ConversationState, applyEvent, fromSnapshot } from '../../sdk/reducer.ts';

/**
 * The smallest client that keeps the rules: an event with the next version is applied, an older one dropped, a later one
 * is a gap. It is what the proof "old state + events = fresh state" is made with.
 */
export class SyncClient {
  readonly conversations = new Map<string, ConversationState>();
  /** Events that came too early, kept until the gap before them is filled. */
  readonly held = new Map<string, Map<number, ConversationEvent>>();
  readonly me: UserId;

  constructor(me: string) {
    this.me = me as UserId;
  }

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
      if (how === 'lost') this.#forget(conversationId);
      if (state) this.conversations.set(conversationId, fromSnapshot(state));
      if (how === 'events') for (const event of events) this.hear(event);
      this.#applyHeld(conversationId);
    }
  }

  #forget(id: ConversationId): void {
    this.conversations.delete(id);
    this.held.delete(id);
  }

  #hasGap(id: string): boolean {
    return (this.held.get(id)?.size ?? 0) > 0;
  }

  #applyHeld(id: ConversationId): void {
    for (;;) {
      const held = this.held.get(id);
      const version = this.conversations.get(id)?.version ?? 0;
      for (const old of held?.keys() ?? []) if (old <= version) held?.delete(old);
      const next = held?.get(version + 1);
      if (!next) return;
      held?.delete(version + 1);
      const state = applyEvent(this.conversations.get(id), next, this.me);
      if (state) this.conversations.set(id, state);
      else this.#forget(id);
    }
  }
}
