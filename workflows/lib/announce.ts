import { ActivityFailure, isCancellation } from '@temporalio/workflow';
import type {
  EscalateUnreadInput,
  NotifyInput,
  NotifyResult,
  RetryPlan,
  StuckStep,
} from '../../contracts/workflows/escalate-unread.ts';
import type { Channel } from '../../contracts/workflows/names.ts';
import { external } from './activities.ts';
import type { OperatorDesk } from './operator-desk.ts';

type Step = Pick<StuckStep, 'channel' | 'attemptId' | 'conversationIds'> & Pick<NotifyInput, 'again' | 'alert'>;

/** One step. What no retry mends is reported to the desk, and the ladder goes on without it. */
export async function announce(
  { userId, episode }: EscalateUnreadInput,
  desk: OperatorDesk,
  { channel, attemptId, conversationIds, again = false, alert }: Step,
  patience: RetryPlan,
): Promise<void> {
  const result = await attempt(channel, { userId, episode, attemptId, conversationIds, again, alert }, patience);
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
