import type { Message, NewMessage } from '../contracts/entities/index.ts';
import type { ClientId, ConversationId, UserId } from '../contracts/ids.ts';
import { HomingError, isUnknown, toHomingError } from './errors.ts';
import type { ClientLimits } from './limits.ts';
import type { Patience } from './patience.ts';
import type { ClientStorage } from './storage/storage.ts';
import { type Surroundings, atMost } from './surroundings.ts';

/** A message that is on its way. It is replaced and never changed. */
export interface OutgoingMessage {
  readonly conversationId: ConversationId;
  readonly clientId: ClientId;
  readonly state: 'pending' | 'sent' | 'failed';
  readonly content: Omit<NewMessage, 'clientId'>;
  /** When it was written here: RFC 3339, UTC. */
  readonly writtenAt: string;
  /** The stored message, once it is `sent`. */
  readonly message: Message | null;
  /** Why it was refused, once it is `failed`; before, why the last try got no answer. */
  readonly error: HomingError | null;
}

/** What the storage keeps of a message until it was answered. */
interface Kept {
  /**
   * Grows with each message of a process, and is the moment of its writing, in milliseconds, unless that would be no growth:
   * of several processes on one storage none knows the others' count, and all know the time.
   */
  order: number;
  conversationId: ConversationId;
  message: NewMessage;
  writtenAt: string;
}

export interface Entry {
  kept: Kept;
  outgoing: OutgoingMessage;
  /** It stands in the storage: before, it must not be sent, or a crash would forget under which id. */
  safe: Promise<void>;
  answered: PromiseWithResolvers<Message>;
  /** Aborted once it does not wait any more. */
  gone: AbortController;
  /** It was written before this connection: another process that has it too may have settled it since. */
  isOld: boolean;
}

export interface OutboxOptions {
  storage: ClientStorage;
  limits: ClientLimits;
  surroundings: Surroundings;
  patience: Patience;
  send: (conversationId: ConversationId, message: NewMessage) => Promise<Message>;
  /** A message began, was stored or was refused. */
  onMoved: (outgoing: OutgoingMessage) => void;
  onStorageError: (error: HomingError) => void;
}

