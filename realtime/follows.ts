import { type ConversationId, type UserId, placeOf } from '../contracts/ids.ts';
import type { IoSocket } from './io.ts';
import { SmallSet } from './small-set.ts';

/** What most people have blocked. */
export const nobody: ReadonlySet<UserId> = new Set();

/** Somebody who is connected here, with all of their sockets. */
export interface LocalUser {
  readonly id: UserId;
  readonly sockets: SmallSet<IoSocket>;
  readonly follows: SmallSet<Follow>;
  /** Whose messages are marked for this reader. */
  blocked: ReadonlySet<UserId>;
  /** Their memberships stand in the index. */
  loaded: boolean;
  /** When it was last noted that they are seen, by the process's own clock. */
  seenAt: number;
}

/** A conversation that somebody here follows. */
export interface Follow {
  readonly id: ConversationId;
  /** The membership that `users` agrees with. */
  memberVersion: number;
  readonly users: SmallSet<LocalUser>;
  /** Of those who may not read from the beginning: the last message and the last change that they may not. */
  joined: Map<LocalUser, { seq: number; version: number }> | undefined;
  /** The highest version that a digest has told. */
  digested: number;
  /** Parts conversations into slices that are alike. */
  readonly place: number;
}

/** Somebody's membership is over: the last version that they are told. */
export interface Departure {
  userId: UserId;
  conversationId: ConversationId;
  version: number;
}

/** A person's membership as the index keeps it. */
export interface Membership {
  conversationId: ConversationId;
  memberVersion: number;
  joinedSeq: number;
  joinedVersion: number;
}

/**
 * Who of those who are connected to this node follows which conversation. By person and not by socket: a socket more
 * costs nothing here, and a hundred conversations of a person are entries in two sets each.
 */
export class Follows {
  readonly #users = new Map<UserId, LocalUser>();
  readonly #conversations = new Map<ConversationId, Follow>();
  #departures: Departure[] = [];

  user(id: UserId): LocalUser | undefined {
    return this.#users.get(id);
  }

  conversation(id: ConversationId): Follow | undefined {
    return this.#conversations.get(id);
  }

  userIds(): UserId[] {
    return [...this.#users.keys()];
  }

  conversations(): Iterable<Follow> {
    return this.#conversations.values();
  }

  /** A socket of somebody. With their first one here their memberships must be loaded. */
  connect(id: UserId, socket: IoSocket): void {
    const known = this.#users.get(id);
    const user: LocalUser = known ?? {
      id,
      sockets: new SmallSet(),
      follows: new SmallSet(),
      blocked: nobody,
      loaded: false,
      seenAt: Number.NEGATIVE_INFINITY,
    };
    if (!known) this.#users.set(id, user);
    user.sockets.add(socket);
  }

  disconnect(id: UserId, socket: IoSocket): void {
    const user = this.#users.get(id);
    user?.sockets.delete(socket);
    if (!user || user.sockets.size > 0) return;
    for (const follow of [...user.follows]) this.unfollow(user, follow);
    this.#users.delete(id);
  }

  /** The person follows the conversation from now on. */
  follow(user: LocalUser, { conversationId, memberVersion, joinedSeq, joinedVersion }: Membership): Follow {
    const known = this.#conversations.get(conversationId);
    const follow: Follow = known ?? {
      id: conversationId,
      memberVersion,
      users: new SmallSet(),
      joined: undefined,
      digested: 0,
      place: placeOf(conversationId),
    };
    if (!known) this.#conversations.set(conversationId, follow);
    follow.users.add(user);
    user.follows.add(follow);
    if (joinedVersion > 0) (follow.joined ??= new Map()).set(user, { seq: joinedSeq, version: joinedVersion });
    else follow.joined?.delete(user);
    return follow;
  }

  unfollow(user: LocalUser, follow: Follow): void {
    follow.users.delete(user);
    follow.joined?.delete(user);
    user.follows.delete(follow);
    if (follow.users.size === 0) this.#conversations.delete(follow.id);
  }

  /** The next digest tells of it: nothing else would, if the removal itself was lost on its way. */
  depart(departure: Departure): void {
    this.#departures.push(departure);
  }

  /** Those since the last time. */
  departures(): Departure[] {
    const departures = this.#departures;
    this.#departures = [];
    return departures;
  }
}
