import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import {
  type EscalateUnreadInput,
  SendNoticeInput,
  SendVerificationInput,
  type TaskQueue,
  type Urgency,
  nudgeSignal,
  priorities,
  searchAttributes,
  workflowInputs,
  workflowNames,
} from '../contracts/workflows/index.ts';
import type { Episodes } from '../domain/attention/index.ts';
import { queueName, workflowIds } from './names.ts';

/** Milliseconds for one call: without a deadline the client tries for ever against a server that is away. */
const deadlineMs = 3_000;
/** Garbage collection, not logic: no story of ours takes so long. */
const executionTimeout = '30 days';

type Name = keyof typeof workflowNames;
interface Start {
  queue: TaskQueue;
  /** What the Temporal UI shows above the story. */
  summary: string;
  attributes: SearchAttributePair[];
  urgency: Urgency;
  /** Whose backlog is worked off in turn with the others', where the server is told to. */
  fairness?: string;
}

/**
 * The one door through which workflows are started: the input is parsed by its contract before it enters a history, the
 * id is the business id, and a start that happened before counts as done. Answers with the id.
 */
async function startWorkflow<N extends Name>(
  client: Client,
  prefix: string,
  name: N,
  input: unknown,
  start: Start,
): Promise<string> {
  const args = [workflowInputs[name].parse(input)];
  const workflowId = workflowIds[name](args[0] as never);
  try {
    await client.withDeadline(Date.now() + deadlineMs, () =>
      client.workflow.start(workflowNames[name], {
        workflowId,
        taskQueue: queueName(prefix, start.queue),
        args,
        workflowIdConflictPolicy: 'USE_EXISTING',
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        workflowExecutionTimeout: executionTimeout,
        typedSearchAttributes: [{ key: attribute.JobKind, value: name }, ...start.attributes],
        staticSummary: start.summary,
        priority: {
          priorityKey: priorities[start.urgency],
          ...(start.fairness === undefined ? {} : { fairnessKey: start.fairness }),
        },
      }),
    );
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  return workflowId;
}

const attribute = {
  JobKind: defineSearchAttributeKey('JobKind', searchAttributes.JobKind),
  UserRef: defineSearchAttributeKey('UserRef', searchAttributes.UserRef),
  NeedsAttention: defineSearchAttributeKey('NeedsAttention', searchAttributes.NeedsAttention),
};

/** What the relay needs of Temporal for episodes. */
export function createEpisodes(client: Client, prefix: string): Episodes {
  return {
    start: ({ userId, episode, urgent, conversationId }) =>
      startWorkflow(client, prefix, 'escalateUnread', { userId, episode } satisfies EscalateUnreadInput, {
        queue: 'attention',
        summary: 'Unread: push, then e-mail, then SMS',
        attributes: [
          { key: attribute.UserRef, value: userId },
          { key: attribute.NeedsAttention, value: false },
        ],
        urgency: urgent ? 'urgent' : 'ordinary',
        // An announcement to a hundred thousand is not to keep back the direct message of anybody else.
        ...(conversationId ? { fairness: conversationId } : {}),
      }),
    async nudge(ref) {
      try {
        const handle = client.workflow.getHandle(workflowIds.escalateUnread(ref));
        await client.withDeadline(Date.now() + deadlineMs, () => handle.signal(nudgeSignal));
        return 'nudged';
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return 'gone';
        throw error;
      }
    },
  };
}

/** What the relay needs of Temporal for verification codes. */
export const startVerification = (client: Client, prefix: string) => (input: SendVerificationInput) =>
  startWorkflow(client, prefix, 'sendVerification', SendVerificationInput.parse(input), {
    queue: 'attention',
    urgency: 'urgent',
    summary: `Verification code by ${input.channel}`,
    attributes: [{ key: attribute.UserRef, value: input.userId }],
  });

/** The same for what people are told about their account. Whose it is, the input does not say: nobody may have it. */
export const startNotice = (client: Client, prefix: string) => (input: SendNoticeInput) =>
  startWorkflow(client, prefix, 'sendNotice', SendNoticeInput.parse(input), {
    queue: 'attention',
    urgency: 'urgent',
    summary: `Notice about an account by ${input.channel}`,
    attributes: [],
  });
