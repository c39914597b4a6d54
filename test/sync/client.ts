import type {
  ConversationEvent,
  Receipt,
  Snapshot,
  SyncRequest,
  SyncResponse,
} from '../../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import { clientLimits } from '../../sdk/limits.ts';
import { Patience } from '../../sdk/patience.ts';
import type { ConversationState } from '../../sdk/reducer.ts';
import { surroundings } from '../../sdk/surroundings.ts';
import { CatchUp } from '../../sdk/sync/catch-up.ts';
import { Conversations, type Held } from '../../sdk/sync/conversations.ts';
import { takeChanges } from '../../sdk/sync/sync.ts';

/** It never gives way: what a proof compares must not depend on how much is kept. */
const limits = { ...clientLimits, messagesPerConversation: Number.POSITIVE_INFINITY, heldEvents: 10_000 };
const told = { change() {}, message() {}, mine() {}, whole() {}, doubtful() {}, readHere() {}, moved() {} };

/**
 * What the typed client holds, without its connection: it is told what was heard, and asks nobody. The proof "old state +
 * events = fresh state" is made with it.
 */
export class SyncClient {
  readonly #conversations = new Conversations(limits, told);
  readonly #catchUp = new CatchUp({
    conversations: this.#conversations,
    fetch: () => Promise.reject(new Error('it asks nobody')),
    limits,
    patience: new Patience(limits, surroundings),
  });

  constructor(me: string) {
    this.#conversations.me = me as UserId;
  }

  get conversations(): Map<string, ConversationState> {
    return new Map([...this.#conversations.all()].map(({ state }) => [state.id, state]));
  }

  /** All that is held: what the conversations are to the person, and how far the others are, too. */
  get everything(): Map<string, Held> {
    return new Map([...this.#conversations.all()].map((held) => [held.state.id, held]));
  }

  /** How far somebody is, as it is told live. */
  hearReceipt(receipt: Receipt): void {
    this.#conversations.hearReceipt(receipt);
  }

  get known(): SyncRequest['known'] {
    return this.#conversations.known();
  }

  /** A live event, in whatever order and number it arrives. Answers whether there is a gap now. */
  hear(event: ConversationEvent): boolean {
    this.#catchUp.hear(event);
    return this.isBehind(event.conversationId);
  }

  /** Whether something was heard that it cannot apply yet. */
  isBehind(id: ConversationId): boolean {
    return this.#catchUp.isBehind(id);
  }

  /** The state that an answer to `events.after` says. */
  replace(state: Snapshot): void {
    this.#conversations.replace(state);
  }

  /** The answer to a sync. */
  take(answer: SyncResponse): void {
    const { timesSet } = this.#conversations;
    takeChanges({ conversations: this.#conversations, catchUp: this.#catchUp }, answer, { known: [], timesSet });
  }
}
