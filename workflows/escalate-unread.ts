import {
  ActivityFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  isCancellation,
  workflowInfo,
} from '@temporalio/workflow';
import type {
  EscalateUnreadInput,
  EscalateUnreadOutcome,
  NotifyInput,
  NotifyResult,
  Plan,
  RetryPlan,
  StuckStep,
} from '../contracts/workflows/escalate-unread.ts';
import { type Channel, nudgeSignal } from '../contracts/workflows/names.ts';
import { external, quick } from './lib/activities.ts';
import { tell } from './lib/details.ts';
import { latch } from './lib/latch.ts';
import { type OperatorDesk, openOperatorDesk } from './lib/operator-desk.ts';

/**
 * A person has something unread. Decide what is due, do it or wait for it, and look again, until everything is read or
 * every step is spent. The database holds all that is known; this holds only where in the story we are.
 */
export async function escalateUnread(input: EscalateUnreadInput): Promise<EscalateUnreadOutcome> {
  const nudge = latch(nudgeSignal);
  const desk = openOperatorDesk(input.carried, nudge.pull);
  let patience = firstPatience;

  for (;;) {
    for (const step of desk.takeRetries()) await announce(input, desk, { ...step, again: true }, patience);
    const plan = await decideNext(input, desk);
    tell(plan, desk);
    switch (plan.kind) {
      case 'finished':
        await condition(allHandlersFinished);
        return plan.outcome;
      case 'notify':
        patience = plan.retry;
        await announce(input, desk, plan, patience);
        tell(plan, desk);
        break;
      case 'wait':
        await nudge.orUntil(earlier(plan.until, desk.snoozedUntil));
        break;
    }
    await leaveLongHistoryBehind(input, desk);
  }
}

/** Until the first plan has said how patiently steps are tried here. */
const firstPatience: RetryPlan = { firstMs: 10_000, maxMs: 300_000, giveUpMs: 1_800_000, heartbeatMs: 20_000 };

function decideNext({ userId, episode }: EscalateUnreadInput, desk: OperatorDesk): Promise<Plan> {
  const { workflowId, runId } = workflowInfo();
  const stuck = desk.stuck.map(({ channel }) => channel);
  return quick.decide({ userId, episode, workflowId, runId, stuck, skipped: [...desk.skipped], closed: desk.closed });
}

type Step = Pick<StuckStep, 'attemptId' | 'conversationIds'> & { channel: Channel; again?: boolean };

/** One step. What no retry mends is reported to the desk, and the ladder goes on without it. */
async function announce(
  input: EscalateUnreadInput,
  desk: OperatorDesk,
  step: Step,
  patience: RetryPlan,
): Promise<void> {
  const { channel, attemptId, conversationIds, again = false } = step;
  const result = await attempt(
    channel,
    { userId: input.userId, episode: input.episode, attemptId, conversationIds, again },
    patience,
  );
  if (result.result !== 'stuck') return;
  const { reason, code } = result;
  desk.report({ channel, attemptId, conversationIds, reason, code, since: new Date().toISOString() });
}

async function attempt(channel: Channel, input: NotifyInput, patience: RetryPlan): Promise<NotifyResult> {
  const provider = external(channel, patience, `${channel}${input.again ? ', again' : ''}`);
  const notify = { push: provider.notifyPush, email: provider.notifyEmail, sms: provider.notifySms }[channel];
  try {
    return await notify(input);
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    return { result: 'stuck', reason: 'provider_failing', code: error.cause?.message ?? 'unknown' };
  }
}

const earlier = (one: string, other: string | undefined) => (other !== undefined && other < one ? other : one);

/** Before the history grows too long to replay quickly, the story goes on in a new run, from where it stands. */
async function leaveLongHistoryBehind({ userId, episode }: EscalateUnreadInput, desk: OperatorDesk): Promise<void> {
  if (!workflowInfo().continueAsNewSuggested) return;
  await condition(allHandlersFinished);
  const carried = { stuck: [...desk.stuck], skipped: [...desk.skipped] };
  await continueAsNew<typeof escalateUnread>({ userId, episode, carried });
}
