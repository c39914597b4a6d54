import { setCurrentDetails } from '@temporalio/workflow';
import type { Plan } from '../../contracts/workflows/escalate-unread.ts';
import type { StuckSteps } from './stuck-steps.ts';
import type { StepsUnderWay } from './under-way.ts';

const channelNames = { push: 'push', email: 'e-mail', sms: 'SMS', operator: 'a person' } as const;

/** What the top of the workflow's page says, in words: what comes next, when and why, and what a person may do. */
export function tell(plan: Plan, desk: StuckSteps, steps: StepsUnderWay): void {
  const busy = plan.kind === 'finished' ? [] : steps.channels;
  const lines = [
    ...busy.map((channel) => busyWith(channel, steps.waitsUntil(channel))),
    ...(plan.kind === 'notify' ? [] : [storyOf(plan)]),
    ...desk.stuck.map(
      (step) => `**${channelNames[step.channel]} needs attention** since ${step.since}: ${step.reason} (${step.code}).`,
    ),
  ];
  if (desk.stuck.length > 0) {
    lines.push(
      'Updates that mend it: `retry`, `skip`, `snooze` (with minutes), `close`. Each takes `{"by": "your name"}`.',
    );
  }
  if (desk.lastAction) lines.push(`Last action: ${desk.lastAction}.`);
  setCurrentDetails(lines.join('\n\n'));
}

function busyWith(channel: StepsUnderWay['channels'][number], until: string | undefined): string {
  if (until === undefined) return `Asking by **${channelNames[channel]}** now.`;
  return `The provider of **${channelNames[channel]}** is out of order. It is asked again at ${until}.`;
}

function storyOf(plan: Exclude<Plan, { kind: 'notify' }>): string {
  if (plan.kind === 'finished') return `Finished: ${plan.outcome}.`;
  if (plan.next === 'decision')
    return `**What comes next could not be decided** (${plan.why}; the log says more). It is tried again at ${plan.until}.`;
  if (plan.next === 'operator') return `Every other step is spent. Waiting for a person until ${plan.until}.`;
  return `Unread. Next is **${channelNames[plan.next]}** at ${plan.until} (${plan.why}), unless it is read before.`;
}
