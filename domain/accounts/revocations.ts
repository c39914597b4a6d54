import type { SessionId } from '../../contracts/ids.ts';
import { sessionsRevokedWithin } from '../../db/queries/sessions.ts';
import type { Deps } from '../deps.ts';

/** Seconds that an ended session stays in the window: an access token's 15 minutes and the clocks' leeway. */
const windowSeconds = 20 * 60;
/** Milliseconds between looks at the table. */
const reloadMs = 2_000;

/**
 * The sessions that ended lately, held in memory by every process that lets callers in. Live events make it quick; the
 * look at the whole window in the table makes it sure, because a hint that was published while Redis was away never
 * arrives, and a cursor would pass over a row that committed late.
 */
export interface Revocations {
  has(id: SessionId): boolean;
  add(ids: readonly SessionId[]): void;
  /** Called with sessions that were not known as ended before. */
  onEnded(listener: (ids: SessionId[]) => void): void;
  start(): Promise<void>;
  stop(): void;
}

export function createRevocations(deps: Pick<Deps, 'db' | 'log'>): Revocations {
  let ended = new Set<SessionId>();
  // Hints that came while the table was being read: their commit may be younger than what the read saw.
  let hinted = new Set<SessionId>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const listeners: ((ids: SessionId[]) => void)[] = [];

  const tell = (ids: SessionId[]) => {
    if (ids.length > 0) for (const listener of listeners) listener(ids);
  };
  const reload = async () => {
    try {
      hinted = new Set();
      const rows = await sessionsRevokedWithin(deps.db, windowSeconds);
      const fresh = rows.map(({ id }) => id).filter((id) => !ended.has(id));
      ended = new Set([...rows.map(({ id }) => id), ...hinted]);
      tell(fresh);
    } catch (error) {
      deps.log.warn('the window of ended sessions could not be read', { reason: (error as Error).message });
    }
    if (!stopped) timer = setTimeout(() => void reload(), reloadMs).unref();
  };

  return {
    has: (id) => ended.has(id),
    add(ids) {
      const fresh = ids.filter((id) => !ended.has(id));
      for (const id of fresh) {
        ended.add(id);
        hinted.add(id);
      }
      tell(fresh);
    },
    onEnded: (listener) => void listeners.push(listener),
    start: reload,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
