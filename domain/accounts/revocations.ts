import { retrySoonMs } from '../../contracts/errors.ts';
import type { SessionId } from '../../contracts/ids.ts';
import { sessionsRevokedWithin } from '../../db/queries/sessions.ts';
import type { Deps, RevocationTimes } from '../deps.ts';
import { DomainError } from '../errors.ts';
import { createFence } from './fence.ts';

/** Seconds that an ended session stays in the window: an access token's 15 minutes and the clocks' leeway. */
const windowSeconds = 20 * 60;

/**
 * The sessions that ended lately, held in memory by every process that lets callers in. Live events make it quick; the
 * look at the whole window in the table makes it sure, because a hint that was published while Redis was away never
 * arrives, and a cursor would pass over a row that committed late. A node that cannot look any more cannot know whom it
 * lets in, so it fences itself: it lets in nobody, until a look succeeds. What else a node must know to let people in is
 * looked at along with it.
 */
export interface Revocations {
  has(id: SessionId): boolean;
  /** Throws `session_revoked` for a session that has ended, and `fenced` for every one where that is not known. */
  guard(id: SessionId): void;
  readonly isFenced: boolean;
  /** Since the beginning of the last look that saw the whole window; infinite before the first. */
  readonly ageMs: number;
  add(ids: readonly SessionId[]): void;
  /** Called with sessions that were not known as ended before. */
  onEnded(listener: (ids: SessionId[]) => void): void;
  /** Called when this node has fenced itself. */
  onFenced(listener: () => void): void;
  start(): Promise<void>;
  stop(): void;
}

export function createRevocations(
  deps: Pick<Deps, 'log'> & { db: Pick<Deps['db'], 'query'>; alsoLook?: () => Promise<unknown> },
  { reloadMs, fenceMs }: RevocationTimes,
): Revocations {
  const fence = createFence({ afterMs: fenceMs, log: deps.log });
  let ended = new Set<SessionId>();
  // Hints that came while the table was being read: their commit may be younger than what the read saw.
  let hinted = new Set<SessionId>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const listeners: ((ids: SessionId[]) => void)[] = [];

  const tell = (ids: SessionId[]) => {
    if (ids.length > 0) for (const listener of listeners) listener(ids);
  };
  const look = async () => {
    hinted = new Set();
    const began = performance.now();
    const rows = await sessionsRevokedWithin(deps.db, windowSeconds);
    await deps.alsoLook?.();
    const fresh = rows.map(({ id }) => id).filter((id) => !ended.has(id));
    ended = new Set([...rows.map(({ id }) => id), ...hinted]);
    // First who has ended is told, then the gate opens.
    tell(fresh);
    if (!stopped) fence.isCurrent(began);
  };
  const reload = async () => {
    const began = performance.now();
    try {
      await look();
    } catch (error) {
      deps.log.warn('the window of ended sessions could not be read', { reason: (error as Error).message });
    }
    // After a look that took long what it saw is old already: the next one follows at once.
    const restMs = Math.max(0, reloadMs - (performance.now() - began));
    if (!stopped) timer = setTimeout(() => void reload(), restMs).unref();
  };

  return {
    has: (id) => ended.has(id),
    guard(id) {
      if (ended.has(id)) throw new DomainError('session_revoked');
      if (fence.isUp) throw new DomainError('fenced', { retryAfterMs: Math.max(retrySoonMs, reloadMs) });
    },
    get isFenced() {
      return fence.isUp;
    },
    get ageMs() {
      return fence.ageMs;
    },
    add(ids) {
      const fresh = ids.filter((id) => !ended.has(id));
      for (const id of fresh) {
        ended.add(id);
        hinted.add(id);
      }
      tell(fresh);
    },
    onEnded: (listener) => void listeners.push(listener),
    onFenced: (listener) => fence.onUp(listener),
    start: reload,
    stop() {
      stopped = true;
      clearTimeout(timer);
      fence.stop();
    },
  };
}
