import type { Receipt, SyncResponse } from '../contracts/entities/index.ts';
import type { ConversationId } from '../contracts/ids.ts';
import { limits as serverLimits } from '../contracts/limits.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { Connection, type ServerEvent } from './connection.ts';
import type { Emitter } from './emitter.ts';
import type { HomingError } from './errors.ts';
import type { ClientEvents } from './events.ts';
import { History } from './history.ts';
import type { ClientLimits } from './limits.ts';
import { Outbox } from './outbox.ts';
import { Patience } from './patience.ts';
import { Session } from './session.ts';
import type { ClientStorage } from './storage/storage.ts';
import type { Surroundings } from './surroundings.ts';
import { Cache } from './sync/cache.ts';
import { CatchUp } from './sync/catch-up.ts';
import { Conversations } from './sync/conversations.ts';
import { Inbox } from './sync/inbox.ts';
import { Missed } from './sync/missed.ts';
import { Resync } from './sync/resync.ts';
import { Standings } from './sync/standings.ts';
import { type Asked, type SyncParts, applySync, askedAfter } from './sync/sync.ts';

export interface PartsOptions {
  url: string;
  storage: ClientStorage;
  deviceId: string | undefined;
  limits: ClientLimits;
  surroundings: Surroundings;
}

/** What a client is made of, each part told what the others need to know. */
export class Parts {
  readonly events: Emitter<ClientEvents>;
  readonly patience: Patience;
  readonly session: Session;
  readonly conversations: Conversations;
  readonly cache: Cache;
  readonly history: History;
  readonly catchUp: CatchUp;
  readonly missed: Missed;
  readonly standings: Standings;
  readonly resync: Resync;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly acknowledgements: Acknowledgements;
  readonly connection: Connection;
  /** What was told live since the connect, once its sync was applied. */
  #release = () => {};

  constructor(options: PartsOptions, events: Emitter<ClientEvents>) {
    const { url, storage, limits, surroundings, deviceId } = options;
    this.events = events;
    this.patience = new Patience(limits, surroundings);
    const shared = { limits, surroundings, patience: this.patience };
    const onStorageError = (error: HomingError) => events.emit('error', error);
    this.session = new Session({
      ...{ url, fetch: surroundings.fetch, storage, ...shared },
      onRenewed: (token) => this.connection.renewed(token),
      onEnded: (why) => {
        this.connection.stop();
        // Somebody may have ended it from afar because this device is no longer theirs.
        void this.cache.clear();
        events.emit('session', { state: 'ended', why });
      },
      onStorageError,
    });
    this.conversations = new Conversations(limits, {
      change: (event) => {
        this.history.note(event);
        events.emit('change', event);
      },
      message: (message) => events.emit('message', { conversationId: message.conversationId, message }),
      mine: (message) => this.outbox.stored(message),
      moved: (conversationId, how, last) => {
        this.cache.note(conversationId);
        this.#acknowledge(conversationId);
        this.missed.look(conversationId);
        events.emit('conversation', { conversationId, how, ...(last ? { last } : {}) });
      },
      // An earlier process may have kept the reading and not have come to tell it.
      readHere: (conversationId, readSeq) => this.acknowledgements.note(conversationId, { readSeq }),
      doubtful: (conversationId) => this.standings.doubt(conversationId),
      whole: (conversationId) => this.cache.noteWhole(conversationId),
    });
    const isTheirs = () => this.session.isKept();
    this.cache = new Cache({ ...{ storage, ...shared }, conversations: this.conversations, isTheirs, onStorageError });
    this.history = new History(this.conversations);
    this.catchUp = new CatchUp({
      ...shared,
      conversations: this.conversations,
      fetch: async (conversationId, after) =>
        (await this.connection.ask('events.after', { conversationId, after, limit: serverLimits.pageItems })).page,
    });
    this.missed = new Missed({
      ...shared,
      conversations: this.conversations,
      fetch: (id, after) => {
        const input = { params: { id }, query: { after, limit: serverLimits.pageItems } };
        return this.history.apart(id, async () => (await this.session.call('listMessages', input)).items);
      },
      onSkipped: (conversationId, fromSeq, toSeq) => events.emit('missed', { conversationId, fromSeq, toSeq }),
    });
    this.standings = new Standings({
      ...shared,
      conversations: this.conversations,
      fetch: (id) => this.session.call('getConversation', { params: { id } }),
    });
    this.resync = new Resync({ ...shared, sync: (connection) => this.#syncAgain(connection) });
    const { conversations, catchUp, resync } = this;
    this.inbox = new Inbox({ ...shared, conversations, catchUp, resync, events });
    this.outbox = new Outbox({
      ...{ storage, ...shared },
      send: async (conversationId, message) => {
        const answer = await this.connection.ask('message.send', { conversationId, message });
        this.conversations.hearMessage(answer.message);
        return answer.message;
      },
      onMoved: (outgoing) => events.emit('outgoing', outgoing),
      onStorageError,
    });
    this.acknowledgements = new Acknowledgements({
      ...shared,
      send: async (conversationId, receipt) =>
        this.#hear((await this.connection.ask('receipt.update', { conversationId, receipt })).receipt),
    });
    this.connection = new Connection({
      ...{ url, deviceId, session: this.session, ...shared },
      asked: () => askedAfter(this.conversations),
      onConnecting: () => {
        this.#release = this.inbox.hold();
      },
      onHello: async ({ sync, blocked }, asked) => {
        const release = this.#release;
        this.conversations.setBlocked(blocked);
        this.standings.clear();
        if (sync) await this.#apply(sync, asked, (request) => this.connection.ask('sync', request));
        release();
      },
      onEvent: (event: ServerEvent) => this.inbox.hear(event),
      onState: (state) => {
        this.#gate(state.state === 'online');
        events.emit('connection', state);
      },
    });
  }

  /** Forgets in memory what one person held, before another one is here. */
  forget(): void {
    for (const part of [this.outbox, this.acknowledgements, this.catchUp]) part.clear();
    this.standings.clear();
    this.conversations.clear();
  }

  /** What asks the server does so while the client is in step with it. */
  #gate(online: boolean): void {
    if (online) this.patience.connected();
    const { catchUp, missed, standings, resync, outbox, acknowledgements } = this;
    for (const part of [catchUp, missed, standings, resync, outbox, acknowledgements]) {
      if (online) part.open();
      else part.close();
    }
  }

  #apply(sync: SyncResponse, asked: Asked, ask: SyncParts['ask']): Promise<void> {
    return applySync({ conversations: this.conversations, catchUp: this.catchUp, ask }, sync, asked);
  }

