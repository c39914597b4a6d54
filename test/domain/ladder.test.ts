import assert from 'node:assert/strict';
import fc from 'fast-check';
import { defaultNotificationSettings } from '../../contracts/entities/index.ts';
import type { ConversationId } from '../../contracts/ids.ts';
import { type Channel, channels } from '../../contracts/workflows/names.ts';
import type { ArmedRow, Progress } from '../../db/queries/armed.ts';
import { type Verdict, decide } from '../../domain/attention/decide.ts';
import type { Situation } from '../../domain/attention/situation.ts';
import { standardLadder } from '../../platform/config-types.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const start = Date.parse('2026-11-24T12:00:00.000Z');
const conversationId = 'c1' as ConversationId;

interface Written {
  at: number;
  urgent: boolean;
}
interface Story {
  messages: Written[];
  readings: { at: number; seq: number }[];
  situation: Pick<Situation, 'settings' | 'suppressed' | 'devices' | 'presence' | 'capped'> & { acknowledged: boolean };
}

/** What a channel has told, as the watermark keeps it. */
interface Told {
  throughSeq: number;
  at: number;
  times: number;
  repeats: number;
}

/** One conversation of one person as PostgreSQL and the workflow play it, with nothing but the decision being real. */
class Play {
  readonly story: Story;
  now = start;
  seen = 0;
  /** From where an episode tells: what an ended one held is not told again. */
  from = 1;
  readonly told = new Map<Channel, Told>();
  /** How often each message was announced, by channel. */
  readonly counts = new Map<string, number>();

  constructor(story: Story) {
    this.story = story;
  }

  /** Plays to the end; false where there is none. */
  run(): boolean {
    for (let turn = 0; turn < 2_000; turn += 1) {
      const { verdict } = decide(this.look());
      if (verdict.kind === 'notify') this.announce(verdict);
      else if (verdict.kind === 'wait') this.passTo(Math.min(verdict.until.getTime(), this.nextEvent()));
      else {
        this.from = this.written().length + 1;
        const next = this.nextEvent();
        if (next === Number.POSITIVE_INFINITY) return true;
        this.passTo(next);
      }
    }
    return false;
  }

  private written(): Written[] {
    return this.story.messages.filter(({ at }) => at <= this.now);
  }

  private nextEvent(): number {
    const all = [...this.story.messages, ...this.story.readings].map(({ at }) => at);
    return Math.min(...all.filter((at) => at > this.now), Number.POSITIVE_INFINITY);
  }

  private passTo(at: number): void {
    assert.ok(at > this.now, 'nothing is waited for that is past');
    this.now = at;
    for (const { at: when, seq } of this.story.readings)
      if (when <= at) this.seen = Math.max(this.seen, Math.min(seq, this.written().length));
  }

  private look(): Situation {
    const { acknowledged, ...rest } = this.story.situation;
    const row = this.row(acknowledged);
    return {
      now: new Date(this.now),
      ladder: standardLadder,
      account: 'active',
      zone: 'UTC',
      pushZone: 'UTC',
      place: 0,
      held: {},
      email: 'verified',
      phone: 'verified',
      armed: row ? [row] : [],
      openedAt: new Date(start),
      summary: false,
      pushHandedOver: this.told.has('push'),
      handedOver: this.told.size > 0,
      emailFailedAt: null,
      underWay: [],
      urgentUnderWay: [],
      refused: [],
      stuck: [],
      stuckPushes: [],
      struckOff: [],
      closed: false,
      calledOffFor: null,
      ...rest,
    };
  }

  private row(acknowledged: boolean): ArmedRow | undefined {
    const written = this.written();
    const unread = written
      .map(({ at, urgent }, n) => ({ seq: n + 1, at: new Date(at), urgent }))
      .filter(({ seq }) => seq > this.seen && seq >= this.from);
    const [first, newest] = [unread[0], unread.at(-1)];
    if (!first || !newest) return undefined;
    const progress = (channel: Channel): Progress => {
      const told = this.told.get(channel) ?? { throughSeq: 0, at: 0, times: 0, repeats: 0 };
      const counts = told.throughSeq > this.seen;
      return {
        throughSeq: told.throughSeq,
        last: counts ? new Date(told.at) : null,
        times: counts ? told.times : 0,
        repeats: counts ? told.repeats : 0,
        since: unread.find(({ seq }) => seq > told.throughSeq)?.at ?? null,
      };
    };
    return {
      ...{ conversationId, kind: 'direct', muted: false, level: null, acknowledged, seenSeq: this.seen },
      ...{ armedAt: first.at, fromSeq: first.seq, lastSeq: newest.seq, lastAt: newest.at },
      ...{ urgents: unread.filter(({ urgent }) => urgent), channels: null },
      ...{ push: progress('push'), email: progress('email'), sms: progress('sms') },
    };
  }

