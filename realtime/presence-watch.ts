import type { ConversationId, UserId } from '../contracts/ids.ts';
import type { PersonPresence } from '../contracts/entities/index.ts';
import type { Deps } from '../domain/deps.ts';
import { type VisiblePerson, peopleToWatch, presencesOf } from '../domain/presence/index.ts';
import type { Follows } from './follows.ts';
import type { IoSocket } from './io.ts';
import { type Outlet, encode } from './outlet.ts';

/** Milliseconds between looks at those who are watched: what changed is told together. */
const presenceLookMs = 1_000;

/** What one socket has in view. */
interface Watch {
  conversationId: ConversationId;
  people: Map<UserId, VisiblePerson>;
  told: Map<UserId, PersonPresence['state']>;
}

export interface PresenceWatch {
  /** Looks at a conversation, or at none; answers with who is there now. */
  view(socket: IoSocket, conversationId: ConversationId | null): Promise<PersonPresence[]>;
  /** The person may be seen by others than before: who must not see them any more hears of them no more. */
  lookAgain(userId: UserId): Promise<void>;
  forget(socket: IoSocket): void;
  stop(): void;
}

/**
 * Tells sockets how the presence of those whom they look at changes: of the one conversation that is in view, never of
 * all that somebody belongs to, because everybody watching everybody is a load that grows with its square.
 */
export function watchPresence({
  deps,
  follows,
  outlet,
}: {
  deps: Pick<Deps, 'db' | 'now' | 'presences'>;
  follows: Follows;
  outlet: Outlet;
}): PresenceWatch {
  const watches = new Map<IoSocket, Watch>();
  let busy = false;

  const look = async () => {
    if (busy || watches.size === 0) return;
    busy = true;
    const ids = new Set([...watches.values()].flatMap(({ people }) => [...people.keys()]));
    const states = await deps.presences([...ids]);
    for (const [socket, watch] of watches) tellChanges(socket, watch, states);
    busy = false;
  };

  const tellChanges = (socket: IoSocket, watch: Watch, states: ReadonlyMap<UserId, PersonPresence['state']>): void => {
    if (!stillFollows(socket, watch)) return void watches.delete(socket);
    const presences = [...watch.people.values()].flatMap((person): PersonPresence[] => {
      const state = states.get(person.userId) ?? 'unknown';
      if (watch.told.get(person.userId) === state) return [];
      watch.told.set(person.userId, state);
      if (state === 'offline') person.lastSeenAt = deps.now();
      return [{ userId: person.userId, state, lastSeenAt: person.lastSeenAt?.toISOString() ?? null }];
    });
    if (presences.length === 0) return;
    outlet.tell(socket, encode('presence', { conversationId: watch.conversationId, presences }));
  };

  const seeAgain = async (socket: IoSocket, watch: Watch, userId: UserId): Promise<void> => {
    try {
      const people = await peopleToWatch(deps, socket.data.actor, watch.conversationId);
      const person = people.find((one) => one.userId === userId);
      if (person) watch.people.set(userId, person);
    } catch {
      // They are seen again with the next view.
    }
  };

  /** Who was removed from the conversation watches it no longer. */
  const stillFollows = (socket: IoSocket, { conversationId }: Watch): boolean => {
    const user = follows.user(socket.data.actor.userId);
    const follow = follows.conversation(conversationId);
    return user !== undefined && follow !== undefined && follow.users.has(user);
  };

  const timer = setInterval(() => void look(), presenceLookMs);
  return {
    async view(socket, conversationId) {
      watches.delete(socket);
      if (conversationId === null) return [];
      const people = await peopleToWatch(deps, socket.data.actor, conversationId);
      const presences = await presencesOf(deps, people);
      if (people.length === 0 || !socket.connected) return presences;
      watches.set(socket, {
        conversationId,
        people: new Map(people.map((person) => [person.userId, person])),
        told: new Map(presences.map(({ userId, state }) => [userId, state])),
      });
      return presences;
    },
    async lookAgain(userId) {
      const watching = [...watches].filter(([, { people }]) => people.has(userId));
      // At once, and again only if they may: what is told meanwhile would be told to the wrong ones.
      for (const [, { people }] of watching) people.delete(userId);
      await Promise.all(watching.map(([socket, watch]) => seeAgain(socket, watch, userId)));
    },
    forget: (socket) => void watches.delete(socket),
    stop: () => clearInterval(timer),
  };
}
