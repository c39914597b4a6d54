import type { ConversationId, UserId } from '../../contracts/ids.ts';
import {
  type HeldEpisode,
  type LeasedNudge,
  clearNudge,
  closeReadEpisodes,
  holdUntil,
  leaseHeldEpisodes,
  leaseNudges,
  lookAgain,
  markRunning,
  nudgeOverdue,
  reopenLostEpisode,
} from '../../db/queries/episodes.ts';
import type { Tx } from '../../db/client.ts';
import { giveBackAttempt, giveUpAttempts, openAttempts } from '../../db/queries/attempts.ts';
import { insertDecisions } from '../../db/queries/decisions.ts';
import type { Deps } from '../deps.ts';
import { graceFor } from './presence.ts';

const relayLimits = {
  /** Episodes in one round. */
  batch: 100,
  /** Milliseconds in which one round must be through; afterwards another relay may take what is left. */
  leaseMs: 30_000,
  /** Milliseconds before an episode is offered to Temporal again: first, and at most. Short, as whoever waits is owed it. */
  retryMs: 1_000,
  retryMaxMs: 5_000,
  /** Milliseconds past its own waking after which a running episode that says nothing is nudged. */
  overdueMs: 120_000,
};

/** The one door to Temporal that the relay needs; both calls throw when Temporal is away. */
export interface Episodes {
  /** Starts the workflow of an episode, once, whatever happens; answers with its id. */
  start(episode: {
    userId: UserId;
    episode: number;
    urgent: boolean;
    /** Where it began: the oldest that is unread. */
    conversationId: ConversationId | undefined;
  }): Promise<string>;
  /** `gone` when no such workflow runs. */
  nudge(episode: { userId: UserId; episode: number }): Promise<'nudged' | 'gone'>;
}

type RelayDeps = Pick<Deps, 'db' | 'now' | 'newId' | 'presence' | 'ladder' | 'log'> & { episodes: Episodes };

/**
 * Hands episodes whose grace is over to Temporal, one start each for any number of messages. What was read within the
 * grace is closed without Temporal having heard of it; who is connected gets the longer grace. Answers with how many
 * were looked at.
 */
export async function startHeldEpisodes(deps: RelayDeps, most = relayLimits.batch): Promise<number> {
  const held = await leaseHeldEpisodes(deps.db, most, relayLimits.leaseMs);
  await closeRead(
    deps,
    held.filter(({ armedAt }) => armedAt === null),
  );
  await Promise.all(held.filter(({ armedAt }) => armedAt !== null).map((episode) => startOne(deps, episode)));
  return held.length;
}

/** What was armed again between the look and the closing is not read: it is given back at once. */
async function closeRead(deps: RelayDeps, episodes: readonly HeldEpisode[]): Promise<void> {
  if (episodes.length === 0) return;
  const closed = await deps.db.transaction(async (tx) => {
    const rows = await closeReadEpisodes(tx, episodes);
    for (const { userId, episode, calledOffFor } of rows) {
      const reason = { step: 'episode', outcome: 'cancelled' as const, reason: calledOffFor ?? 'read_before_send' };
      const none = { until: null, attemptId: null, conversationId: null, evaluation: [], workflowId: '', runId: '' };
      await insertDecisions(tx, userId, [{ id: deps.newId(), episode, at: deps.now(), ...reason, ...none }]);
    }
    return new Set(rows.map(({ userId }) => userId));
  });
  const others = episodes.filter(({ userId }) => !closed.has(userId));
  await Promise.all(others.map((episode) => holdUntil(deps.db, episode, deps.now())));
}

