import { setTimeout as sleep } from 'node:timers/promises';
import type { JobBulk, JobBulkAnswer } from '../../contracts/entities/index.ts';
import { limits } from '../../contracts/limits.ts';
import { openCursor, sealCursor } from '../cursor.ts';
import { type DomainError, faultyField, toDomainError } from '../errors.ts';
import type { By } from '../audit/index.ts';
import { type JobDeps, askJob } from './jobs.ts';

/** Where a bulk stands: what names it, when it began, and where its page begins. */
interface Place {
  requestId: string;
  begunAt: Date;
  after: string | undefined;
}

/**
 * Asks every job of these conditions, a bounded number a call. It keeps nothing between calls and needs nothing kept: what
 * is mended fits no more, so who repeats a bulk that broke off goes on where it stood. What has begun after the bulk is
 * left to the next one, so that it ends.
 */
export async function mendJobs(deps: JobDeps, by: By, bulk: JobBulk): Promise<JobBulkAnswer> {
  const place = placeOf(deps, bulk);
  const where = { ...bulk.where, startedBefore: place.begunAt };
  const limit = Math.min(bulk.limit, bulk.rate * limits.jobBulkSeconds);
  const [matched, page] = [await deps.jobs.count(where), await deps.jobs.list(where, { limit, after: place.after })];
  const next = (after: string | undefined) => sealPlace(deps, bulk, { ...place, after });
  const rest = page.after === undefined ? null : next(page.after);
  const ids = page.jobs.map(({ id }) => id);
  const answer: JobBulkAnswer = {
    ...{ dryRun: bulk.dryRun, matched, done: 0, passed: 0, failures: [], wouldAsk: [], stopped: null },
    nextCursor: rest,
  };
  if (bulk.dryRun) return { ...answer, wouldAsk: ids };
  const stopped = await askEach(deps, by, bulk, place.requestId, ids, answer);
  // What was asked of this page is not asked again: each answers as before, or says that nothing is stuck.
  return stopped ? { ...answer, stopped, nextCursor: next(place.after) } : answer;
}

/** One after the other, no faster than the rate; ends early when nothing more can come of it. */
async function askEach(
  deps: JobDeps,
  by: By,
  { action, note, minutes, rate }: JobBulk,
  requestId: string,
  ids: readonly string[],
  answer: JobBulkAnswer,
): Promise<JobBulkAnswer['stopped']> {
  const begun = performance.now();
  const request = { action, ...(note ? { note } : {}), ...(minutes ? { minutes } : {}) };
  for (const [n, id] of ids.entries()) {
    await sleep(Math.max(0, begun + (n * 1_000) / rate - performance.now()));
    if (performance.now() - begun > 2 * limits.jobBulkSeconds * 1_000) return outOfTime;
    try {
      await askJob(deps, by, { id, requestId: `${requestId}:${id}`, ...request });
      answer.done += 1;
    } catch (error) {
      const failure = toDomainError(error);
      if (passes(failure)) answer.passed += 1;
      else if (endsAll(failure)) return { code: failure.code, detail: failure.message };
      else answer.failures.push({ id, code: failure.code, detail: failure.message });
    }
  }
  return null;
}

const outOfTime = { code: 'overloaded', detail: 'Temporal answers slowly; go on with nextCursor.' };
/** Somebody else was faster, or it ended by itself: that is no failure of the bulk. */
const passes = ({ code }: DomainError) => ['nothing_to_mend', 'job_ended', 'not_found'].includes(code);
/** The next one would come to no more. */
const endsAll = ({ code }: DomainError) => code === 'unavailable' || code === 'outcome_unknown';

const listOf = ({ action, where }: JobBulk) => `jobs ${action} ${JSON.stringify(where)}`;

function placeOf(deps: JobDeps, bulk: JobBulk): Place {
  if (bulk.cursor === undefined)
    return { requestId: bulk.requestId ?? deps.newId(), begunAt: deps.now(), after: undefined };
  const [requestId, begunAt, after] = openCursor(deps, listOf(bulk), bulk.cursor) as [string, string, string?];
  if (bulk.requestId !== undefined && bulk.requestId !== requestId)
    throw faultyField('requestId', 'other_bulk', 'is not that of the bulk that this cursor goes on with; leave it out');
  return { requestId, begunAt: new Date(begunAt), after };
}

const sealPlace = (deps: JobDeps, bulk: JobBulk, { requestId, begunAt, after }: Place) =>
  sealCursor(deps, listOf(bulk), [requestId, begunAt.toISOString(), ...(after === undefined ? [] : [after])]);
