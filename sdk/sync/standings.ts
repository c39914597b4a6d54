import type { Conversation } from '../../contracts/entities/index.ts';
import type { ConversationId } from '../../contracts/ids.ts';
import { isUnknown, toHomingError } from '../errors.ts';
import type { ClientLimits } from '../limits.ts';
import type { Patience } from '../patience.ts';
import type { Surroundings } from '../surroundings.ts';
import type { Conversations } from './conversations.ts';

export interface StandingsOptions {
  conversations: Conversations;
  fetch: (id: ConversationId) => Promise<Conversation>;
  limits: ClientLimits;
  patience: Patience;
  surroundings: Surroundings;
}

/** Where answers are overtaken again and again, so much is written that the count moves anyway; the next sync tells it. */
const mostTries = 5;

/**
 * Asks where the person stands in a conversation, once an event has changed what is counted there and not held: one
 * request at a time for each, for all that comes within a moment.
 */
export class Standings {
  readonly #options: StandingsOptions;
  readonly #doubtful = new Set<ConversationId>();
  readonly #asking = new Set<ConversationId>();
  #open = false;

  constructor(options: StandingsOptions) {
    this.#options = options;
  }

  doubt(id: ConversationId): void {
    this.#doubtful.add(id);
    this.#begin(id);
  }

  open(): void {
    this.#open = true;
    for (const id of this.#doubtful) this.#begin(id);
  }

  close(): void {
    this.#open = false;
  }

  /** A sync tells it of every conversation, or somebody else is here. */
  clear(): void {
    this.#doubtful.clear();
  }

  #begin(id: ConversationId): void {
    if (!this.#open || this.#asking.has(id)) return;
    this.#asking.add(id);
    void this.#settle(id).finally(() => {
      this.#asking.delete(id);
      if (this.#doubtful.has(id)) this.#begin(id);
    });
  }

  async #settle(id: ConversationId): Promise<void> {
    const { limits, patience, surroundings } = this.#options;
    for (let tries = 0; this.#open && this.#doubtful.has(id); tries += 1) {
      await surroundings.wait(limits.acknowledgeMs);
      try {
        if ((await this.#ask(id)) || tries + 1 >= mostTries) this.#doubtful.delete(id);
      } catch (thrown) {
        const error = toHomingError(thrown);
        if (!isUnknown(error)) this.#doubtful.delete(id);
        else await patience.wait(tries, error);
      }
    }
  }

  async #ask(id: ConversationId): Promise<boolean> {
    const { conversations, fetch } = this.#options;
    const { timesSet } = conversations;
    const { version, lastSeq, me } = await fetch(id);
    return conversations.stand({ ...me, conversationId: id, version, lastSeq }, timesSet);
  }
}
