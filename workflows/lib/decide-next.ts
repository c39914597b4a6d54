import { ApplicationFailure, TemporalFailure, isCancellation, workflowInfo } from '@temporalio/workflow';
import type { EscalateUnreadInput, Plan } from '../../contracts/workflows/escalate-unread.ts';
import { quick } from './activities.ts';
import type { StuckSteps } from './stuck-steps.ts';
import type { StepsUnderWay } from './under-way.ts';

/** Milliseconds until a decision is tried again that could not be made. */
const undecidedMs = 120_000;
/** Failures that pass by themselves: the database was away. They are nobody's work. */
const passing = ['unavailable', 'outcome_unknown'];

/** What to do next. Where that cannot be said for another reason than an outage, a person is told, and it is tried again. */
export async function decideNext(
  { userId, episode }: EscalateUnreadInput,
  desk: StuckSteps,
  steps: StepsUnderWay,
): Promise<Plan> {
  const { workflowId, runId } = workflowInfo();
  const stuck = desk.stuck.map(({ channel, attemptId }) => ({ channel, attemptId }));
  const { struckOff, closed } = desk;
  const known = { stuck, struckOff: [...struckOff], underWay: steps.channels, urgentUnderWay: steps.urgent, closed };
  try {
    const plan = await quick.decide({ userId, episode, workflowId, runId, ...known });
    desk.undecided(undefined);
    desk.settle(plan.settled ?? []);
    return plan;
  } catch (error) {
    if (isCancellation(error) || !(error instanceof TemporalFailure)) throw error;
    const code = codeOf(error);
    desk.undecided(passing.includes(code) ? undefined : code);
    return { kind: 'wait', until: new Date(Date.now() + undecidedMs).toISOString(), next: 'decision', why: code };
  }
}

/** A local activity fails with its own failure; one that ran out of time has another around it. */
function codeOf(failure: TemporalFailure): string {
  const own = [failure, failure.cause].find((one) => one instanceof ApplicationFailure);
  return own?.type ?? 'timeout';
}
