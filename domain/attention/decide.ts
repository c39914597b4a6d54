import type { NotificationSettings } from '../../contracts/entities/index.ts';
import type { EscalateUnreadOutcome } from '../../contracts/workflows/escalate-unread.ts';
import { type Channel, type Urgency, channels } from '../../contracts/workflows/names.ts';
import type { ArmedRow } from '../../db/queries/armed.ts';
import { isGathered } from './digest.ts';
import type { Reason, Situation, StepDecision } from './situation.ts';
import { stepsOf } from './steps.ts';

export type Verdict =
  /** `until`: when another step falls due, whether or not this one is through by then. */
  | {
      kind: 'notify';
      channel: Channel;
      conversationIds: string[];
      until: Date;
      alert?: 'urgent' | 'repeat';
      urgency: Urgency;
    }
  | { kind: 'wait'; until: Date; next: Channel | 'operator'; why: Reason }
  | { kind: 'finished'; outcome: EscalateUnreadOutcome; reason: Reason };

export interface Decision {
  verdict: Verdict;
  /** One for each step that was looked at, for the explanation. */
  steps: StepDecision[];
}

/**
 * What to do now for a person with something unread. Pure: it reads nothing and changes nothing.
 *
 * Only reading, or the person's own rules, end an episode; presence delays a push and never cancels it. Each step is
 * looked at on its own; the earliest that is due is taken, else the earliest moment at which one falls due is waited for.
 */
export function decide(situation: Situation): Decision {
  const finish = (outcome: EscalateUnreadOutcome, reason: Reason, steps: StepDecision[] = []): Decision => ({
    verdict: { kind: 'finished', outcome, reason },
    steps,
  });
  if (situation.closed) return finish('closed-by-operator', 'closed_by_operator');
  if (situation.account !== 'active') return finish('nothing-notifiable', 'account_inactive');
  if (situation.armed.length === 0) {
    const { calledOffFor } = situation;
    return calledOffFor ? finish('nothing-notifiable', calledOffFor) : finish('read', 'read_before_send');
  }
  const notifiable = situation.armed.filter((row) => wanted(row, situation.settings));
  if (notifiable.length === 0) {
    const muted = situation.armed.some(({ muted }) => muted);
    return finish('nothing-notifiable', muted ? 'muted_conversation' : 'level_nothing');
  }
  const steps = channels.flatMap((channel) => stepsOf(channel, situation, notifiable));
  return { verdict: choose(steps, situation, notifiable), steps };
}

/** The person's rules as they are now: they may have muted the conversation since it was armed. */
export function wanted(row: Pick<ArmedRow, 'muted' | 'level' | 'kind'>, settings: NotificationSettings): boolean {
  const level = row.level ?? (row.kind === 'channel' ? 'mentions' : settings.level);
  return !row.muted && level !== 'nothing';
}

function choose(steps: StepDecision[], situation: Situation, notifiable: readonly ArmedRow[]): Verdict {
  const due = steps.filter(({ outcome }) => outcome === 'send');
  const first = due[0];
  if (first) return notifyBy(first, due, situation);
  const later = steps.filter(({ until, outcome }) => outcome === 'deferred' && until).sort(byUntil)[0];
  if (later?.until) return { kind: 'wait', until: later.until, next: later.channel, why: later.reason };
  const [busy] = situation.underWay;
  if (busy) return { kind: 'wait', until: lastTry(situation), next: busy, why: 'under_way' };
  if (situation.stuck.length === 0)
    return { kind: 'finished', outcome: 'every-step-spent', reason: spentBy(situation, notifiable) };
  const until = operatorDeadline(situation, notifiable);
  if (until <= situation.now) return { kind: 'finished', outcome: 'expired', reason: 'expired' };
  return { kind: 'wait', until, next: 'operator', why: 'needs_operator' };
}

/** Whoever no provider was asked to tell is out of reach, unless nothing was left to tell. */
const spentBy = ({ handedOver }: Situation, armed: readonly ArmedRow[]): Reason => {
  const isLeft = (row: ArmedRow) => channels.some((channel) => row[channel].since || row[channel].throughSeq > 0);
  return !handedOver && armed.some(isLeft) ? 'unreachable' : 'every_step_spent';
};

/** A push is about one conversation; a mail or text gathers all that are due. */
function notifyBy(first: StepDecision, due: readonly StepDecision[], situation: Situation): Verdict {
  const { channel } = first;
  const together = channel === 'push' ? [first] : due.filter((step) => step.channel === channel);
  const alert = together.find((step) => step.alert)?.alert;
  const { underWay, urgentUnderWay } = situation;
  const begun = { underWay: [...underWay, channel], urgentUnderWay: [...urgentUnderWay, channel] };
  const beside = decide({ ...situation, ...begun }).verdict;
  return {
    kind: 'notify',
    channel,
    conversationIds: together.flatMap(({ conversationId }) => conversationId ?? []),
    until: beside.kind === 'wait' ? beside.until : situation.now,
    urgency: urgencyOf(together, situation),
    ...(alert ? { alert } : {}),
  };
}

/** What is urgent goes before everything; mail that gathers has waited for hours and can wait while others are told. */
function urgencyOf(together: readonly StepDecision[], { summary, settings, armed }: Situation): Urgency {
  if (together.some(({ alert }) => alert)) return 'urgent';
  if (together.some(({ channel }) => channel !== 'email')) return 'ordinary';
  const rows = armed.filter((row) => together.some(({ conversationId }) => conversationId === row.conversationId));
  return summary || rows.every((row) => isGathered(row, settings)) ? 'gathered' : 'ordinary';
}

const byUntil = (a: StepDecision, b: StepDecision) => (a.until?.getTime() ?? 0) - (b.until?.getTime() ?? 0);

/** A step under way is through, or given up, by then. */
const lastTry = ({ now, ladder }: Situation) => new Date(now.getTime() + ladder.retry.giveUpMs);

/**
 * Milliseconds that a stuck episode waits for a person's hand before it closes by itself: seven days, from its oldest
 * message on, but not from before it was opened, as a weekly summary tells what has waited for as long already.
 */
export const operatorPatienceMs = 7 * 86_400_000;
const operatorDeadline = ({ openedAt }: Situation, armed: readonly ArmedRow[]) => {
  const oldest = Math.min(...armed.map(({ armedAt }) => armedAt.getTime()));
  return new Date(Math.max(oldest, openedAt.getTime()) + operatorPatienceMs);
};
