import type { ConversationId } from '../contracts/ids.ts';
import type { Deps, Log } from '../domain/deps.ts';
import { loadHeads, loadRecentJoins } from '../domain/live/index.ts';
import type { Delivery } from './delivery.ts';
import type { Follow, Follows, LocalUser } from './follows.ts';
import { type Outlet, encode } from './outlet.ts';

/** Milliseconds in which every conversation that somebody here follows is looked at once. */
const digestMs = 15_000;
/** The look is spread over so many slices, so that no second carries all of it. */
const slices = 15;
/** Milliseconds that a look at who joined goes back before the one before it: a joining bears the time at which its transaction began. */
const joinsOverlapMs = 2 * digestMs;

export interface DigestOptions {
  deps: Pick<Deps, 'db'>;
  follows: Follows;
  delivery: Pick<Delivery, 'follow'>;
  outlet: Outlet;
  log: Log;
  /** A look was made, and what it found was told. */
  onLook: () => void;
}

type Heads = Map<LocalUser, [ConversationId, number][]>;

/**
 * Tells clients, every 15 s, the versions of what moved: a client that holds an older one, or has never heard of the
 * conversation, has missed a live event and asks. So nothing stays unseen, whatever happens to the bus. Whoever belongs to
 * something no more is told of the change that ended it once again: no later digest is for them.
 */
export function startDigests(options: DigestOptions): { stop(): void } {
  let slice = 0;
  let busy = false;
  let joinsReadAt = performance.now();
  const readJoins = async () => {
    const now = performance.now();
    await tellJoined(options, now - joinsReadAt + joinsOverlapMs);
    joinsReadAt = now;
  };
  const look = async () => {
    // A slow database is not asked again before it has answered.
    if (busy) return;
    busy = true;
    slice = (slice + 1) % slices;
    try {
      if (slice === 0) await readJoins();
      await tellMoved(options, sliceOf(options.follows, slice));
      options.onLook();
    } catch (error) {
      options.log.warn('heads could not be read', { reason: (error as Error).message });
    }
    busy = false;
  };
  const timer = setInterval(() => void look(), digestMs / slices);
  return { stop: () => clearInterval(timer) };
}

async function tellMoved(options: DigestOptions, some: readonly Follow[]): Promise<void> {
  const heads: Heads = new Map();
  const ids = some.map(({ id }) => id);
  const found = ids.length > 0 ? await loadHeads(options.deps, ids) : [];
  for (const { userId, conversationId, version } of options.follows.departures()) {
    const user = options.follows.user(userId);
    if (user) note(heads, user, conversationId, version);
  }
  for (const { id, version } of found) {
    const follow = options.follows.conversation(id);
    if (!follow || follow.digested >= version) continue;
    follow.digested = version;
    for (const user of follow.users) note(heads, user, id, version);
  }
  tell(options.outlet, heads);
}

/**
 * Who became a member of late follows from now on and is told of it, also where they follow already: a look at the members
 * may have found them without a word to them.
 */
async function tellJoined({ deps, follows, delivery, outlet }: DigestOptions, withinMs: number): Promise<void> {
  const heads: Heads = new Map();
  for (const { userId, version, ...membership } of await loadRecentJoins(deps, follows.userIds(), withinMs / 1_000)) {
    const user = follows.user(userId);
    // Who is being loaded has their sync still before them.
    if (!user?.loaded) continue;
    delivery.follow(user, membership);
    note(heads, user, membership.conversationId, version);
  }
  tell(outlet, heads);
}

function note(heads: Heads, user: LocalUser, id: ConversationId, version: number): void {
  const known = heads.get(user);
  if (known) known.push([id, version]);
  else heads.set(user, [[id, version]]);
}

function tell(outlet: Outlet, heads: Heads): void {
  for (const [user, moved] of heads) {
    const frame = encode('heads', { heads: moved });
    for (const socket of user.sockets) outlet.tell(socket, frame);
  }
}

/** A conversation is always in the same slice. */
const sliceOf = (follows: Follows, slice: number): Follow[] =>
  [...follows.conversations()].filter(({ place }) => place % slices === slice);
