import type { ConversationEvent } from '../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../contracts/ids.ts';
import type { Log } from '../domain/deps.ts';
import type { BusItem, ConversationItem } from './bus.ts';
import { type Follow, type Follows, type LocalUser, type Membership, nobody } from './follows.ts';
import { type Frame, type Outlet, encode, toFrame } from './outlet.ts';

/** Milliseconds before a look at the members that failed is tried again. */
const retryMs = 500;
/** Items of one conversation that may wait for such a look; beyond, they are left to the clients' own catching up. */
const maxWaiting = 1_000;

/** A membership, and the change that ended it, where it is over. */
type KnownMember = Membership & { userId: UserId; leftVersion: number | null };

export interface DeliveryOptions {
  follows: Follows;
  outlet: Outlet;
  /** Who of these people is or was a member of the conversation at this moment. */
  membersAmong: (id: ConversationId, userIds: readonly UserId[]) => Promise<KnownMember[]>;
  blocksOf: (userId: UserId) => Promise<UserId[]>;
  /** Somebody, here or elsewhere, may be seen by others than before. */
  visibilityChanged: (userId: UserId) => void;
  /** Somebody, here or elsewhere, came to a conversation that is followed here, or went. */
  membersChanged: (id: ConversationId) => void;
  /** Somebody here has read or marked something. */
  unreadChanged: (userId: UserId) => void;
  /** What is unread to somebody here may be other than before by what others did. */
  countsMoved: (userId: UserId) => void;
  log: Log;
}

/**
 * Gives items to the sockets of this node, exactly to those who may have them. Each item carries the membership that it
 * was committed under. One that is newer than what the index knows waits until the members were looked up again, so
 * that nobody who was removed hears what was written afterwards, however late the removal itself arrives.
 */
