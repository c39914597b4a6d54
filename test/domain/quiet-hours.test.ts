import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { QuietWindow } from '../../contracts/entities/index.ts';
import { awakeAfter, outOf, quietSpans } from '../../domain/attention/quiet-hours.ts';

const everyDay: QuietWindow['days'] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const nightly = (from: string, until: string): QuietWindow => ({ days: everyDay, from, until });
const at = (instant: string) => new Date(instant);
/** The edge of a window that nothing else touches, on the day of a moment in that zone. */
const edge = (which: 'from' | 'until', time: string, zone: string, day: string): string => {
  const window = which === 'from' ? nightly(time, '12:00') : nightly('00:00', time);
  const noon = at(`${day}T12:00:00Z`);
  const around = quietSpans([window], zone, noon).map((span) => new Date(span[which]).toISOString());
  const local = new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' });
  return around.find((instant) => local.format(at(instant)) === day) ?? 'none';
};
const night = (zone: string, moment: string) => {
  const span = quietSpans([nightly('22:00', '07:00')], zone, at(moment)).find(
    ({ from, until }) => from <= Date.parse(moment) && Date.parse(moment) < until,
  );
  return span && [(span.until - span.from) / 3_600_000, new Date(span.until).toISOString()];
};

describe('quiet hours', () => {
  describe('when the clocks change', () => {
    const gaps: [string, string, string, string][] = [
      ['America/New_York', '2026-03-08', '02:30', '2026-03-08T07:30:00.000Z'],
      ['Europe/London', '2026-03-29', '01:30', '2026-03-29T01:30:00.000Z'],
      ['Australia/Lord_Howe', '2026-10-04', '02:15', '2026-10-03T15:45:00.000Z'],
    ];
    for (const [zone, day, time, later] of gaps)
      it(`in ${zone}, an edge that is skipped is taken later`, () => {
        assert.deepEqual([edge('from', time, zone, day), edge('until', time, zone, day)], [later, later]);
      });

    const folds: [string, string, string, string, string][] = [
      ['America/New_York', '2026-11-01', '01:30', '2026-11-01T05:30:00.000Z', '2026-11-01T06:30:00.000Z'],
      ['Europe/London', '2026-10-25', '01:30', '2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z'],
      ['Australia/Lord_Howe', '2026-04-05', '01:45', '2026-04-04T14:45:00.000Z', '2026-04-04T15:15:00.000Z'],
    ];
    for (const [zone, day, time, earlier, later] of folds)
      it(`in ${zone}, of an edge that comes twice a beginning is the first, an end the second`, () => {
        assert.deepEqual([edge('from', time, zone, day), edge('until', time, zone, day)], [earlier, later]);
      });

    it('a night is an hour shorter or longer', () => {
      assert.deepEqual(night('America/New_York', '2026-03-08T06:00:00Z'), [8, '2026-03-08T11:00:00.000Z']);
      assert.deepEqual(night('America/New_York', '2026-11-01T06:00:00Z'), [10, '2026-11-01T12:00:00.000Z']);
      assert.deepEqual(night('America/New_York', '2026-06-08T06:00:00Z'), [9, '2026-06-08T11:00:00.000Z']);
    });
  });

  it('that cross midnight belong to the day on which they begin', () => {
    const friday: QuietWindow = { days: ['fri'], from: '22:00', until: '07:00' };
    const spans = quietSpans([friday], 'Europe/Berlin', at('2026-11-27T12:00:00Z'));
    const first = spans.find(({ until }) => until > Date.parse('2026-11-27T12:00:00Z'));
    assert.deepEqual(
      [first?.from, first?.until].map((edge) => new Date(edge ?? 0).toISOString()),
      ['2026-11-27T21:00:00.000Z', '2026-11-28T06:00:00.000Z'],
    );
  });

  it('in a zone that nobody knows any more are by UTC', () => {
    const [first] = quietSpans([nightly('22:00', '07:00')], 'Europe/Atlantis', at('2026-11-24T12:00:00Z'));
    assert.equal(new Date(first?.from ?? 0).toISOString(), '2026-11-16T22:00:00.000Z');
  });

  it('that touch are one time of quiet', () => {
    const windows = [nightly('20:00', '22:00'), nightly('22:00', '07:00')];
    const spans = quietSpans(windows, 'UTC', at('2026-11-24T12:00:00Z'));
    const end = outOf(spans, Date.parse('2026-11-24T21:00:00Z'));
    assert.equal(new Date(end).toISOString(), '2026-11-25T07:00:00.000Z');
  });

  describe('for any windows, zone and moment', () => {
    const time = fc
      .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
      .map((parts) => parts.map((part) => String(part).padStart(2, '0')).join(':'));
    const window = fc.record({ days: fc.subarray(everyDay, { minLength: 1 }), from: time, until: time });
    const given = fc.record({
      windows: fc.array(window, { maxLength: 4 }),
      zone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Apia'),
      moment: fc.date({ min: at('2026-01-01T00:00:00Z'), max: at('2027-01-01T00:00:00Z'), noInvalidDate: true }),
    });

    it('spans are in order and apart, and out of one is in none', () => {
      fc.assert(
        fc.property(given, ({ windows, zone, moment }) => {
          const spans = quietSpans(windows, zone, moment);
          spans.forEach(({ from, until }, n) => {
            assert.ok(from < until && from > (spans[n - 1]?.until ?? Number.NEGATIVE_INFINITY));
          });
          const out = outOf(spans, moment.getTime());
          assert.ok(out >= moment.getTime() && outOf(spans, out) === out);
        }),
      );
    });

    it('a clock that stands still counts the time outside of them, and nothing else', () => {
      fc.assert(
        fc.property(given, fc.integer({ min: 0, max: 86_400_000 }), ({ windows, zone, moment }, ms) => {
          const spans = quietSpans(windows, zone, moment);
          const [began, ends] = [moment.getTime(), awakeAfter(spans, moment.getTime(), ms)];
          const quiet = spans.reduce(
            (sum, { from, until }) => sum + Math.max(0, Math.min(until, ends) - Math.max(from, began)),
            0,
          );
          assert.equal(ends - began - quiet, ms);
        }),
      );
    });
  });
});
