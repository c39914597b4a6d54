import type { ConversationEvent, Snapshot, SyncResponse } from '../../../contracts/entities/index.ts';
import type { UserId } from '../../../contracts/ids.ts';
import { type ConversationState, applyEvent, fromSnapshot } from '../../../sdk/reducer.ts';
import type { Recorder } from '../recorder.ts';

/** What is missed of a conversation: entries that came too early, and a version that it is known to have reached. */
interface Missed {
  held: Map<number, ConversationEvent>;
  wanted: number;
}

/**
 * What one of the plain clients holds, by the rules that any client can keep: the next entry is applied, an older one
 * dropped, a later one is a gap. Nothing goes back, whatever answers overtake each other.
 */
export class View {
  readonly conversations = new Map<string, ConversationState>();
  readonly #missed = new Map<string, Missed>();
  /** The versions that memberships ended with: what is told of them once more is no news. */
  readonly #over = new Map<string, number>();
  readonly #me: UserId;
  readonly #who: string;
  readonly #recorder: Recorder;

  constructor(who: string, me: string, recorder: Recorder) {
    this.#who = who;
    this.#me = me as UserId;
    this.#recorder = recorder;
  }

  get known(): [string, number][] {
    return [...this.conversations]
      .map(([id, { version }]): [string, number] => [id, version])
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** Conversations of which something is missed. */
  get behind(): string[] {
    return [...this.#missed.keys()];
  }

  version(id: string): number {
    return this.conversations.get(id)?.version ?? 0;
  }

  hear(event: ConversationEvent): void {
    const { conversationId: id, version } = event;
    if (version <= this.#reached(id)) return;
    this.#missing(id).held.set(version, event);
    this.#advance(id);
  }

  /** The conversation has come so far, somebody says. */
  hearOf(id: string, version: number): void {
    if (version <= this.#reached(id)) return;
    const missed = this.#missing(id);
    missed.wanted = Math.max(missed.wanted, version);
  }

  replace(snapshot: Snapshot): void {
    const { id, version } = snapshot.conversation;
    if (version <= this.version(id)) return;
    this.conversations.set(id, fromSnapshot(snapshot));
    this.#recorder.add({ kind: 'replaced', who: this.#who, conversation: id, version });
    this.#advance(id);
  }

  /** What a sync says has changed. An answer that is older than what was heard meanwhile takes nothing back. */
  take({ changes }: Pick<SyncResponse, 'changes'>): void {
    for (const { conversationId: id, version, how, events, state } of changes) {
      if (how === 'lost' && this.version(id) <= version) this.#end(id, version);
      if (state) this.replace(state);
      for (const event of how === 'events' ? events : []) this.hear(event);
    }
  }

  /** What is missed now of conversations that are not held: an answer that says nothing of them settles it. */
  strangers(): Map<string, number> {
    const unknown = [...this.#missed].filter(([id]) => !this.conversations.has(id));
    return new Map(unknown.map(([id, { held, wanted }]) => [id, Math.max(wanted, ...held.keys())]));
  }

  settle(strangers: ReadonlyMap<string, number>): void {
    for (const [id, until] of strangers) {
      const missed = this.#missed.get(id);
      if (!missed || this.conversations.has(id)) continue;
      for (const version of [...missed.held.keys()]) if (version <= until) missed.held.delete(version);
      if (missed.held.size === 0 && missed.wanted <= until) this.#missed.delete(id);
    }
  }

  #reached(id: string): number {
    return Math.max(this.version(id), this.#over.get(id) ?? 0);
  }

  #missing(id: string): Missed {
    const missed = this.#missed.get(id) ?? { held: new Map<number, ConversationEvent>(), wanted: 0 };
    this.#missed.set(id, missed);
    return missed;
  }

  #advance(id: string): void {
    const missed = this.#missed.get(id);
    if (!missed) return;
    for (;;) {
      const next = missed.held.get(this.version(id) + 1);
      if (!next || !this.#apply(next)) break;
    }
    for (const version of [...missed.held.keys()]) if (version <= this.version(id)) missed.held.delete(version);
    if (missed.held.size === 0 && missed.wanted <= this.version(id)) this.#missed.delete(id);
  }

  #apply(event: ConversationEvent): boolean {
    const { conversationId: id, version } = event;
    const state = applyEvent(this.conversations.get(id), event, this.#me);
    if (!state) this.#end(id, version);
    else this.conversations.set(id, state);
    if (state) this.#recorder.add({ kind: 'applied', who: this.#who, conversation: id, version });
    return state !== undefined;
  }

  #end(id: string, version: number): void {
    if (!this.conversations.delete(id)) return;
    this.#over.set(id, version);
    this.#recorder.add({ kind: 'ended', who: this.#who, conversation: id, version });
    this.settle(new Map([[id, version]]));
  }
}
