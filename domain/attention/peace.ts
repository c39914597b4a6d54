import type { Channel } from '../../contracts/workflows/names.ts';
import type { ArmedRow } from '../../db/queries/attempts.ts';
import { type Span, quietSpans } from './quiet-hours.ts';
import type { Reason, Situation } from './situation.ts';

/** Time in which a channel is to leave a person alone, and by whose wish. */
export interface Peace extends Span {
  why: Extract<Reason, 'quiet_hours' | 'do_not_disturb' | 'sms_night'>;
}

const everyDay = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/**
 * When the channel says nothing of this conversation. Quiet hours keep back push and SMS, and mail where the person wants
 * it; by night no text is sent at all. An urgent message comes through all of it where the person lets its sender through.
 */
export function peaceOf(channel: Channel, row: Pick<ArmedRow, 'urgent' | 'kind'>, situation: Situation): Peace[] {
  const { settings, zone, now, ladder, place } = situation;
  if (comesThrough(row, settings.urgentThrough)) return [];
  const isQuiet = channel !== 'email' || settings.quietHours?.email === true;
  const windows = isQuiet ? (settings.quietHours?.windows ?? []) : [];
  const night = channel === 'sms' && ladder.smsNight ? [{ ...ladder.smsNight, days: [...everyDay] }] : [];
  const undisturbed = channel === 'email' ? null : settings.doNotDisturbUntil;
  // Whoever wakes at seven is not alone in that.
  const later = (span: Span) => ({ ...span, until: span.until + place * ladder.releaseJitterMs });
  return [
    ...quietSpans(windows, zone, now).map((span) => ({ ...later(span), why: 'quiet_hours' as const })),
    ...quietSpans(night, zone, now).map((span) => ({ ...later(span), why: 'sms_night' as const })),
    ...(undisturbed === null ? [] : [{ from: 0, until: Date.parse(undisturbed), why: 'do_not_disturb' as const }]),
  ];
}

/** Whether a message is so urgent that the person’s own rules let it through. */
export const comesThrough = (
  { urgent, kind }: Pick<ArmedRow, 'urgent' | 'kind'>,
  through: 'everyone' | 'direct' | 'nobody',
): boolean => urgent && (through === 'everyone' || (through === 'direct' && kind === 'direct'));
