import assert from 'node:assert/strict';
import { summariseAway } from '../../domain/attention/index.ts';
import { judge } from '../../domain/attention/summary.ts';
import type { SummaryCandidate } from '../../db/queries/summaries.ts';
import type { UserId } from '../../contracts/ids.ts';
import { type Person, makeGroup, read, registerPerson, send } from '../factories/person.ts';
import { type ByHand, attentionByHand } from '../support/by-hand.ts';
import { expectStatus } from '../support/rest.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

describe('the weekly summary for who is away', () => {
  let hand: ByHand;
  before(async function () {
    this.timeout(60_000);
    hand = await attentionByHand();
  });
  after(() => hand.close());
  beforeEach(async () => {
    hand.reset();
    // Each test has the people for itself.
    await hand.sql.query(
      `update attention set state = 'quiet', nudge_at = null, summary_at = null, summary_due = null`,
    );
    await hand.sql.query('delete from armed');
    await hand.sql.query('delete from outbox');
  });

  const set = async (person: Person, patch: object) =>
    expectStatus(await person.call('PATCH', '/v1/me/notifications', patch), 200);
  /** Somebody who was told of a message on every channel and has not read it. */
  const spent = async (count = 1) => {
    const story = await hand.pair();
    for (let n = 1; n <= count; n += 1) await send(story.ana, story.direct.id, `message ${n}`);
    await spend(story.bob);
    return story;
  };
  /** Takes every step of what waits for the person. */
  const spend = async (bob: Person) => {
    for (;;) {
      const told = await hand.walk(bob);
      if (told.at(-1) === 'every-step-spent') return;
      hand.pass(hour);
    }
  };
  const state = async ({ id }: Person) =>
    (
      await hand.rows<{ summary_at: Date | null; summary_due: Date | null; summaries: number; state: string }>(
        'select summary_at, summary_due, summaries, state from attention where user_id = $1',
        id,
      )
    )[0];
  /** Hours pass, and the relay has its rounds, until the person is due a summary, or for so many days. */
  const away = async (bob: Person, days = 15): Promise<boolean> => {
    for (let passed = 0; passed < days * day; passed += hour) {
      hand.pass(hour);
      while ((await summariseAway(hand.deps)) > 0);
      if ((await state(bob))?.summary_due) return true;
    }
    return false;
  };
  const mails = () => hand.email.sent.filter(({ subject }) => subject.includes('waiting for you'));

  it('comes on a Monday, a week after they were last here, with what waits', async () => {
    const { bob } = await spent(2);
    hand.email.sent.length = 0;
    assert.ok(await away(bob));
    const now = hand.deps.now();
    assert.equal(now.getUTCDay(), 1);
    assert.ok(now.getTime() - Date.now() > 6.9 * day);
    assert.deepEqual(await hand.walk(bob), ['email', 'every-step-spent']);
    const [mail, ...others] = hand.email.sent;
    assert.deepEqual(others, []);
    assert.equal(mail?.subject, '2 unread messages are waiting for you');
    assert.match(mail?.text ?? '', /You have not been here for a week.*\n\nAna\n2 unread messages\nhttp/);
    // No line of what a mail has told before.
    assert.ok(!mail?.text.includes('message 1'));
    const [decision] = await hand.rows<{ reason: string }>(
      `select reason from decisions where user_id = $1 and outcome = 'send' order by at desc limit 1`,
      bob.id,
    );
    assert.equal(decision?.reason, 'weekly_summary');
    const [attempt] = await hand.rows<{ kind: string; state: string }>(
      'select kind, state from attempts where user_id = $1 order by claimed_at desc limit 1',
      bob.id,
    );
    assert.deepEqual(attempt, { kind: 'summary', state: 'accepted' });
  }).timeout(60_000);

  it('tells nothing of it by push or text', async () => {
    const { bob } = await spent();
    const before = [hand.push.sent.length, hand.sms.sent.length];
    assert.ok(await away(bob));
    await hand.walk(bob);
    assert.deepEqual([hand.push.sent.length, hand.sms.sent.length], before);
  }).timeout(60_000);

  it('shows what no mail has told, and that never again', async () => {
    const { bob } = await hand.pair();
    const ana = await registerPerson(hand.app, 'Ana');
    await set(bob, { channels: { email: false } });
    const ops = await makeGroup(ana, [bob], 'Ops');
    await send(ana, ops.id, 'never mailed');
    await spend(bob);
    await set(bob, { channels: { email: true } });
    assert.ok(await away(bob));
    await hand.walk(bob);
    assert.match(mails()[0]?.text ?? '', /Ops\n1 unread message\nAna: never mailed\n/);
    assert.ok(await away(bob));
    await hand.walk(bob);
    assert.equal(mails().length, 2);
    assert.ok(!mails()[1]?.text.includes('never mailed'));
  }).timeout(60_000);

  it('comes once a week, four times, and then no more', async () => {
    const { bob } = await spent();
    const times: number[] = [];
    while (await away(bob, 22)) {
      times.push(hand.deps.now().getTime());
      await hand.walk(bob);
    }
    assert.equal(mails().length, 4);
    times.slice(1).forEach((at, n) => assert.equal(Math.round((at - (times[n] ?? 0)) / hour), 7 * 24));
    assert.equal((await state(bob))?.summary_at, null);
  }).timeout(60_000);

  for (const [what, act] of [
    ['a session that is used', 'update sessions set last_used_at = $2 where user_id = $1'],
    ['a socket that was there', 'update users set last_seen_at = $2 where id = $1'],
  ] as const)
    it(`is over with ${what}, and begins anew a week after`, async () => {
      const { bob } = await spent();
      assert.ok(await away(bob));
      await hand.walk(bob);
      await hand.sql.query(act, [bob.id, hand.deps.now()]);
      assert.equal(await away(bob, 6), false);
      assert.ok(await away(bob, 9));
      assert.equal((await state(bob))?.summaries, 1);
    }).timeout(60_000);

  it('is not sent to who has come back between the look and the sending', async () => {
    const { bob } = await spent();
    hand.email.sent.length = 0;
    assert.ok(await away(bob));
    await hand.start();
    const plan = await hand.decide(bob);
    await hand.sql.query('update users set last_seen_at = $2 where id = $1', [bob.id, hand.deps.now()]);
    assert.deepEqual(await hand.notify(bob, plan), { result: 'not-needed', reason: 'read_before_send' });
    assert.deepEqual(hand.email.sent, []);
  }).timeout(60_000);

  it('is not too late while its provider is out of order', async () => {
    const { bob } = await spent();
    assert.ok(await away(bob));
    const plan = await hand.decide(bob);
    const until = new Date(hand.deps.now().getTime() + minute);
    const [{ circuits }, since] = [hand.deps, hand.deps.now()];
    hand.deps.circuits = { ...circuits, admit: async () => ({ why: 'breaker_open', since, until }) };
    assert.deepEqual(await hand.notify(bob, plan), { result: 'deferred', until: until.toISOString() });
    hand.deps.circuits = circuits;
    assert.deepEqual([(await hand.notify(bob, plan)).result, mails().length], ['sent', 1]);
  }).timeout(60_000);

  it('is not sent of what was read meanwhile', async () => {
    const { bob, direct } = await spent();
    hand.email.sent.length = 0;
    assert.ok(await away(bob));
    expectStatus(await read(bob, direct.id, 1), 200);
    assert.deepEqual(await hand.walk(bob), ['read']);
    assert.equal((await state(bob))?.summary_due, null);
    assert.deepEqual(hand.email.sent, []);
  }).timeout(60_000);

  it('comes to nobody who has read everything, and looks at nobody for nothing', async () => {
    const { bob, direct } = await spent();
    expectStatus(await read(bob, direct.id, 1), 200);
    await hand.sql.query("update sessions set last_used_at = now() - interval '1 hour' where user_id = $1", [bob.id]);
    assert.equal(await away(bob), false);
    assert.equal((await state(bob))?.summary_at, null);
  }).timeout(60_000);

  it('comes to nobody who wants no mail, or no summary', async () => {
    for (const settings of [{ weeklySummary: false }, { emailFrequency: 'off' }, { channels: { email: false } }]) {
      const { bob } = await spent();
      await set(bob, settings);
      assert.equal(await away(bob), false, JSON.stringify(settings));
    }
  }).timeout(60_000);

  it('takes the place of the digest of its day', async () => {
    const { ana, bob, direct } = await hand.pair();
    await set(bob, { emailFrequency: 'daily', channels: { push: false, sms: false } });
    hand.deps.ladder.digestJitterMs = 0;
    await send(ana, direct.id, 'by tomorrow');
    await hand.arm();
    await hand.sql.query('update attention set summary_at = now() where user_id = $1', [bob.id]);
    assert.ok(await away(bob));
    const yesterday = new Date(hand.deps.now().getTime() - 10 * hour);
    await hand.sql.query('update messages set created_at = $2 where conversation_id = $1', [direct.id, yesterday]);
    await hand.sql.query('update armed set last_at = $2 where user_id = $1', [bob.id, yesterday]);
    assert.deepEqual(await hand.walk(bob), ['email', 'every-step-spent']);
    assert.equal(hand.email.sent.length, 1);
    assert.match(mails()[0]?.text ?? '', /Ana: by tomorrow/);
    hand.pass(hour);
    assert.deepEqual(await hand.walk(bob), ['every-step-spent']);
  }).timeout(60_000);

  it('is opened by one of several relays that look at once', async () => {
    const { bob } = await spent();
    assert.ok(await away(bob));
    await hand.walk(bob);
    await hand.sql.query('update attention set summary_at = $2 where user_id = $1', [bob.id, hand.deps.now()]);
    const { episode = 0 } = (await hand.attention(bob)) ?? {};
    const looked = await Promise.all([1, 2, 3].map(() => summariseAway(hand.deps)));
    assert.equal(
      looked.reduce((sum, n) => sum + n, 0),
      1,
    );
    assert.equal((await hand.attention(bob))?.episode, episode + 1);
  }).timeout(60_000);
});

