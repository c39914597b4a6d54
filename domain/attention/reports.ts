import type { UserId } from '../../contracts/ids.ts';
import type { Tx } from '../../db/client.ts';
import { appendAttemptEvent, markReported, markSetback, ownerOfAttempt } from '../../db/queries/attempt-reports.ts';
import { lookAgain } from '../../db/queries/episodes.ts';
import { lockAttentions } from '../../db/queries/calling-off.ts';
import {
  type ClaimedReport,
  type NewReport,
  type UnreadableReport,
  claimReport,
  deleteUnreadableReport,
  forgetReports,
  insertReports,
  insertUnreadableReports,
  latestOptOut,
  markReportApplied,
  postponeReport,
  softFailuresOf,
} from '../../db/queries/provider-reports.ts';
import { type SuppressionCause, type Target, liftSuppressions, suppress } from '../../db/queries/suppressions.ts';
import type { Deps, ProviderReport, ReadReports, ReportDoor, ReportPost, ReportedFact } from '../deps.ts';
import { targetOf } from './suppressions.ts';

const day = 86_400_000;
const reportLimits = {
  /** Reports in one round. */
  batch: 100,
  /** Milliseconds before one that could not be seen to is tried again: first, and at most. */
  retryMs: 2_000,
  retryMaxMs: 3_600_000,
  /** Milliseconds for which a report is remembered, so that a repeat is known: providers tell again for a day. */
  rememberMs: 30 * day,
  /** Reports that one round forgets. */
  forgetBatch: 500,
};

/** So many soft failures within this time, and nothing that came through since the first, pause an address for as long. */
const softFailures = { count: 3, withinMs: 7 * day };

type TakeDeps = Pick<Deps, 'db' | 'mac' | 'now' | 'log'>;

/** What became of a post. */
export type Taken = 'refused' | 'taken' | 'unreadable';

/**
 * Takes what a provider posts: who it is from first, then one statement that keeps what is new. What it changes is seen to
 * later by the relay, so that no fault there makes the provider tell it again.
 */
export async function takeReports(deps: TakeDeps, door: ReportDoor, post: ReportPost): Promise<Taken> {
  if (!door.isSigned(post)) return 'refused';
  const { reports, unreadable } = readOrSetAside(deps, door, post);
  await insertReports(
    deps.db,
    reports.map((report) => toRow(deps, door.source, report)),
  );
  await insertUnreadableReports(deps.db, door.source, post.pathAndQuery, unreadable);
  if (unreadable.length > 0)
    deps.log.error('reports of a provider cannot be understood; they are set aside', {
      source: door.source,
      reports: unreadable.length,
      reason: unreadable[0]?.reason,
    });
  return unreadable.length > 0 ? 'unreadable' : 'taken';
}

/** A report as it is kept. A clock that runs ahead must not outdate what is reported after it. */
export function toRow(
  deps: Pick<Deps, 'mac' | 'now'>,
  source: ReportDoor['source'],
  report: ProviderReport,
): NewReport {
  const now = deps.now();
  return {
    ...{ ...report, source },
    target: report.address === null ? null : targetOf(deps, report.channel, report.address).hash,
    at: report.at === null || report.at > now ? now : report.at,
  };
}

type ReplayDeps = Pick<Deps, 'db' | 'mac' | 'now' | 'log'>;

/**
 * Reads what was set aside again, which a newer release may understand, and takes it off the pile. It was signed when it
 * came. Taken twice, it counts once. Answers with how many were understood.
 */
export async function replayReports(
  deps: ReplayDeps,
  doors: readonly ReportDoor[],
  reports: readonly UnreadableReport[],
): Promise<number> {
  let understood = 0;
  for (const { id, source, body, pathAndQuery } of reports) {
    const door = doors.find((one) => one.source === source);
    if (!door) continue;
    const read = readOrSetAside(deps, door, { body, pathAndQuery, header: () => undefined });
    if (read.unreadable.length > 0) continue;
    await insertReports(
      deps.db,
      read.reports.map((report) => toRow(deps, source, report)),
    );
    await deleteUnreadableReport(deps.db, id);
    understood += 1;
  }
  return understood;
}

function readOrSetAside({ log }: Pick<Deps, 'log'>, door: ReportDoor, post: ReportPost): ReadReports {
  try {
    return door.read(post);
  } catch (error) {
    // Ours to mend. Telling it again would change nothing.
    log.error('reading a provider’s report failed', { source: door.source, reason: (error as Error).name });
    return { reports: [], unreadable: [{ reason: 'reading failed', body: post.body }] };
  }
}

type ApplyDeps = Pick<Deps, 'db' | 'now' | 'meter' | 'log'>;

/**
 * Sees to reports, each in a transaction of its own, so that one which cannot be seen to holds up no other. Whatever their
 * order, the same comes of them. Answers with how many were looked at.
 */
export async function applyReports(deps: ApplyDeps): Promise<number> {
  let seen = 0;
  while (seen < reportLimits.batch && (await applyNext(deps))) seen += 1;
  if (seen > 0) await forgetReports(deps.db, reportLimits.rememberMs, reportLimits.forgetBatch);
  return seen;
}

