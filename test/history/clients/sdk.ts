import {
  type ClientStorage,
  HomingError,
  type OutgoingMessage,
  type Client as Sdk,
  createClient,
  memoryStorage,
} from '../../../sdk/index.ts';
import { password } from '../../factories/person.ts';
import type { Operation, OperationOf, Own } from '../record.ts';
import type { Outcome } from '../recorder.ts';
import type { Client, ClientOptions, Person } from './client.ts';
import { type Line, openLine } from './line.ts';
import { call, outcomeOfError } from './sdk-calls.ts';
import { Watch, tapped } from './sdk-watch.ts';
import { own, seen } from './translate.ts';

const sdkLimits = {
  /**
   * The client's own: a run is short, and its faults are shorter. At a rest nothing in the log shows that a receipt was
   * lost, so the five minutes that are promised for that are four seconds here.
   */
  client: { backoffBaseMs: 100, backoffCapMs: 1_000, lossMs: 500, resyncMs: 4_000, resyncRestMs: 1_000 },
  /** The share of cuts that end the device's process as well; another one goes on with what the storage keeps. */
  crashes: 0.25,
  /** Milliseconds that a read may take to be told; a crash forgets that it was to be. */
  readMs: 30_000,
};

/** One process of the device, from its start to its end. */
interface Process {
  who: string;
  sdk: Sdk;
  line: Line;
  watch: Watch;
  /** Aborted when it dies. */
  life: AbortController;
}

interface Reading {
  conversation: string;
  seq: number;
  done: (outcome: Outcome) => void;
}

/**
 * A device with the product's own client on it. It sees the network break and its process die; what was written stays in
 * its storage, and is known to be sent by what the client tells, in whichever process.
 */
