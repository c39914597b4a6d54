import { type EpisodeStory, Reason, type ToldAttempt, type ToldDecision } from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { Channel } from '../../contracts/workflows/names.ts';
import type { Queryable } from '../../db/client.ts';
import type { DecisionRow } from '../../db/queries/decisions.ts';
import {
  type EpisodeRow,
  type ToldAttemptRow,
  attemptsOfEpisodes,
  decisionsOfEpisodes,
} from '../../db/queries/stories.ts';
import type { Deps } from '../deps.ts';
import { attemptSentences, sentences } from './sentences.ts';

/** A step: reads everything that is written down of these episodes of one person and puts it in words. */
export async function tellEpisodes(
  db: Queryable,
  deps: Pick<Deps, 'now' | 'workflowUrl'>,
  userId: UserId,
  episodes: readonly EpisodeRow[],
): Promise<EpisodeStory[]> {
  const numbers = episodes.map(({ episode }) => episode);
  const decisions = await decisionsOfEpisodes(db, userId, numbers, limits.storyEntriesPerEpisode);
  const attempts = await attemptsOfEpisodes(db, userId, numbers, limits.storyEntriesPerEpisode);
  const decided = Map.groupBy(decisions, ({ episode }) => episode);
  const tried = Map.groupBy(attempts, ({ episode }) => episode);
  return episodes.map((row) => tell(deps, row, decided.get(row.episode) ?? [], tried.get(row.episode) ?? []));
}

function tell(
  deps: Pick<Deps, 'now' | 'workflowUrl'>,
  row: EpisodeRow,
  decisions: readonly DecisionRow[],
  attempts: readonly ToldAttemptRow[],
): EpisodeStory {
  const runId = decisions.at(-1)?.runId;
  const id = row.workflowId;
  return {
    episode: row.episode,
    openedAt: row.openedAt.toISOString(),
    startedAt: instant(row.startedAt),
    closedAt: instant(row.closedAt),
    outcome: row.outcome,
    workflow: id === null ? null : { id, runId: runId ?? null, url: deps.workflowUrl(id, runId) },
    decisions: decisions.map(toldDecision),
    attempts: attempts.map(toldAttempt),
    next: nextOf(row, decisions),
  };
}

/** What comes next: the start of what is held, else the earliest step that was put off, else when it looks again. */
function nextOf(row: EpisodeRow, decisions: readonly DecisionRow[]): EpisodeStory['next'] {
  if (row.closedAt !== null || row.startAt === null) return null;
  if (row.startedAt === null) return toNext('start', row.startAt, 'burst_window');
  const latest = [...new Map(decisions.map((decision) => [decision.step, decision])).values()];
  const [soonest] = latest
    .filter(({ outcome, until }) => outcome === 'deferred' && until !== null)
    .sort((a, b) => (a.until?.getTime() ?? 0) - (b.until?.getTime() ?? 0));
  if (soonest?.until) return toNext(soonest.step as Channel, soonest.until, Reason.parse(soonest.reason));
  if (row.wakesAt === null) return null;
  return latest.some(({ reason }) => reason === 'needs_operator')
    ? toNext('operator', row.wakesAt, 'needs_operator')
    : toNext('decision', row.wakesAt, 'under_way');
}

type Next = NonNullable<EpisodeStory['next']>;
const toNext = (step: Next['step'], at: Date, reason: Reason): Next => ({
  step,
  at: at.toISOString(),
  reason,
  sentence: sentences[reason],
});

export function toldDecision(row: DecisionRow): ToldDecision {
  const reason = Reason.parse(row.reason);
  return {
    at: row.at.toISOString(),
    step: row.step as ToldDecision['step'],
    conversationId: row.conversationId,
    outcome: row.outcome,
    reason,
    sentence: sentences[reason],
    until: instant(row.until),
    attemptId: row.attemptId,
    evaluation: row.evaluation as ToldDecision['evaluation'],
  };
}

export function toldAttempt({ episode: _, ...row }: ToldAttemptRow): ToldAttempt {
  return {
    ...row,
    sentence: attemptSentences[row.state],
    claimedAt: row.claimedAt.toISOString(),
    calledAt: instant(row.calledAt),
    finishedAt: instant(row.finishedAt),
    events: row.events.map((event) => ({ ...event, at: new Date(event.at).toISOString() })),
  };
}

const instant = (at: Date | null) => at?.toISOString() ?? null;
