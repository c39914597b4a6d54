import type {
  ConversationEvent,
  Member,
  Message,
  MyMembership,
  Receipt,
  Snapshot,
  SyncReceipts,
  SyncRequest,
  SyncStanding,
} from '../../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { ClientLimits } from '../limits.ts';
import { type ConversationState, applyEvent, fromSnapshot, mergeMessage } from '../reducer.ts';
import {
  type Settings,
  afterEvent,
  afterMarks,
  afterReceipt,
  afterSettings,
  afterStanding,
  holdsUnread,
  isGuess,
  isUncounted,
  newMembership,
} from './membership.ts';

/** How far somebody is, of what was written after they came; null for who does not tell. */
export type Watermarks = Pick<Member, 'deliveredSeq' | 'readSeq' | 'cameSeq'>;

/** What is held of one conversation. It is replaced and never changed, so that whoever holds it holds one moment. */
export interface Held {
  readonly state: ConversationState;
  readonly me: MyMembership;
  readonly receipts: ReadonlyMap<UserId, Watermarks>;
  /** How far messages were told, where a whole new state has passed over some; null where all of them were. */
  readonly toldSeq: number | null;
  readonly createdAt: string;
  /** When it was written in last, as far as its log was applied: of messages that may not be read its whole state says it. */
  readonly lastActiveAt: string;
}

/** The messages between two seqs, neither among them, that are still to be told: before those that are held. */
export interface PassedOver {
  readonly after: number;
  readonly before: number;
}

/** Told after each step, when it is done. */
export interface Told {
  change(event: ConversationEvent): void;
  /** A message that was not there before. */
  message(message: Message): void;
  /** A message of one's own stands in the log. */
  mine(message: Message): void;
  moved(id: ConversationId, how: 'added' | 'changed' | 'removed', last?: ConversationEvent): void;
  /** The person has read further than the server knows. */
  readHere(id: ConversationId, readSeq: number): void;
  /** What is counted as unread of it may be wrong by now. */
  doubtful(id: ConversationId): void;
  /** The server gave the whole of it; told before `moved`. */
  whole(id: ConversationId): void;
}

/**
 * Asked for what comes after a version that does not exist yet, the server answers with the state to start from: a log
 * from the beginning may lead through the person's own removal.
 */
export const beyondEverything = Number.MAX_SAFE_INTEGER;

/** The conversations that the client holds, each at one version of its log. */
export class Conversations {
  readonly #held = new Map<ConversationId, Held>();
  readonly #limits: Pick<ClientLimits, 'messagesPerConversation'>;
  readonly #told: Told;
  /** What an earlier process has kept, and may not have come to tell. */
  readonly #untold = new Set<ConversationId>();
  /** Of which an earlier process may have kept a reading, and not have come to tell it. */
  readonly #readBefore = new Set<ConversationId>();
  /** What was kept for so long that its whole state is asked for. */
  readonly #dated = new Set<ConversationId>();
  /** How often it was set what a conversation is to the person, and how often by the last time of each. */
  timesSet = 0;
  readonly #setAt = new Map<ConversationId, number>();
  me = '' as UserId;
  /** Whom the person has blocked; until it was told, marks are as they came. */
  #blocked: ReadonlySet<UserId> | undefined;

  get blocked(): ReadonlySet<UserId> | undefined {
    return this.#blocked;
  }

  constructor(limits: Pick<ClientLimits, 'messagesPerConversation'>, told: Told) {
    this.#limits = limits;
    this.#told = told;
  }

  get(id: ConversationId): Held | undefined {
    return this.#held.get(id);
  }

  all(): Iterable<Held> {
    return this.#held.values();
  }

