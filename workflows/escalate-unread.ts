import { allHandlersFinished, condition, continueAsNew, workflowInfo } from '@temporalio/workflow';
import type { EscalateUnreadInput, EscalateUnreadOutcome, RetryPlan } from '../contracts/workflows/escalate-unread.ts';
import { nudgeSignal } from '../contracts/workflows/names.ts';
import { announce } from './lib/announce.ts';
import { decideNext } from './lib/decide-next.ts';
import { tell } from './lib/details.ts';
import { latch } from './lib/latch.ts';
import { openOperatorDesk } from './lib/operator-desk.ts';
import type { StuckSteps } from './lib/stuck-steps.ts';
import { type StepsUnderWay, stepsUnderWay } from './lib/under-way.ts';

/**
 * A person has something unread. Decide what is due, begin it, wait until it is done or something else is due, and look
 * again, until everything is read or every step is spent. The database holds all that is known; this holds only where in
 * the story we are.
 */
export async function escalateUnread(input: EscalateUnreadInput): Promise<EscalateUnreadOutcome> {
  const nudge = latch(nudgeSignal);
  const steps = stepsUnderWay(nudge.pull);
  const desk = openOperatorDesk(input.carried, { wake: nudge.pull, stopSteps: () => steps.stop() });
  let patience = firstPatience;

  for (;;) {
    for (const step of desk.takeRetries(steps.channels)) {
      steps.begin(step, (waits) => announce(input, desk, { ...step, again: true }, patience, waits));
    }
    const plan = await decideNext(input, desk, steps);
    if (plan.kind === 'notify') {
      patience = plan.retry;
      // Only what is urgent is due while a step of its channel is under way: it takes that one's place.
      const instead = steps.attemptOf(plan.channel);
      const step = instead === undefined ? plan : { ...plan, instead };
      if (instead !== undefined) desk.overtaken(instead);
      steps.begin(plan, (waits) => announce(input, desk, step, patience, waits));
    }
    tell(plan, desk, steps);
    if (plan.kind === 'finished') {
      await steps.stop();
      desk.ended(plan.outcome);
      tell(plan, desk, steps);
      await condition(allHandlersFinished);
      return plan.outcome;
    }
    await nudge.orUntil(earlier(plan.until, desk.snoozedUntil));
    await leaveLongHistoryBehind(input, desk, steps);
  }
}

/** Until the first plan has said how patiently steps are tried here. */
const firstPatience: RetryPlan = { firstMs: 10_000, maxMs: 300_000, giveUpMs: 1_800_000, heartbeatMs: 20_000 };

const earlier = (one: string, other: string | undefined) => (other !== undefined && other < one ? other : one);

/**
 * Before the history grows too long to replay quickly, the story goes on in a new run, from where it stands. A step under
 * way is seen through first: it belongs to this run.
 */
async function leaveLongHistoryBehind(
  { userId, episode }: EscalateUnreadInput,
  desk: StuckSteps,
  steps: StepsUnderWay,
): Promise<void> {
  if (!workflowInfo().continueAsNewSuggested || steps.channels.length > 0) return;
  await condition(allHandlersFinished);
  await continueAsNew<typeof escalateUnread>({ userId, episode, carried: desk.carry() });
}
