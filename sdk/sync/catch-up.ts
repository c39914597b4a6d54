import type { ConversationEvent, EventsAfter } from '../../contracts/entities/index.ts';
import type { ConversationId } from '../../contracts/ids.ts';
import { isUnknown, toHomingError } from '../errors.ts';
import type { ClientLimits } from '../limits.ts';
import type { Patience } from '../patience.ts';
import { type Conversations, beyondEverything } from './conversations.ts';

export interface CatchUpOptions {
  conversations: Conversations;
  /** One page of a conversation's log. */
  fetch: (id: ConversationId, after: number) => Promise<EventsAfter>;
  limits: ClientLimits;
  patience: Patience;
}

/**
 * Keeps each log without a gap. The next event is applied, an older one dropped; a later one is held, what lies before it
 * is fetched, one request at a time for a conversation, and then it is applied. A conversation that is not held comes
 * whole.
 */
export class CatchUp {
  readonly #options: CatchUpOptions;
  /** Events that came too early. */
  readonly #early = new Map<ConversationId, Map<number, ConversationEvent>>();
  /** The highest version that was heard of, of what is behind. */
  readonly #heads = new Map<ConversationId, number>();
  readonly #fetching = new Set<ConversationId>();
  /** The version at which a conversation that lacks its members was last asked for whole: once for each. */
  readonly #askedWhole = new Map<ConversationId, number>();
  #open = false;

  constructor(options: CatchUpOptions) {
    this.#options = options;
  }

  /** There is a connection, and its sync was applied: what is still behind is fetched. */
  open(): void {
    this.#open = true;
    for (const id of this.#heads.keys()) this.#mend(id);
  }

  close(): void {
    this.#open = false;
  }

  clear(): void {
    this.#early.clear();
    this.#heads.clear();
    this.#askedWhole.clear();
  }

  forget(id: ConversationId): void {
    this.#early.delete(id);
    this.#heads.delete(id);
  }

  hear(event: ConversationEvent): void {
    const { conversationId: id, version } = event;
    const { conversations, limits } = this.#options;
    if (version <= conversations.version(id)) return;
    const early = this.#early.get(id) ?? new Map<number, ConversationEvent>();
    if (early.size < limits.heldEvents || version === conversations.version(id) + 1) early.set(version, event);
    this.#early.set(id, early);
    this.hearHead(id, version);
  }

  /** Somewhere it was said that the conversation has come so far. */
  hearHead(id: ConversationId, version: number): void {
    if (version > (this.#heads.get(id) ?? 0)) this.#heads.set(id, version);
    this.drain(id);
    this.#mend(id);
  }

  /** Applies what was held and follows now. */
  drain(id: ConversationId): void {
    const { conversations } = this.#options;
    const early = this.#early.get(id);
    for (;;) {
      const next = early?.get(conversations.version(id) + 1);
      if (!next) break;
      conversations.apply(next);
      if (conversations.version(id) < next.version) return this.#removed(id, next.version);
    }
    for (const version of early?.keys() ?? []) if (version <= conversations.version(id)) early?.delete(version);
    if (!this.isBehind(id)) this.forget(id);
  }

  /** The person was removed; unless something came later, for then they are back, and what they may read comes whole. */
  #removed(id: ConversationId, version: number): void {
    if ((this.#heads.get(id) ?? 0) > version) this.#early.delete(id);
    else this.forget(id);
  }

  /** Something was heard that is later than what is held, or what is held lacks something. */
  isBehind(id: ConversationId): boolean {
    return (this.#heads.get(id) ?? 0) > this.#options.conversations.version(id) || this.#lacksMembers(id);
  }

  #lacksMembers(id: ConversationId): boolean {
    const { conversations } = this.#options;
    return conversations.lacksMembers(id) && this.#askedWhole.get(id) !== conversations.version(id);
  }

  #mend(id: ConversationId): void {
    if (!this.#open || this.#fetching.has(id) || !this.isBehind(id)) return;
    this.#fetching.add(id);
    void this.#fetchAll(id).finally(() => {
      this.#fetching.delete(id);
      // Something may have been heard between the last look and now.
      this.#mend(id);
    });
  }

  async #fetchAll(id: ConversationId): Promise<void> {
    for (let failures = 0; this.#open && this.isBehind(id); ) {
      try {
        await this.#fetchPage(id);
        failures = 0;
      } catch (thrown) {
        const error = toHomingError(thrown);
        if (!isUnknown(error)) return this.#giveUp(id, error.code === 'not_found');
        await this.#options.patience.wait(failures, error);
        failures += 1;
      }
    }
  }

  async #fetchPage(id: ConversationId): Promise<void> {
    const { conversations, fetch } = this.#options;
    const after = conversations.version(id);
    const lacksMembers = this.#lacksMembers(id);
    if (lacksMembers) this.#askedWhole.set(id, after);
    const page = await fetch(id, after === 0 || lacksMembers ? beyondEverything : after);
    if (page.snapshot) {
      const overtaken =
        conversations.version(id) > after && conversations.version(id) >= page.state.conversation.version;
      if (!overtaken) conversations.replace(page.state);
    } else {
      for (const event of page.events) this.hear(event);
    }
    this.drain(id);
    const stands = conversations.version(id) === after;
    // A head that the server itself does not have: of a database that was restored.
    if (stands && !(page.snapshot === false && page.hasMore)) this.forget(id);
  }

  #giveUp(id: ConversationId, lost: boolean): void {
    this.forget(id);
    if (lost) this.#options.conversations.lose(id);
  }
}
