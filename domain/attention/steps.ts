import type { Channel } from '../../contracts/workflows/names.ts';
import type { ArmedRow, Progress } from '../../db/queries/attempts.ts';
import { type Peace, peaceOf } from './peace.ts';
import { awakeAfter, merged, outOf } from './quiet-hours.ts';
import { digestStep, isGathered, mailSince, summaryStep } from './digest.ts';
import type { Reason, Situation, StepDecision, StepResult } from './situation.ts';
import { isOn } from './switches.ts';

/** The channel's step for each conversation, or the one reason for which the channel as a whole is out. */
export function stepsOf(channel: Channel, situation: Situation, armed: readonly ArmedRow[]): StepDecision[] {
  const out = unavailable(channel, situation, armed);
  if (out) return [{ channel, ...out }];
  return armed.map((row) => ({
    channel,
    conversationId: row.conversationId,
    ...(switchedOff(channel, row, situation) ?? timing[channel](row, situation)),
  }));
}

function switchedOff(channel: Channel, row: ArmedRow, { settings }: Situation): StepResult | undefined {
  if (isOn(channel, row, settings)) return undefined;
  return skip(row.channels?.[channel] === false ? 'channel_off_here' : 'channel_off');
}

const skip = (reason: Reason): StepResult => ({ outcome: 'skipped', reason });

function unavailable(channel: Channel, situation: Situation, armed: readonly ArmedRow[]): StepResult | undefined {
  if (situation.skipped.includes(channel)) return skip('skipped_by_operator');
  if (situation.stuck.includes(channel)) return { outcome: 'failed', reason: 'needs_operator' };
  if (situation.underWay.includes(channel)) return { outcome: 'deferred', reason: 'under_way' };
  const off = armed.map((row) => switchedOff(channel, row, situation));
  if (off[0] && off.every((step) => step !== undefined)) return off[0];
  return unreachable[channel](situation);
}

const unreachable: Record<Channel, (situation: Situation) => StepResult | undefined> = {
  push({ devices }) {
    const withToken = devices.filter(({ hasToken, pushState }) => hasToken && pushState !== 'dead');
    if (withToken.length === 0) return skip('no_device');
    const wanted = withToken.filter(({ pushEnabled }) => pushEnabled);
    if (wanted.length === 0) return skip('device_off');
    const allowed = wanted.filter(({ pushPermission }) => pushPermission !== 'denied');
    if (allowed.length === 0) return skip('push_permission_denied');
    return allowed.some(({ pushState }) => pushState === 'active') ? undefined : skip('devices_suspect');
  },
  email({ email, suppressed }) {
    if (email === 'missing') return skip('email_missing');
    if (email === 'unverified') return skip('email_unverified');
    if (suppressed.email === 'unsubscribed') return skip('unsubscribed');
    return suppressed.email ? skip('email_suppressed') : undefined;
  },
  sms({ phone, suppressed }) {
    if (phone === 'missing') return skip('phone_missing');
    if (phone === 'unverified') return skip('phone_unverified');
    if (suppressed.sms === 'opted_out') return skip('sms_opted_out');
    return suppressed.sms ? skip('sms_suppressed') : undefined;
  },
};

/**
 * When each channel's step for one conversation falls due. The clock runs from the oldest message that the channel has
 * not announced, so what comes later postpones nothing; whether it is too late is said by the newest. While the person is
 * left alone the clock stands still.
 */
