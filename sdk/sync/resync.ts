import type { ConversationId } from '../../contracts/ids.ts';
import type { ClientLimits } from '../limits.ts';
import type { Surroundings } from '../surroundings.ts';

export interface ResyncOptions {
  /** Asks for everything and applies it, over the connection of that signal. */
  sync: (connection: AbortSignal) => Promise<void>;
  limits: ClientLimits;
  surroundings: Surroundings;
}

/**
 * Syncs anew over a connection that stands. What a person reads, marks and sets on another device, and how far others
 * have read, has no version, so no digest tells that a live event of it was lost. But the digest tells of events that had
 * a version and did not come either: then everything is asked for. Without such a sign it is asked for every few minutes.
 */
export class Resync {
  readonly #options: ResyncOptions;
  /** Entries of logs that were told of otherwise than live. */
  readonly #due = new Set<string>();
  #connection: AbortController | undefined;
  #lost = new AbortController();

  constructor(options: ResyncOptions) {
    this.#options = options;
  }

  open(): void {
    this.close();
    // The connect has synced everything.
    this.#lost = new AbortController();
    this.#connection = new AbortController();
    void this.#keepAsking(this.#connection.signal);
  }

  close(): void {
    this.#connection?.abort();
    this.#connection = undefined;
    this.#due.clear();
  }

  /** The entry was not told live, and should have been: it may be on its way, or lost. */
  expect(id: ConversationId, version: number): void {
    if (!this.#connection) return;
    this.#due.add(`${id} ${version}`);
    if (this.#due.size === 1) void this.#look(this.#connection.signal);
  }

  heard(id: ConversationId, version: number): void {
    if (this.#due.size > 0) this.#due.delete(`${id} ${version}`);
  }

  async #look(connection: AbortSignal): Promise<void> {
    const { limits, surroundings } = this.#options;
    await surroundings.wait(limits.lossMs, connection);
    if (connection.aborted) return;
    if (this.#due.size > 0) this.#lost.abort();
    this.#due.clear();
  }

  async #keepAsking(connection: AbortSignal): Promise<void> {
    const { sync, limits, surroundings } = this.#options;
    const { wait, random } = surroundings;
    while (!connection.aborted) {
      // Many clients that connected in one moment do not ask in one.
      await wait((limits.resyncMs * (1 + random())) / 2, AbortSignal.any([connection, this.#lost.signal]));
      if (connection.aborted) return;
      this.#lost = new AbortController();
      const isDone = await sync(connection).then(
        () => true,
        () => false,
      );
      await wait(limits.resyncRestMs, connection);
      if (!isDone) this.#lost.abort();
    }
  }
}
