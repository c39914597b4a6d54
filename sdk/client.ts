import type {
  Conversation,
  ConversationPatch,
  Me,
  Message,
  MessageEdit,
  MyMembership,
  MyMembershipPatch,
  NewMessage,
  PersonPresence,
} from '../contracts/entities/index.ts';
import type { ClientId, ConversationId, MessageId } from '../contracts/ids.ts';
import type { ClientEventInput } from '../contracts/realtime/index.ts';
import type { FollowedThread, ThreadPatch } from '../contracts/rest/index.ts';
import type { ConnectionState } from './connection.ts';
import { Drafts } from './drafts.ts';
import { comeBack, setOut } from './elsewhere.ts';
import { Emitter } from './emitter.ts';
import { HomingError } from './errors.ts';
import type { ClientEvents } from './events.ts';
import { createIds } from './ids.ts';
import { type Insist, createInsist } from './insist.ts';
import { type ClientLimits, clientLimits } from './limits.ts';
import { Parts, type PartsOptions } from './parts.ts';
import { Reading } from './reading.ts';
import { type Rest, type RestInput, type RestOptions, type RestOutput, request } from './rest.ts';
import { type MessageContent, type Sending, toSending } from './sending.ts';
import { type SignedIn, withToken } from './session.ts';
import { memoryStorage } from './storage/memory.ts';
import type { ClientStorage } from './storage/storage.ts';
import { Blocks, Invites, Members, Pins } from './subjects.ts';
import { type Surroundings, atMost, surroundings } from './surroundings.ts';
import { Turns, membershipOf } from './turns.ts';
import { type ClientConversation, toView } from './view.ts';

export interface ClientOptions {
  /** The server's address, without a path: `https://chat.example`. */
  url: string;
  /** Keeps the session and the queue; without one they end with the process. */
  storage?: ClientStorage;
  /** The device that was registered for pushes, if there is one. */
  deviceId?: string;
  limits?: Partial<ClientLimits>;
  surroundings?: Partial<Surroundings>;
}

/** One of the three bounds, by seq, and at most 200. */
interface PageQuery {
  before?: number;
  after?: number;
  around?: number;
  limit?: number;
}

type WithoutClientId<Body> = Body extends unknown ? Omit<Body, 'clientId'> : never;

export const createClient = (options: ClientOptions): Client => new Client(options);

/** A person's client: the conversations in step with the server, and whatever one does in them. */
export class Client {
  readonly #options: PartsOptions;
  readonly #events = new Emitter<ClientEvents>();
  readonly #parts: Parts;
  readonly #newId: () => string;
  readonly #insist: Insist;
  readonly #turns: Turns;
  readonly #reading: Reading;
  /** What was said last of whether I am here and what I look at. */
  #presence: ClientEventInput<'presence.set'> | undefined;
  /** Who belongs to a conversation. */
  readonly members: Members;
  /** Codes by which people come into a conversation by themselves. */
  readonly invites: Invites;
  /** What is kept in view in a conversation. */
  readonly pins: Pins;
  /** Whom one has blocked. */
  readonly blocks: Blocks;
  /** What one has begun to write. */
  readonly drafts: Drafts;

