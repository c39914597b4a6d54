import type { Channel } from '../../contracts/workflows/names.ts';
import type { ArmedRow, Progress, Urgent } from '../../db/queries/armed.ts';
import type { Cover } from '../../db/queries/attempts.ts';
import { type Peace, clockFor, peaceOf, urgentPeaceOf, usefulUntil } from './peace.ts';
import { awakeAfter, merged, outOf } from './quiet-hours.ts';
import { digestStep, isGathered, ownSince, summaryStep } from './digest.ts';
import { graceFor } from './presence.ts';
import type { Capped, Reason, Situation, StepDecision, StepResult } from './situation.ts';
import { isOn, isOnForAll } from './switches.ts';
import { comesThrough, isTold, urgentFor } from './urgency.ts';
import { delayWhileOut, holdBack } from './outage.ts';

/** The channel's step for each conversation, or the one reason for which the channel as a whole is out. */
export function stepsOf(channel: Channel, situation: Situation, armed: readonly ArmedRow[]): StepDecision[] {
  const out = unavailable(channel, situation, armed);
  if (out) return [{ channel, ...out }];
  return armed.map((row) => {
    const urgent = unannounced(channel, row, situation).length > 0;
    const step =
      switchedOff(channel, row, situation) ??
      told(channel, row, timingOf(channel, situation)(row, situation), situation);
    const { conversationId } = row;
    return byClock({ channel, conversationId, ...holdBack(channel, urgent, step, situation) }, situation);
  });
}

/** What a channel was to tell, and was refused or struck off, is not what it has told. */
function told(channel: Channel, row: ArmedRow, step: StepResult, situation: Situation): StepResult {
  if (step.reason !== 'already_announced' && step.reason !== 'covered_by_digest') return step;
  if (isStruckOff(channel, row, row[channel].throughSeq, situation)) return skip('skipped_by_operator');
  return step.reason === 'already_announced' && situation.refused.includes(channel) ? skip('provider_rejected') : step;
}

/** The message stands among what a person has struck off on the channel. */
const isStruckOff = (channel: Channel, { conversationId }: ArmedRow, seq: number, { struckOff }: Situation): boolean =>
  struckOff.some((cover) => cover.channel === channel && isIn(cover, conversationId, seq));

const isIn = (cover: Cover, conversationId: string, seq: number): boolean =>
  cover.conversationId === conversationId && cover.fromSeq <= seq && seq <= cover.toSeq;

/** Quiet by whose clock is part of the answer: it may be that of a device. */
const byClock = (step: StepDecision, situation: Situation): StepDecision =>
  step.reason === 'quiet_hours' || step.reason === 'sms_night'
    ? { ...step, zone: clockFor(step.channel, situation) }
    : step;

function switchedOff(channel: Channel, row: ArmedRow, { settings }: Situation): StepResult | undefined {
  if (isOn(channel, row, settings)) return undefined;
  return skip(row.channels?.[channel] === false ? 'channel_off_here' : 'channel_off');
}

const skip = (reason: Reason): StepResult => ({ outcome: 'skipped', reason });

function unavailable(channel: Channel, situation: Situation, armed: readonly ArmedRow[]): StepResult | undefined {
  const ahead = aheadOf(channel, situation);
  if (ahead && !urgentPasses(channel, situation)) return ahead;
  const off = armed.map((row) => switchedOff(channel, row, situation));
  const out = off[0] && off.every((step) => step !== undefined) ? off[0] : unreachable[channel](situation);
  return out && (ahead ?? out);
}

/** The channel's step that is not through: one that is tried, else one that waits for a person. */
function aheadOf(channel: Channel, { underWay, stuck }: Situation): StepResult | undefined {
  if (underWay.includes(channel)) return { outcome: 'deferred', reason: 'under_way' };
  return stuck.includes(channel) ? { outcome: 'failed', reason: 'needs_operator' } : undefined;
}

/**
 * What is urgent does not wait behind a push that its provider keeps waiting, whose place it takes, and not behind one that
 * waits for a person: that one stays with what it was to tell.
 */
const urgentPasses = (channel: Channel, situation: Situation): boolean =>
  channel === 'push' && aheadOf(channel, situation) !== undefined && !situation.urgentUnderWay.includes(channel);

const timingOf = (channel: Channel, situation: Situation) =>
  urgentPasses(channel, situation) ? passing : timing[channel];

function passing(row: ArmedRow, situation: Situation): StepResult {
  const ways = [...urgentStep('push', row, situation), ...repeatPastStuck(row, situation)];
  return ways.find(({ outcome }) => outcome !== 'skipped') ?? (aheadOf('push', situation) as StepResult);
}

