import { setTimeout as sleep } from 'node:timers/promises';
import { type Socket, io } from 'socket.io-client';
import type { SocketError } from '../../../contracts/errors.ts';
import type { ConversationEvent, EventsAfter, SyncResponse } from '../../../contracts/entities/index.ts';
import type { ServerEventPayload } from '../../../contracts/realtime/index.ts';
import type { Operation } from '../record.ts';
import type { Outcome } from '../recorder.ts';
import { syncAll } from './catch-up.ts';
import { type Client, type ClientOptions, type Person, clientLimits } from './client.ts';
import { type Body, answerOf, fetchBody, outcomeOf, restCall, socketCall } from './requests.ts';
import { entry, refusedWith, synced } from './translate.ts';
import { View } from './view.ts';

type Reply = { ok: true } & Body & { page?: EventsAfter };
type Refusal = { ok: false; error: SocketError };

/**
 * A client on a bare Socket.IO socket: it hears live events, sees gaps in the versions and asks for what is missing, and
 * comes back by itself with what it holds.
 */
export class SocketClient implements Client {
  readonly door = 'socket';
  readonly who: string;
  readonly person: Person;
  readonly url: string;
  readonly #options: ClientOptions;
  readonly #view: View;
  readonly #socket: Socket;
  /** Live events that came before the hello: the state that they follow on is not there yet. */
  #early: ConversationEvent[] | undefined = [];
  /** Ends the attempt that the handshake began. */
  #greeted: ((outcome: Outcome) => void) | undefined;
  #repairing = false;
  #closed = false;
  #onOpen: (() => void) | undefined;

