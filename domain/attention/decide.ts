import type { NotificationSettings } from '../../contracts/entities/index.ts';
import type { EscalateUnreadOutcome } from '../../contracts/workflows/escalate-unread.ts';
import { type Channel, channels } from '../../contracts/workflows/names.ts';
import type { ArmedRow } from '../../db/queries/attempts.ts';
import type { Ladder, Presence } from '../deps.ts';

/** Everything that a decision rests on. Two equal situations get the same decision. */
export interface Situation {
  now: Date;
  ladder: Ladder;
  presence: Presence;
  account: 'active' | 'suspended';
  settings: NotificationSettings;
  /** What each channel could be sent to. */
  devices: readonly { pushState: 'active' | 'suspect' | 'dead'; pushPermission: string; hasToken: boolean }[];
  email: 'verified' | 'unverified' | 'missing';
  phone: 'verified' | 'unverified' | 'missing';
  /** Unread and armed, the oldest first. */
  armed: readonly ArmedRow[];
  /** Whether a push of this episode was handed to a provider. */
  pushHandedOver: boolean;
  /** Steps that wait for a person's hand, and steps that one has struck off. */
  stuck: readonly Channel[];
  skipped: readonly Channel[];
  /** A person has ended the episode by hand. */
  closed: boolean;
}

/** What one step comes to at this moment, with the reason in the closed list's words. */
export interface StepDecision {
  channel: Channel;
  outcome: 'send' | 'deferred' | 'skipped' | 'failed';
  reason: Reason;
  until?: Date;
  conversationId?: string;
}

/** Why. A closed list: support's page has a sentence for each. */
export type Reason =
  | 'due'
  | 'burst_window'
  | 'presence_grace'
  | 're_alert_gap'
  | 'step_delay'
  | 'read_before_send'
  | 'account_inactive'
  | 'muted_conversation'
  | 'level_nothing'
  | 'channel_off'
  | 'no_device'
  | 'devices_suspect'
  | 'push_permission_denied'
  | 'email_missing'
  | 'email_unverified'
  | 'phone_missing'
  | 'phone_unverified'
  | 'expired'
  | 'needs_operator'
  | 'skipped_by_operator'
  | 'already_announced'
  | 'every_step_spent'
  | 'closed_by_operator';

export type Verdict =
  | { kind: 'notify'; channel: Channel; conversationIds: string[] }
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
  if (situation.armed.length === 0) return finish('read', 'read_before_send');
  const notifiable = situation.armed.filter((row) => wanted(row, situation.settings));
  if (notifiable.length === 0) {
    const muted = situation.armed.some(({ muted }) => muted);
    return finish('nothing-notifiable', muted ? 'muted_conversation' : 'level_nothing');
  }
  const steps = channels.flatMap((channel) => stepsOf(channel, situation, notifiable));
  return { verdict: choose(steps, situation, notifiable), steps };
}

/** The person's rules as they are now: they may have muted the conversation since it was armed. */
function wanted(row: ArmedRow, settings: NotificationSettings): boolean {
  return !row.muted && (row.level ?? settings.level) !== 'nothing';
}

function choose(steps: StepDecision[], situation: Situation, notifiable: readonly ArmedRow[]): Verdict {
  const due = steps.filter(({ outcome }) => outcome === 'send');
  const first = due[0];
  if (first) {
    // A push is about one conversation; a mail or text gathers all that are due.
    const together = first.channel === 'push' ? [first] : due.filter(({ channel }) => channel === first.channel);
    return {
      kind: 'notify',
      channel: first.channel,
      conversationIds: together.flatMap(({ conversationId }) => conversationId ?? []),
    };
  }
  const later = steps.filter(({ until, outcome }) => outcome === 'deferred' && until).sort(byUntil)[0];
  if (later?.until) return { kind: 'wait', until: later.until, next: later.channel, why: later.reason };
  if (situation.stuck.length === 0)
    return { kind: 'finished', outcome: 'every-step-spent', reason: 'every_step_spent' };
  const until = operatorDeadline(notifiable);
  if (until <= situation.now) return { kind: 'finished', outcome: 'expired', reason: 'expired' };
  return { kind: 'wait', until, next: 'operator', why: 'needs_operator' };
}