/** What passed a stuck push is pushed once more as ever; what is stuck itself, by nobody but who mends it. */
function repeatPastStuck(row: ArmedRow, situation: Situation): StepResult[] {
  const newest = urgentFor(row, situation).at(-1);
  const isStuck = situation.stuckPushes.some((cover) => newest && isIn(cover, row.conversationId, newest.seq));
  return isStuck || situation.underWay.includes('push') ? [] : repeatStep(row, situation);
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
    return soonest([...urgentStep('push', row, situation), ...repeatStep(row, situation), plainPush(row, situation)]);
  },
  email(row, situation) {
    if (situation.summary) return summaryStep(situation);
    if (isGathered(row, situation.settings)) return digestStep(row, situation);
    const since = ownSince('email', row);
    if (since === null && row.email.since !== null) return skip('digest_only');
    const { ladder, pushHandedOver, underWay } = situation;
    // While the push is still tried, or kept back for the person's peace, the mail keeps its own time.
    const pushed = pushHandedOver || underWay.includes('push') || isKeptBack(row, situation);
    const delayMs = pushed ? ladder.emailMs : ladder.emailWithoutPushMs;
    return dueAt(
      situation,
      { ...row.email, since },
      {
        delayMs: delayWhileOut(row, situation) ?? delayMs,
        why: 'step_delay',
        gapMs: reminderGap(ladder.emailMs, mailGaps, row.email),
        whyGap: 'reminder_gap',
        untilMs: usefulUntil('email', row.lastAt, ladder.emailUntilMs, situation),
        peace: disturbs('email', row, situation) ? [] : peaceOf('email', situation),
        cap: situation.capped.email,
      },
    );
  },
  sms(row, situation) {
    const { settings } = situation;
    return soonest([
      ...(settings.urgentSms ? urgentStep('sms', row, situation) : []),
      isOnForAll('sms', row, settings) ? plainSms(row, situation) : skip('channel_off'),
    ]);
  },
};

function plainPush(row: ArmedRow, situation: Situation): StepResult {
  const { ladder, presence, settings } = situation;
  const since = row.push.since ?? row.lastAt;
  const { ms, why } = graceFor(presence, { ...row, since }, { ladder, graceSeconds: settings.graceSeconds });
  return dueAt(situation, row.push, {
    delayMs: ms,
    why,
    gapMs: ladder.realertGapMs,
    whyGap: 're_alert_gap',
    untilMs: usefulUntil('push', row.lastAt, ladder.pushUntilMs, situation),
    peace: peaceOf('push', situation),
  });
}

function plainSms(row: ArmedRow, situation: Situation): StepResult {
  const { ladder, capped } = situation;
  const through = disturbs('sms', row, situation);
  const since = ownSince('sms', row);
  if (since === null && row.sms.since !== null) return skip('digest_only');
  return dueAt(
    situation,
    { ...row.sms, since },
    {
      delayMs: smsDelay(since, situation),
      why: 'step_delay',
      gapMs: reminderGap(ladder.smsMs, textGaps, row.sms),
      whyGap: 'reminder_gap',
      untilMs: row.lastAt.getTime() + ladder.smsUntilMs,
      peace: through ? [] : peaceOf('sms', situation),
      cap: through ? capped.urgentSms : capped.sms,
    },
  );
}

const unannounced = (channel: Channel, row: ArmedRow, situation: Situation): readonly Urgent[] =>
  urgentFor(row, situation).filter(({ seq }) => !isTold(row[channel], seq));

/** It tells of something urgent by somebody whom the person lets through at any time. */
const disturbs = (channel: Channel, row: ArmedRow, situation: Situation): boolean =>
  comesThrough(row.kind, situation.settings) && unannounced(channel, row, situation).length > 0;

/** What is urgent and this channel has not told: whatever was told before, it keeps no distance and no peace. */
function urgentStep(channel: 'push' | 'sms', row: ArmedRow, situation: Situation): StepResult[] {
  const { urgent, smsUntilMs } = situation.ladder;
  const untold = unannounced(channel, row, situation);
  const [first, newest] = [untold[0], untold.at(-1)];
  if (!first || !newest) return [];
  const step = dueAt(
    situation,
    { ...row[channel], since: first.at, last: null },
    {
      delayMs: channel === 'push' ? urgent.pushMs : urgent.smsMs,
      why: channel === 'push' ? 'burst_window' : 'step_delay',
      gapMs: 0,
      whyGap: 're_alert_gap',
      untilMs: newest.at.getTime() + (channel === 'push' ? urgent.untilMs : smsUntilMs),
      peace: comesThrough(row.kind, situation.settings) ? [] : urgentPeaceOf(channel, situation),
      cap: channel === 'sms' ? situation.capped.urgentSms : undefined,
    },
  );
  return [{ ...step, alert: 'urgent' }];
}

