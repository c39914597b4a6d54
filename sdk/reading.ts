import type { MyMembership } from '../contracts/entities/index.ts';
import type { ConversationId } from '../contracts/ids.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import { HomingError } from './errors.ts';
import type { Rest } from './rest.ts';
import type { Conversations } from './sync/conversations.ts';
import { type Turns, membershipOf } from './turns.ts';

export interface ReadingOptions {
  conversations: Conversations;
  acknowledgements: Acknowledgements;
  turns: Turns;
  rest: Rest;
}

/** Reading, and marking as unread by hand: a reading takes a mark away, so of the two the later must arrive later. */
export class Reading {
  readonly #options: ReadingOptions;
  /** Readings that wait behind a mark under way. */
  readonly #waiting = new Set<Promise<void>>();

  constructor(options: ReadingOptions) {
    this.#options = options;
  }

  /** Shown at once, told soon. */
  read(conversationId: string, seq: number): void {
    refuseFraction(seq);
    const { conversations, acknowledgements, turns } = this.#options;
    const held = conversations.get(conversationId as ConversationId);
    if (!held) return;
    const id = held.state.id;
    const readSeq = Math.min(seq, held.state.lastSeq);
    const moves = readSeq > held.me.readSeq;
    if (moves) conversations.read(id, { deliveredSeq: readSeq, readSeq });
    const told = turns.take(membershipOf(id), async () => {
      // Read already, it is told once more where a mark by hand stands at it: reading takes that away.
      if (moves || this.#isMarked(id, readSeq)) acknowledgements.note(id, { readSeq });
    });
    this.#note(told);
  }

  /** What was read before it is told before it. */
  mark(conversationId: string, seq: number | null): Promise<MyMembership> {
    const id = conversationId as ConversationId;
    const { conversations, acknowledgements, turns, rest } = this.#options;
    return turns.take(membershipOf(id), async () => {
      const who = conversations.me;
      await acknowledgements.tell(id);
      // What one person wanted is not asked for as another.
      if (conversations.me !== who) throw new HomingError('signed_out');
      const me = await rest('setUnreadMark', { params: { id }, body: { seq } });
      conversations.setSettings(id, me);
      return me;
    });
  }

  /** Every reading is noted. */
  async settled(): Promise<void> {
    await Promise.all(this.#waiting);
  }

  #isMarked(id: ConversationId, readSeq: number): boolean {
    const mark = this.#options.conversations.get(id)?.me.unreadMark ?? null;
    return mark !== null && readSeq >= mark;
  }

  #note(told: Promise<void>): void {
    // Its turn does not come where somebody else has signed in.
    const settled = told.catch(() => undefined).finally(() => this.#waiting.delete(settled));
    this.#waiting.add(settled);
  }
}

/** A message's number is whole; everything may be told as infinity. */
function refuseFraction(seq: number): void {
  if (Number.isInteger(seq) || seq === Number.POSITIVE_INFINITY) return;
  const fault = { path: 'seq', code: 'invalid_type', message: 'must be the number of a message, which is whole' };
  throw new HomingError('invalid_input', { message: `seq ${fault.message}`, errors: [fault] });
}