describe('whether somebody is due a summary', () => {
  const monday = Date.parse('2026-11-30T08:00:00Z');
  const candidate = (more: Partial<SummaryCandidate> = {}): SummaryCandidate => ({
    userId: '0190a000-0000-7000-8000-000000000001' as UserId,
    status: 'active',
    hasEmail: true,
    timeZone: 'UTC',
    settings: null,
    lastActiveAt: new Date(monday - 8 * day),
    summaries: 0,
    summarisedAt: null,
    ...more,
  });
  const tell = (at: number, more: Partial<SummaryCandidate> = {}, jitterMs = 0) => {
    const { nth, at: next } = judge(candidate(more), { now: at, jitterMs });
    return [nth ?? 'no', next === null ? 'never' : (next.getTime() - monday) / minute];
  };

  it('begins a minute before Monday’s digest, and not before', () => {
    assert.deepEqual(tell(monday - minute), [1, 7 * 1_440 - 1]);
    assert.deepEqual(tell(monday - minute - 1), ['no', -1]);
  });
  it('is late by the person’s place among those of their zone', () => {
    assert.deepEqual(tell(monday - minute, {}, 5 * minute), ['no', 4]);
    assert.deepEqual(tell(monday + 4 * minute, {}, 5 * minute), [1, 7 * 1_440 + 4]);
  });
  it('is seven days of absence, to the millisecond', () => {
    const slot = monday - minute;
    assert.equal(tell(slot, { lastActiveAt: new Date(slot - 7 * day - 1) })[0], 1);
    assert.deepEqual(tell(slot, { lastActiveAt: new Date(slot - 7 * day) }), ['no', 7 * 1_440 - 1]);
  });
  it('is over six hours after its time, until the next Monday', () => {
    assert.equal(tell(monday - minute + 6 * hour - 1)[0], 1);
    assert.deepEqual(tell(monday - minute + 6 * hour), ['no', 7 * 1_440 - 1]);
  });
  it('is by the person’s own clock and time of day', () => {
    const kiritimati = { timeZone: 'Pacific/Kiritimati', settings: { emailDigestAt: '20:00' } };
    assert.deepEqual(tell(monday - 2 * hour - minute, kiritimati), [1, 7 * 1_440 - 121]);
  });
  it('comes a fourth time and no fifth, unless they were here meanwhile', () => {
    const summarisedAt = new Date(monday - 7 * day);
    assert.equal(tell(monday, { summaries: 3, summarisedAt })[0], 4);
    assert.deepEqual(tell(monday, { summaries: 4, summarisedAt }), ['no', 'never']);
    const back = { summaries: 4, summarisedAt: new Date(monday - 30 * day) };
    assert.equal(tell(monday, back)[0], 1);
  });
  it('is never of who cannot be mailed, or is suspended', () => {
    assert.deepEqual(tell(monday, { hasEmail: false }), ['no', 'never']);
    assert.deepEqual(tell(monday, { status: 'suspended' }), ['no', 'never']);
  });
});
