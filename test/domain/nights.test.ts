import assert from 'node:assert/strict';
import { type NotificationSettings, defaultNotificationSettings } from '../../contracts/entities/index.ts';
import { decide } from '../../domain/attention/decide.ts';
import { standardLadder } from '../../platform/config-types.ts';
import { row, situation } from '../support/situation.ts';

const night: NotificationSettings = {
  ...defaultNotificationSettings,
  channels: { push: true, email: false, sms: false },
  quietHours: {
    windows: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '22:00', until: '07:00' }],
    email: false,
  },
};

/** The zone, when the message came, by whose clock it is night, and seven in the morning. */
const nights: [zone: string, which: string, came: string, seven: string][] = [
  ['America/New_York', 'an ordinary night', '2026-06-08T06:00:00Z', '2026-06-08T11:00:00Z'],
  ['America/New_York', 'the night that is an hour shorter', '2026-03-08T06:00:00Z', '2026-03-08T11:00:00Z'],
  ['America/New_York', 'the night that is an hour longer', '2026-11-01T05:30:00Z', '2026-11-01T12:00:00Z'],
  ['Europe/Berlin', 'an ordinary night', '2026-06-08T01:00:00Z', '2026-06-08T05:00:00Z'],
  ['Europe/Berlin', 'the night that is an hour shorter', '2026-03-29T00:30:00Z', '2026-03-29T05:00:00Z'],
  ['Europe/Berlin', 'the night that is an hour longer', '2026-10-25T00:30:00Z', '2026-10-25T06:00:00Z'],
  ['Australia/Lord_Howe', 'an ordinary night', '2026-06-07T15:00:00Z', '2026-06-07T20:30:00Z'],
  ['Australia/Lord_Howe', 'the night that is half an hour shorter', '2026-10-03T15:00:00Z', '2026-10-03T20:00:00Z'],
  ['Australia/Lord_Howe', 'the night that is half an hour longer', '2026-04-04T14:00:00Z', '2026-04-04T20:30:00Z'],
];

describe('2.23/8: messages of a night', () => {
  for (const [zone, which, came, seven] of nights)
    it(`are one push at seven by the clock of ${zone}, after ${which}`, () => {
      const [first, place] = [Date.parse(came), 0.5];
      // Released one after another, each after the moment in which messages are gathered.
      const release = Date.parse(seven) + place * standardLadder.releaseJitterMs + standardLadder.pushMs;
      const at = (now: number) => {
        const since = new Date(first);
        const untold = { throughSeq: 0, last: null, times: 0, since, repeats: 0 };
        const armed = row({
          ...{ armedAt: since, lastAt: new Date(first + 60_000), fromSeq: 1, lastSeq: 3 },
          ...{ push: untold, email: untold, sms: untold },
        });
        return decide(situation({ now: new Date(now), settings: night, zone, place, armed: [armed] })).verdict;
      };
      const waiting = at(first + 2_000);
      assert.equal(waiting.kind, 'wait');
      assert.deepEqual(waiting.kind === 'wait' && [waiting.until.toISOString(), waiting.why], [
        new Date(release).toISOString(),
        'quiet_hours',
      ]);
      assert.equal(at(release - 1).kind, 'wait');
      const released = at(release);
      assert.deepEqual(released.kind === 'notify' && [released.channel, released.conversationIds], ['push', ['c1']]);
    });
});