const timing: Record<Channel, (row: ArmedRow, situation: Situation) => StepResult> = {
  push(row, situation) {
    const { ladder } = situation;
    const present = situation.presence === 'present' && !row.urgent;
    return dueAt(situation, row.push, {
      delayMs: present ? ladder.pushPresentMs : ladder.pushMs,
      why: present ? 'presence_grace' : 'burst_window',
      gapMs: ladder.realertGapMs,
      whyGap: 're_alert_gap',
      untilMs: row.lastAt.getTime() + ladder.pushUntilMs,
      peace: peaceOf('push', row, situation),
    });
  },
  email(row, situation) {
    if (situation.summary) return summaryStep(row, situation);
    if (isGathered(row, situation.settings)) return digestStep(row, situation);
    if (mailSince(row) === null && row.email.since !== null) return skip('digest_only');
    const { ladder, pushHandedOver, underWay } = situation;
    // While the push is still tried, or kept back for the person's peace, the mail keeps its own time.
    const pushed = pushHandedOver || underWay.includes('push') || isKeptBack('push', row, situation);
    return dueAt(
      situation,
      { ...row.email, since: mailSince(row) },
      {
        delayMs: pushed ? ladder.emailMs : ladder.emailWithoutPushMs,
        why: 'step_delay',
        gapMs: reminderGap(ladder.emailMs, row.email),
        whyGap: 'reminder_gap',
        untilMs: row.lastAt.getTime() + ladder.emailUntilMs,
        peace: peaceOf('email', row, situation),
      },
    );
  },
  sms(row, situation) {
    const { ladder } = situation;
    return dueAt(situation, row.sms, {
      delayMs: smsDelay(row.sms.since, situation),
      why: 'step_delay',
      gapMs: reminderGap(ladder.smsMs, row.sms),
      whyGap: 'reminder_gap',
      untilMs: row.lastAt.getTime() + ladder.smsUntilMs,
      peace: peaceOf('sms', row, situation),
    });
  },
};

/** A mail that turned out not to have come brings the text forward, counted from the moment at which that was known. */
function smsDelay(since: Date | null, { emailFailedAt, ladder }: Situation): number {
  if (since === null || emailFailedAt === null || emailFailedAt < since) return ladder.smsMs;
  return Math.min(ladder.smsMs, emailFailedAt.getTime() - since.getTime() + ladder.smsAfterFailureMs);
}

function isKeptBack(channel: Channel, row: ArmedRow, situation: Situation): boolean {
  const now = situation.now.getTime();
  return !unavailable(channel, situation, [row]) && outOf(merged(peaceOf(channel, row, situation)), now) > now;
}

interface Timing {
  /** From the oldest message that was not announced. */
  delayMs: number;
  why: Reason;
  /** From the last announcement that is still unread. */
  gapMs: number;
  whyGap: Reason;
  untilMs: number;
  /** When nothing may come on this channel. */
  peace: readonly Peace[];
}

function dueAt(
  { now }: Situation,
  { since, last, throughSeq }: Progress,
  { delayMs, why, gapMs, whyGap, untilMs, peace }: Timing,
): StepResult {
  if (since === null) return skip(throughSeq > 0 ? 'already_announced' : 'all_content_gone');
  const spans = merged(peace);
  const delayed = awakeAfter(spans, since.getTime(), delayMs);
  const spaced = last === null ? 0 : last.getTime() + gapMs;
  const loud = Math.max(delayed, spaced, now.getTime());
  const due = outOf(spans, loud);
  if (due > untilMs) return skip('expired');
  if (due <= now.getTime()) return { outcome: 'send', reason: 'due' };
  const kept = peace.find(({ from, until }) => from <= loud && loud < until) ?? peace.find(coversAll(now, due));
  return { outcome: 'deferred', reason: kept?.why ?? (spaced > delayed ? whyGap : why), until: new Date(due) };
}

/** It is quiet now, and what is waited for is mostly its end. */
const coversAll = (now: Date, due: number) => (peace: Peace) =>
  peace.from <= now.getTime() && now.getTime() < peace.until && peace.until <= due;

/**
 * Times of a channel's own delay that lie between one reminder and the next while nothing is read. For mail after ten
 * minutes: an hour, six hours, a day.
 */
const reminderGaps = [6, 36, 144];

function reminderGap(delayMs: number, { times }: Progress): number {
  return delayMs * (reminderGaps[Math.min(times, reminderGaps.length) - 1] ?? 0);
}
