import { Temporal } from 'temporal-polyfill';
import type { NotificationSettings } from '../../contracts/entities/index.ts';
import { knownZone } from './quiet-hours.ts';

/** How a person's mail is gathered. */
export type DigestSettings = Pick<NotificationSettings, 'emailFrequency' | 'emailDigestAt'>;

/**
 * When the first gathered mail after a moment falls due (milliseconds since 1970, never the moment itself): at the next
 * full hour, or at the person's time of day, by their own clock. A time that the clocks skip is taken later, and of one
 * that comes twice the first: a day has one digest, however long it is.
 */
export function nextDigest({ emailFrequency, emailDigestAt }: DigestSettings, zone: string, after: number): number {
  const here = clockAt(after, zone);
  return (emailFrequency === 'hourly' ? fullHour(here) : timeOfDay(here, emailDigestAt)).epochMilliseconds;
}

/** Which day it is to the person, as 2026-03-08. */
export const localDay = (at: Date, zone: string): string => clockAt(at.getTime(), zone).toPlainDate().toString();

const hourMs = 3_600_000;
/** In the order of ISO 8601, where Monday is 1. */
const monday = 1;

/** The first Monday after a moment, at a time of day by the person's clock, as milliseconds since 1970. */
export function nextMonday(at: string, zone: string, after: number): number {
  const here = clockAt(after, zone);
  const today = here.toPlainDate();
  const candidate = onDay(today.add({ days: (monday - today.dayOfWeek + 7) % 7 }), at, here.timeZoneId);
  if (candidate.epochMilliseconds > after) return candidate.epochMilliseconds;
  return onDay(today.add({ days: 7 }), at, here.timeZoneId).epochMilliseconds;
}

const clockAt = (at: number, zone: string) =>
  Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(knownZone(zone));

/** Where clocks are moved by half an hour, an hour later is no full hour: then the next one counts. */
function fullHour(here: Temporal.ZonedDateTime): Temporal.ZonedDateTime {
  const past = (here.minute * 60 + here.second) * 1_000 + here.millisecond;
  const next = here.add({ milliseconds: hourMs - past });
  return next.minute === 0 ? next : next.add({ minutes: 60 - next.minute });
}

function timeOfDay(here: Temporal.ZonedDateTime, at: string): Temporal.ZonedDateTime {
  const today = onDay(here.toPlainDate(), at, here.timeZoneId);
  const isAhead = today.epochMilliseconds > here.epochMilliseconds;
  return isAhead ? today : onDay(here.toPlainDate().add({ days: 1 }), at, here.timeZoneId);
}

/** Compatible: later in a gap, earlier in a fold. */
const onDay = (day: Temporal.PlainDate, at: string, zone: string): Temporal.ZonedDateTime =>
  day.toPlainDateTime(Temporal.PlainTime.from(at)).toZonedDateTime(zone, { disambiguation: 'compatible' });