async function applyNext(deps: ApplyDeps): Promise<boolean> {
  let report: ClaimedReport | undefined;
  try {
    await deps.db.transaction(async (tx) => {
      report = await claimReport(tx);
      if (!report) return;
      await apply(tx, deps, report);
      await markReportApplied(tx, report);
    });
    if (report) measure(deps, report);
  } catch (error) {
    if (!report) throw error;
    const { tries, source, fact } = report;
    deps.log.error('a report could not be seen to; it waits', { source, fact, tries: tries + 1, error });
    const delay = Math.min(reportLimits.retryMaxMs, reportLimits.retryMs * 2 ** Math.min(tries, 20));
    await postponeReport(deps.db, report, delay);
  }
  return report !== undefined;
}

/** Twilio does not say when something happened: its reports are as old as their coming. */
function measure({ meter, now }: ApplyDeps, { source, fact, at, receivedAt }: ClaimedReport): void {
  const toldMs = source === 'twilio' ? null : Math.max(0, receivedAt.getTime() - at.getTime());
  meter.reported(source, fact as ReportedFact, {
    toldMs,
    waitedMs: Math.max(0, now().getTime() - receivedAt.getTime()),
  });
}

/**
 * The people first, all of them and in the order of their ids, as everything that claims and decides; then the attempt, then
 * the address. Reports about one address come in by several ways at once, and two that took them in different orders would
 * wait for each other.
 */
async function apply(tx: Tx, deps: ApplyDeps, report: ClaimedReport): Promise<void> {
  const attemptOwner = report.attemptId === null ? undefined : await ownerOfAttempt(tx, report.attemptId);
  const isNews = changesDecisions(report);
  const people = [attemptOwner, isNews ? report.ownerId : null].filter((id): id is UserId => !!id);
  await lockAttentions(tx, people);
  const settled = attemptOwner ? await applyToAttempt(tx, attemptOwner, report) : false;
  await applyToTarget(tx, deps, report);
  if (isNews || settled) await lookAgain(tx, people, 0);
}

const progress = new Set(['accepted', 'sent', 'delivered', 'engaged']);
/** The message did not come: the step counts as one that was never handed over. */
const failures = new Set(['bounced', 'blocked', 'dropped', 'undelivered', 'failed', 'opted_out']);
const wishes = new Set(['complained', 'unsubscribed', 'opted_in']);

const changesDecisions = ({ fact }: ClaimedReport) => failures.has(fact) || wishes.has(fact);

/** Under the person's lock. True where it says what became of what nobody knew. */
async function applyToAttempt(tx: Tx, userId: UserId, report: ClaimedReport): Promise<boolean> {
  const { attemptId, fact, source, key, code, at, says } = report;
  if (attemptId === null) return false;
  const event = { key: `${source}:${key}`, source, kind: fact, code: code ?? undefined, at };
  await appendAttemptEvent(tx, userId, attemptId, event);
  if (failures.has(fact) || wishes.has(fact)) {
    const setback = { fact, failed: failures.has(fact), errorClass: errorClassOf(says), code: code ?? fact, at };
    await markSetback(tx, userId, attemptId, setback);
  }
  return progress.has(fact) && markReported(tx, userId, attemptId, fact, at);
}

function errorClassOf(says: string | null): string {
  if (says === null) return 'provider_refused';
  if (says === 'soft') return 'recipient_soft';
  return says === 'hard_bounce' || says === 'invalid' ? 'recipient_dead' : 'recipient_opted_out';
}

/** What follows for the address or number: read off all that was reported of it, so that the order does not matter. */
async function applyToTarget(tx: Tx, deps: ApplyDeps, { channel, target, fact, says }: ClaimedReport): Promise<void> {
  if (target === null) return;
  const known: Target = { channel, hash: target };
  if (fact === 'opted_out' || fact === 'opted_in') return followOptOut(tx, known);
  if (says === 'soft' || fact === 'delivered') return countSoftFailures(tx, deps, known);
  if (says !== null) await suppress(tx, known, { cause: says as SuppressionCause });
}

/** The latest word holds. START takes back STOP and nothing else. */
async function followOptOut(tx: Tx, target: Target): Promise<void> {
  if (await latestOptOut(tx, target)) await suppress(tx, target, { cause: 'opted_out' });
  else await liftSuppressions(tx, target, ['opted_out']);
}

async function countSoftFailures(tx: Tx, { now }: ApplyDeps, target: Target): Promise<void> {
  const after = new Date(now().getTime() - softFailures.withinMs);
  const { count, latest } = await softFailuresOf(tx, target, after);
  if (latest === null) return liftSuppressions(tx, target, ['soft_bounces']);
  if (count < softFailures.count) return;
  const expiresAt = new Date(latest.getTime() + softFailures.withinMs);
  await suppress(tx, target, { cause: 'soft_bounces', expiresAt });
}