  /** As the claim does it. */
  private announce({ channel, alert }: Extract<Verdict, { kind: 'notify' }>): void {
    const { suppressed, settings } = this.story.situation;
    assert.ok(channel === 'push' || !suppressed[channel], `${channel} is stopped for good`);
    assert.ok(settings.channels[channel] || (channel === 'sms' && settings.urgentSms), `${channel} is off`);
    const row = this.row(true);
    assert.ok(row, 'nothing is told when everything was read');
    const before = this.told.get(channel);
    const newestUrgent = row.urgents.at(-1)?.seq ?? 0;
    const told = Math.max(this.seen, before?.throughSeq ?? 0);
    const from = alert === 'repeat' ? newestUrgent : Math.max(row.fromSeq, told + 1);
    assert.ok(from > this.seen && from <= row.lastSeq, 'only what was not read, and there is some');
    for (let seq = from; seq <= row.lastSeq; seq += 1) {
      const key = `${channel} ${seq}`;
      this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
    }
    const still = before && before.throughSeq > this.seen ? before : { times: 0, repeats: 0 };
    const repeats = alert === 'repeat' ? still.repeats + 1 : alert === 'urgent' ? 0 : still.repeats;
    this.told.set(channel, { throughSeq: row.lastSeq, at: this.now, times: still.times + 1, repeats });
  }
}

describe('for any story of messages and readings', () => {
  const times = fc.oneof(fc.integer({ min: 0, max: 30 * minute }), fc.integer({ min: 0, max: 30 * hour }));
  const cap = fc.option(
    times.map((ms) => ({ reason: 'cap_user' as const, until: new Date(start + ms) })),
    { nil: undefined },
  );
  const stories: fc.Arbitrary<Story> = fc.record({
    messages: fc
      .array(fc.record({ at: times, urgent: fc.boolean() }), { minLength: 1, maxLength: 8 })
      .map((all) => all.map((one) => ({ ...one, at: start + one.at })).sort((a, b) => a.at - b.at)),
    readings: fc.array(fc.record({ at: times.map((ms) => start + ms), seq: fc.integer({ min: 1, max: 8 }) }), {
      maxLength: 3,
    }),
    situation: fc.record({
      settings: fc
        .record({
          push: fc.boolean(),
          email: fc.boolean(),
          sms: fc.boolean(),
          urgentSms: fc.boolean(),
          through: fc.constantFrom('everyone' as const, 'nobody' as const),
          quiet: fc.boolean(),
          frequency: fc.constantFrom('immediate' as const, 'hourly' as const, 'daily' as const, 'off' as const),
        })
        .map(({ urgentSms, through, quiet, frequency, ...on }) => ({
          ...defaultNotificationSettings,
          ...{ channels: on, urgentSms, urgentThrough: through, emailFrequency: frequency },
          quietHours: quiet
            ? { windows: [{ days: ['tue' as const, 'wed' as const], from: '12:10', until: '16:00' }], email: true }
            : null,
        })),
      suppressed: fc.record(
        { email: fc.constant('unsubscribed' as const), sms: fc.constant('opted_out' as const) },
        { requiredKeys: [] },
      ),
      devices: fc.constantFrom(
        [],
        [{ pushState: 'active' as const, pushPermission: 'granted', pushEnabled: true, hasToken: true }],
      ),
      presence: fc.constantFrom([], [{ state: 'active' as const, deviceId: null, viewing: conversationId }]),
      acknowledged: fc.boolean(),
      capped: fc.record({ email: cap, sms: cap, urgentSms: cap }),
    }),
  });

  it('tells nothing that was read or is stopped, nothing twice but what is urgent and as often as it may, and ends', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const play = new Play(story);
        assert.ok(play.run(), 'it ends');
        const urgent = story.messages.filter((message) => message.urgent).length;
        for (const [key, count] of play.counts) {
          const most = key.startsWith('push') ? 1 + urgent * standardLadder.urgent.repeats : 1;
          assert.ok(count <= most, `${key} was told ${count} times`);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('L3: whoever writes on postpones nothing: a mail comes when the first message is ten minutes old', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 * minute }), { maxLength: 30 }), (others) => {
        const messages = [0, ...others].sort((a, b) => a - b).map((ms) => ({ at: start + ms, urgent: false }));
        const situation = {
          settings: defaultNotificationSettings,
          ...{ suppressed: {}, presence: [], capped: {}, acknowledged: true },
          devices: [{ pushState: 'active' as const, pushPermission: 'granted', pushEnabled: true, hasToken: true }],
        };
        const play = new Play({ messages, readings: [], situation });
        assert.ok(play.run());
        assert.deepEqual([play.told.get('email')?.at, play.told.get('email')?.times], [start + 10 * minute, 1]);
        for (const channel of channels.filter((one) => one !== 'sms')) assert.ok(play.counts.get(`${channel} 1`) === 1);
      }),
    );
  });
});