export class SdkClient implements Client {
  readonly door = 'sdk';
  readonly person: Person;
  readonly url: string;
  readonly #options: ClientOptions;
  readonly #storage = memoryStorage();
  readonly #sending = new Map<string, (outcome: Outcome) => void>();
  /** Messages of which a try was not answered: it may have been stored, whatever a later try is refused with. */
  readonly #doubtful = new Set<string>();
  readonly #reading = new Set<Reading>();
  #process: Process | undefined;
  /** Somebody can use the device: not while it starts anew. */
  #ready: Promise<void> | undefined;
  #processes = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.person = options.person;
    this.url = options.url;
  }

  get #now(): Process {
    if (!this.#process) throw new Error('the device was not opened');
    return this.#process;
  }

  get who(): string {
    return this.#process?.who ?? this.#options.who;
  }

  get conversations() {
    return this.#now.watch.conversations;
  }

  async open(): Promise<void> {
    this.#process = await this.#begin();
    await this.#process.sdk.signIn({ identifier: this.person.email, password });
    await this.#process.sdk.start();
  }

  async perform(operation: Operation): Promise<Outcome> {
    await this.#ready;
    if (operation.what === 'sync') throw new Error('a client syncs by itself');
    if (operation.what === 'send') return this.#send(operation);
    if (operation.what === 'read') return this.#read(operation);
    return this.#attempt(operation, async () => ({ result: 'ok', answer: await call(this.#now.sdk, operation) }));
  }

  async poll(): Promise<void> {}

  own(conversation: string): Own | undefined {
    const view = this.#now.sdk.conversation(conversation);
    return view && own(view);
  }

  cut(): boolean {
    const { line } = this.#now;
    const dies = this.#options.random.chance(sdkLimits.crashes);
    if (dies)
      this.#ready ??= this.#crash().finally(() => {
        this.#ready = undefined;
      });
    return line.cut();
  }

  close(): void {
    void end(this.#now);
  }

  /** The client names the message itself. */
  #send(operation: OperationOf<'send'>): Promise<Outcome> {
    const { conversation, text, thread, mention } = operation;
    const mentions = mention ? [{ type: 'user' as const, userId: mention, offset: 0, length: 1 }] : [];
    const content = { text, mentions, ...(thread ? { threadId: thread } : {}) } as Parameters<Sdk['send']>[1];
    const { clientId } = this.#now.sdk.send(conversation, content);
    const told = new Promise<Outcome>((resolve) => this.#sending.set(clientId, resolve));
    return this.#attempt({ ...operation, clientId }, () => told);
  }

  /** What was refused is shown until somebody has seen it. */
  #hearOutgoing(sdk: Sdk, { clientId, state, message, error }: OutgoingMessage): void {
    const resolve = this.#sending.get(clientId);
    if (!resolve || state === 'pending') return;
    this.#sending.delete(clientId);
    if (message) resolve({ result: 'ok', answer: { message: seen(message) } });
    else if (error && this.#doubtful.has(clientId)) resolve({ result: 'unknown', why: error.code });
    else resolve(outcomeOfError(error ?? new HomingError('discarded')));
    if (state === 'failed') sdk.discard(clientId);
  }

  /** Shown as read at once, told soon. What was read already is told to nobody. */
  async #read(operation: OperationOf<'read'>): Promise<Outcome> {
    const { conversation, seq } = operation;
    const { sdk } = this.#now;
    const held = sdk.conversation(conversation);
    if (!held || held.me.readSeq >= Math.min(seq, held.lastSeq)) return { result: 'unknown', why: 'read already' };
    return this.#attempt(operation, () => {
      const told = new Promise<Outcome>((done) => this.#await({ conversation, seq, done }));
      sdk.markRead(conversation, seq);
      return told;
    });
  }

  #await(reading: Reading): void {
    this.#reading.add(reading);
    const late = setTimeout(() => this.#end(reading, { result: 'unknown', why: 'not told in time' }), sdkLimits.readMs);
    late.unref();
  }

  #end(reading: Reading, outcome: Outcome): void {
    if (this.#reading.delete(reading)) reading.done(outcome);
  }

  #hearReceipt(conversation: string, outcome: Outcome): void {
    for (const reading of this.#reading) {
      const reached = outcome.result === 'ok' && (outcome.answer.readSeq ?? 0) >= reading.seq;
      if (reading.conversation === conversation && (reached || outcome.result === 'refused'))
        this.#end(reading, outcome);
    }
  }

  #attempt(operation: Operation, run: () => Promise<Outcome>): Promise<Outcome> {
    const careful = () => run().catch((error: HomingError) => outcomeOfError(error));
    return this.#options.recorder.attempt(this.who, operation, careful);
  }

  async #begin(): Promise<Process> {
    const { who: device, person, url, recorder, random, dropRate } = this.#options;
    this.#processes += 1;
    const who = this.#processes === 1 ? device : `${device} ${this.#processes}`;
    const life = new AbortController();
    const line = await openLine(url);
    const onReceipt = this.#hearReceipt.bind(this);
    const onDoubt = (clientId: string) => void this.#doubtful.add(clientId);
    const open = tapped({ who, recorder, random, dropRate, onReceipt, onDoubt });
    const storage = mortal(this.#storage, life.signal);
    const sdk = createClient({ url: line.url, storage, limits: sdkLimits.client, surroundings: { open } });
    recorder.add({ kind: 'client', who, person: person.id, door: this.door, device });
    sdk.on('outgoing', (outgoing) => !life.signal.aborted && this.#hearOutgoing(sdk, outgoing));
    return { who, sdk, line, life, watch: new Watch(sdk, who, recorder) };
  }

  /** The process dies in the middle of whatever it does, and another one takes up what the storage keeps. */
  async #crash(): Promise<void> {
    const before = this.#now;
    before.life.abort();
    for (const reading of this.#reading) this.#end(reading, { result: 'unknown', why: 'the process died' });
    const next = await this.#begin();
    this.#process = next;
    void end(before);
    await next.sdk.resume();
    next.sdk.start().catch(() => undefined);
  }
}

async function end({ line, sdk }: Process): Promise<void> {
  line.close();
  await sdk.stop();
}

/** A storage that a process reaches for as long as it lives. */
function mortal(storage: ClientStorage, death: AbortSignal): ClientStorage {
  const alive = <Answer>(use: () => Promise<Answer>): Promise<Answer> =>
    death.aborted ? new Promise<Answer>(() => undefined) : use();
  return {
    get: (key) => alive(() => storage.get(key)),
    set: (key, value) => alive(() => storage.set(key, value)),
    delete: (key) => alive(() => storage.delete(key)),
    write: (changes) => alive(() => storage.write(changes)),
    entries: (prefix) => alive(() => storage.entries(prefix)),
  };
}