/**
 * Messages from the moment they are written until the server has answered, in the order of writing for each conversation.
 * Each keeps its client id through every try and every restart, so the server stores it once, however often it is sent.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #lanes = new Map<ConversationId, Entry[]>();
  readonly #failed = new Map<string, Entry>();
  readonly #working = new Set<ConversationId>();
  readonly #writes = new Set<Promise<void>>();
  #prefix = '';
  #order = 0;
  #open = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Takes up what an earlier process of the same person has left. */
  async load(userId: UserId): Promise<void> {
    const prefix = `outbox/${userId}/`;
    if (prefix === this.#prefix) return;
    this.#prefix = prefix;
    const entries = await this.#read(prefix);
    // Somebody else meanwhile.
    if (prefix !== this.#prefix) return;
    const left = entries.map(([, value]) => value as Kept);
    for (const kept of left.sort((a, b) => a.order - b.order)) {
      this.#order = Math.max(this.#order, kept.order);
      // Written while the storage was read.
      if (!this.#find(kept.message.clientId)) this.#queue(kept, Promise.resolve(), true);
    }
  }

  /** Throws away whatever is there, from the storage too, and there what other processes of the person have written. */
  async erase(): Promise<void> {
    if (this.#prefix !== '') this.#write(this.#eraseAll(this.#prefix)).catch(this.#options.onStorageError);
    for (const { kept } of this.#entries()) this.#unkeep(kept);
    this.clear();
    await this.settled();
  }

  async #eraseAll(prefix: string): Promise<void> {
    const left = await this.#read(prefix);
    await this.#options.storage.write(left.map(([key]) => [key, undefined]));
  }

  /** Forgets whatever is there; what the storage has is for its writer to come back. */
  clear(): void {
    for (const { gone, answered } of this.#entries()) {
      gone.abort();
      answered.reject(new HomingError('signed_out'));
    }
    this.#lanes.clear();
    this.#failed.clear();
    this.#prefix = '';
  }

  /** What is on its way or was refused, in the order of writing. */
  of(id: ConversationId): OutgoingMessage[] {
    const failed = [...this.#failed.values()].filter(({ kept }) => kept.conversationId === id);
    return [...failed, ...(this.#lanes.get(id) ?? [])]
      .sort((a, b) => a.kept.order - b.kept.order)
      .map(({ outgoing }) => outgoing);
  }

  add(conversationId: ConversationId, message: NewMessage, writtenAt: string): Entry {
    if (this.#entries().length >= this.#options.limits.queuedMessages) throw new HomingError('queue_full');
    this.#order = Math.max(this.#order + 1, this.#options.surroundings.now());
    const kept = { order: this.#order, conversationId, message, writtenAt };
    const entry = this.#queue(kept, this.#keep(kept));
    // What could not be kept is not sent: nobody could say after a crash under which id it was.
    entry.safe.catch((error: HomingError) => this.#fail(entry, error));
    return entry;
  }

  /** Tries a refused message again, under the same id, behind what waits already. */
  retry(clientId: string): Entry | undefined {
    const entry = this.#failed.get(clientId);
    if (!entry) return undefined;
    const again = this.add(entry.kept.conversationId, entry.kept.message, entry.kept.writtenAt);
    this.#failed.delete(clientId);
    return again;
  }

  /** Throws away a message that was refused, or was not sent yet. One that is being sent may have been stored. */
  discard(clientId: string): void {
    const waiting = this.#find(clientId);
    if (waiting) this.#fail(waiting, new HomingError('discarded'));
    this.#failed.delete(clientId);
  }

  /** The log, or an answer, shows that it is stored. */
  stored(message: Message): void {
    // One that was refused, too: an earlier try had arrived unanswered, and what was refused was its repeat.
    const entry = this.#find(message.clientId) ?? this.#failed.get(message.clientId);
    if (!entry) return;
    this.#failed.delete(message.clientId);
    this.#remove(entry);
    this.#move(entry, { state: 'sent', message, error: null });
    entry.answered.resolve(message);
  }

  open(): void {
    this.#open = true;
    for (const entry of this.#entries()) entry.isOld = true;
    for (const id of this.#lanes.keys()) this.#work(id);
  }

  close(): void {
    this.#open = false;
  }

  /** What was to be written to the storage is written; one that does not answer is not waited for long. */
  async settled(): Promise<void> {
    const { limits, surroundings } = this.#options;
    await atMost(limits.farewellMs, Promise.all(this.#writes), surroundings);
  }

  #queue(kept: Kept, safe: Promise<void>, isOld = false): Entry {
    const { conversationId, message, writtenAt } = kept;
    const { clientId, ...content } = message;
    const state = { state: 'pending' as const, message: null, error: null };
    const outgoing: OutgoingMessage = { conversationId, clientId, content, writtenAt, ...state };
    const answered = Promise.withResolvers<Message>();
    const entry = { kept, outgoing, safe, answered, gone: new AbortController(), isOld };
    // Whoever does not wait for the answer must not be told of a refusal by an unhandled rejection.
    entry.answered.promise.catch(() => undefined);
    this.#lanes.set(conversationId, [...(this.#lanes.get(conversationId) ?? []), entry]);
    this.#options.onMoved(outgoing);
    this.#work(conversationId);
    return entry;
  }

  #work(id: ConversationId): void {
    if (!this.#open || this.#working.has(id)) return;
    this.#working.add(id);
    void this.#workThrough(id).finally(() => {
      this.#working.delete(id);
      // Something may have been written between the last look and now.
      if (this.#lanes.has(id)) this.#work(id);
    });
  }

  async #workThrough(id: ConversationId): Promise<void> {
    for (let failures = 0; this.#open; ) {
      const head = this.#lanes.get(id)?.[0];
      if (!head) return;
      const error = await this.#sendOnce(head);
      // What lies behind it waits as long, unless it is thrown away.
      if (error) await this.#options.patience.wait(failures, error, head.gone.signal);
      failures = error && !head.gone.signal.aborted ? failures + 1 : 0;
    }
  }

  /** Answers with why it must be tried again. */
  async #sendOnce(entry: Entry): Promise<HomingError | undefined> {
    const { conversationId, message } = entry.kept;
    try {
      await entry.safe;
      if (entry.isOld) await this.#lookAgain(entry);
      // Thrown away meanwhile, or somebody else is here.
      if (entry.gone.signal.aborted) return undefined;
      this.stored(await this.#options.send(conversationId, message));
    } catch (thrown) {
      const error = toHomingError(thrown);
      // Stored meanwhile, as the log has shown, or thrown away.
      if (!this.#find(message.clientId)) return undefined;
      if (!isUnknown(error)) this.#fail(entry, error);
      else {
        this.#move(entry, { error });
        return error;
      }
    }
    return undefined;
  }

  /**
   * Before its first try of a connection: what the storage does not have any more another tab has sent, had refused or
   * thrown away. Which of them nobody knows here; where it was stored, the log or a page of it may tell.
   */
  async #lookAgain(entry: Entry): Promise<void> {
    const { clientId } = entry.kept.message;
    const kept = await this.#options.storage.get(`${this.#prefix}${clientId}`).catch(() => entry.kept);
    entry.isOld = false;
    if (kept === undefined && !entry.gone.signal.aborted) this.#fail(entry, new HomingError('settled_elsewhere'));
  }

  #fail(entry: Entry, error: HomingError): void {
    this.#remove(entry);
    this.#failed.set(entry.outgoing.clientId, entry);
    const [oldest] = this.#failed.keys();
    if (oldest !== undefined && this.#failed.size > this.#options.limits.failedMessages) this.#failed.delete(oldest);
    this.#move(entry, { state: 'failed', error });
    entry.answered.reject(error);
  }

  #move(entry: Entry, change: Partial<OutgoingMessage>): void {
    entry.outgoing = { ...entry.outgoing, ...change };
    this.#options.onMoved(entry.outgoing);
  }

  #remove({ kept, gone }: Entry): void {
    gone.abort();
    const { conversationId: id, message } = kept;
    const rest = (this.#lanes.get(id) ?? []).filter((other) => other.outgoing.clientId !== message.clientId);
    if (rest.length > 0) this.#lanes.set(id, rest);
    else this.#lanes.delete(id);
    this.#unkeep(kept);
  }

  #entries(): Entry[] {
    return [...this.#lanes.values()].flat();
  }

  #find(clientId: string): Entry | undefined {
    return this.#entries().find(({ outgoing }) => outgoing.clientId === clientId);
  }

  async #read(prefix: string): Promise<[string, unknown][]> {
    try {
      return await this.#options.storage.entries(prefix);
    } catch (cause) {
      this.#options.onStorageError(new HomingError('storage_failed', { cause }));
      return [];
    }
  }

  #keep(kept: Kept): Promise<void> {
    const { storage } = this.#options;
    return this.#write(storage.set(`${this.#prefix}${kept.message.clientId}`, kept));
  }

  /** Left behind by a failing storage it is sent once more after a restart, and stored no second time. */
  #unkeep({ message }: Kept): void {
    const { storage, onStorageError } = this.#options;
    this.#write(storage.delete(`${this.#prefix}${message.clientId}`)).catch(onStorageError);
  }

  #write(writing: Promise<void>): Promise<void> {
    const written = writing.catch((cause: unknown) => {
      throw new HomingError('storage_failed', { cause });
    });
    const noted = written.then(
      () => undefined,
      () => undefined,
    );
    this.#writes.add(noted);
    void noted.finally(() => this.#writes.delete(noted));
    return written;
  }
}
