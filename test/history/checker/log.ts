import type { Founding, Role, Roled, Seen, Stored, StoredMessage } from '../record.ts';

/** One entry of the log, as the database has it. */
export interface LogEntry {
  version: number;
  type: string;
  actor: string;
  seq: number | null;
  emoji: string | null;
  joined: readonly string[];
  left: readonly string[];
  roles: readonly Roled[];
}

/** A membership: from the change that began it to the one that ended it, both told to its person. */
export interface Span {
  from: number;
  /** Infinity while it lasts. */
  to: number;
  /** Messages up to this one may not be read. */
  afterSeq: number;
  /** It is the person's n-th joining after the beginning; zero for who was there from the beginning. */
  joining: number;
}

/** A conversation by what the database holds at a rest: the truth that everything else is measured by. */
export class Log {
  readonly stored: Stored;
  readonly entries = new Map<number, LogEntry>();
  readonly messages = new Map<number, StoredMessage>();
  /** Seqs of messages by their ids. */
  readonly seqs = new Map<string, number>();
  /** Seqs of messages by the ids that their senders gave them. */
  readonly bySender = new Map<string, number>();
  readonly #spans = new Map<string, Span[]>();
  readonly #touches = new Map<number, LogEntry[]>();
  readonly #roles = new Map<string, { version: number; role: Role }[]>();

  constructor(stored: Stored, history: Founding['history']) {
    this.stored = stored;
    for (const message of stored.messages) {
      this.messages.set(message.seq, message);
      this.seqs.set(message.id, message.seq);
      this.bySender.set(message.clientId, message.seq);
      this.entries.set(message.version, entryOf(message));
    }
    for (const { messageSeq: seq, ...change } of stored.changes) this.entries.set(change.version, { ...change, seq });
    const ordered = [...this.entries.values()].sort((a, b) => a.version - b.version);
    this.#follow(ordered, history);
  }

  get conversation(): string {
    return this.stored.conversation;
  }

  spans(person: string): readonly Span[] {
    return this.#spans.get(person) ?? [];
  }

  people(): Iterable<string> {
    return this.#spans.keys();
  }

  /** Changes of a message after it was written, in their order; lines that tell of its pin among them. */
  touches(seq: number): readonly LogEntry[] {
    return this.#touches.get(seq) ?? [];
  }

  /** What somebody has been in it, from which version on. */
  roles(person: string): readonly { version: number; role: Role }[] {
    return this.#roles.get(person) ?? [];
  }

  #follow(ordered: readonly LogEntry[], history: Founding['history']): void {
    let seq = 0;
    for (const entry of ordered) {
      for (const person of entry.joined) this.#join(person, entry.version, history === 'joining' ? seq : 0);
      for (const person of entry.left) this.#leave(person, entry.version);
      for (const { userId, role } of entry.roles)
        this.#roles.set(userId, [...this.roles(userId), { version: entry.version, role }]);
      const line = this.messages.get(entry.seq ?? 0);
      const isLine = line?.version === entry.version;
      if (isLine) seq += 1;
      const touched = isLine ? line.target : entry.seq;
      if (touched !== null) this.#touches.set(touched, [...this.touches(touched), entry]);
    }
  }

  #join(person: string, version: number, seq: number): void {
    const spans = this.#spans.get(person) ?? [];
    const first = spans[0];
    const joining = version === 1 ? 0 : spans.length + (first?.joining === 0 ? 0 : 1);
    spans.push({ from: version, to: Number.POSITIVE_INFINITY, afterSeq: version === 1 ? 0 : seq, joining });
    this.#spans.set(person, spans);
  }

  #leave(person: string, version: number): void {
    const span = this.#spans.get(person)?.at(-1);
    if (span) span.to = Math.min(span.to, version);
  }
}

const entryOf = ({ version, seq, senderId, kind, system, joined, left, roles }: StoredMessage): LogEntry => ({
  ...{ version, seq, actor: senderId, joined, left, roles, emoji: null },
  type: kind === 'system' ? (system ?? 'system') : 'message.created',
});

/** What may never differ between two sightings of one message. */
export const sameMessage = (one: Seen | StoredMessage, other: Seen | StoredMessage): boolean =>
  one.seq === other.seq &&
  one.version === other.version &&
  one.id === other.id &&
  one.clientId === other.clientId &&
  one.threadId === other.threadId &&
  one.senderId === other.senderId &&
  one.kind === other.kind;
