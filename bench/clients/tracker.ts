/** The versions that a client holds, as its library would keep them: what comes twice is dropped, and a gap is a fault. */
export class Tracker {
  readonly #versions = new Map<string, number>();
  /** What should never be: a version passed over. A repeat is no fault: it is dropped. */
  readonly faults: string[] = [];
  /** What came live before the hello, whose sync stands before it. */
  #early: LogEvent[] | undefined;

  known(): [string, number][] {
    return [...this.#versions].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** A new connection begins. */
  connect(): void {
    this.#early = [];
  }

  /** `text` is a Socket.IO event's array. */
  take(text: string): void {
    const [name, payload] = JSON.parse(text) as [string, Hello & LogEvent];
    if (name === 'hello') this.#greet(payload);
    else if (name !== 'event') return;
    else if (this.#early) this.#early.push(payload);
    else this.#event(payload);
  }

  #greet({ sync }: Hello): void {
    for (const change of sync?.changes ?? []) this.#change(change);
    for (const event of this.#early ?? []) this.#event(event);
    this.#early = undefined;
  }

  #change({ conversationId, version, events, how }: Change): void {
    if (how === 'snapshot') this.#versions.set(conversationId, version);
    else for (const event of events) this.#event(event);
  }

  #event({ conversationId, version }: LogEvent): void {
    const held = this.#versions.get(conversationId);
    if (held !== undefined && version <= held) return;
    if (held !== undefined && version !== held + 1)
      this.faults.push(`${conversationId}: ${version} follows on ${held}`);
    this.#versions.set(conversationId, version);
  }
}

interface LogEvent {
  conversationId: string;
  version: number;
}
interface Change extends LogEvent {
  how: 'snapshot' | 'events' | 'lost';
  events: LogEvent[];
}
interface Hello {
  sync?: { changes: Change[] };
}
