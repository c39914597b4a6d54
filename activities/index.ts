import { type Info, activityInfo, heartbeat } from '@temporalio/activity';
import type { DecideInput, NotifyInput } from '../contracts/workflows/escalate-unread.ts';
import type { Channel } from '../contracts/workflows/names.ts';
import type { SendNoticeInput } from '../contracts/workflows/send-notice.ts';
import type { SendVerificationInput } from '../contracts/workflows/send-verification.ts';
import { sendCode, sendNotice } from '../domain/accounts/index.ts';
import { decideEpisode, notify } from '../domain/attention/index.ts';
import type { Deps, Log } from '../domain/deps.ts';
import { DomainError, ProviderFailing, toDomainError } from '../domain/errors.ts';
import { toFailure } from './errors.ts';

type ActivityDeps = Pick<
  Deps,
  | 'db'
  | 'now'
  | 'newId'
  | 'mac'
  | 'presence'
  | 'senders'
  | 'circuits'
  | 'meter'
  | 'ladder'
  | 'caps'
  | 'publicUrl'
  | 'log'
> & { countAttempt?: (channel: string, result: string) => void };

export type Activities = ReturnType<typeof createActivities>;

/** The side effects that workflows call, by name: thin calls into the domain. */
export function createActivities(deps: ActivityDeps) {
  const notifyBy = (channel: Channel) => async (input: NotifyInput) => {
    const result = await withHeartbeats(() => notify(deps, channel, { ...input, request: requestOf(activityInfo()) }));
    deps.countAttempt?.(channel, result.result);
    return result;
  };
  return wrapAll(deps.log, {
    decide: (input: DecideInput) => decideEpisode(deps, input),
    notifyPush: notifyBy('push'),
    notifyEmail: notifyBy('email'),
    notifySms: notifyBy('sms'),
    sendCode: (input: SendVerificationInput) => withHeartbeats(() => sendCode(deps, input)),
    sendNotice: (input: SendNoticeInput) => withHeartbeats(() => sendNotice(deps, input)),
  });
}

/** One for all tries of the same: what a worker did before it died is known by it. */
const requestOf = ({ workflowExecution, activityId }: Info) => `${workflowExecution?.runId}/${activityId}`;

type Functions = Record<string, (input: never) => Promise<unknown>>;

/** Every activity fails in our own words only, and the log says why. */
function wrapAll<All extends Functions>(log: Log, all: All): All {
  const wrapped = Object.entries(all).map(([name, run]) => [
    name,
    async (input: never) => {
      try {
        return await run(input);
      } catch (error) {
        tellFailure(log, name, error);
        throw toFailure(error);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as All;
}

/** Histories hold a code and nothing else: what went wrong is found here, by the workflow's id. */
function tellFailure(log: Log, activity: string, error: unknown): void {
  const { attempt, workflowExecution } = activityInfo();
  const where = { activity, attempt, workflowId: workflowExecution?.workflowId };
  if (error instanceof ProviderFailing) {
    log.info('a provider failed; the step is tried again', { ...where, code: error.code });
    return;
  }
  const { code } = toDomainError(error);
  log[code === 'internal' ? 'error' : 'warn']('an activity failed', { ...where, code, error });
}

/** Tells Temporal that the worker lives, four times as often as it must be heard. */
async function withHeartbeats<T>(work: () => Promise<T>): Promise<T> {
  const { heartbeatTimeoutMs } = activityInfo();
  if (!heartbeatTimeoutMs) throw new DomainError('internal', { detail: 'this activity needs a heartbeat timeout' });
  const timer = setInterval(() => heartbeat(), heartbeatTimeoutMs / 4);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
