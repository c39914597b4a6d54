import type { ConversationEvent, Message } from '../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../contracts/ids.ts';
import { type ConversationState, applyEvent } from './reducer.ts';
import type { Conversations } from './sync/conversations.ts';

/** Tries of one page that the log overtook by more than entries: by a whole new state. */
const tries = 3;

/**
 * A page as it is after the entries that were applied while it was on its way. They may have changed messages that were
 * not held then, and the page may show them as they were before. An entry that the page knows already changes nothing.
 */
export function bringUpToDate(
  page: readonly Message[],
  events: readonly ConversationEvent[],
  before: ConversationState,
  me: UserId,
): Message[] {
  const seqs = new Set(page.map(({ seq }) => seq));
  let state: ConversationState | undefined = {
    ...before,
    messages: new Map(page.map((message) => [message.seq, message])),
  };
  for (const event of events) state = state && applyEvent(state, event, me);
  return [...(state?.messages.values() ?? page)].filter(({ seq }) => seqs.has(seq)).sort((a, b) => a.seq - b.seq);
}

type Fetch = () => Promise<readonly Message[]>;

/** Fetches pages of the history and fits them to what is held, whatever happens to the conversation meanwhile. */
export class History {
  readonly #conversations: Conversations;
  readonly #watched = new Map<ConversationId, Set<ConversationEvent[]>>();

  constructor(conversations: Conversations) {
    this.#conversations = conversations;
  }

  /** An entry was applied. */
  note(event: ConversationEvent): void {
    for (const events of this.#watched.get(event.conversationId) ?? []) events.push(event);
  }

  /** A page that goes on from what is held becomes a part of it. */
  page(id: ConversationId, fetch: Fetch): Promise<Message[]> {
    return this.#fit(id, fetch, (page) => this.#conversations.mergePage(id, page));
  }

  /** Messages that stand apart from one another, as replies do, are only for who asked: held, they would leave gaps. */
  apart(id: ConversationId, fetch: Fetch): Promise<Message[]> {
    return this.#fit(id, fetch, () => undefined);
  }

  async #fit(id: ConversationId, fetch: Fetch, keep: (page: Message[]) => void): Promise<Message[]> {
    for (let attempt = 1; ; attempt += 1) {
      const before = this.#conversations.get(id)?.state;
      const { page, events } = await this.#watch(id, fetch);
      const after = this.#conversations.get(id)?.state;
      if (!before || !after) return this.#marked(page);
      if (after.version === before.version + events.length) {
        const fitted = this.#marked(bringUpToDate(page, events, before, this.#conversations.me));
        keep(fitted);
        return this.#asHeld(id, fitted);
      }
      if (attempt === tries) return this.#marked(page);
    }
  }

  async #watch(id: ConversationId, fetch: Fetch) {
    const events: ConversationEvent[] = [];
    const watching = this.#watched.get(id) ?? new Set();
    this.#watched.set(id, watching.add(events));
    try {
      return { page: await fetch(), events };
    } finally {
      watching.delete(events);
      if (watching.size === 0) this.#watched.delete(id);
    }
  }

  #marked = (page: readonly Message[]): Message[] => page.map((message) => this.#conversations.marked(message));

  #asHeld(id: ConversationId, page: readonly Message[]): Message[] {
    const held = this.#conversations.get(id)?.state.messages;
    return page.map((message) => {
      const known = held?.get(message.seq);
      return known && known.changedVersion >= message.changedVersion ? known : message;
    });
  }
}