  constructor({ url, storage, deviceId, ...given }: ClientOptions) {
    // What ends with the process anyway need not be kept twice.
    const kept = storage ? {} : { keptConversations: 0 };
    const [limits, place] = [
      { ...clientLimits, ...kept, ...given.limits },
      { ...surroundings, ...given.surroundings },
    ];
    const parts = { storage: storage ?? memoryStorage(), deviceId, limits, surroundings: place };
    this.#options = { url: url.replace(/\/+$/, ''), ...parts };
    this.#newId = createIds(place.now);
    this.#parts = new Parts(this.#options, this.#events);
    const { patience, catchUp, connection, conversations, acknowledgements } = this.#parts;
    const asks = () => this.user?.id;
    this.#turns = new Turns(asks);
    this.#reading = new Reading({ conversations, acknowledgements, turns: this.#turns, rest: this.rest });
    const asking = { asks, connection: () => connection.state };
    this.#insist = createInsist({ limits, surroundings: place, patience, ...asking });
    const hearHead: typeof catchUp.hearHead = (id, version) => catchUp.hearHead(id, version);
    const needs = { rest: this.rest, insist: this.#insist, turns: this.#turns, hearHead, newId: this.#newId };
    [this.members, this.invites, this.pins] = [new Members(needs), new Invites(needs), new Pins(needs)];
    [this.blocks, this.drafts] = [new Blocks(needs), new Drafts(needs)];
    this.#events.on('connection', ({ state }) => {
      if (state === 'online') void this.#presentAgain();
    });
  }

  /** Listens; answers with how to stop listening. */
  on<Name extends keyof ClientEvents>(name: Name, listener: (payload: ClientEvents[Name]) => void): () => void {
    return this.#events.on(name, listener);
  }

  /** Who is signed in. */
  get user(): Me | undefined {
    return this.#parts.session.user;
  }

  get connection(): ConnectionState {
    return this.#parts.connection.state;
  }

  /** Any call of the REST interface by its operation's name, as the person who is signed in. */
  get rest(): Rest {
    return this.#parts.session.call;
  }

  get #http(): RestOptions {
    const { url, limits, surroundings: place } = this.#options;
    return { url, limits, fetch: place.fetch };
  }

  async register(body: RestInput<'register'>['body']): Promise<Me> {
    return this.#become(await request(this.#http, 'register', { body }));
  }

  /** Rejects with `second_factor_required` where the password is not enough; `finishSignIn` goes on from there. */
  async signIn(body: RestInput<'login'>['body']): Promise<Me> {
    const answer = await request(this.#http, 'login', { body });
    if (!('session' in answer)) throw new HomingError('second_factor_required', { secondFactor: answer });
    return this.#become(answer);
  }

  /** Signs in by the challenge of `second_factor_required` and a code, a recovery code or what a passkey answered. */
  async finishSignIn(body: RestInput<'secondFactor'>['body']): Promise<Me> {
    return this.#become(await request(this.#http, 'secondFactor', { body }));
  }

  /** Signs in by what a passkey answered to `rest('beginPasskeySignIn')`, and nothing else. */
  async signInWithPasskey(body: RestInput<'signInWithPasskey'>['body']): Promise<Me> {
    return this.#become(await request(this.#http, 'signInWithPasskey', { body }));
  }

  /** Where to send the browser so that its person signs in by a provider, such as `google`; `finishSignInWith` goes on. */
  signInWith(provider: string, { returnTo }: { returnTo?: string } = {}): Promise<string> {
    return setOut(this.#options, provider, returnTo);
  }

  /**
   * Signs in by the address that the browser came back to. Rejects with what went wrong at the provider (`link_required`:
   * sign in as before, and link it), and as `signIn` with `second_factor_required`.
   */
  async finishSignInWith(address: string, { deviceName }: { deviceName?: string } = {}): Promise<Me> {
    const shown = await comeBack(this.#options, address);
    const body = { ...shown, ...(deviceName === undefined ? {} : { deviceName }) };
    const answer = await request(this.#http, 'exchangeCode', { body });
    if (!('session' in answer)) throw new HomingError('second_factor_required', { secondFactor: answer });
    return this.#become(answer);
  }

  /**
   * Comes in by a token that was made for a program, of a person or a bot. It is for some things alone: whatever else is asked
   * is refused with `insufficient_scope`. The client itself needs `messages:read`, `conversations:read` and `profile:read`,
   * and `receipts:write` to say what it has heard.
   */
  async useToken(token: string): Promise<Me> {
    return this.#become(withToken(await request(this.#http, 'getMe', {}, token), this.#newId(), token));
  }

  /** Goes on as who was signed in before, by what the storage keeps; undefined where nobody was. */
  async resume(): Promise<Me | undefined> {
    const user = await this.#parts.session.resume();
    if (!user) return undefined;
    this.#makeRoomFor(user);
    await this.#settleIn(user);
    return user;
  }

  /** Ends the session here and, if it can be reached, at the server. Forgets everything, unsent messages too. */
  async signOut(): Promise<void> {
    const { session, outbox, cache } = this.#parts;
    const mine = session.id;
    const logout = () => this.rest('logout').catch(() => undefined);
    for (const step of [() => this.stop(), logout, () => session.forget(), () => outbox.erase(), () => cache.clear()]) {
      await step();
      // Whoever has signed in meanwhile stays.
      if (session.id !== undefined && session.id !== mine) return;
    }
    this.#forget();
    this.#events.emit('session', { state: 'signed_out' });
  }

  /**
   * Connects, and stays connected until `stop`. Resolves once the client is in step with the server; offline that may
   * take its time, and nothing else needs to wait for it.
   */
  start(): Promise<void> {
    if (!this.user) return Promise.reject(new HomingError('signed_out'));
    this.#parts.connection.start();
    const online = this.#online();
    online.catch(() => undefined);
    return online;
  }

  /** Closes the connection. What was read is told first; what waits to be sent, and what is held, stays in the storage. */
  async stop(): Promise<void> {
    const { acknowledgements, connection, outbox, cache, patience } = this.#parts;
    const who = this.user?.id;
    // Nobody rests any more: neither now, nor what finds no connection then.
    patience.stop();
    const { limits, surroundings: place } = this.#options;
    await atMost(limits.farewellMs, this.#reading.settled(), place);
    await acknowledgements.flush();
    // The connection of whoever has signed in meanwhile is theirs to stop.
    if (this.user === undefined || this.user.id === who) connection.stop();
    patience.stop();
    await Promise.all([outbox.settled(), cache.flush()]);
  }

  /** Tries at once instead of after the wait: call it when the network comes back. */
  reconnectNow(): void {
    this.#parts.connection.reconnectNow();
  }

  /** Every conversation, the latest written in or made first. */
  get conversations(): ClientConversation[] {
    return this.#parts.conversations.latest().map((held) => toView(held, this.#parts.outbox.of(held.state.id)));
  }

  conversation(id: string): ClientConversation | undefined {
    const held = this.#parts.conversations.get(id as ConversationId);
    return held && toView(held, this.#parts.outbox.of(held.state.id));
  }

  /** Makes a group or channel; finds or makes the direct conversation of a pair. */
  async createConversation(input: WithoutClientId<RestInput<'createConversation'>['body']>): Promise<Conversation> {
    const body = { ...input, clientId: this.#newId() } as RestInput<'createConversation'>['body'];
    const made = await this.#insist(() => this.rest('createConversation', { body }));
    this.#parts.catchUp.hearHead(made.id, made.version);
    return made;
  }

  /**
   * Changes the conversation's settings. With `ifVersion`, the version at which they were seen, only if none of them has
   * changed since; tried once then, for a repeat would find its own change.
   */
  async updateConversation(
    conversationId: string,
    patch: ConversationPatch,
    { ifVersion }: { ifVersion?: number } = {},
  ): Promise<Conversation> {
    const input = { params: { id: conversationId }, body: patch };
    const changed =
      ifVersion === undefined
        ? await this.#insist(() => this.rest('updateConversation', input))
        : await this.rest('updateConversation', { ...input, ifMatch: ifVersion });
    this.#parts.catchUp.hearHead(changed.id, changed.version);
    return changed;
  }

  /** Writes a message: shown at once, sent in order, as soon as it can be and for as long as it takes. */
  send(conversationId: string, content: MessageContent): Sending {
    if (!this.user) throw new HomingError('signed_out');
    const message = { ...content, clientId: this.#newId() } as NewMessage;
    const writtenAt = new Date(this.#options.surroundings.now()).toISOString();
    const sending = toSending(this.#parts.outbox.add(conversationId as ConversationId, message, writtenAt));
    // What was begun is of the conversation: a reply in a thread is something else.
    if (content.threadId === undefined) this.drafts.sends(conversationId, sending.stored);
    return sending;
  }

  /** Sends a refused message again, under its own id. */
  retry(clientId: string): Sending | undefined {
    const entry = this.#parts.outbox.retry(clientId);
    return entry && toSending(entry);
  }

  /** Throws away a message that was refused, or was not sent yet. */
  discard(clientId: string): void {
    this.#parts.outbox.discard(clientId);
  }

  edit(conversationId: string, messageId: string, edit: Omit<MessageEdit, 'clientId'>): Promise<Message> {
    const request = { ...ids(conversationId, messageId), edit: { ...edit, clientId: this.#newId() as ClientId } };
    return this.#change(messageId, () => this.#parts.connection.ask('message.edit', request));
  }

  /** Deletes a message for everyone. */
  delete(conversationId: string, messageId: string): Promise<Message> {
    const request = ids(conversationId, messageId);
    return this.#change(messageId, () => this.#parts.connection.ask('message.delete', request));
  }

  /** Sends a message on to another conversation, once: it says by whom and when it was first written. */
  forward(conversationId: string, messageId: string, to: string): Promise<Message> {
    const body = { clientId: this.#newId() as ClientId, conversationId: to as ConversationId };
    const input = { params: { id: conversationId, messageId }, body };
    return this.#insisted(() => this.rest('forwardMessage', input));
  }

  /** Reacts with an emoji, or takes the reaction back. */
  react(conversationId: string, messageId: string, emoji: string, on = true): Promise<Message> {
    const request = { ...ids(conversationId, messageId), emoji, on };
    return this.#change(messageId, () => this.#parts.connection.ask('reaction.set', request));
  }

  /** I have read up to a message, or everything; shown at once, told to the server soon. */
  markRead(conversationId: string, seq = Number.POSITIVE_INFINITY): void {
    this.#reading.read(conversationId, seq);
  }

  /** I write here, or no longer. Say it every three seconds while it lasts; where nobody is online it is lost, as it may be. */
  setTyping(conversationId: string, on: boolean): void {
    this.#parts.connection
      .ask('typing.set', { conversationId: conversationId as ConversationId, on })
      .catch(() => undefined);
  }

  /**
   * Whether I am active (input in the last minute), idle or hidden (the tab is not seen, the screen locked), and which
   * conversation I look at: its members' presence is the answer, and each change comes as `presence`. Who is active gets
   * time to read before they are pushed to. It is told again over every new connection, and who is there then comes as
   * `presence`, too; until something is said, whoever is connected counts as active.
   */
  async setPresence(state: 'active' | 'idle' | 'hidden', viewing: string | null): Promise<PersonPresence[]> {
    const presence = { state, viewing: viewing as ConversationId | null };
    this.#presence = presence;
    return (await this.#parts.connection.ask('presence.set', presence)).presences;
  }

  /** A new connection knows nothing of it. Where the conversation is out of reach by now, I look at none. */
  async #presentAgain(): Promise<void> {
    const presence = this.#presence;
    if (!presence) return;
    const asked = this.#parts.connection.ask('presence.set', presence);
    const presences = await asked.then((answer) => answer.presences).catch(() => []);
    const { viewing } = presence;
    if (viewing !== null && presences.length > 0 && presence === this.#presence)
      this.#events.emit('presence', { conversationId: viewing, presences });
  }

  /** Marks the conversation as unread from a message on, for me alone; null takes the mark away. */
  markUnread(conversationId: string, seq: number | null): Promise<MyMembership> {
    return this.#reading.mark(conversationId, seq);
  }

  /** How the conversation calls for my attention, and where it stands in my list. */
  updateMembership(conversationId: string, patch: MyMembershipPatch): Promise<MyMembership> {
    const input = { params: { id: conversationId }, body: patch };
    return this.#turns.take(membershipOf(conversationId), async () => {
      const me = await this.rest('updateMyMembership', input);
      this.#parts.conversations.setSettings(conversationId as ConversationId, me);
      return me;
    });
  }

  /** A page of the history, oldest first, each message as new as what is held of it. */
  history(conversationId: string, query: PageQuery = {}): Promise<Message[]> {
    const id = conversationId as ConversationId;
    return this.#parts.history.page(id, async () => (await this.rest('listMessages', { params: { id }, query })).items);
  }

  /** A page of the threads that I follow, the latest written in first, each with what I have not read of it. */
  async threads(
    conversationId: string,
    query: RestInput<'listThreads'>['query'] = {},
  ): Promise<RestOutput<'listThreads'>> {
    const id = conversationId as ConversationId;
    let answer: RestOutput<'listThreads'> = { items: [], nextCursor: null };
    const roots = await this.#parts.history.apart(id, async () => {
      answer = await this.rest('listThreads', { params: { id }, query });
      return answer.items.map(({ root }) => root);
    });
    const bySeq = new Map(roots.map((root) => [root.seq, root]));
    return {
      ...answer,
      items: answer.items.map((thread) => ({ ...thread, root: bySeq.get(thread.root.seq) ?? thread.root })),
    };
  }

  /** A page of the thread below a message, oldest first, each reply as new as what is held of it. */
  replies(conversationId: string, messageId: string, query: PageQuery = {}): Promise<Message[]> {
    const params = { id: conversationId, messageId };
    const fetch = async () => (await this.rest('listReplies', { params, query })).items;
    return this.#parts.history.apart(conversationId as ConversationId, fetch);
  }

  /** I follow the thread of a message, or no longer. */
  followThread(conversationId: string, messageId: string, following = true): Promise<FollowedThread> {
    return this.#updateThread(conversationId, messageId, { following });
  }

  /** I have read the thread of a message up to a reply, or all of it. */
  readThread(conversationId: string, messageId: string, seq = Number.MAX_SAFE_INTEGER): Promise<FollowedThread> {
    return this.#updateThread(conversationId, messageId, { readSeq: seq });
  }

  #updateThread(id: string, messageId: string, body: ThreadPatch): Promise<FollowedThread> {
    return this.#insist(() => this.rest('updateThread', { params: { id, messageId }, body }));
  }

  async #become(signedIn: SignedIn): Promise<Me> {
    const { session, connection } = this.#parts;
    this.#makeRoomFor(signedIn.user);
    const isAnother = session.id !== signedIn.session.id;
    await session.take(signedIn);
    // The socket of the former session would end with it.
    if (isAnother && connection.state.state !== 'stopped') connection.restart();
    await this.#settleIn(signedIn.user);
    return signedIn.user;
  }

  /** Whoever was here before is gone, with everything that they held or wanted. */
  #makeRoomFor({ id }: Me): void {
    const { connection, conversations, patience } = this.#parts;
    if (conversations.me === id) return;
    connection.stop();
    patience.stop();
    this.#forget();
    conversations.me = id;
  }

  #forget(): void {
    this.#parts.forget();
    this.#presence = undefined;
    this.drafts.clear();
  }

  async #settleIn(user: Me): Promise<void> {
    await this.#parts.outbox.load(user.id);
    await this.#parts.cache.load(user.id);
    this.#events.emit('session', { state: 'signed_in', user });
  }

  #online(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = ({ state }: ConnectionState) => {
      if (state === 'online') resolve();
      if (state === 'stopped') reject(new HomingError('stopped'));
    };
    const unsubscribe = this.on('connection', look);
    look(this.connection);
    return promise.finally(unsubscribe);
  }

  /** Changes of one message take turns. */
  #change(messageId: string, work: () => Promise<{ message: Message }>): Promise<Message> {
    return this.#turns.take(`message/${messageId}`, () => this.#insisted(work));
  }

  async #insisted(work: () => Promise<{ message: Message }>): Promise<Message> {
    const { message } = await this.#insist(work);
    this.#parts.conversations.hearMessage(message);
    return message;
  }
}

const ids = (conversationId: string, messageId: string) => ({
  conversationId: conversationId as ConversationId,
  messageId: messageId as MessageId,
});
