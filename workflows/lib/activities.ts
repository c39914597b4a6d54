import { ActivityCancellationType, proxyActivities, proxyLocalActivities, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { RetryPlan } from '../../contracts/workflows/escalate-unread.ts';
import { type Channel, type Urgency, priorities, taskQueues } from '../../contracts/workflows/names.ts';

/**
 * Looking and deciding: a short transaction in our own database, inside the workflow task. As an ordinary activity it
 * would cost the server twice as much.
 */
export const quick = proxyLocalActivities<Pick<Activities, 'decide'>>({
  startToCloseTimeout: '10 seconds',
  // About half a minute; then the workflow itself waits, visibly.
  retry: { initialInterval: '500 milliseconds', maximumInterval: '10 seconds', maximumAttempts: 8 },
});

interface Call {
  patience: RetryPlan;
  urgency: Urgency | undefined;
  summary: string;
}

/** Calls to a provider, on that provider's own queue, as patiently as the plan says. */
export function external(channel: Channel, { patience: retry, urgency, summary }: Call) {
  return proxyActivities<Activities>({
    taskQueue: queueBeside(channel),
    // FCM's SDK may rightly take 82 s against a hanging server.
    startToCloseTimeout: '330 seconds',
    heartbeatTimeout: retry.heartbeatMs,
    // Counted in tries, not by a clock that would run on while the step stands in its provider's queue.
    retry: {
      initialInterval: retry.firstMs,
      backoffCoefficient: 2,
      maximumInterval: retry.maxMs,
      maximumAttempts: triesWithin(retry),
    },
    // Whoever ends a step wants to know that it can send nothing any more.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    summary,
    // Else as its workflow was started.
    ...(urgency ? { priority: { priorityKey: priorities[urgency] } } : {}),
  });
}

/** How often a provider that fails at once is called before it is given up. */
function triesWithin({ firstMs, maxMs, giveUpMs }: RetryPlan): number {
  let tries = 1;
  for (let [at, waitMs] = [firstMs, firstMs]; at < giveUpMs; tries += 1) {
    waitMs = Math.min(2 * waitMs, maxMs);
    at += waitMs;
  }
  return tries;
}

/** The deployment's prefix of our own queue, with the channel's name in place of ours. */
function queueBeside(channel: Channel): string {
  const { taskQueue } = workflowInfo();
  return `${taskQueue.slice(0, taskQueue.length - taskQueues.attention.length)}${taskQueues[channel]}`;
}
