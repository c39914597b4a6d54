import type {
  Job,
  JobAction,
  JobAnswer,
  JobConditions,
  JobDetails,
  JobRequest,
} from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import { commit } from '../commit.ts';
import { openCursor, sealCursor } from '../cursor.ts';
import type { Deps, KnownJob } from '../deps.ts';
import { DomainError } from '../errors.ts';
import { type By, audit } from '../audit/index.ts';

export type JobDeps = Pick<Deps, 'db' | 'now' | 'newId' | 'mac' | 'publishLive' | 'jobs' | 'workflowUrl'>;

/** The jobs that need a person. What is listed may have been mended since: each job judges for itself what is asked. */
export async function listJobs(
  deps: JobDeps,
  by: By,
  { limit, cursor, ...where }: JobConditions & { limit: number; cursor?: string | undefined },
): Promise<{ items: Job[]; nextCursor: string | null }> {
  const list = `jobs ${JSON.stringify(where)}`;
  const [after] = cursor === undefined ? [] : openCursor(deps, list, cursor);
  await note(deps, by, 'list_jobs');
  const page = await deps.jobs.list(where, { limit, after });
  const nextCursor = page.after === undefined ? null : sealCursor(deps, list, [page.after]);
  return { items: page.jobs.map((job) => present(deps, job)), nextCursor };
}

/** One job as it stands now. */
export async function showJob(deps: JobDeps, by: By, id: string): Promise<JobDetails> {
  const job = await deps.jobs.find(id);
  if (!job) throw new DomainError('not_found');
  await note(deps, by, 'show_job', id);
  return { ...present(deps, job), details: job.details, remedies: remediesOf(job) };
}

const remediesOf = ({ state, needsAttention, reason }: KnownJob): JobAction[] => {
  if (state === 'ended' || reason === 'worker_failing') return [];
  return needsAttention && reason !== 'decision_failing' ? ['retry', 'skip', 'snooze', 'close'] : ['close'];
};

/** Asks one job to do something, in somebody's name. What was asked stands in the audit, whatever came of it. */
export async function askJob(
  deps: JobDeps,
  by: By,
  {
    id,
    action,
    requestId = deps.newId(),
    ...request
  }: JobRequest & { id: string; action: JobAction; minutes?: number },
): Promise<JobAnswer> {
  await note(deps, by, `${action}_job`, id);
  const message = await deps.jobs.ask(id, action, { ...request, by: nameOf(by) }, requestId);
  return { id, requestId, message };
}

/** Histories hold ids only: whoever may read the audit can tell who that is. */
const nameOf = (by: By) => ('operator' in by ? by.operator : by.userId);

type JobAudit = 'list_jobs' | 'show_job' | `${JobAction}_job`;

function note(deps: JobDeps, by: By, action: JobAudit, id?: string): Promise<void> {
  const userId = (id?.match(/^attention[./]([0-9a-f-]{36})/)?.[1] as UserId | undefined) ?? null;
  const entry = { action, userId, jobId: id?.replaceAll('/', '.') ?? null };
  return commit(deps, async (tx) => ({ value: await audit(tx, deps, by, entry) }));
}

/** Its page shows the run of the job, and its workflow by the id that Temporal knows. */
function present(deps: Pick<Deps, 'workflowUrl'>, { runId, ...job }: KnownJob & { details?: string | null }): Job {
  const { id, kind, state, needsAttention, reason, providers, userId, startedAt, endedAt } = job;
  const url = deps.workflowUrl(id.replaceAll('.', '/'), runId);
  return { id, kind, state, needsAttention, reason, providers, userId, startedAt, endedAt, url };
}