async function startOne(deps: RelayDeps, held: HeldEpisode): Promise<void> {
  const grace = await graceOf(deps, held);
  if (grace > deps.now().getTime()) return holdUntil(deps.db, held, new Date(grace));
  try {
    const workflowId = await deps.episodes.start({ ...held, conversationId: oldest(held) });
    await markRunning(deps.db, { ...held, workflowId });
  } catch (error) {
    const delay = Math.min(relayLimits.retryMaxMs, relayLimits.retryMs * 2 ** Math.min(held.tries, 10));
    deps.log.warn('an episode could not be handed to Temporal; it waits', {
      tries: held.tries + 1,
      reason: (error as Error).message,
    });
    await holdUntil(deps.db, held, new Date(deps.now().getTime() + delay));
  }
}

const oldest = ({ unseen }: HeldEpisode) =>
  unseen.toSorted((a, b) => a.since.getTime() - b.since.getTime())[0]?.conversationId;

/** Until when the person has time to read, before Temporal hears of it: the earliest of what is unread. */
async function graceOf(deps: RelayDeps, { userId, urgent, unseen, graceSeconds }: HeldEpisode): Promise<number> {
  const { pushPresentMs, pushFocusedMs } = deps.ladder;
  const longest = Math.max(pushPresentMs, pushFocusedMs, (graceSeconds ?? 0) * 1_000);
  // While Temporal is away the same are looked at again and again: their presence was asked for once.
  if (urgent || unseen.every(({ since }) => since.getTime() + longest <= deps.now().getTime())) return 0;
  const presence = await deps.presence(userId);
  // The burst window is what it was held for.
  if (presence === 'unknown' || presence.length === 0) return 0;
  const ends = unseen.map((one) => one.since.getTime() + graceFor(presence, one, { ...deps, graceSeconds }).ms);
  return Math.min(...ends);
}

/**
 * Nudges running episodes that should look again, and those that were not heard of for too long. One whose workflow is
 * gone is opened anew.
 */
export async function nudgeEpisodes(deps: RelayDeps, most = relayLimits.batch): Promise<number> {
  await nudgeOverdue(deps.db, most, relayLimits.overdueMs);
  const due = await leaseNudges(deps.db, most, relayLimits.leaseMs);
  const results = await Promise.allSettled(due.map((episode) => nudgeOne(deps, episode)));
  const [first, ...others] = results.filter((result) => result.status === 'rejected');
  if (first) {
    deps.log.warn('episodes could not be nudged; their leases run out and they come again', {
      episodes: 1 + others.length,
      reason: (first.reason as Error).message,
    });
  }
  return due.length;
}

async function nudgeOne(deps: RelayDeps, { leasedUntil, ...episode }: LeasedNudge): Promise<void> {
  const answer = await deps.episodes.nudge(episode);
  if (answer === 'nudged') return clearNudge(deps.db, episode.userId, leasedUntil);
  deps.log.warn('the workflow of an episode is gone; a new one takes what is unread', episode);
  await deps.db.transaction(async (tx) => {
    await reopenLostEpisode(tx, episode);
    await endAttempts(tx, deps, episode);
  });
}

/** What the lost workflow was trying: of what no provider has heard the next one decides anew, the rest is not known. */
async function endAttempts(
  tx: Tx,
  deps: RelayDeps,
  { userId, episode }: { userId: UserId; episode: number },
): Promise<void> {
  const open = await openAttempts(tx, userId, episode);
  for (const id of open) await giveBackAttempt(tx, userId, id, deps.now());
  await giveUpAttempts(tx, userId, open, deps.now());
}

/** Who is active nowhere any more, but may be connected still: what waited for them waits no longer than for who is idle. */
export async function activityEnded(
  deps: Pick<Deps, 'db' | 'presence'>,
  { userId }: { userId: UserId },
): Promise<void> {
  const presence = await deps.presence(userId);
  if (presence !== 'unknown' && presence.some(({ state }) => state === 'active')) return;
  await lookAgain(deps.db, [userId], 0);
}

/** Somebody's last active socket closed: what waited for their presence falls due as for anybody who is idle or away. */
export const presenceEnded = (deps: Pick<Deps, 'db' | 'ladder'>, userIds: readonly UserId[]): Promise<void> =>
  lookAgain(deps.db, userIds, deps.ladder.pushMs);
