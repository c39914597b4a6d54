import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { localDay, nextDigest, nextMonday } from '../../domain/attention/digest-time.ts';

const hour = 3_600_000;
const daily = (emailDigestAt: string) => ({ emailFrequency: 'daily' as const, emailDigestAt });
const hourly = { emailFrequency: 'hourly' as const, emailDigestAt: '08:00' };
const instant = (ms: number) => new Date(ms).toISOString().replace('.000Z', 'Z');
const [newYork, london, lordHowe] = ['America/New_York', 'Europe/London', 'Australia/Lord_Howe'];

describe('the moment at which gathered mail comes', () => {
  /** Settings, zone, after which moment, when. */
  const table: [string, Parameters<typeof nextDigest>[0], string, string, string][] = [
    ['is the next full hour', hourly, 'UTC', '2026-11-24T12:00:00.001Z', '2026-11-24T13:00:00Z'],
    ['is never the moment itself', hourly, 'UTC', '2026-11-24T12:00:00Z', '2026-11-24T13:00:00Z'],
    ['is a millisecond away where that is the hour', hourly, 'UTC', '2026-11-24T12:59:59.999Z', '2026-11-24T13:00:00Z'],
    ['is full by the clock of the zone', hourly, 'Asia/Kathmandu', '2026-11-24T12:00:00Z', '2026-11-24T12:15:00Z'],
    ['is the person’s morning', daily('08:00'), newYork, '2026-11-24T12:00:00Z', '2026-11-24T13:00:00Z'],
    ['is tomorrow’s once it has begun', daily('08:00'), newYork, '2026-11-24T13:00:00Z', '2026-11-25T13:00:00Z'],
    [
      'is UTC’s where nobody knows the zone',
      daily('08:00'),
      'Moon/Tycho',
      '2026-11-24T12:00:00Z',
      '2026-11-25T08:00:00Z',
    ],
    // Nights in which clocks are put forward.
    [
      'comes 23 hours after the last in New York in March',
      daily('08:00'),
      newYork,
      '2026-03-07T13:00:00Z',
      '2026-03-08T12:00:00Z',
    ],
    [
      'comes 23 hours after the last in London in March',
      daily('08:00'),
      london,
      '2026-03-28T08:00:00Z',
      '2026-03-29T07:00:00Z',
    ],
    [
      'comes 23½ hours after the last on Lord Howe in October',
      daily('08:00'),
      lordHowe,
      '2026-10-02T21:30:00Z',
      '2026-10-03T21:00:00Z',
    ],
    [
      'is later where the clocks skip it in New York',
      daily('02:30'),
      newYork,
      '2026-03-08T05:00:00Z',
      '2026-03-08T07:30:00Z',
    ],
    [
      'is later where the clocks skip it in London',
      daily('01:30'),
      london,
      '2026-03-29T00:00:00Z',
      '2026-03-29T01:30:00Z',
    ],
    [
      'is later where the clocks skip it on Lord Howe',
      daily('02:15'),
      lordHowe,
      '2026-10-03T12:00:00Z',
      '2026-10-03T15:45:00Z',
    ],
    ['comes every hour in that night', hourly, newYork, '2026-03-08T06:30:00Z', '2026-03-08T07:00:00Z'],
    // Nights in which they are put back.
    [
      'comes 25 hours after the last in New York in November',
      daily('08:00'),
      newYork,
      '2026-10-31T12:00:00Z',
      '2026-11-01T13:00:00Z',
    ],
    [
      'comes 25 hours after the last in London in October',
      daily('08:00'),
      london,
      '2026-10-24T07:00:00Z',
      '2026-10-25T08:00:00Z',
    ],
    [
      'comes 24½ hours after the last on Lord Howe in April',
      daily('08:00'),
      lordHowe,
      '2026-04-03T21:00:00Z',
      '2026-04-04T21:30:00Z',
    ],
    ['is the first of the two in New York', daily('01:30'), newYork, '2026-11-01T04:00:00Z', '2026-11-01T05:30:00Z'],
    ['and not the second', daily('01:30'), newYork, '2026-11-01T05:30:00Z', '2026-11-02T06:30:00Z'],
    ['is the first of the two in London', daily('01:30'), london, '2026-10-24T23:00:00Z', '2026-10-25T00:30:00Z'],
    ['is the first of the two on Lord Howe', daily('01:45'), lordHowe, '2026-04-04T14:00:00Z', '2026-04-04T14:45:00Z'],
    ['comes every hour in that night, too', hourly, newYork, '2026-11-01T05:30:00Z', '2026-11-01T06:00:00Z'],
    [
      'is a full hour where the clocks went forward by half of one',
      hourly,
      lordHowe,
      '2026-10-03T15:10:00Z',
      '2026-10-03T16:00:00Z',
    ],
    [
      'is a full hour where they went back by half of one',
      hourly,
      lordHowe,
      '2026-04-04T14:10:00Z',
      '2026-04-04T15:30:00Z',
    ],
  ];
  for (const [what, settings, zone, after, when] of table)
    it(what, () => assert.equal(instant(nextDigest(settings, zone, Date.parse(after))), when));

  const zones = fc.constantFrom(
    'UTC',
    newYork,
    london,
    lordHowe,
    'Asia/Kathmandu',
    'Pacific/Apia',
    'Africa/Casablanca',
  );
  const moments = fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2028-01-01') });
  const twoDigits = (n: number) => String(n).padStart(2, '0');
  const times = fc
    .record({ h: fc.integer({ min: 0, max: 23 }), m: fc.integer({ min: 0, max: 59 }) })
    .map(({ h, m }) => `${twoDigits(h)}:${twoDigits(m)}`);

  it('lies ahead, a day or an hour and a half at most, for any moment in any zone', () => {
    fc.assert(
      fc.property(moments, zones, times, (after, zone, at) => {
        const [day, full] = [nextDigest(daily(at), zone, after) - after, nextDigest(hourly, zone, after) - after];
        assert.ok(day > 0 && day <= 26 * hour, `${day / hour} hours`);
        assert.ok(full > 0 && full <= 1.5 * hour, `${full / hour} hours`);
      }),
      { numRuns: 2_000 },
    );
  });

  it('comes once on every day', () => {
    fc.assert(
      fc.property(moments, zones, times, (start, zone, at) => {
        let now = start;
        const days = Array.from({ length: 10 }, () => {
          now = nextDigest(daily(at), zone, now);
          return localDay(new Date(now), zone);
        });
        const first = Temporal.PlainDate.from(days[0] as string);
        assert.deepEqual(
          days,
          days.map((_, n) => first.add({ days: n }).toString()),
        );
      }),
      { numRuns: 300 },
    );
  });
});

describe('the Monday on which a summary comes', () => {
  const table: [string, string, string, string][] = [
    ['is the next one', 'UTC', '2026-11-24T12:00:00Z', '2026-11-30T08:00:00Z'],
    ['is this one before its time', 'UTC', '2026-11-30T07:59:59Z', '2026-11-30T08:00:00Z'],
    ['is a week away at its time', 'UTC', '2026-11-30T08:00:00Z', '2026-12-07T08:00:00Z'],
    ['is the person’s own Monday', 'Pacific/Kiritimati', '2026-11-29T12:00:00Z', '2026-11-29T18:00:00Z'],
    ['is by the clock that was put forward', newYork, '2026-03-02T13:00:00Z', '2026-03-09T12:00:00Z'],
    ['is by the clock that was put back', newYork, '2026-10-26T12:00:00Z', '2026-11-02T13:00:00Z'],
  ];
  for (const [what, zone, after, when] of table)
    it(what, () => assert.equal(instant(nextMonday('08:00', zone, Date.parse(after))), when));
});
