import type { ConversationId, UserId } from '../../contracts/ids.ts';
import { HomingError } from '../errors.ts';
import type { ClientLimits } from '../limits.ts';
import type { Change, ClientStorage } from '../storage/storage.ts';
import { type Surroundings, atMost } from '../surroundings.ts';
import type { Conversations, Held } from './conversations.ts';
import { type Kept, fromKept, toKept } from './kept.ts';

const root = 'conversations/';

export interface CacheOptions {
  storage: ClientStorage;
  conversations: Conversations;
  /** Whether the storage is still the person's. */
  isTheirs: () => Promise<boolean>;
  limits: ClientLimits;
  surroundings: Surroundings;
  onStorageError: (error: HomingError) => void;
}

/**
 * Keeps what is held of the conversations, so that the next process shows it at once and asks for no more than what has
 * moved since. Nothing depends on it: what a failing storage or a crash takes away is fetched again.
 */
export class Cache {
  readonly #options: CacheOptions;
  readonly #moved = new Set<ConversationId>();
  /** Those that stand in the storage. */
  readonly #kept = new Set<ConversationId>();
  readonly #wholeAt = new Map<ConversationId, number>();
  #prefix: string | undefined;
  #hurry = new AbortController();
  #writing: Promise<void> | undefined;

  constructor(options: CacheOptions) {
    this.#options = options;
  }

  /** Takes up what was kept for this person, and throws away what was kept for others. */
  async load(userId: UserId): Promise<void> {
    const { conversations } = this.#options;
    this.#forget();
    await this.flush();
    const prefix = `${root}${userId}/`;
    const entries = await this.#guarded(() => this.#options.storage.entries(root), []);
    // Somebody else meanwhile.
    if (conversations.me !== userId) return;
    const unfit = entries.filter(([key, value]) => !key.startsWith(prefix) || !this.#restore(value));
    this.#prefix = prefix;
    await this.#write(unfit.map(([key]) => [key, undefined]));
    // Held since before this person's session ended and what was kept was thrown away.
    for (const { state } of conversations.all()) if (!this.#kept.has(state.id)) this.note(state.id);
  }

  /** Something of the conversation is other than before. */
  note(id: ConversationId): void {
    if (this.#prefix === undefined) return;
    this.#moved.add(id);
    this.#writing ??= this.#writeSoon();
  }

  /** The server gave its whole state. */
  noteWhole(id: ConversationId): void {
    this.#wholeAt.set(id, this.#options.surroundings.now());
  }

  /** Writes at once what is to be written; a storage that does not answer is not waited for long. */
  async flush(): Promise<void> {
    const { limits, surroundings } = this.#options;
    this.#hurry.abort();
    if (this.#moved.size > 0) this.#writing ??= this.#writeSoon();
    await atMost(limits.farewellMs, this.#writing ?? Promise.resolve(), surroundings);
    this.#hurry = new AbortController();
  }

  /** Keeps nothing any more, and throws away what was kept, for whomever. */
  async clear(): Promise<void> {
    this.#forget();
    await this.flush();
    const entries = await this.#guarded(() => this.#options.storage.entries(root), []);
    await this.#write(entries.map(([key]) => [key, undefined]));
  }

  #forget(): void {
    this.#prefix = undefined;
    this.#moved.clear();
    this.#kept.clear();
  }

  #restore(value: unknown): boolean {
    const { conversations, limits, surroundings } = this.#options;
    const kept = fromKept(value);
    if (!kept) return false;
    const { id } = kept.held.state;
    if (conversations.restore(kept.held, kept.wholeAt < surroundings.now() - limits.keptMs)) {
      this.#kept.add(id);
      this.#wholeAt.set(id, kept.wholeAt);
    }
    return true;
  }

  async #writeSoon(): Promise<void> {
    const { surroundings, limits } = this.#options;
    await surroundings.wait(limits.keepMs, this.#hurry.signal);
    const written = await this.#writeMoved();
    this.#writing = undefined;
    // What failed is tried again with the next move.
    if (written) for (const id of this.#moved) this.note(id);
  }

  /** All that has moved in one go; answers whether it is written. */
  async #writeMoved(): Promise<boolean> {
    const prefix = this.#prefix;
    if (prefix === undefined) return true;
    const isTheirs = await this.#options.isTheirs();
    if (prefix !== this.#prefix) return true;
    // What is theirs shall not stand beside somebody else's session.
    if (!isTheirs) this.#forget();
    if (!isTheirs) return true;
    const [chosen, moved] = [this.#choose(), new Set(this.#moved)];
    this.#moved.clear();
    const stale = [...chosen].filter(([id]) => moved.has(id) || !this.#kept.has(id));
    const gone = [...this.#kept].filter((id) => !chosen.has(id));
    const changes: Change[] = [
      ...stale.map(([id, held]): Change => [`${prefix}${id}`, this.#toKept(held)]),
      ...gone.map((id): Change => [`${prefix}${id}`, undefined]),
    ];
    const written = await this.#write(changes);
    if (prefix !== this.#prefix) return true;
    if (!written) for (const id of moved) this.#moved.add(id);
    else {
      for (const [id] of stale) this.#kept.add(id);
      for (const id of gone) this.#kept.delete(id);
    }
    return written;
  }

  /** Those that were written in last, as many as are kept. */
  #choose(): Map<ConversationId, Held> {
    const { conversations, limits } = this.#options;
    return new Map(
      conversations
        .latest()
        .slice(0, limits.keptConversations)
        .map((held) => [held.state.id, held]),
    );
  }

  #toKept(held: Held): Kept {
    return toKept(held, this.#wholeAt.get(held.state.id) ?? 0, this.#options.limits.keptMessages);
  }

  async #write(changes: readonly Change[]): Promise<boolean> {
    if (changes.length === 0) return true;
    return this.#guarded(async () => {
      await this.#options.storage.write(changes);
      return true;
    }, false);
  }

  /** Whatever the storage does, the client goes on. */
  async #guarded<T>(work: () => Promise<T>, otherwise: T): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      this.#options.onStorageError(new HomingError('storage_failed', { cause }));
      return otherwise;
    }
  }
}
