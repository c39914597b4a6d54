import { setTimeout as sleep } from 'node:timers/promises';
import { startNotices, startVerifications } from '../domain/accounts/index.ts';
import {
  type Episodes,
  applyReports,
  clearScreens,
  createArming,
  createArmingOfMany,
  forgetPast,
  nudgeEpisodes,
  retireUnseen,
  settleAttempts,
  startHeldEpisodes,
  summariseAway,
} from '../domain/attention/index.ts';
import { logAuditHead } from '../domain/audit/index.ts';
import { applyChanges } from '../domain/calling-off/index.ts';
import type { Deps } from '../domain/deps.ts';
import { tendKeys } from '../domain/keys/index.ts';
import { createRecount } from '../domain/recount/index.ts';
import type { SendNoticeInput } from '../contracts/workflows/send-notice.ts';
import type { SendVerificationInput } from '../contracts/workflows/send-verification.ts';

/** Milliseconds between looks when there was nothing to do; an idle look is one indexed statement. */
const idleMs = 200;
/** Milliseconds after a failure. */
const afterFailureMs = 1_000;
/** Milliseconds between looks at what became of attempts: it waits for hours. */
const settleMs = 5_000;
/** Milliseconds between looks for devices that were not seen for months, and for what may be forgotten. */
const retireMs = 600_000;
/** Milliseconds between words of where the audit ends, for a log that is kept elsewhere. */
const tellHeadMs = 3_600_000;

export type RelayDeps = Pick<
  Deps,
  | 'db'
  | 'now'
  | 'newId'
  | 'mac'
  | 'presence'
  | 'presences'
  | 'publishLive'
  | 'publicUrl'
  | 'senders'
  | 'meter'
  | 'ladder'
  | 'makeSigningKey'
  | 'log'
> & {
  episodes: Episodes;
  startVerification: (input: SendVerificationInput) => Promise<unknown>;
  startNotice: (input: SendNoticeInput) => Promise<unknown>;
  count?: (kind: string, n: number) => void;
  countFailure?: (kind: string) => void;
};

/**
 * Moves what is owed along: outbox rows to armed attention, held episodes, codes and notices to Temporal, nudges to running
 * episodes; takes down from screens what was read; sees to what providers reported, to who was away for a week, to devices
 * not seen for months, to signing keys, to where the audit ends, and to what nobody is promised any more; counts anew who should have been told. Each kind has a loop
 * of its own, so a Temporal that is away holds up only what needs it. Any number of relays may run; what one has claimed
 * the others pass over.
 */
export function runRelay(deps: RelayDeps): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const kinds: Record<string, () => Promise<number>> = {
    armed: createArming(deps),
    'armed.many': createArmingOfMany(deps),
    changed: () => applyChanges(deps),
    started: () => startHeldEpisodes(deps),
    nudged: () => nudgeEpisodes(deps),
    screens: () => clearScreens(deps),
    reports: () => applyReports(deps),
    summaries: () => summariseAway(deps),
    retired: seldom(retireMs, () => retireUnseen(deps)),
    keys: seldom(retireMs, () => tendKeys(deps)),
    audited: seldom(tellHeadMs, async () => {
      await logAuditHead(deps);
      return 0;
    }),
    forgotten: seldom(retireMs, () => forgetPast(deps)),
    settled: seldom(settleMs, () => settleAttempts(deps)),
    recounted: createRecount(deps),
    verifications: () => startVerifications({ ...deps, start: deps.startVerification }),
    notices: () => startNotices({ ...deps, start: deps.startNotice }),
  };
  const loops = Object.entries(kinds).map(([kind, round]) => keepGoing(kind, round, deps, stopping.signal));
  return {
    async stop() {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}

/** A round that is not worth asking for each time: after one that found nothing comes a rest. */
function seldom(restMs: number, round: () => Promise<number>): () => Promise<number> {
  let restsUntil = 0;
  return async () => {
    if (Date.now() < restsUntil) return 0;
    const done = await round();
    if (done === 0) restsUntil = Date.now() + restMs;
    return done;
  };
}

async function keepGoing(
  kind: string,
  round: () => Promise<number>,
  deps: RelayDeps,
  signal: AbortSignal,
): Promise<void> {
  let failing = false;
  while (!signal.aborted) {
    let pause = 0;
    try {
      const done = await round();
      deps.count?.(kind, done);
      if (failing) deps.log.info('the relay goes on', { kind });
      failing = false;
      // After a full round there may be more at once.
      pause = done === 0 ? idleMs : 0;
    } catch (error) {
      deps.countFailure?.(kind);
      if (!failing) deps.log.warn('a round of the relay failed; it is tried again', { kind, error });
      failing = true;
      pause = afterFailureMs;
    }
    if (pause > 0) await rest(pause, signal);
  }
}

/** Waits, or less when the relay is to stop. The timer takes its listener off the signal again: a relay rests for years. */
const rest = (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }).catch(() => undefined);