  /** The latest written in first, or made, where nothing was written yet: as the server lists them. */
  latest(): Held[] {
    const all = [...this.#held.values()].map((held) => ({ held, at: activeAt(held) }));
    const byPlace = (a: (typeof all)[number], b: (typeof all)[number]) =>
      a.at === b.at ? byText(b.held.state.id, a.held.state.id) : byText(b.at, a.at);
    return all.sort(byPlace).map(({ held }) => held);
  }

  version(id: ConversationId): number {
    return this.#held.get(id)?.state.version ?? 0;
  }

  /** What is held, in the order of the ids, as a sync asks for it. */
  known(): SyncRequest['known'] {
    return [...this.#held]
      .map(([id, held]): SyncRequest['known'][number] => {
        const { version } = held.state;
        if (this.#dated.has(id) || this.lacksMembers(id)) return [id, beyondEverything];
        return isUnsettled(held, this.me) ? [id, version, true] : [id, version];
      })
      .sort(([a], [b]) => byText(a, b));
  }

  /** They were too many to be named, and are not any more: the log names only who came and went. */
  lacksMembers(id: ConversationId): boolean {
    const state = this.#held.get(id)?.state;
    return state !== undefined && state.members === null && state.memberCount <= limits.namedMembers;
  }

  clear(): void {
    this.#blocked = undefined;
    for (const id of [...this.#held.keys()]) this.lose(id);
  }

  /** Whom the person has blocked, in place of what was known: marks what is held, and from now on what comes. */
  setBlocked(userIds: readonly UserId[]): void {
    const [before, after] = [this.#blocked, new Set(userIds)];
    this.#blocked = after;
    const isOther = (userId: UserId) => (before?.has(userId) ?? false) !== after.has(userId);
    const moved = [...(before ?? []), ...after].filter(isOther);
    if (before && moved.length === 0) return;
    for (const [id, { me, state }] of [...this.#held]) {
      this.#change(id, (held) => this.#markAll(held));
      const mayHaveWritten = moved.some((userId) => state.members?.has(userId) ?? true);
      if (mayHaveWritten && !holdsUnread(me, state)) this.#told.doubtful(id);
    }
  }

  #markAll(held: Held): Held {
    const all = [...held.state.messages];
    if (all.every(([, message]) => this.marked(message) === message)) return held;
    const messages = new Map(all.map(([seq, message]) => [seq, this.marked(message)]));
    const [before, after] = [held.state.messages.values(), messages.values()];
    const me = afterMarks(held.me, { before, after, me: this.me });
    return { ...held, me, state: { ...held.state, messages } };
  }

  /** An answer may be older than the last word about blocks, or the word may be about what was written long ago. */
  marked(message: Message): Message {
    const { fromBlocked = false, ...rest } = message;
    const isBlocked = message.kind === 'text' && (this.#blocked?.has(message.senderId) ?? fromBlocked);
    if (isBlocked === fromBlocked) return message;
    return isBlocked ? { ...rest, fromBlocked: true } : rest;
  }

  #markedEvent(event: ConversationEvent): ConversationEvent {
    if (event.type !== 'message.created') return event;
    const message = this.marked(event.data.message);
    return message === event.data.message ? event : { ...event, data: { ...event.data, message } };
  }

  /** What an earlier process has kept; answers whether it is held now, for what is held already is newer. */
  restore(held: Held, dated: boolean): boolean {
    const { id } = held.state;
    if (this.#held.has(id)) return false;
    this.#keep(this.#markAll(held));
    this.#untold.add(id);
    this.#readBefore.add(id);
    if (dated) this.#dated.add(id);
    this.#told.moved(id, 'added');
    return true;
  }

  /** Tells what was kept, perhaps without having been told: what none of the person's devices has acknowledged. */
  tellKept({ conversationId: id, deliveredSeq }: Pick<SyncStanding, 'conversationId' | 'deliveredSeq'>): void {
    const held = this.#held.get(id);
    if (!this.#untold.delete(id) || !held || held.state.kind === 'channel') return;
    // What had been passed over is told first, from where it was acknowledged.
    if (held.toldSeq !== null)
      return this.#change(id, () => ({ ...held, toldSeq: Math.min(held.toldSeq ?? 0, deliveredSeq) }));
    for (const message of unacknowledged(held.state.messages.values(), deliveredSeq, this.me)) {
      this.#told.message(message);
    }
  }

  /** The next entry of a log. */
  apply(entry: ConversationEvent): void {
    const event = this.#markedEvent(entry);
    const { conversationId: id } = event;
    const before = this.#held.get(id);
    const after = applyEvent(before?.state, event, this.me);
    if (!after) return this.lose(id, event);
    const membership = event.type === 'conversation.created' ? newMembership(event, this.me) : before?.me;
    if (!membership) return;
    const me = afterEvent(membership, event, { before: before?.state, after, me: this.me });
    const begun = { toldSeq: null, createdAt: event.at, lastActiveAt: event.at };
    const { toldSeq, createdAt, lastActiveAt } = before ?? begun;
    const receipts = receiptsAfter(before?.receipts ?? new Map(), event, after, this.me);
    const lastActive = activeAt({ state: after, lastActiveAt });
    this.#keep({ state: after, me, receipts, toldSeq, createdAt, lastActiveAt: lastActive });
    if (!before) this.#told.whole(id);
    const message = 'message' in event.data ? event.data.message : null;
    if (message?.senderId === this.me) this.#told.mine(message);
    this.#told.change(event);
    // Its turn comes once what was passed over before it was told.
    if (event.type === 'message.created' && toldSeq === null) this.#told.message(event.data.message);
    this.#told.moved(id, before ? 'changed' : 'added');
    if (isUncounted(membership, event, before?.state)) this.#told.doubtful(id);
  }

  /** The state to start from, in place of what was held. */
  replace(given: Snapshot): void {
    const snapshot = { ...given, messages: given.messages.map((message) => this.marked(message)) };
    const { conversation } = snapshot;
    const before = this.#held.get(conversation.id);
    const receipts = othersIn(snapshot.members, this.me);
    const state = fromSnapshot(snapshot);
    // A read that the server has not heard of yet outlives the snapshot.
    const me = before ? afterReceipt(conversation.me, before.me, state, this.me) : conversation.me;
    const toldSeq = before ? toldBefore(before, state) : null;
    const { createdAt, lastActiveAt } = conversation;
    this.#keep({ state, me, receipts, toldSeq, createdAt, lastActiveAt });
    this.#dated.delete(conversation.id);
    this.#told.whole(conversation.id);
    for (const message of snapshot.messages) if (message.senderId === this.me) this.#told.mine(message);
    if (toldSeq === null) for (const message of this.#newOf(snapshot, before)) this.#told.message(message);
    this.#told.moved(conversation.id, before ? 'changed' : 'added');
    if (me.readSeq > conversation.me.readSeq && isGuess(me, state)) this.#told.doubtful(conversation.id);
  }

  /**
   * What has come since what was held. Of a conversation that is new here: what none of the person's devices has
   * acknowledged. Channels are not acknowledged, so there nothing counts as new.
   */
  #newOf({ conversation, messages }: Snapshot, before: Held | undefined): Message[] {
    const { kind, me } = conversation;
    if (before) return messages.filter((message) => isWritten(message) && message.seq > before.state.lastSeq);
    return kind === 'channel' ? [] : unacknowledged(messages, me.deliveredSeq, this.me);
  }

  /** What a whole new state has passed over of the conversation, and was not told yet. */
  passedOver(id: ConversationId): PassedOver | undefined {
    const held = this.#held.get(id);
    if (!held || held.toldSeq === null) return undefined;
    return { after: held.toldSeq, before: lowestOf(held.state) };
  }

  /** Tells a page of it, and what is held once nothing lies between. An empty page is the end of what may be read. */
  tellPassed(id: ConversationId, passed: PassedOver, page: readonly Message[]): void {
    const held = this.#held.get(id);
    if (!held || held.toldSeq !== passed.after) return;
    const before = lowestOf(held.state);
    const toldSeq = Math.min(page.at(-1)?.seq ?? before, before - 1);
    const isLast = toldSeq >= before - 1;
    const rest = isLast ? inOrder(held.state.messages.values()) : [];
    const untold = [...page.filter(({ seq }) => seq < before), ...rest.filter(({ seq }) => seq <= held.state.lastSeq)];
    this.#keep({ ...held, toldSeq: isLast ? null : toldSeq });
    for (const message of page) if (message.senderId === this.me) this.#told.mine(message);
    for (const message of untold) if (isWritten(message) && message.seq > passed.after) this.#told.message(message);
    this.#told.moved(id, 'changed');
  }

  /** Leaves some of it untold. */
  skip(id: ConversationId, passed: PassedOver, toSeq: number): void {
    this.#change(id, (held) => (held.toldSeq === passed.after ? { ...held, toldSeq: toSeq } : held));
  }

  /** The person does not belong to it any more. */
  lose(id: ConversationId, last?: ConversationEvent): void {
    if (!this.#held.delete(id)) return;
    for (const noted of [this.#untold, this.#readBefore, this.#dated, this.#setAt]) noted.delete(id);
    if (last) this.#told.change(last);
    this.#told.moved(id, 'removed', last);
  }

  /**
   * Where the person stands, as was asked for when so much had been set. An answer from before a setting knows nothing of
   * it, and one of another version has counted other messages: it is not taken, and is to be asked for anew. So is one
   * from before a reading, where what was read was not all held.
   */
  stand(standing: SyncStanding, timesSet: number): boolean {
    const { conversationId: id, readSeq, version } = standing;
    const isOld = (this.#setAt.get(id) ?? 0) > timesSet;
    if (this.#held.has(id) && (isOld || version !== this.version(id))) {
      this.#told.doubtful(id);
      return false;
    }
    this.#change(id, (held) => ({ ...held, me: afterStanding(held.me, standing) }));
    const held = this.#held.get(id);
    const mine = held?.me.readSeq ?? 0;
    // What this process reads it tells by itself, and what the server has told it must not be told again: a reading takes
    // away a mark that was set since.
    if (this.#readBefore.delete(id) && mine > readSeq) this.#told.readHere(id, mine);
    if (!held || mine <= readSeq || !isGuess(held.me, held.state)) return true;
    this.#told.doubtful(id);
    return false;
  }

  /** How far the others are, in place of what was heard of them. */
  setReceipts({ conversationId, members }: SyncReceipts): void {
    this.#change(conversationId, (held) => ({ ...held, receipts: othersIn(members, this.me) }));
  }

  /**
   * My own settings, as an answer or another device brought them: of role and unread the log may have told more since. A
   * mark is of after the reading that it names, whichever of the two is told first.
   */
  setSettings(id: ConversationId, settings: Settings): void {
    this.timesSet += 1;
    this.#setAt.set(id, this.timesSet);
    const { readSeq } = settings;
    this.read(id, { deliveredSeq: readSeq, readSeq }, (me) => afterSettings(me, settings));
  }

  /** How far the person has got and read it, on any device; `and`: what is so with it. */
  read(
    id: ConversationId,
    at: Pick<MyMembership, 'deliveredSeq' | 'readSeq'>,
    and: (me: MyMembership) => MyMembership = (me) => me,
  ): void {
    const before = this.#held.get(id)?.me.readSeq ?? 0;
    this.#change(id, (held) => ({ ...held, me: and(afterReceipt(held.me, at, held.state, this.me)) }));
    const held = this.#held.get(id);
    if (held && held.me.readSeq > before && isGuess(held.me, held.state)) this.#told.doubtful(id);
  }

  /** Somebody's watermarks, one's own among them. They only move forward, so an old hint changes nothing. */
  hearReceipt({ conversationId, userId, ...at }: Receipt): void {
    const { deliveredSeq, readSeq } = at;
    if (userId === this.me) return this.read(conversationId, { deliveredSeq, readSeq: readSeq ?? 0 });
    this.#change(conversationId, (held) => {
      if (isOfFormer(held.state, userId, at)) return held;
      const moved = further(held.receipts.get(userId), at);
      return { ...held, receipts: new Map(held.receipts).set(userId, moved) };
    });
  }

  /**
   * A message as an answer brought it; one that the log has not brought yet is shown until it does. Of its thread the log
   * alone tells: an answer that was overtaken by a reply shows the thread as it was before, in no older version.
   */
  hearMessage(message: Message): void {
    this.#change(message.conversationId, (held) => {
      const known = held.state.messages.get(message.seq);
      if (!known && message.version <= held.state.version) return held;
      const messages = new Map(held.state.messages);
      mergeMessage(messages, this.marked(known ? { ...message, thread: known.thread } : message));
      return { ...held, state: { ...held.state, messages } };
    });
  }

  /** A page of the history that goes on from what is held; another one is only for who asked for it. */
  mergePage(id: ConversationId, page: readonly Message[]): void {
    this.#change(id, (held) => {
      const [lowest, last] = [Math.min(...held.state.messages.keys()), page.at(-1)?.seq ?? 0];
      if (last < lowest - 1) return held;
      const messages = new Map(page.map((message) => [message.seq, message]));
      for (const message of held.state.messages.values()) mergeMessage(messages, message);
      return { ...held, state: { ...held.state, messages } };
    });
  }

  #change(id: ConversationId, change: (held: Held) => Held): void {
    const before = this.#held.get(id);
    if (!before) return;
    const after = change(before);
    if (after === before) return;
    this.#keep(after);
    this.#told.moved(id, 'changed');
  }

  /** The oldest messages give way. */
  #keep(held: Held): void {
    const { messages } = held.state;
    const tooMany = messages.size - this.#limits.messagesPerConversation;
    if (tooMany > 0) {
      const oldest = [...messages.keys()].sort((a, b) => a - b).slice(0, tooMany);
      for (const seq of oldest) messages.delete(seq);
    }
    this.#held.set(held.state.id, held);
  }
}

const byText = (a: string, b: string) => (a < b ? -1 : 1);

/** When it was written in last, by what an answer has brought before the log does, too. */
export function activeAt({ state: { messages }, lastActiveAt }: Pick<Held, 'state' | 'lastActiveAt'>): string {
  const written = messages.get(Math.max(...messages.keys()))?.createdAt ?? '';
  return written > lastActiveAt ? written : lastActiveAt;
}

const isWritten = ({ kind, deletedAt }: Message) => kind === 'text' && deletedAt === null;

const inOrder = (messages: Iterable<Message>) => [...messages].sort((a, b) => a.seq - b.seq);

const unacknowledged = (messages: Iterable<Message>, deliveredSeq: number, me: UserId) =>
  inOrder(messages).filter((message) => isWritten(message) && message.seq > deliveredSeq && message.senderId !== me);

/** Where what is held begins: from there on it lacks nothing. */
const lowestOf = ({ messages, lastSeq }: ConversationState) => Math.min(lastSeq + 1, ...messages.keys());

/** How far messages were told before a whole new state; null where it goes on from there. */
function toldBefore(before: Held, state: ConversationState): number | null {
  const toldSeq = before.toldSeq ?? before.state.lastSeq;
  return lowestOf(state) > toldSeq + 1 || before.toldSeq !== null ? toldSeq : null;
}

const othersIn = (members: SyncReceipts['members'], me: UserId): Map<UserId, Watermarks> =>
  new Map(
    members
      .filter(({ userId }) => userId !== me)
      .map(({ userId, deliveredSeq, readSeq, cameSeq }) => [userId, { deliveredSeq, readSeq, cameSeq }]),
  );

/**
 * Of who is gone nothing is kept, nor of anybody where they are too many; who comes says how far they are. Their first
 * reading may have been told before their coming was, and before their going, too.
 */
function receiptsAfter(
  receipts: Held['receipts'],
  { type, data }: ConversationEvent,
  state: ConversationState,
  me: UserId,
): Held['receipts'] {
  if (state.members === null) return new Map();
  const after = new Map(receipts);
  if (type === 'members.removed') {
    for (const userId of data.userIds) if (isOfFormer(state, userId, after.get(userId))) after.delete(userId);
  }
  if (type === 'members.added' || type === 'conversation.created')
    for (const [userId, at] of othersIn(data.members, me)) after.set(userId, further(after.get(userId), at));
  return after;
}

/** Told of somebody who is no member, and not of one whose coming is still to be told. */
const isOfFormer = ({ members, lastSeq }: ConversationState, userId: UserId, at: Watermarks | undefined): boolean =>
  members !== null && !members.has(userId) && (at?.cameSeq ?? 0) <= lastSeq;

/** Watermarks only move forward; whether somebody tells what they read is as it was told last. */
function further(known: Watermarks | undefined, told: Watermarks): Watermarks {
  const furthest = (mark: keyof Watermarks) => told[mark] && Math.max(known?.[mark] ?? 0, told[mark]);
  return { deliveredSeq: furthest('deliveredSeq'), readSeq: furthest('readSeq'), cameSeq: furthest('cameSeq') };
}

/** Somebody has not come to the end as far as is known, and may have since: watermarks move where nothing else does. */
function isUnsettled({ state: { kind, members, lastSeq }, receipts }: Held, me: UserId): boolean {
  if (kind === 'channel' || members === null) return false;
  const isBehind = (at: Watermarks | undefined) =>
    // Who tells nothing may tell it again by now.
    !at || (at.deliveredSeq ?? 0) < lastSeq || (at.readSeq ?? 0) < lastSeq;
  return [...members.keys()].some((id) => id !== me && isBehind(receipts.get(id)));
}
