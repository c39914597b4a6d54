import type { Receipt } from '../contracts/entities/index.ts';
import type { ConversationId } from '../contracts/ids.ts';
import { HomingError, isUnknown, toHomingError } from './errors.ts';
import type { ClientLimits } from './limits.ts';
import type { Patience } from './patience.ts';
import { type Surroundings, atMost } from './surroundings.ts';

interface Wanted {
  deliveredSeq: number;
  readSeq: number;
}

interface Telling {
  /** With why it is not told, where that is so. */
  done: Promise<HomingError | undefined>;
  /** Aborted, it waits no longer and tries once. */
  hurry: AbortController;
}

export interface AcknowledgementOptions {
  send: (id: ConversationId, receipt: Partial<Wanted>) => Promise<Receipt>;
  limits: ClientLimits;
  patience: Patience;
  surroundings: Surroundings;
}

/**
 * Tells how far this device has the messages, and how far they were read: one request for a conversation at a time, with
 * the highest of what came meanwhile. What could not be told waits for the next connection.
 */
export class Acknowledgements {
  readonly #options: AcknowledgementOptions;
  readonly #wanted = new Map<ConversationId, Wanted>();
  readonly #running = new Map<ConversationId, Telling>();
  /** What cannot be told now waits for the next start. */
  #stopping = false;
  #open = false;

  constructor(options: AcknowledgementOptions) {
    this.#options = options;
  }

  note(id: ConversationId, { deliveredSeq = 0, readSeq = 0 }: Partial<Wanted>): void {
    const before = this.#wanted.get(id) ?? { deliveredSeq: 0, readSeq: 0 };
    const wanted = {
      deliveredSeq: Math.max(before.deliveredSeq, deliveredSeq),
      readSeq: Math.max(before.readSeq, readSeq),
    };
    if (wanted.deliveredSeq === before.deliveredSeq && wanted.readSeq === before.readSeq) return;
    this.#wanted.set(id, wanted);
    this.#begin(id);
  }

  open(): void {
    this.#open = true;
    for (const id of this.#wanted.keys()) this.#begin(id);
  }

  close(): void {
    this.#open = false;
  }

  clear(): void {
    this.#wanted.clear();
  }

  /** Tries once, and at once, to tell what is still to be told; a server that does not answer is not waited for long. */
  async flush(): Promise<void> {
    const { limits, surroundings } = this.#options;
    this.#stopping = true;
    const all = [...this.#wanted.keys()].map((id) => this.#tellNow(id));
    await atMost(limits.farewellMs, Promise.all(all), surroundings);
    this.#stopping = false;
  }

  /** Tells at once what was read of a conversation; rejects where that may arrive later, or not at all. */
  async tell(id: ConversationId): Promise<void> {
    const error = this.#wanted.get(id)?.readSeq ? await this.#tellNow(id) : undefined;
    if (error) throw error;
  }

  /** What is on its way may be less than what was noted since. Answers with why not all is told. */
  async #tellNow(id: ConversationId): Promise<HomingError | undefined> {
    while (this.#wanted.has(id)) {
      this.#begin(id);
      const running = this.#running.get(id);
      if (!running) return new HomingError('disconnected');
      running.hurry.abort();
      const error = await running.done;
      if (error) return error;
    }
    return undefined;
  }

  #begin(id: ConversationId): void {
    if (!this.#open || this.#running.has(id)) return;
    const hurry = new AbortController();
    const done = this.#tell(id, hurry.signal).finally(() => {
      this.#running.delete(id);
      if (this.#wanted.has(id) && !this.#stopping) this.#begin(id);
    });
    this.#running.set(id, { done, hurry });
  }

  async #tell(id: ConversationId, hurry: AbortSignal): Promise<HomingError | undefined> {
    const { limits, patience, surroundings } = this.#options;
    await surroundings.wait(limits.acknowledgeMs, hurry);
    for (let failures = 0; this.#open && this.#wanted.has(id); failures += 1) {
      const error = await this.#tellOnce(id);
      if (!error || hurry.aborted) return error;
      await patience.wait(failures, error, hurry);
    }
    return undefined;
  }

  async #tellOnce(id: ConversationId) {
    const told = this.#wanted.get(id) as Wanted;
    try {
      await this.#options.send(id, {
        ...(told.deliveredSeq > 0 ? { deliveredSeq: told.deliveredSeq } : {}),
        ...(told.readSeq > 0 ? { readSeq: told.readSeq } : {}),
      });
    } catch (thrown) {
      const error = toHomingError(thrown);
      if (isUnknown(error)) return error;
    }
    // Unless it moved on meanwhile.
    if (this.#wanted.get(id) === told) this.#wanted.delete(id);
    return undefined;
  }
}
