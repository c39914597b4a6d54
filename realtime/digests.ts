import type { ConversationId } from '../contracts/ids.ts';
import type { Deps, Log } from '../domain/deps.ts';
import { loadHeads } from '../domain/live/index.ts';
import type { Follow, Follows, LocalUser } from './follows.ts';
import { type Outlet, encode } from './outlet.ts';

/** Milliseconds in which every conversation that somebody here follows is looked at once. */
export const digestMs = 15_000;
/** The look is spread over so many slices, so that no second carries all of it. */
const slices = 15;

/**
 * Tells clients, every 15 s, the versions of what moved: a client that holds an older one has missed a live event and
 * asks. So nothing stays unseen, whatever happens to the bus.
 */
export function startDigests({
  deps,
  follows,
  outlet,
  log,
}: {
  deps: Pick<Deps, 'db'>;
  follows: Follows;
  outlet: Outlet;
  log: Log;
}): { stop(): void } {
  let slice = 0;
  let busy = false;

  const look = async () => {
    if (busy) return;
    busy = true;
    slice = (slice + 1) % slices;
    try {
      await tellMoved(sliceOf(follows, slice));
    } catch (error) {
      log.warn('heads could not be read', { reason: (error as Error).message });
    }
    busy = false;
  };

  const tellMoved = async (some: Follow[]): Promise<void> => {
    if (some.length === 0) return;
    const heads = await loadHeads(
      deps,
      some.map(({ id }) => id),
    );
    const byUser = new Map<LocalUser, [ConversationId, number][]>();
    for (const { id, version } of heads) {
      const follow = follows.conversation(id);
      if (!follow || follow.digested >= version) continue;
      follow.digested = version;
      for (const user of follow.users) byUser.set(user, [...(byUser.get(user) ?? []), [id, version]]);
    }
    for (const [user, moved] of byUser) {
      const frame = encode('heads', { heads: moved });
      for (const socket of user.sockets) outlet.tell(socket, frame);
    }
  };

  const timer = setInterval(() => void look(), digestMs / slices);
  return { stop: () => clearInterval(timer) };
}

const sliceOf = (follows: Follows, slice: number): Follow[] =>
  [...follows.conversations()].filter(({ id }) => Number.parseInt(id.slice(-4), 16) % slices === slice);