/** The push of something urgent once more, a few times: counted from the message, whatever else is pushed meanwhile. */
function repeatStep(row: ArmedRow, situation: Situation): StepResult[] {
  const { urgent, realertGapMs } = situation.ladder;
  const newest = urgentFor(row, situation).at(-1);
  const { repeats, last } = row.push;
  if (!newest || !isTold(row.push, newest.seq) || repeats >= urgent.repeats) return [];
  if (isStruckOff('push', row, newest.seq, situation)) return [];
  const step = dueAt(
    situation,
    { ...row.push, since: newest.at, last },
    {
      delayMs: (repeats + 1) * urgent.repeatMs,
      why: 'urgent_repeat',
      gapMs: realertGapMs,
      whyGap: 're_alert_gap',
      untilMs: newest.at.getTime() + urgent.untilMs,
      peace: comesThrough(row.kind, situation.settings) ? [] : urgentPeaceOf('push', situation),
    },
  );
  return [{ ...step, alert: 'repeat' }];
}

/** Of several ways to tell the same: what is due, in this order; else what comes first; else why the last does not. */
function soonest(ways: readonly StepResult[]): StepResult {
  const due = ways.find(({ outcome }) => outcome === 'send');
  const [next] = ways
    .filter(({ until }) => until)
    .sort((a, b) => (a.until?.getTime() ?? 0) - (b.until?.getTime() ?? 0));
  return due ?? next ?? (ways.at(-1) as StepResult);
}

/** A mail that turned out not to have come brings the text forward, counted from the moment at which that was known. */
function smsDelay(since: Date | null, { emailFailedAt, ladder }: Situation): number {
  if (since === null || emailFailedAt === null || emailFailedAt < since) return ladder.smsMs;
  return Math.min(ladder.smsMs, emailFailedAt.getTime() - since.getTime() + ladder.smsAfterFailureMs);
}

/** The push waits for the end of the person's peace. */
function isKeptBack(row: ArmedRow, situation: Situation): boolean {
  const now = situation.now.getTime();
  if (aheadOf('push', situation) || unavailable('push', situation, [row])) return false;
  return !disturbs('push', row, situation) && outOf(merged(peaceOf('push', situation)), now) > now;
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
  /** Enough of it was sent for now. */
  cap?: Capped | undefined;
}

function dueAt(
  { now }: Situation,
  { since, last, throughSeq }: Progress,
  { delayMs, why, gapMs, whyGap, untilMs, peace, cap }: Timing,
): StepResult {
  if (since === null) return skip(throughSeq > 0 ? 'already_announced' : 'all_content_gone');
  const spans = merged(peace);
  const delayed = awakeAfter(spans, since.getTime(), delayMs);
  const spaced = last === null ? 0 : last.getTime() + gapMs;
  const loud = Math.max(delayed, spaced, now.getTime());
  const free = cap && cap.until.getTime() > loud ? cap : undefined;
  const due = outOf(spans, free?.until.getTime() ?? loud);
  if (due > untilMs) return skip(free?.reason ?? 'expired');
  if (due <= now.getTime()) return { outcome: 'send', reason: 'due' };
  if (free) return { outcome: 'deferred', reason: free.reason, until: new Date(due) };
  const kept = peace.find(({ from, until }) => from <= loud && loud < until) ?? peace.find(coversAll(now, due));
  return { outcome: 'deferred', reason: kept?.why ?? (spaced > delayed ? whyGap : why), until: new Date(due) };
}

/** It is quiet now, and what is waited for is mostly its end. */
const coversAll = (now: Date, due: number) => (peace: Peace) =>
  peace.from <= now.getTime() && now.getTime() < peace.until && peace.until <= due;

/**
 * Times of a channel's own delay that lie between what it has told and the next while nothing is read. For mail, whose
 * delay is ten minutes: ten minutes, an hour, six hours, a day.
 */
const mailGaps = [1, 6, 36, 144];
/** Texts cost money and patience: from the first one on the distance is three hours, then eighteen, then three days. */
const textGaps = [6, 36, 144];

function reminderGap(delayMs: number, gaps: readonly number[], { times }: Progress): number {
  return delayMs * (gaps[Math.min(times, gaps.length) - 1] ?? 0);
}
