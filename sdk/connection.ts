import type {
  Ack,
  ClientEventAnswer,
  ClientEventInput,
  ClientEventName,
  ServerEventName,
  ServerEventPayload,
} from '../contracts/realtime/index.ts';
import { fullJitter } from './backoff.ts';
import { HomingError, endsSession, fromSocketError, toHomingError } from './errors.ts';
import { refuseTooLarge } from './frame.ts';
import type { ClientLimits } from './limits.ts';
import { Places } from './places.ts';
import type { Session } from './session.ts';
import type { Surroundings } from './surroundings.ts';
import type { Asked } from './sync/sync.ts';
import type { Wire } from './wire.ts';

export type ConnectionState =
  | { state: 'stopped' }
  /** A connection is being made, and what was missed is being fetched. */
  | { state: 'connecting' }
  /** In step with the server. */
  | { state: 'online' }
  /** There is none; the next try is due in so many milliseconds. */
  | { state: 'waiting'; retryInMs: number; why: HomingError };

type Hello = ServerEventPayload<'hello'>;
/** What the server tells, as name and payload that belong together. */
export type ServerEvent = {
  [Name in ServerEventName]: { name: Name; payload: ServerEventPayload<Name> };
}[ServerEventName];

export interface ConnectionOptions {
  url: string;
  deviceId: string | undefined;
  session: Session;
  limits: ClientLimits;
  surroundings: Surroundings;
  /** The versions that are held, to be told with the connect. */
  asked: () => Asked;
  /** A new connection; nothing of an older one comes any more. */
  onConnecting: () => void;
  /** Applies the sync that came with the hello; the connection counts as online once it resolves. */
  onHello: (hello: Hello, asked: Asked) => Promise<void>;
  onEvent: (event: ServerEvent) => void;
  onState: (state: ConnectionState) => void;
}

/** The way to the server, made again whenever it is lost. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #places: Places;
  #wire: Wire | undefined;
  #stop: AbortController | undefined;
  #sooner = new AbortController();
  #state: ConnectionState = { state: 'stopped' };
  #failures = 0;
  #onlineAt = Number.POSITIVE_INFINITY;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#places = new Places(options.limits.parallelRequests);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  start(): void {
    if (this.#stop) return;
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    void this.#run(signal);
    void this.#options.session.keepFresh(signal);
  }

  stop(): void {
    this.#end();
    this.#enter({ state: 'stopped' });
  }

  /** Connects anew, as who is signed in now. */
  restart(): void {
    this.#end();
    this.start();
  }

  #end(): void {
    this.#stop?.abort();
    this.#stop = undefined;
    this.#wire?.close();
    this.#wire = undefined;
  }

  /** Does not wait any longer: the network is back. */
  reconnectNow(): void {
    this.#failures = 0;
    this.#sooner.abort();
  }

  /** Asks over the connection that there is; rejects where there is none, with the server's refusal, or without an answer. */
  ask<Name extends ClientEventName>(name: Name, input: ClientEventInput<Name>): Promise<ClientEventAnswer<Name>> {
    return this.#places.take(() => this.#ask(name, input));
  }

  /** The socket's token is a newer one now. Needs no place: it must not wait behind what waits for it. */
  renewed(token: string): void {
    if (this.#state.state !== 'online') return;
    // Refused, the server closes the socket when the old token runs out, and the next connect has the new one.
    this.#ask('session.renew', { token }).catch(() => undefined);
  }

  async #ask<Name extends ClientEventName>(
    name: Name,
    input: ClientEventInput<Name>,
  ): Promise<ClientEventAnswer<Name>> {
    refuseTooLarge(name, input);
    if (!this.#wire) throw new HomingError('disconnected');
    const answer = (await this.#wire.request(name, input, this.#options.limits.answerMs)) as Ack<Name>;
    if (!answer.ok) throw fromSocketError(answer.error);
    return answer;
  }

  #enter(state: ConnectionState): void {
    if (state.state === 'stopped' && this.#state.state === 'stopped') return;
    this.#state = state;
    this.#options.onState(state);
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { surroundings, limits, session } = this.#options;
    this.#failures = 0;
    while (!signal.aborted) {
      this.#enter({ state: 'connecting' });
      const why = await this.#connectOnce(signal);
      if (!signal.aborted && endsSession(why)) await session.end(why);
      if (signal.aborted) return;
      if (!session.user) return this.stop();
      if (this.#hasStood()) this.#failures = 0;
      // Beside what the server asks for: those who were told the same do not come back together.
      const retryInMs = (why.retryAfterMs ?? 0) + fullJitter(this.#failures, limits, surroundings.random);
      this.#failures += 1;
      this.#sooner = new AbortController();
      this.#enter({ state: 'waiting', retryInMs, why });
      await surroundings.wait(retryInMs, AbortSignal.any([signal, this.#sooner.signal]));
    }
  }

  /** One that breaks as soon as it is there is no success: what breaks it may be what is asked over it. */
  #hasStood(): boolean {
    const { surroundings, limits } = this.#options;
    return surroundings.now() - this.#onlineAt >= limits.steadyMs;
  }

  /** One connection from its beginning to its end; answers with why it ended. */
  async #connectOnce(signal: AbortSignal): Promise<HomingError> {
    const { session } = this.#options;
    this.#onlineAt = Number.POSITIVE_INFINITY;
    try {
      const token = await session.token();
      if (signal.aborted) return new HomingError('stopped');
      const why = await this.#live(token);
      if (why.code === 'token_expired' || why.code === 'unauthenticated') session.distrust(token);
      return why;
    } catch (error) {
      return toHomingError(error);
    }
  }

  #live(token: string): Promise<HomingError> {
    const { url, deviceId, asked, surroundings, limits, onConnecting } = this.#options;
    const { promise, resolve } = Promise.withResolvers<HomingError>();
    // Aborted by the hello, or by the end.
    const over = new AbortController();
    onConnecting();
    const held = asked();
    const auth = { token, known: held.known, ...(deviceId === undefined ? {} : { deviceId }) };
    // What was said before the end tells more than the end itself.
    let reason: HomingError | undefined;
    const wire = surroundings.open(url, auth, {
      heard: (name, payload) => {
        const event = { name, payload } as ServerEvent;
        if (event.name === 'notice') reason ??= reasonOf(event.payload);
        if (event.name === 'hello') {
          over.abort();
          void this.#greet(wire, event.payload, held).catch((error: unknown) => {
            // Half in step is not in step: the next connect begins anew.
            reason ??= toHomingError(error);
            wire.close();
          });
        }
        this.#options.onEvent(event);
      },
      closed: (why) => {
        over.abort();
        if (this.#wire === wire) this.#wire = undefined;
        resolve(reason ?? why);
      },
    });
    this.#wire = wire;
    void surroundings.wait(limits.answerMs, over.signal).then(() => {
      if (!over.signal.aborted) wire.close();
    });
    return promise;
  }

  async #greet(wire: Wire, hello: Hello, asked: Asked): Promise<void> {
    this.#options.session.setClock(hello.serverTime);
    await this.#options.onHello(hello, asked);
    if (this.#wire !== wire) return;
    this.#onlineAt = this.#options.surroundings.now();
    this.#enter({ state: 'online' });
  }
}

function reasonOf({ kind, code }: ServerEventPayload<'notice'>): HomingError | undefined {
  if (kind === 'moving') return undefined;
  return new HomingError((code ?? 'disconnected') as HomingError['code']);
}
