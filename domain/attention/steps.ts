import type { NotificationSettings } from '../../contracts/entities/index.ts';
import type { Channel } from '../../contracts/workflows/names.ts';
import type { ArmedRow, Progress } from '../../db/queries/attempts.ts';
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
  /** Steps that are being tried right now. */
  underWay: readonly Channel[];
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
  | 'reminder_gap'
  | 'under_way'
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
  | 'all_content_gone'
  | 'every_step_spent'
  | 'closed_by_operator';

/** The channel's step for each conversation, or the one reason for which the channel as a whole is out. */
export function stepsOf(channel: Channel, situation: Situation, armed: readonly ArmedRow[]): StepDecision[] {
  const out = unavailable(channel, situation);
  if (out) return [{ channel, ...out }];
  return armed.map((row) => ({ channel, conversationId: row.conversationId, ...timing[channel](row, situation) }));
}

type StepResult = Pick<StepDecision, 'outcome' | 'reason' | 'until'>;
const skip = (reason: Reason): StepResult => ({ outcome: 'skipped', reason });

function unavailable(channel: Channel, situation: Situation): StepResult | undefined {
  if (situation.skipped.includes(channel)) return skip('skipped_by_operator');
  if (situation.stuck.includes(channel)) return { outcome: 'failed', reason: 'needs_operator' };
  if (situation.underWay.includes(channel)) return { outcome: 'deferred', reason: 'under_way' };
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

/**
 * When each channel's step for one conversation falls due. The clock runs from the oldest message that the channel has
 * not announced, so what comes later postpones nothing; whether it is too late is said by the newest.
 */
const timing: Record<Channel, (row: ArmedRow, situation: Situation) => StepResult> = {
  push({ push, lastAt }, { now, ladder, presence }) {
    const present = presence === 'present';
    return dueAt(now, push, {
      delayMs: present ? ladder.pushPresentMs : ladder.pushMs,
      why: present ? 'presence_grace' : 'burst_window',
      gapMs: ladder.realertGapMs,
      whyGap: 're_alert_gap',
      untilMs: lastAt.getTime() + ladder.pushUntilMs,
    });
  },
  email({ email, lastAt }, { now, ladder, pushHandedOver, underWay }) {
    // While the push is still tried the mail keeps its own time.
    const pushed = pushHandedOver || underWay.includes('push');
    return dueAt(now, email, {
      delayMs: pushed ? ladder.emailMs : ladder.emailWithoutPushMs,
      why: 'step_delay',
      gapMs: reminderGap(ladder.emailMs, email),
      whyGap: 'reminder_gap',
      untilMs: lastAt.getTime() + ladder.emailUntilMs,
    });
  },
  sms({ sms, lastAt }, { now, ladder }) {
    return dueAt(now, sms, {
      delayMs: ladder.smsMs,
      why: 'step_delay',
      gapMs: reminderGap(ladder.smsMs, sms),
      whyGap: 'reminder_gap',
      untilMs: lastAt.getTime() + ladder.smsUntilMs,
    });
  },
};

interface Timing {
  /** From the oldest message that was not announced. */
  delayMs: number;
  why: Reason;
  /** From the last announcement that is still unread. */
  gapMs: number;
  whyGap: Reason;
  untilMs: number;
}

function dueAt(
  now: Date,
  { since, last, throughSeq }: Progress,
  { delayMs, why, gapMs, whyGap, untilMs }: Timing,
): StepResult {
  if (since === null) return skip(throughSeq > 0 ? 'already_announced' : 'all_content_gone');
  const delayed = since.getTime() + delayMs;
  const spaced = last === null ? 0 : last.getTime() + gapMs;
  const due = Math.max(delayed, spaced);
  if (Math.max(due, now.getTime()) > untilMs) return skip('expired');
  if (due <= now.getTime()) return { outcome: 'send', reason: 'due' };
  return { outcome: 'deferred', reason: spaced > delayed ? whyGap : why, until: new Date(due) };
}

/**
 * Times of a channel's own delay that lie between one reminder and the next while nothing is read. For mail after ten
 * minutes: an hour, six hours, a day.
 */
const reminderGaps = [6, 36, 144];

function reminderGap(delayMs: number, { times }: Progress): number {
  return delayMs * (reminderGaps[Math.min(times, reminderGaps.length) - 1] ?? 0);
}
