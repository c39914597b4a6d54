import {
  type Client,
  ServiceError,
  type WorkflowExecutionInfo,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { WorkflowUpdateRPCTimeoutOrCancelledError, isGrpcServiceError } from '@temporalio/client';
import { ApplicationFailure, defineSearchAttributeKey } from '@temporalio/common';
import { decodeTypedSearchAttributes } from '@temporalio/common/lib/converter/payload-search-attributes.js';
import { optionalTsToDate, requiredTsToDate } from '@temporalio/common/lib/time.js';
import { JobReason } from '../contracts/entities/index.ts';
import { CodedError, retrySoonMs } from '../contracts/errors.ts';
import type { UserId } from '../contracts/ids.ts';
import {
  type OperatorAnswer,
  type Provider,
  operatorRefusals,
  operatorUpdates,
  searchAttributes,
} from '../contracts/workflows/index.ts';
import type { Jobs, KnownJob } from '../domain/deps.ts';
import { queueName } from './names.ts';

type Execution = WorkflowExecutionInfo['raw'];

/** Milliseconds for one call. An Update is answered by a worker: where none is there, this long is waited for it. */
const deadlineMs = 5_000;
/** gRPC's code for an Update of a workflow whose worker fails. */
const failedPrecondition = 9;

/** The jobs of this deployment, by its task queue: several may share a namespace. */
export function createJobs(client: Client, prefix: string): Jobs {
  const ask = <T>(call: () => Promise<T>) => reaching(() => client.withDeadline(Date.now() + deadlineMs, call));
  const queue = queueName(prefix, 'attention');
  const queryOf = (where: Parameters<Jobs['count']>[0]) => toQuery(queue, where);
  const { namespace } = client.options;

  async function found(id: string): Promise<KnownJob | undefined> {
    const handle = client.workflow.getHandle(toWorkflowId(id));
    const description = await ask(() => handle.describe()).catch(undefinedIfUnknown);
    // Another deployment's is none of ours.
    return description?.taskQueue === queue ? toJob(description.raw.workflowExecutionInfo ?? {}) : undefined;
  }

  /** A request that came before is answered as it was then; any other comes too late. */
  async function answerOfEnded({ id, endedAt }: KnownJob, requestId: string): Promise<string> {
    const update = client.workflow.getHandle(toWorkflowId(id)).getUpdateHandle<OperatorAnswer>(requestId);
    const earlier = await ask(() => update.result()).catch(undefinedIfUnknown);
    if (earlier) return earlier.message;
    const when = endedAt ? ` at ${endedAt}` : '';
    throw new CodedError('job_ended', { detail: `This job ended${when}; there is nothing to be done with it.` });
  }

  return {
    async list(where, { limit, after }) {
      const nextPageToken = after === undefined ? new Uint8Array() : Buffer.from(after, 'base64');
      const request = { namespace, query: queryOf(where), pageSize: limit, nextPageToken };
      const answer = await ask(() => client.workflowService.listWorkflowExecutions(request));
      const token = answer.nextPageToken.length > 0 ? Buffer.from(answer.nextPageToken).toString('base64') : undefined;
      return { jobs: answer.executions.map(toJob), after: token };
    },
    async count(where) {
      return (await ask(() => client.workflow.count(queryOf(where)))).count;
    },
    async find(id) {
      const job = await found(id);
      if (!job || job.state === 'ended') return job && { ...job, details: null };
      const handle = client.workflow.getHandle(toWorkflowId(id));
      const metadata = ask(() => handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata'));
      return { ...job, details: (await metadata.catch(() => undefined))?.currentDetails ?? null };
    },
    async ask(id, action, request, requestId) {
      // A look first: it tells a Temporal that is away from a worker that is, and who comes too late when the job ended.
      const job = await found(id);
      if (!job) throw new CodedError('not_found', { detail: noSuchJob });
      if (job.state === 'ended') return answerOfEnded(job, requestId);
      const handle = client.workflow.getHandle(toWorkflowId(id));
      const update = { updateId: requestId, args: [request] as [typeof request] };
      try {
        return (await ask(() => handle.executeUpdate<OperatorAnswer, [object]>(operatorUpdates[action], update)))
          .message;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return answerOfEnded(job, requestId);
        throw error instanceof WorkflowUpdateFailedError ? refusalOf(error) : error;
      }
    },
  };
}

const noSuchJob = 'There is no such job; those that have ended are known for the retention of the Temporal namespace.';

const toWorkflowId = (id: string) => id.replaceAll('.', '/');
const toJobId = (workflowId: string) => workflowId.replaceAll('/', '.');

/**
 * Visibility's own words. What stands in it is from closed lists, numbers and our own settings. A worker that cannot carry
 * a workflow on says so itself, after five tries.
 */
function toQuery(queue: string, { reason, provider, startedBefore, olderThan }: Parameters<Jobs['count']>[0]): string {
  const before = Math.min(startedBefore?.getTime() ?? Infinity, Date.now() - (olderThan ?? 0) * 60_000);
  const needs = 'NeedsAttention = true';
  const failing = 'TemporalReportedProblems is not null';
  const which =
    reason === undefined
      ? `(${needs} or ${failing})`
      : reason === 'worker_failing'
        ? failing
        : `${needs} and AttentionReason = '${reason}'`;
  return [
    `TaskQueue = '${queue}' and ExecutionStatus = 'Running' and ${which}`,
    ...(provider ? [`AttentionProvider = '${provider}'`] : []),
    ...(startedBefore || olderThan ? [`StartTime <= '${new Date(before).toISOString()}'`] : []),
  ].join(' and ');
}

const attribute = {
  JobKind: defineSearchAttributeKey('JobKind', searchAttributes.JobKind),
  UserRef: defineSearchAttributeKey('UserRef', searchAttributes.UserRef),
  NeedsAttention: defineSearchAttributeKey('NeedsAttention', searchAttributes.NeedsAttention),
  AttentionReason: defineSearchAttributeKey('AttentionReason', searchAttributes.AttentionReason),
  AttentionProvider: defineSearchAttributeKey('AttentionProvider', searchAttributes.AttentionProvider),
  problems: defineSearchAttributeKey('TemporalReportedProblems', 'KEYWORD_LIST'),
};

function toJob({ execution, type, startTime, closeTime, searchAttributes: stored }: Execution): KnownJob {
  const known = decodeTypedSearchAttributes(stored?.indexedFields);
  const failing = (known.get(attribute.problems) ?? []).length > 0;
  const endedAt = optionalTsToDate(closeTime);
  const needsAttention = endedAt === undefined && (failing || known.get(attribute.NeedsAttention) === true);
  // That no worker carries it on comes first: until that is mended nothing else can be.
  const reason = failing ? 'worker_failing' : known.get(attribute.AttentionReason);
  return {
    id: toJobId(execution?.workflowId ?? ''),
    runId: execution?.runId ?? '',
    kind: known.get(attribute.JobKind) ?? type?.name ?? '',
    state: endedAt === undefined ? 'running' : 'ended',
    needsAttention,
    reason: needsAttention ? (JobReason.safeParse(reason).data ?? null) : null,
    providers: needsAttention ? ((known.get(attribute.AttentionProvider) ?? []) as Provider[]) : [],
    userId: (known.get(attribute.UserRef) as UserId | undefined) ?? null,
    startedAt: requiredTsToDate(startTime, 'startTime').toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
  };
}

/** The workflow's own refusal, or the server's for a workflow that ended under the request or takes none. */
function refusalOf({ cause }: WorkflowUpdateFailedError): CodedError {
  const type = cause instanceof ApplicationFailure ? cause.type : undefined;
  if (type === operatorRefusals.badRequest) return new CodedError('invalid_input', { detail: cause?.message ?? '' });
  if (type === operatorRefusals.nothingStuck)
    return new CodedError('nothing_to_mend', { detail: cause?.message ?? '' });
  if (type === 'AcceptedUpdateCompletedWorkflow') return new CodedError('job_ended');
  return new CodedError('nothing_to_mend', {
    detail: 'This job takes no such request: it has no step that a person mends.',
  });
}

function undefinedIfUnknown(error: unknown): undefined {
  if (!(error instanceof WorkflowNotFoundError)) throw error;
  return undefined;
}

/** Temporal that is away, or no worker that answers, in our own words. */
async function reaching<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
      throw new CodedError('outcome_unknown', {
        detail:
          'No worker answered in time, and the request may yet be carried out. Repeat it with the same requestId.',
        retryAfterMs: deadlineMs,
        cause: error,
      });
    }
    const grpc = error instanceof ServiceError ? error.cause : error;
    if (isGrpcServiceError(grpc)) {
      throw new CodedError('unavailable', { detail: awayBecause(grpc.code), retryAfterMs: retrySoonMs, cause: error });
    }
    throw error;
  }
}

function awayBecause(code: number): string {
  if (code === failedPrecondition)
    return 'The worker cannot carry this job on, and nothing was changed. Deploy one that can; its log says what fails.';
  return 'Temporal cannot be reached; nothing was changed. Chat goes on meanwhile. Try again when it is back.';
}
