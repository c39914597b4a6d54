import { type NotificationSettings, defaultNotificationSettings } from '../../contracts/entities/index.ts';
import { type UserId, placeOf, places } from '../../contracts/ids.ts';
import type { Tx } from '../../db/client.ts';
import type { AttentionRow } from '../../db/queries/episodes.ts';
import {
  type SummaryCandidate,
  activeSince,
  lookForSummaryAt,
  openSummaries,
  takeSummaryCandidates,
} from '../../db/queries/summaries.ts';
import type { Deps } from '../deps.ts';
import { nextMonday } from './digest-time.ts';

const summaryLimits = {
  /** People in one round. */
  batch: 100,
  /** Summaries of one absence: whoever has not come back after a month is not called by a fifth. */
  most: 4,
  /** Milliseconds without any activity after which somebody is away. */
  awayMs: 7 * 86_400_000,
  /** Milliseconds before the time of day at which digests come, so that on a Monday it takes the daily one's place. */
  aheadMs: 60_000,
  /** Milliseconds after which a summary that could not be made in time waits for the next Monday instead. */
  lateMs: 6 * 3_600_000,
};

type SummaryDeps = Pick<Deps, 'db' | 'now' | 'ladder'>;

/**
 * A round of the relay: who was left something unread a week ago and has not been here since is due a summary, on a
 * Monday at the time of their digests, for at most four weeks. The rows say when to look at whom, so that whoever is not
 * due costs nothing, neither here nor in Temporal. Answers with how many people were looked at.
 */
export async function summariseAway(deps: SummaryDeps): Promise<number> {
  return deps.db.transaction(async (tx) => {
    const now = deps.now();
    const candidates = await takeSummaryCandidates(tx, now, summaryLimits.batch);
    if (candidates.length === 0) return 0;
    const verdicts = candidates.map((candidate) => ({
      userId: candidate.userId,
      ...judge(candidate, {
        now: now.getTime(),
        jitterMs: (placeOf(candidate.userId) / places) * deps.ladder.digestJitterMs,
      }),
    }));
    const due = verdicts.flatMap(({ userId, nth }) => (nth === undefined ? [] : [{ userId, nth }]));
    const opened = new Set(due.length === 0 ? [] : await openSummaries(tx, due, now));
    await lookForSummaryAt(
      tx,
      // Who has nothing unread is not looked at again before something is.
      verdicts.map(({ userId, nth, at }) => ({ userId, at: nth === undefined || opened.has(userId) ? at : null })),
    );
    return candidates.length;
  });
}

/** `nth`: a summary is due, the first of this absence or a later one. `at`: when to look again; null for not by itself. */
export interface SummaryVerdict {
  nth?: number;
  at: Date | null;
}

/** Whether somebody is due a summary now. Pure; times in milliseconds. */
export function judge(
  candidate: SummaryCandidate,
  { now, jitterMs }: { now: number; jitterMs: number },
): SummaryVerdict {
  const settings = { ...defaultNotificationSettings, ...candidate.settings };
  if (!isWanted(candidate, settings)) return { at: null };
  const lastActive = candidate.lastActiveAt.getTime();
  const monday = (after: number) =>
    nextMonday(settings.emailDigestAt, candidate.timeZone, after + summaryLimits.aheadMs) - summaryLimits.aheadMs;
  const slot = monday(Math.max(lastActive + summaryLimits.awayMs, now - summaryLimits.lateMs)) + jitterMs;
  if (now < slot) return { at: new Date(slot) };
  const isBack = candidate.summarisedAt !== null && lastActive > candidate.summarisedAt.getTime();
  const sent = isBack ? 0 : candidate.summaries;
  if (sent >= summaryLimits.most) return { at: null };
  return { nth: sent + 1, at: new Date(monday(now) + jitterMs) };
}

const isWanted = ({ status, hasEmail }: SummaryCandidate, settings: NotificationSettings): boolean =>
  status === 'active' &&
  hasEmail &&
  settings.weeklySummary &&
  settings.channels.email &&
  settings.emailFrequency !== 'off';

/** Whether the person's next mail is the weekly summary: it was due, and they have not been here since. */
export async function isSummaryDue(
  tx: Tx,
  { userId, attention, now }: { userId: UserId; attention: AttentionRow; now: Date },
): Promise<boolean> {
  if (attention.summaryDue === null) return false;
  return !(await activeSince(tx, userId, new Date(now.getTime() - summaryLimits.awayMs)));
}
