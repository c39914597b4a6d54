import type { Draft } from '../contracts/entities/index.ts';
import type { RestInput } from './rest.ts';
import type { Asks } from './subjects.ts';

/** What the person has begun to write, the same on all of their devices. The last writer wins. */
export class Drafts {
  readonly #asks: Asks;
  /** What was put from here last, of each conversation: another device's is not what a message from here was. */
  readonly #put = new Map<string, Promise<Draft>>();

  constructor(asks: Asks) {
    this.#asks = asks;
  }

  put(conversationId: string, draft: RestInput<'putDraft'>['body']): Promise<Draft> {
    const input = { params: { id: conversationId }, body: draft };
    const { turns, insist, rest } = this.#asks;
    const put = turns.take(`draft/${conversationId}`, () => insist(() => rest('putDraft', input)));
    this.#put.set(conversationId, put);
    return put;
  }

  /** Throws it away; where there is none, nothing happens. */
  delete(conversationId: string): Promise<void> {
    this.#put.delete(conversationId);
    return this.#delete(conversationId);
  }

  /** All of them, the latest first. */
  async list(): Promise<Draft[]> {
    return (await this.#asks.rest('listDrafts')).items;
  }

  /**
   * A message is being written there: once it is stored, what was begun here is done with. What was begun since, on
   * whichever device, was written later, and stays.
   */
  sends(conversationId: string, stored: Promise<unknown>): void {
    const put = this.#put.get(conversationId);
    if (!put) return;
    stored
      .then(async () => {
        await this.#delete(conversationId, await put);
        if (this.#put.get(conversationId) === put) this.#put.delete(conversationId);
      })
      // The draft stays, and is thrown away with the next message.
      .catch(() => undefined);
  }

  clear(): void {
    this.#put.clear();
  }

  #delete(conversationId: string, written?: Draft): Promise<void> {
    const { turns, rest, insist } = this.#asks;
    const input = { params: { id: conversationId }, query: written ? { at: written.at } : {} };
    return turns.take(`draft/${conversationId}`, () =>
      insist(() =>
        rest('deleteDraft', input).catch((thrown: unknown) => {
          if ((thrown as { code?: string }).code !== 'not_found') throw thrown;
        }),
      ),
    );
  }
}
