import { Temporal } from 'temporal-polyfill';
import type { QuietWindow } from '../../contracts/entities/index.ts';

/** Time in which a person is left alone: milliseconds since 1970, without its end. */
export interface Span {
  from: number;
  until: number;
}

/**
 * Days around a moment whose windows are looked at: a week with the night at its end to either side. Windows that touch
 * are one time of quiet, of up to a week, and what came at its beginning is told at its end.
 */
const days = { before: 8, after: 8 };

/**
 * The quiet spans around a moment, in their order and without overlaps. Edges are wall-clock times of the zone, so a night
 * in which the clocks change is an hour longer or shorter. An edge that the clocks skip is taken later; of one that comes
 * twice a beginning is the first and an end the second: quiet time is never cut short by a clock that is put back, and
 * never begins early by one that is put forward. A zone that this server no longer knows is taken for UTC.
 */
export function quietSpans(windows: readonly QuietWindow[], zone: string, around: Date): Span[] {
  // Mostly there are none.
  if (windows.length === 0) return [];
  const timeZone = knownZone(zone);
  const today = Temporal.Instant.fromEpochMilliseconds(around.getTime()).toZonedDateTimeISO(timeZone).toPlainDate();
  const key = `${timeZone} ${today.toString()}`;
  const known = latest.get(windows);
  if (known?.key === key) return known.spans;
  const spans = spansAround(today, windows, timeZone);
  latest.set(windows, { key, spans });
  return spans;
}

/** Each decision asks for every conversation and channel by the same windows, and reckoning takes a millisecond or two. */
const latest = new WeakMap<readonly QuietWindow[], { key: string; spans: Span[] }>();

function spansAround(today: Temporal.PlainDate, windows: readonly QuietWindow[], timeZone: string): Span[] {
  const spans: Span[] = [];
  for (let offset = -days.before; offset <= days.after; offset += 1) {
    const day = today.add({ days: offset });
    for (const window of windows)
      if (window.days.includes(weekdays[day.dayOfWeek - 1] ?? 'mon')) spans.push(spanOf(window, day, timeZone));
  }
  return merged(spans);
}

/** In the order of ISO 8601, where Monday is 1. */
const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

function spanOf({ from, until }: Pick<QuietWindow, 'from' | 'until'>, day: Temporal.PlainDate, zone: string): Span {
  const [start, end] = [Temporal.PlainTime.from(from), Temporal.PlainTime.from(until)];
  const crosses = Temporal.PlainTime.compare(end, start) <= 0;
  const lastDay = crosses ? day.add({ days: 1 }) : day;
  return {
    // Compatible: later in a gap, earlier in a fold.
    from: day.toPlainDateTime(start).toZonedDateTime(zone, { disambiguation: 'compatible' }).epochMilliseconds,
    until: lastDay.toPlainDateTime(end).toZonedDateTime(zone, { disambiguation: 'later' }).epochMilliseconds,
  };
}

/** The zone, or UTC for one that this server no longer knows. */
export function knownZone(zone: string): string {
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone).timeZoneId;
  } catch {
    return 'UTC';
  }
}

/** The same time in spans that neither touch nor overlap. */
export function merged(spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last && span.from <= last.until) last.until = Math.max(last.until, span.until);
    else if (span.from < span.until) result.push({ ...span });
  }
  return result;
}

/** When the span ends that the moment lies in, or the moment itself. */
export const outOf = (spans: readonly Span[], at: number): number =>
  spans.find(({ from, until }) => from <= at && at < until)?.until ?? at;

/** When so many milliseconds that are not quiet have passed: a ladder stands still while its person is left alone. */
export function awakeAfter(spans: readonly Span[], since: number, ms: number): number {
  let [at, left] = [outOf(spans, since), ms];
  for (const { from, until } of spans) {
    if (from < at) continue;
    if (at + left < from) break;
    left -= from - at;
    at = until;
  }
  return at + left;
}
