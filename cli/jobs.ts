import {
  type JobAction,
  JobBulk,
  type JobBulkAnswer,
  JobConditions,
  JobId,
  JobRequest,
  JobSnooze,
} from '../contracts/entities/index.ts';
import { CodedError } from '../contracts/errors.ts';
import { askJob, listJobs, mendJobs, showJob } from '../domain/jobs/index.ts';
import { limits } from '../contracts/limits.ts';
import { type Command, UsageError, parse } from './command.ts';
import { bulkInWords, jobInWords, jobsInWords } from './words.ts';

export const jobsUsage = `homing jobs list [--where CONDITIONS] [--cursor CURSOR] [--json]
    the jobs that need a person, such as --where reason=provider_failing,provider=twilio,older=30
homing jobs show JOB [--json]
    what happened to one, and what may be done
homing jobs retry|skip|close JOB [--channel CHANNEL] [--note NOTE] [--request UUID] [--json]
homing jobs snooze JOB --minutes MINUTES …
    tries what is stuck again, strikes it off, ends the job; or tries it again by itself later
homing jobs retry|skip|close|snooze --where CONDITIONS|all [--dry-run] [--rate PER-SECOND] [--note NOTE] [--json]
    the same for all of these conditions; --dry-run only says which`;

/** `reason=…,provider=…,older=30` (minutes), or `all`. */
export function readConditions(text: string | undefined): JobConditions {
  if (text === undefined || text === 'all') return {};
  const pairs = text.split(',').map((pair) => pair.split('='));
  const given = Object.fromEntries(
    pairs.map(([name = '', value = '']) => (name === 'older' ? ['olderThan', Number(value)] : [name, value])),
  );
  return parse(JobConditions, given, '--where');
}

const list: Command = async ({ deps, by }, _given, { where, cursor, json }) => {
  const page = { ...readConditions(where), limit: limits.jobsPerPage, cursor };
  const jobs = await listJobs(deps, by, page);
  return json ? JSON.stringify(jobs) : jobsInWords(jobs);
};

const show: Command = async ({ deps, by }, [id], { json }) => {
  const job = await showJob(deps, by, parse(JobId, id, 'JOB'));
  return json ? JSON.stringify(job) : jobInWords(job);
};

const mend =
  (action: JobAction): Command =>
  async ({ deps, by, tell }, [id], { where, channel, note, minutes, request, rate, dryRun, json }) => {
    if ((id === undefined) === (where === undefined)) throw new UsageError('Name one job, or say which with --where.');
    const asked = { ...(note ? { note } : {}), ...(request ? { requestId: request } : {}) };
    const forMinutes = minutes === undefined ? {} : { minutes: Number(minutes) };
    if (id !== undefined) {
      const one = { ...asked, ...forMinutes, ...(channel ? { channel } : {}) };
      const checked = action === 'snooze' ? parse(JobSnooze, one, '') : parse(JobRequest, one, '');
      const answer = await askJob(deps, by, { ...checked, id: parse(JobId, id, 'JOB'), action });
      return json ? JSON.stringify(answer) : `${answer.message}.`;
    }
    const pace = rate === undefined ? {} : { rate: Number(rate) };
    const given = { ...asked, ...forMinutes, ...pace, action, dryRun, where: readConditions(where) };
    const bulk = parse(JobBulk, given, '');
    return finish(await mendAll((cursor) => mendJobs(deps, by, cursor ? { ...bulk, cursor } : bulk), tell), json);
  };

/** Call after call until nothing is left or nothing more can be done. Who breaks it off loses nothing: what was mended fits no more. */
async function mendAll(
  call: (cursor: string | undefined) => Promise<JobBulkAnswer>,
  tell: (text: string) => void,
): Promise<JobBulkAnswer> {
  let total = await call(undefined);
  while (total.nextCursor !== null && total.stopped === null) {
    tell(`${total.done} done, ${total.failures.length} failed …`);
    const { matched: _, ...next } = await call(total.nextCursor);
    total = {
      ...{ ...total, ...next, done: total.done + next.done, passed: total.passed + next.passed },
      ...{ failures: [...total.failures, ...next.failures], wouldAsk: [...total.wouldAsk, ...next.wouldAsk] },
    };
  }
  return total;
}

/** What could not be done ends the command with a refusal, after it has been told. */
function finish(answer: JobBulkAnswer, json: boolean): string {
  const told = json ? JSON.stringify(answer) : bulkInWords(answer);
  if (answer.failures.length === 0 && answer.stopped === null) return told;
  throw new CodedError('unavailable', { detail: told });
}

export const jobCommands: Record<string, { takes: readonly number[]; run: Command }> = {
  'jobs list': { takes: [0], run: list },
  'jobs show': { takes: [1], run: show },
  'jobs retry': { takes: [0, 1], run: mend('retry') },
  'jobs skip': { takes: [0, 1], run: mend('skip') },
  'jobs snooze': { takes: [0, 1], run: mend('snooze') },
  'jobs close': { takes: [0, 1], run: mend('close') },
};