const byUntil = (a: StepDecision, b: StepDecision) => (a.until?.getTime() ?? 0) - (b.until?.getTime() ?? 0);

/** Milliseconds that a stuck episode waits for a person's hand before it closes by itself: seven days. */
export const operatorPatienceMs = 7 * 86_400_000;
const operatorDeadline = (armed: readonly ArmedRow[]) =>
  new Date(Math.min(...armed.map(({ armedAt }) => armedAt.getTime())) + operatorPatienceMs);

/** The channel's step for each conversation, or the one reason for which the channel as a whole is out. */
function stepsOf(channel: Channel, situation: Situation, armed: readonly ArmedRow[]): StepDecision[] {
  const out = unavailable(channel, situation);
  if (out) return [{ channel, ...out }];
  return armed.map((row) => ({ channel, conversationId: row.conversationId, ...timing[channel](row, situation) }));
}

type StepResult = Pick<StepDecision, 'outcome' | 'reason' | 'until'>;
const skip = (reason: Reason): StepResult => ({ outcome: 'skipped', reason });

function unavailable(channel: Channel, situation: Situation): StepResult | undefined {
  if (situation.skipped.includes(channel)) return skip('skipped_by_operator');
  if (situation.stuck.includes(channel)) return { outcome: 'failed', reason: 'needs_operator' };
  if (!situation.settings.channels[channel]) return skip('channel_off');
  return unreachable[channel](situation);
}

const unreachable: Record<Channel, (situation: Situation) => StepResult | undefined> = {
  push({ devices }) {
    const withToken = devices.filter(({ hasToken, pushState }) => hasToken && pushState !== 'dead');
    if (withToken.length === 0) return skip('no_device');
    const allowed = withToken.filter(({ pushPermission }) => pushPermission !== 'denied');
    if (allowed.length === 0) return skip('push_permission_denied');
    return allowed.some(({ pushState }) => pushState === 'active') ? undefined : skip('devices_suspect');
  },
  email({ email }) {
    if (email === 'missing') return skip('email_missing');
    return email === 'unverified' ? skip('email_unverified') : undefined;
  },
  sms({ phone }) {
    if (phone === 'missing') return skip('phone_missing');
    return phone === 'unverified' ? skip('phone_unverified') : undefined;
  },
};

const timing: Record<Channel, (row: ArmedRow, situation: Situation) => StepResult> = {
  push(row, { now, ladder, presence }) {
    if ((row.push?.throughSeq ?? 0) >= row.lastSeq) return skip('already_announced');
    if (now.getTime() > row.lastAt.getTime() + ladder.pushUntilMs) return skip('expired');
    const announced = row.push !== null && row.push.throughSeq >= row.fromSeq;
    const present = presence === 'present';
    // The burst window counts from the first message that no push has announced yet; after one it is the last message.
    const base = announced ? row.lastAt.getTime() : row.armedAt.getTime();
    const grace = base + (present ? ladder.pushPresentMs : ladder.pushMs);
    const gap = announced ? Date.parse(row.push?.at ?? '') + ladder.realertGapMs : 0;
    if (gap > grace) return at(gap, now, 're_alert_gap');
    return at(grace, now, present ? 'presence_grace' : 'burst_window');
  },
  email(row, { now, ladder, pushHandedOver }) {
    if (row.email !== null && row.email.throughSeq >= row.fromSeq) return skip('already_announced');
    const armedAt = row.armedAt.getTime();
    if (now.getTime() > armedAt + ladder.emailUntilMs) return skip('expired');
    return at(armedAt + (pushHandedOver ? ladder.emailMs : ladder.emailWithoutPushMs), now, 'step_delay');
  },
  sms(row, { now, ladder }) {
    if (row.sms !== null && row.sms.throughSeq >= row.fromSeq) return skip('already_announced');
    const armedAt = row.armedAt.getTime();
    if (now.getTime() > armedAt + ladder.smsUntilMs) return skip('expired');
    return at(armedAt + ladder.smsMs, now, 'step_delay');
  },
};

function at(dueMs: number, now: Date, reason: Reason): StepResult {
  return dueMs <= now.getTime()
    ? { outcome: 'send', reason: 'due' }
    : { outcome: 'deferred', reason, until: new Date(dueMs) };
}