export function createDelivery({
  follows,
  outlet,
  membersAmong,
  blocksOf,
  visibilityChanged,
  membersChanged,
  unreadChanged,
  countsMoved,
  log,
}: DeliveryOptions) {
  const waiting = new Map<ConversationId, ConversationItem[]>();
  /** Of those, where somebody came in during the look, whom it may not have asked for. */
  const outdated = new Set<ConversationId>();
  /** Looks at somebody's blocks that are under way, and whether they may be from before a change. */
  const looking = new Map<UserId, { again: boolean; done: Promise<void> }>();
  let stopped = false;

  const deliver = (item: BusItem): void => {
    if (item.kind === 'user') return tellUser(follows.user(item.userId), toFrame(item.text));
    if (item.kind === 'visibility') {
      visibilityChanged(item.userId);
      return void blocksChanged(item.userId);
    }
    if (item.kind === 'unread') return unreadChanged(item.userId);
    const queue = waiting.get(item.id);
    if (queue) {
      if (queue.length < maxWaiting) queue.push(item);
      return;
    }
    if (needsLook(item)) void lookThenDeliver(item.id, [item]);
    else give(item);
  };

  /** A change of the members that follows on what is known says itself who came and who went. */
  const needsLook = (item: ConversationItem): boolean => {
    const follow = follows.conversation(item.id);
    if (!follow || item.memberVersion <= follow.memberVersion) return false;
    const next = item.memberVersion === follow.memberVersion + 1;
    return !(next && (item.joins || item.leaves));
  };

  const lookThenDeliver = async (id: ConversationId, queue: ConversationItem[]): Promise<void> => {
    waiting.set(id, queue);
    do {
      outdated.delete(id);
      while (!stopped && !(await look(id))) await new Promise((resolve) => setTimeout(resolve, retryMs));
    } while (!stopped && outdated.has(id));
    waiting.delete(id);
    for (const item of queue) deliver(item);
  };

  const look = async (id: ConversationId): Promise<boolean> => {
    try {
      reconcile(id, await membersAmong(id, follows.userIds()));
      return true;
    } catch (error) {
      log.warn('the members of a conversation could not be looked up; its events wait', {
        conversationId: id,
        reason: (error as Error).message,
      });
      return false;
    }
  };

  const reconcile = (id: ConversationId, known: readonly KnownMember[]): void => {
    const members = known.filter(({ leftVersion }) => leftVersion === null);
    const ids = new Set(members.map(({ userId }) => userId));
    const follow = follows.conversation(id);
    for (const user of [...(follow?.users ?? [])]) {
      if (!follow || ids.has(user.id)) continue;
      follows.unfollow(user, follow);
      countsMoved(user.id);
      const version = known.find(({ userId }) => userId === user.id)?.leftVersion ?? 0;
      if (version > 0) follows.depart({ userId: user.id, conversationId: id, version });
    }
    for (const { userId, leftVersion: _, ...membership } of members) {
      const user = follows.user(userId);
      if (user) follows.follow(user, membership).memberVersion = membership.memberVersion;
    }
    membersChanged(id);
  };

  const give = (item: ConversationItem): void => {
    const known = follows.conversation(item.id);
    // A change of the members that comes late: who came has perhaps gone since, and who went has come back.
    const late = known !== undefined && item.memberVersion <= known.memberVersion;
    for (const { userId, ...joined } of late ? [] : (item.joins ?? [])) {
      const user = follows.user(userId);
      if (user) follows.follow(user, { conversationId: item.id, memberVersion: item.memberVersion, ...joined });
    }
    const follow = follows.conversation(item.id);
    if (follow) {
      const variants = new Variants(item);
      for (const user of follow.users) {
        const frame = variants.for(user, follow);
        if (frame) tellUser(user, frame, item.hint && item.id);
        if (item.recounts || (item.arrives && user.id !== item.actorId)) countsMoved(user.id);
      }
      follow.memberVersion = Math.max(follow.memberVersion, item.memberVersion);
    }
    part(item, follow, late);
    if (item.joins || item.leaves) membersChanged(item.id);
    if (late && differs(item, known)) void lookThenDeliver(item.id, []);
  };

  /** The change says other members than the index knows. */
  const differs = ({ joins = [], leaves = [] }: ConversationItem, { users }: Follow): boolean => {
    const here = (userId: UserId) => follows.user(userId);
    const comes = joins.some(({ userId }) => here(userId) && !users.has(here(userId) as LocalUser));
    return comes || (leaves !== 'everybody' && leaves.some((userId) => users.has(here(userId) as LocalUser)));
  };

  /** Who goes hears of it last, also where a look had taken them out before. */
  const part = (item: ConversationItem, follow: Follow | undefined, late: boolean): void => {
    const { id, version, leaves = [], text } = item;
    const going = leaves === 'everybody' ? [...(follow?.users ?? [])] : leaves.map((id) => follows.user(id));
    for (const user of going) {
      if (!user) continue;
      const told = follow?.users.has(user) ?? false;
      if (told && late) continue;
      if (follow && told) follows.unfollow(user, follow);
      if (!told) tellUser(user, toFrame(text));
      // What they had not read there calls for them no more.
      countsMoved(user.id);
      follows.depart({ userId: user.id, conversationId: id, version });
    }
  };

  /** All of the person's sockets, or those alone that look at a conversation. */
  const tellUser = (user: LocalUser | undefined, frame: Frame, inView?: ConversationId): void => {
    for (const socket of user?.sockets ?? []) {
      if (inView === undefined || socket.data.connection.viewing === inView) outlet.tell(socket, frame);
    }
  };

  /** One look at a time: of two, the older may be answered last. */
  const lookAtBlocks = (userId: UserId): Promise<void> => {
    const underWay = looking.get(userId);
    if (underWay) underWay.again = true;
    if (underWay) return underWay.done;
    const look = { again: false, done: Promise.resolve() };
    looking.set(userId, look);
    look.done = readBlocks(userId, look).finally(() => looking.delete(userId));
    return look.done;
  };

  const readBlocks = async (userId: UserId, look: { again: boolean }): Promise<void> => {
    let userIds: UserId[];
    do {
      look.again = false;
      userIds = await blocksOf(userId);
    } while (look.again);
    const user = follows.user(userId);
    const blocked = new Set(userIds);
    if (!user || (blocked.size === user.blocked.size && userIds.every((id) => user.blocked.has(id)))) return;
    user.blocked = blocked.size > 0 ? blocked : nobody;
    // From here on what the blocked write is marked, and what they wrote before the client marks by this.
    tellUser(user, encode('blocks', { userIds }));
  };

  const blocksChanged = async (userId: UserId): Promise<void> => {
    while (!stopped && follows.user(userId)) {
      try {
        return await lookAtBlocks(userId);
      } catch (error) {
        log.warn('blocks could not be looked up', { userId, reason: (error as Error).message });
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  };

  return {
    deliver,
    /** Somebody's blocks as they are: what a lost word has left behind must not outlive a reconnect. */
    lookAtBlocks,
    stop(): void {
      stopped = true;
    },
    /**
     * The person follows, by a membership that was read. Where the index knows the members of another moment one of the two
     * is old, perhaps from before a removal: they are looked up again, and what comes meanwhile waits.
     */
    follow(user: LocalUser, membership: Membership): void {
      const { conversationId: id, memberVersion } = membership;
      const known = follows.conversation(id);
      follows.follow(user, membership);
      if (waiting.has(id)) outdated.add(id);
      else if (known && known.memberVersion !== memberVersion) void lookThenDeliver(id, []);
    },
  };
}
export type Delivery = ReturnType<typeof createDelivery>;

/** One event, encoded once for nearly everybody, and once more for the few who see it otherwise. */
class Variants {
  readonly #item: ConversationItem;
  #plain: Frame | undefined;
  #hidden: Frame | undefined;
  #marked: Frame | undefined;

  constructor(item: ConversationItem) {
    this.#item = item;
  }

  /** What the person hears; nothing where they are spared it. */
  for(user: LocalUser, follow: Follow): Frame | undefined {
    const { version, messageSeq, actorId, hint, text } = this.#item;
    if (hint && user.id === actorId) return undefined;
    const joined = follow.joined?.get(user);
    // A change from before the joining may come late over the bus, and a later one may be about an earlier message.
    const isBefore =
      joined && ((version > 0 && version <= joined.version) || (messageSeq > 0 && messageSeq <= joined.seq));
    if (isBefore) return (this.#hidden ??= this.#hide());
    if (user.blocked.has(actorId)) return hint ? undefined : (this.#marked ??= this.#mark());
    return (this.#plain ??= toFrame(text));
  }

  /** From before the reader joined, or about something from there: it only takes its number. */
  #hide(): Frame {
    const { conversationId, version, at, actorId } = this.#event();
    return encode('event', { conversationId, version, at, actorId, type: 'hidden', data: {} });
  }

  /** Written by somebody whom the reader has blocked. */
  #mark(): Frame {
    const event = this.#event();
    if (event.type !== 'message.created') return toFrame(this.#item.text);
    const message = { ...event.data.message, fromBlocked: true };
    return encode('event', { ...event, data: { ...event.data, message } });
  }

  #event(): ConversationEvent {
    const [, event] = JSON.parse(this.#item.text.slice(1)) as [string, ConversationEvent];
    return event;
  }
}
