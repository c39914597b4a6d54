import type { Draft } from '../contracts/entities/index.ts';
import type { RestInput } from './rest.ts';
import type { Asks } from './subjects.ts';

type DraftContent = RestInput<'putDraft'>['body'];

/** What the person has begun to write, the same on all of their devices. The last writer wins. */
export class Drafts {
  readonly #asks: Asks;
  /**
   * What was begun here, and by no other device since: another one's is not what a message from here was. An object of its
   * own for each, so that a later one is told from it.
   */
  readonly #known = new Map<string, DraftContent>();
  /** What was asked for last, of each conversation: of two, the earlier must not arrive later. */
  readonly #asked = new Map<string, Promise<unknown>>();

  constructor(asks: Asks) {
    this.#asks = asks;
  }

  put(conversationId: string, draft: DraftContent): Promise<Draft> {
    this.#known.set(conversationId, { ...draft });
    const input = { params: { id: conversationId }, body: draft };
    return this.#next(conversationId, () => this.#asks.insist(() => this.#asks.rest('putDraft', input)));
  }

  /** Throws it away; where there is none, nothing happens. */
  delete(conversationId: string): Promise<void> {
    this.#known.delete(conversationId);
    return this.#next(conversationId, async () => {
      const { rest, insist } = this.#asks;
      const work = () => rest('deleteDraft', { params: { id: conversationId } });
      await insist(work).catch((thrown: unknown) => {
        if ((thrown as { code?: string }).code !== 'not_found') throw thrown;
      });
    });
  }

  /** All of them, the latest first. */
  async list(): Promise<Draft[]> {
    return (await this.#asks.rest('listDrafts')).items;
  }

  /** A device of the person's, perhaps this one, has written one or thrown it away. */
  hear(conversationId: string, draft: Draft | null): void {
    // What this device has said since comes later, or has come already.
    if (this.#asked.has(conversationId)) return;
    const known = this.#known.get(conversationId);
    const same = known?.text === draft?.text && (known?.replyTo ?? null) === draft?.replyTo;
    if (!same) this.#known.delete(conversationId);
  }

  /** A message is being written there: once it is stored, what was begun here is done with, unless something newer was. */
  sends(conversationId: string, stored: Promise<unknown>): void {
    const sent = this.#known.get(conversationId);
    if (!sent) return;
    stored
      .then(() => (this.#known.get(conversationId) === sent ? this.delete(conversationId) : undefined))
      // The draft stays, and is thrown away with the next message.
      .catch(() => undefined);
  }

  clear(): void {
    this.#known.clear();
  }

  #next<T>(conversationId: string, work: () => Promise<T>): Promise<T> {
    const before = this.#asked.get(conversationId) ?? Promise.resolve();
    const done = before.then(work, work);
    this.#asked.set(conversationId, done);
    const forget = () => {
      if (this.#asked.get(conversationId) === done) this.#asked.delete(conversationId);
    };
    done.then(forget, forget);
    return done;
  }
}
