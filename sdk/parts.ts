import type { Receipt } from '../contracts/entities/index.ts';
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
import { Standings } from './sync/standings.ts';
import { applySync, knownAfter } from './sync/sync.ts';

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
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly acknowledgements: Acknowledgements;
  readonly connection: Connection;

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
    this.cache = new Cache({ ...{ storage, ...shared }, conversations: this.conversations, onStorageError });
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
    this.inbox = new Inbox({ ...shared, conversations: this.conversations, catchUp: this.catchUp, events });
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
      known: () => knownAfter(this.conversations),
      onConnecting: () => this.inbox.hold(),
      onHello: async ({ sync, blocked }, known) => {
        const { conversations, catchUp } = this;
        conversations.setBlocked(blocked);
        const ask = (request: Parameters<typeof this.connection.ask<'sync'>>[1]) =>
          this.connection.ask('sync', request);
        if (sync) await applySync({ conversations, catchUp, ask }, sync, known);
        this.standings.clear();
        this.inbox.release();
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
    for (const part of [this.catchUp, this.missed, this.standings, this.outbox, this.acknowledgements]) {
      if (online) part.open();
      else part.close();
    }
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
