import { setCurrentDetails } from '@temporalio/workflow';
import type { Plan } from '../../contracts/workflows/escalate-unread.ts';
import type { OperatorDesk } from './operator-desk.ts';

const channelNames = { push: 'push', email: 'e-mail', sms: 'SMS', operator: 'a person' } as const;

/** What the top of the workflow's page says, in words: what comes next, when and why, and what a person may do. */
export function tell(plan: Plan, desk: OperatorDesk): void {
  const lines = [
    storyOf(plan),
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

function storyOf(plan: Plan): string {
  switch (plan.kind) {
    case 'finished':
      return `Finished: ${plan.outcome}.`;
    case 'notify':
      return `Asking by **${channelNames[plan.channel]}** now.`;
    case 'wait':
      return plan.next === 'operator'
        ? `Every other step is spent. Waiting for a person until ${plan.until}.`
        : `Unread. Next is **${channelNames[plan.next]}** at ${plan.until} (${plan.why}), unless it is read before.`;
  }
}
