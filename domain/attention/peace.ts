import type { QuietWindow } from '../../contracts/entities/index.ts';
import type { Channel } from '../../contracts/workflows/names.ts';
import type { Ladder } from '../deps.ts';
import { type Span, awakeAfter, knownZone, merged, quietSpans } from './quiet-hours.ts';
import type { Reason, Situation } from './situation.ts';

/** Time in which a channel is to leave a person alone, and by whose wish. */
export interface Peace extends Span {
  why: Extract<Reason, 'quiet_hours' | 'do_not_disturb' | 'sms_night'>;
}

const everyDay: QuietWindow['days'] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** The same windows each time they are asked for, so that their spans are reckoned once a day. */
function everyNight(night: NonNullable<Ladder['smsNight']>): readonly QuietWindow[] {
  const windows = nights.get(night) ?? [{ ...night, days: everyDay }];
  nights.set(night, windows);
  return windows;
}
const nights = new WeakMap<object, readonly QuietWindow[]>();

/**
 * When the channel says nothing. Quiet hours keep back push and SMS, and mail where the person wants it; by night no text
 * is sent at all. An urgent message whose sender the person lets through keeps to none of it.
 */
export function peaceOf(
  channel: Channel,
  rules: Pick<Situation, 'settings' | 'zone' | 'pushZone' | 'now' | 'ladder' | 'place'>,
): Peace[] {
  const { settings, now, ladder, place } = rules;
  const zone = clockFor(channel, rules);
  const isQuiet = channel !== 'email' || settings.quietHours?.email === true;
  const windows = isQuiet ? (settings.quietHours?.windows ?? []) : [];
  const night = channel === 'sms' && ladder.smsNight ? everyNight(ladder.smsNight) : [];
  const undisturbed = channel === 'email' ? null : settings.doNotDisturbUntil;
  // Whoever wakes at seven is not alone in that.
  const later = (span: Span) => ({ ...span, until: span.until + place * ladder.releaseJitterMs });
  return [
    ...quietSpans(windows, zone, now).map((span) => ({ ...later(span), why: 'quiet_hours' as const })),
    ...quietSpans(night, zone, now).map((span) => ({ ...later(span), why: 'sms_night' as const })),
    ...(undisturbed === null ? [] : [{ from: 0, until: Date.parse(undisturbed), why: 'do_not_disturb' as const }]),
  ];
}

/** The zone by whose clock the channel keeps quiet hours: a phone makes its noise where it is, whatever the account says. */
export const clockFor = (channel: Channel, { zone, pushZone }: Pick<Situation, 'zone' | 'pushZone'>): string =>
  knownZone(channel === 'push' ? pushZone : zone);

/** When it says nothing of what is urgent: until the very end. Only what can wait is released one person after another. */
export const urgentPeaceOf: typeof peaceOf = (channel, rules) => peaceOf(channel, { ...rules, place: 0 });

/**
 * Until when the channel may still tell of a message that came then. Time in which it leaves the person alone is not
 * counted: what piled up in days of peace is told at their end.
 */
export const usefulUntil = (
  channel: Channel,
  at: Date,
  usefulMs: number,
  rules: Parameters<typeof peaceOf>[1],
): number => awakeAfter(merged(peaceOf(channel, rules)), at.getTime(), usefulMs);

/** The same by the channel's own measure; a text costs money, and its hours run by night, too. */
export function lastUseOf(channel: Channel, newest: Date, rules: Parameters<typeof peaceOf>[1]): number {
  const { pushUntilMs: push, emailUntilMs: email, smsUntilMs } = rules.ladder;
  return channel === 'sms'
    ? newest.getTime() + smsUntilMs
    : usefulUntil(channel, newest, { push, email }[channel], rules);
}

/** Milliseconds by which the clocks of two workers may differ: at the edge of a night whoever decided is believed. */
const clockSkewMs = 5_000;

/** Whether the channel says nothing right now, for whoever is about to send what was decided before. */
export function isLeftAlone(
  channel: Channel,
  rules: Parameters<typeof peaceOf>[1],
  { urgent = false }: { urgent?: boolean } = {},
): boolean {
  const now = rules.now.getTime();
  return merged((urgent ? urgentPeaceOf : peaceOf)(channel, rules)).some(
    ({ from, until }) => from <= now - clockSkewMs && now < until - clockSkewMs,
  );
}
