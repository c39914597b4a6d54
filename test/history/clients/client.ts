import type { ConversationState } from '../../../sdk/reducer.ts';
import type { Operation, Own } from '../record.ts';
import type { Outcome, Recorder } from '../recorder.ts';
import type { Random } from '../random.ts';

/** What the run knows of somebody. */
export interface Person {
  id: string;
  email: string;
  token: string;
}

/**
 * A client of the system, of whatever kind: it does what it is told, keeps itself up to date, and shows what it holds.
 */
export interface Client {
  readonly who: string;
  readonly person: Person;
  readonly door: string;
  /** The node that it belongs to. */
  readonly url: string;
  /** What it holds, by conversation. */
  readonly conversations: ReadonlyMap<string, ConversationState>;
  /** Resolves when it has been brought up to date once. */
  open(): Promise<void>;
  /** One attempt, written down. Never rejects. */
  perform(operation: Operation): Promise<Outcome>;
  /** Asks for what it may have missed, where it does not hear of it by itself. */
  poll(): Promise<void>;
  /** What it says of its person alone in a conversation, where it says anything. */
  own?(conversation: string): Own | undefined;
  /** The network breaks under it; coming back is its own affair. Answers whether there was anything to break. */
  cut(): boolean;
  close(): void;
}

export interface ClientOptions {
  who: string;
  person: Person;
  url: string;
  recorder: Recorder;
  random: Random;
  /** The share of live events that never reach the client's state, at this moment. */
  dropRate: () => number;
}

export type OpenDoor = (options: ClientOptions) => Client;

export const clientLimits = {
  /** Milliseconds that an answer is waited for; longer than the server's own limits. */
  answerMs: 10_000,
  /** Milliseconds before a gap is asked about: what comes over the other node is a moment later. */
  reorderMs: 60,
  /** Milliseconds before the next try of what failed. */
  againMs: 150,
  /** Log entries in one answer. */
  entries: 200,
};