  async #syncAgain(connection: AbortSignal): Promise<void> {
    // What an older connection was asked is not applied beside the sync of a new one.
    const ask: SyncParts['ask'] = async (request) => {
      connection.throwIfAborted();
      const answer = await this.connection.ask('sync', request);
      connection.throwIfAborted();
      return answer;
    };
    // What is unread is counted without them, so they are known before it.
    await this.#askBlocked(connection);
    connection.throwIfAborted();
    const release = this.inbox.hold();
    try {
      const asked = askedAfter(this.conversations);
      await this.#apply(await ask({ known: asked.known }), asked, ask);
    } finally {
      release();
    }
  }

  /** The hello names them, and no other sync. What is told while it is asked is newer. */
  async #askBlocked(connection: AbortSignal): Promise<void> {
    const { blocked } = this.conversations;
    const { items } = await this.session.call('listBlocks');
    const isOld = connection.aborted || this.conversations.blocked !== blocked;
    if (!isOld) this.conversations.setBlocked(items.map(({ userId }) => userId));
  }

  #hear(receipt: Receipt): Receipt {
    this.conversations.hearReceipt(receipt);
    return receipt;
  }

  /**
   * The server learns how far this device has what others wrote; where a new state has passed over some of it, only up to
   * there. Channels tell no receipts.
   */
  #acknowledge(id: ConversationId): void {
    const held = this.conversations.get(id);
    if (!held || held.state.kind === 'channel' || held.state.lastSeq <= held.me.deliveredSeq) return;
    const ofOthers = [...held.state.messages.values()].filter(({ senderId }) => senderId !== this.conversations.me);
    const deliveredSeq = held.toldSeq ?? Math.max(0, ...ofOthers.map(({ seq }) => seq));
    if (deliveredSeq > held.me.deliveredSeq) this.acknowledgements.note(id, { deliveredSeq });
  }
}
