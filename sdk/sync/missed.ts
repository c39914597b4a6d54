import type { Message } from '../../contracts/entities/index.ts';
import type { ConversationId } from '../../contracts/ids.ts';
import { type HomingError, isUnknown, toHomingError } from '../errors.ts';
import type { ClientLimits } from '../limits.ts';
import type { Patience } from '../patience.ts';
import type { Conversations, PassedOver } from './conversations.ts';

export interface MissedOptions {
  conversations: Conversations;
  /** One page of a conversation's history, oldest first, as new as what is held. */
  fetch: (id: ConversationId, after: number) => Promise<Message[]>;
  /** So many were passed over that these, from one seq to another, are not told one by one. */
  onSkipped: (id: ConversationId, fromSeq: number, toSeq: number) => void;
  limits: ClientLimits;
  patience: Patience;
}

/**
 * Tells the messages that a whole new state has passed over. They are paged through, oldest first, one request at a time
 * for a conversation; what the new state holds waits until they were told. A lost connection leaves it at the last page
 * that was told, and the next one goes on from there.
 */
export class Missed {
  readonly #options: MissedOptions;
  readonly #working = new Set<ConversationId>();
  #open = false;

  constructor(options: MissedOptions) {
    this.#options = options;
  }

  open(): void {
    this.#open = true;
    for (const { state } of this.#options.conversations.all()) this.look(state.id);
  }

  close(): void {
    this.#open = false;
  }

  /** Something of the conversation is other than before: perhaps it was replaced. */
  look(id: ConversationId): void {
    if (!this.#open || this.#working.has(id) || !this.#options.conversations.passedOver(id)) return;
    this.#working.add(id);
    void this.#tellAll(id).finally(() => {
      this.#working.delete(id);
      // Something may have been passed over between the last look and now.
      this.look(id);
    });
  }

  async #tellAll(id: ConversationId): Promise<void> {
    const { conversations, patience } = this.#options;
    for (let failures = 0; this.#open; ) {
      const passed = conversations.passedOver(id);
      if (!passed) return;
      const error = await this.#tellSome(id, passed);
      if (error) await patience.wait(failures, error);
      failures = error ? failures + 1 : 0;
    }
  }

  /** Answers with why it must be tried again. */
  async #tellSome(id: ConversationId, passed: PassedOver): Promise<HomingError | undefined> {
    const { conversations, limits } = this.#options;
    const { after, before } = passed;
    const tooMany = before - 1 - after - limits.missedMessages;
    if (tooMany > 0) this.#skip(id, passed, after + tooMany);
    else if (before - 1 <= after) conversations.tellPassed(id, passed, []);
    else return this.#tellPage(id, passed);
    return undefined;
  }

  async #tellPage(id: ConversationId, passed: PassedOver): Promise<HomingError | undefined> {
    const { conversations, fetch } = this.#options;
    try {
      const page = await fetch(id, passed.after);
      // What is told after a stop would be heard by nobody; the next start asks again.
      if (this.#open) conversations.tellPassed(id, passed, page);
    } catch (thrown) {
      const error = toHomingError(thrown);
      if (isUnknown(error)) return error;
      this.#skip(id, passed, passed.before - 1);
    }
    return undefined;
  }

  #skip(id: ConversationId, passed: PassedOver, toSeq: number): void {
    const { conversations, onSkipped } = this.#options;
    if (conversations.passedOver(id)?.after !== passed.after) return;
    onSkipped(id, passed.after + 1, toSeq);
    conversations.skip(id, passed, toSeq);
  }
}