  constructor(options: ClientOptions) {
    const { who, person, url, recorder } = options;
    this.#options = options;
    this.who = who;
    this.person = person;
    this.url = url;
    this.#view = new View(who, person.id, recorder);
    this.#socket = io(url, {
      ...{ transports: ['websocket'], forceNew: true, autoConnect: false },
      ...{ reconnectionDelay: 100, reconnectionDelayMax: 500, timeout: 3_000 },
      auth: (give: (auth: object) => void) => give(this.#handshake()),
    });
    this.#listen();
  }

  get conversations() {
    return this.#view.conversations;
  }

  open(): Promise<void> {
    return new Promise((resolve) => {
      this.#onOpen = resolve;
      this.#socket.connect();
    });
  }

  perform(operation: Operation): Promise<Outcome> {
    const { recorder, url } = this.#options;
    return recorder.attempt(this.who, operation, async () => {
      const asked = socketCall(operation);
      if (asked) return this.#ask(operation, ...asked);
      if (operation.what === 'sync') throw new Error('a client syncs by itself');
      return outcomeOf(operation, await fetchBody(url, this.person.token, restCall(operation)));
    });
  }

  async poll(): Promise<void> {}

  cut(): boolean {
    const { connected } = this.#socket;
    const { transport } = this.#socket.io.engine as unknown as { transport: { ws?: { terminate(): void } } };
    transport.ws?.terminate();
    return connected;
  }

  close(): void {
    this.#closed = true;
    this.#socket.close();
  }

  async #ask(operation: Operation, name: string, input: unknown): Promise<Outcome> {
    if (!this.#socket.connected) await this.#connected();
    const reply = await this.#emit(name, input);
    return reply.ok ? { result: 'ok', answer: answerOf(operation, reply) } : refusedWith(reply.error.code);
  }

  #emit(name: string, input: unknown): Promise<Reply | Refusal> {
    return this.#socket.timeout(clientLimits.answerMs).emitWithAck(name, input) as Promise<Reply | Refusal>;
  }

  /** Socket.IO would keep what is sent meanwhile and send it later, whatever has become of it. */
  #connected(): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('not connected')), clientLimits.answerMs);
      this.#socket.once('connect', () => (clearTimeout(late), resolve()));
    });
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('hello', (hello: ServerEventPayload<'hello'>) => void this.#begin(hello));
    socket.on('event', (event: ConversationEvent) => this.#hear(event));
    socket.on('heads', ({ heads }: ServerEventPayload<'heads'>) => {
      for (const [id, version] of heads) this.#view.hearOf(id, version);
      void this.#repair();
    });
    socket.on('disconnect', () => this.#comeBack());
    socket.on('connect_error', () => this.#comeBack());
  }

  /** Asks for the sync with the connect itself. */
  #handshake(): object {
    this.#early = [];
    const greeted = new Promise<Outcome>((resolve) => (this.#greeted = resolve));
    void this.#options.recorder.attempt(this.who, { what: 'sync' }, () => greeted);
    return { token: this.person.token, known: this.#view.known };
  }

  /** Socket.IO comes back by itself after a lost connection, not after one that the server ended or refused. */
  #comeBack(): void {
    this.#greeted?.({ result: 'unknown', why: 'the connection was lost' });
    if (this.#closed || this.#socket.active) return;
    setTimeout(() => !this.#closed && this.#socket.connect(), clientLimits.againMs);
  }

  #hear(event: ConversationEvent): void {
    const { random, dropRate, recorder } = this.#options;
    const dropped = random.chance(dropRate());
    recorder.add({ kind: 'delivered', who: this.who, entry: entry(event), dropped });
    if (dropped) return;
    if (this.#early) return void this.#early.push(event);
    this.#view.hear(event);
    if (this.#view.behind.length > 0) void this.#repair();
  }

  /** The hello brings the sync that the handshake asked for. What came before it is applied after it. */
  async #begin({ sync }: ServerEventPayload<'hello'>): Promise<void> {
    this.#greeted?.(sync ? { result: 'ok', answer: synced(sync) } : { result: 'unknown', why: 'no sync' });
    const complete = await syncAll(this.#view, (request) => this.#sync(request), sync);
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const event of early) this.#view.hear(event);
    if (!complete || this.#view.behind.length > 0) void this.#repair(!complete);
    this.#onOpen?.();
    this.#onOpen = undefined;
  }

  /** Until nothing is missed, or the connection is gone: the next hello brings all of it. */
  async #repair(anyway = false): Promise<void> {
    if (this.#repairing || this.#early) return;
    this.#repairing = true;
    await sleep(clientLimits.reorderMs);
    let wanted = anyway;
    while (this.#socket.connected && !this.#early && (wanted || this.#view.behind.length > 0)) {
      wanted = !(await this.#fill());
      if (wanted) await sleep(clientLimits.againMs);
    }
    this.#repairing = false;
  }

  /** A gap of one conversation by its log, several by a sync. */
  async #fill(): Promise<boolean> {
    const [id, ...more] = this.#view.behind;
    const version = id === undefined ? 0 : this.#view.version(id);
    if (id === undefined || version === 0 || more.length > 0) return syncAll(this.#view, (asked) => this.#sync(asked));
    return this.#follow(id, version);
  }

  async #follow(conversation: string, version: number): Promise<boolean> {
    const operation: Operation = { what: 'after', conversation, version };
    const reply = await this.#recorded(operation, 'events.after', {
      ...{ conversationId: conversation, after: version, limit: clientLimits.entries },
    });
    const page = reply?.page;
    // Refused: no longer a member, which a sync tells in full.
    if (!page) return syncAll(this.#view, (asked) => this.#sync(asked));
    if (page.snapshot) this.#view.replace(page.state);
    else for (const event of page.events) this.#view.hear(event);
    return true;
  }

  #sync(request: object): Promise<SyncResponse | undefined> {
    return this.#recorded({ what: 'sync' }, 'sync', request) as Promise<SyncResponse | undefined>;
  }

  async #recorded(operation: Operation, name: string, input: unknown): Promise<Reply | undefined> {
    let kept: Reply | undefined;
    await this.#options.recorder.attempt(this.who, operation, async () => {
      if (!this.#socket.connected) throw new Error('not connected');
      const reply = await this.#emit(name, input);
      if (!reply.ok) return refusedWith(reply.error.code);
      kept = reply;
      return { result: 'ok', answer: answerOf(operation, reply) };
    });
    return kept;
  }
}
