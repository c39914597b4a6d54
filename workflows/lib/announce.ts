import { ActivityFailure, isCancellation, sleep } from '@temporalio/workflow';
import type {
  EscalateUnreadInput,
  NotifyInput,
  NotifyResult,
  RetryPlan,
  StuckStep,
} from '../../contracts/workflows/escalate-unread.ts';
import type { Channel, Urgency } from '../../contracts/workflows/names.ts';
import { external } from './activities.ts';
import type { StuckSteps } from './stuck-steps.ts';

/** Milliseconds that a wait takes at least: the clock that named the instant may be behind the server's. */
const shortestWaitMs = 1_000;

type Step = Pick<StuckStep, 'channel' | 'attemptId' | 'conversationIds'> &
  Pick<NotifyInput, 'again' | 'alert' | 'instead'> & { urgency?: Urgency };

/** One step. What no retry mends is reported to the desk, and the ladder goes on without it. */
export async function announce(
  { userId, episode }: EscalateUnreadInput,
  desk: StuckSteps,
  { channel, attemptId, conversationIds, again = false, alert, urgency, instead }: Step,
  patience: RetryPlan,
  waits: (until: string) => void,
): Promise<void> {
  const told = { attemptId, conversationIds, again, alert, ...(instead === undefined ? {} : { instead }) };
  const input = { userId, episode, ...told };
  const result = await attemptOnceUp(channel, input, { patience, urgency }, waits);
  desk.tried(attemptId, result);
  if (result.result !== 'stuck') return;
  const { reason, code } = result;
  const overtook = instead === undefined ? {} : { instead };
  desk.report({ channel, attemptId, conversationIds, reason, code, since: new Date().toISOString(), ...overtook });
}

/** As often as its provider was out of order it is waited for, by a timer: nothing is called meanwhile. */
async function attemptOnceUp(
  channel: Channel,
  input: NotifyInput,
  how: Trying,
  waits: (until: string) => void,
): Promise<NotifyResult> {
  for (;;) {
    const result = await attempt(channel, input, how);
    if (result.result !== 'deferred') return result;
    waits(result.until);
    await sleep(Math.max(shortestWaitMs, Date.parse(result.until) - Date.now()), {
      summary: `${channel} is out of order`,
    });
  }
}

interface Trying {
  patience: RetryPlan;
  urgency: Urgency | undefined;
}

async function attempt(channel: Channel, input: NotifyInput, how: Trying): Promise<NotifyResult> {
  const provider = external(channel, { ...how, summary: `${channel}${input.again ? ', again' : ''}` });
  const notify = { push: provider.notifyPush, email: provider.notifyEmail, sms: provider.notifySms }[channel];
  try {
    return await notify(input);
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    return { result: 'stuck', reason: 'provider_failing', code: error.cause?.message ?? 'unknown' };
  }
}
