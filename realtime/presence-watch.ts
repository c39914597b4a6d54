import type { ConversationId, UserId } from '../contracts/ids.ts';
import type { PersonPresence } from '../contracts/entities/index.ts';
import { depsFor, eventRuleOf } from '../domain/access/index.ts';
import type { Deps } from '../domain/deps.ts';
import {
  type VisiblePerson,
  conversationsOf,
  peopleToWatch,
  peopleToWatchIn,
  presenceOf,
  presencesOf,
} from '../domain/presence/index.ts';
import type { Follows } from './follows.ts';
import type { IoSocket } from './io.ts';
import { type Outlet, encode } from './outlet.ts';

/** Milliseconds between looks at those who are watched: what changed is told together. */
const presenceLookMs = 1_000;
/** Views whose people one statement reads. */
const viewsPerReading = 200;

type State = PersonPresence['state'];

/** What one socket has in view. */
interface Watch {
  conversationId: ConversationId;
  people: ReadonlyMap<UserId, VisiblePerson>;
  told: Map<UserId, State>;
}

export interface PresenceWatch {
  /** Looks at a conversation, or at none; answers with who is there now. */
  view(socket: IoSocket, conversationId: ConversationId | null): Promise<PersonPresence[]>;
  /** The person may be seen by others than before. */
  visibilityChanged(userId: UserId): void;
  /** Others than before belong to the conversation. */
  membersChanged(id: ConversationId): void;
  forget(socket: IoSocket): void;
  stop(): void;
}

/**
 * Tells sockets how the presence of those whom they look at changes: of the one conversation that is in view, never of
 * all that somebody belongs to, because everybody watching everybody is a load that grows with its square. Whom they may
 * look at is read anew after each change of it, all changes since the last look together. Until then nothing is told of
 * that view: it would be told to the wrong ones.
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
  /** What was heard of since `people` were read. */
  let changed = new Changes();
  let wasAway = false;
  let busy = false;

  const look = async () => {
    if (busy) return;
    busy = true;
    try {
      await readAnew();
      await tellChanges();
    } finally {
      busy = false;
    }
  };

  const readAnew = async () => {
    const before = changed;
    changed = new Changes();
    try {
      await readPeople(await outdatedBy(before));
    } catch {
      // The next look reads them.
      changed.add(before);
    }
  };

  const outdatedBy = async ({ people, conversations }: Changes): Promise<[IoSocket, Watch][]> => {
    const inView = new Set([...watches.values()].map(({ conversationId }) => conversationId));
    const theirs = people.size > 0 && inView.size > 0 ? await conversationsOf(deps, [...people], [...inView]) : [];
    const outdated = new Set([...conversations, ...theirs]);
    return [...watches].filter(([, { conversationId }]) => outdated.has(conversationId));
  };

  const readPeople = async (outdated: readonly [IoSocket, Watch][]) => {
    for (let from = 0; from < outdated.length; from += viewsPerReading) {
      const some = outdated.slice(from, from + viewsPerReading);
      const views = some.map(([{ data }, { conversationId }]) => ({ viewer: data.actor.userId, conversationId }));
      const people = await peopleToWatchIn(deps, views);
      some.forEach(([, watch], n) => (watch.people = byId(people[n] ?? [])));
    }
  };

  const tellChanges = async () => {
    const ids = new Set([...watches.values()].flatMap(({ people }) => [...people.keys()]));
    const states = await deps.presences([...ids]);
    const isAway = [...states.values()].includes('unknown');
    // The bus was away together with Redis: what it would have told is not known.
    if (wasAway && !isAway)
      for (const { conversationId } of watches.values()) changed.conversations.add(conversationId);
    wasAway = isAway;
    for (const [socket, watch] of watches) tell(socket, watch, states);
  };

  const tell = (socket: IoSocket, watch: Watch, states: ReadonlyMap<UserId, State>): void => {
    if (!stillFollows(socket, watch)) return void watches.delete(socket);
    if (changed.concern(watch)) return;
    const presences = [...clearGone(watch), ...noteMoved(watch, states, deps.now())];
    if (presences.length === 0) return;
    outlet.tell(socket, encode('presence', { conversationId: watch.conversationId, presences }));
  };

  /** Who was removed from the conversation watches it no longer. */
  const stillFollows = (socket: IoSocket, { conversationId }: Watch): boolean => {
    const user = follows.user(socket.data.actor.userId);
    const follow = follows.conversation(conversationId);
    return user !== undefined && follow !== undefined && follow.users.has(user);
  };

  const open = async (socket: IoSocket, watch: Watch): Promise<PersonPresence[]> => {
    const { actor } = socket.data;
    const people = await peopleToWatch(depsFor(deps, actor, eventRuleOf('presence.set')), actor, watch.conversationId);
    const presences = await presencesOf(deps, people);
    // A look has read it meanwhile, perhaps later than this: the next one decides.
    if (watch.people !== nobody) changed.conversations.add(watch.conversationId);
    watch.people = byId(people);
    watch.told = new Map(presences.map(({ userId, state }) => [userId, state]));
    return presences;
  };

  const timer = setInterval(() => void look(), presenceLookMs);
  return {
    async view(socket, conversationId) {
      watches.delete(socket);
      if (conversationId === null) return [];
      // Watched from here on: a change during the reading would be missed.
      const watch: Watch = { conversationId, people: nobody, told: new Map() };
      watches.set(socket, watch);
      try {
        return await open(socket, watch);
      } catch (error) {
        if (watches.get(socket) === watch) watches.delete(socket);
        throw error;
      }
    },
    visibilityChanged: (userId) => void changed.people.add(userId),
    membersChanged: (id) => void changed.conversations.add(id),
    forget: (socket) => void watches.delete(socket),
    stop: () => clearInterval(timer),
  };
}

const nobody: ReadonlyMap<UserId, VisiblePerson> = new Map();

const byId = (people: readonly VisiblePerson[]) => new Map(people.map((person) => [person.userId, person]));

/** Changes of who may be seen by whom: however many, each person and each conversation stands here once. */
class Changes {
  readonly people = new Set<UserId>();
  readonly conversations = new Set<ConversationId>();

  add({ people, conversations }: Changes): void {
    for (const id of people) this.people.add(id);
    for (const id of conversations) this.conversations.add(id);
  }

  /** Somebody who is watched is perhaps not to be seen any more. */
  concern({ conversationId, people }: Watch): boolean {
    return this.conversations.has(conversationId) || [...this.people].some((id) => people.has(id));
  }
}

/** Those who are to be seen no more are shown as any of whom nobody can say anything: why, is not told. */
function clearGone({ people, told }: Watch): PersonPresence[] {
  const gone = [...told.keys()].filter((userId) => !people.has(userId));
  for (const userId of gone) told.delete(userId);
  return gone.map((userId) => presenceOf({ userId, lastSeenAt: null }, 'unknown'));
}

/** Those whose state is other than was told. Who was here until now was last seen now; of others their row says it. */
function noteMoved({ people, told }: Watch, states: ReadonlyMap<UserId, State>, now: Date): PersonPresence[] {
  return [...people.values()].flatMap((person) => {
    const [before, state] = [told.get(person.userId), states.get(person.userId)];
    // Who came into view since the look began is told of by the next.
    if (state === undefined || state === before) return [];
    told.set(person.userId, state);
    if (state === 'offline' && (before === 'active' || before === 'idle')) person.lastSeenAt = now;
    return [presenceOf(person, state)];
  });
}
