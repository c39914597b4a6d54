import assert from 'node:assert/strict';
import type { Plan } from '../../contracts/workflows/escalate-unread.ts';
import type { SendOutcome } from '../../domain/deps.ts';
import { ProviderFailing } from '../../domain/errors.ts';
import { createCircuits, guardSenders, memoryStore } from '../../platform/circuits/index.ts';
import { clearScreens } from '../../domain/attention/index.ts';
import { read, registerDevice, send, signInAgain } from '../factories/person.ts';
import { type ByHand, attentionByHand } from '../support/by-hand.ts';
import { expectStatus } from '../support/rest.ts';
import { until } from '../support/until.ts';

const second = 1_000;
const minute = 60 * second;
const refusal = (kind: Exclude<SendOutcome['class'], 'ok'>, provider: 'fcm' | 'sendgrid' | 'twilio'): SendOutcome => ({
  class: kind,
  provider,
  code: 'CODE',
});

describe('while a provider is out of order', () => {
  let hand: ByHand;
  let unguarded: ByHand['deps']['senders'];
  before(async function () {
    this.timeout(60_000);
    hand = await attentionByHand();
    unguarded = hand.deps.senders;
  });
  after(() => hand.close());
  beforeEach(() => {
    hand.reset();
    const now = () => hand.deps.now().getTime();
    const circuits = createCircuits({ store: memoryStore(now), keyOf: (name) => name, now, log: hand.deps.log });
    Object.assign(hand.deps, { circuits, senders: guardSenders(unguarded, circuits, now) });
  });

  type Pair = Awaited<ReturnType<ByHand['pair']>>;
  const unread = async (extra = {}): Promise<Pair> => {
    const pair = await hand.pair();
    await send(pair.ana, pair.direct.id, 'hello', extra);
    while ((await hand.arm()) > 0);
    await hand.start();
    return pair;
  };
  const open = async (
    name: 'fcm:android' | 'sendgrid' | 'twilio',
    kind: 'transient' | 'config_outage' = 'transient',
  ) => {
    const provider = name === 'fcm:android' ? 'fcm' : name;
    for (let n = 0; n < 20; n += 1) await hand.deps.circuits.heed(name, refusal(kind, provider));
  };
  const decisions = ({ bob }: Pair, step: string) =>
    hand.rows<{ outcome: string; reason: string; until: Date | null }>(
      'select outcome, reason, until from decisions where user_id = $1 and step = $2 order by at, id',
      bob.id,
      step,
    );
  /** Does what is due until nothing is, as the workflow does: a step that was put off is under way meanwhile. */
  const walk = async ({ bob }: Pair): Promise<Plan> => {
    const underWay: ('push' | 'email' | 'sms')[] = [];
    for (;;) {
      const plan = await hand.decide(bob, { underWay });
      if (plan.kind !== 'notify') return plan;
      const result = await hand.notify(bob, plan).catch((error: unknown) => {
        if (error instanceof ProviderFailing) return { result: 'failing' };
        throw error;
      });
      if (result.result === 'deferred' || result.result === 'failing') underWay.push(plan.channel);
    }
  };

  it('a send is not even claimed; the decision says until when it waits, and it goes when the provider is back', async () => {
    await open('fcm:android');
    const pair = await unread();
    hand.pass(2 * second);
    const plan = await walk(pair);
    assert.deepEqual([plan.kind, plan.kind === 'wait' && [plan.next, plan.why]], ['wait', ['push', 'breaker_open']]);
    const [decision] = await decisions(pair, 'push');
    assert.deepEqual([decision?.outcome, decision?.reason], ['deferred', 'breaker_open']);
    const waits = (decision?.until?.getTime() ?? 0) - hand.deps.now().getTime();
    assert.ok(waits > 10 * second && waits <= 30 * second, `${waits} ms`);
    assert.deepEqual([hand.push.sent, await hand.attempts(pair.bob)], [[], []]);

    hand.pass(31 * second);
    await walk(pair);
    assert.deepEqual([hand.push.sent.length, (await hand.attempts(pair.bob))[0]?.state], [1, 'accepted']);
  });

  it('an attempt that was claimed before waits as it is, by a timer and without a call', async () => {
    const pair = await unread();
    hand.pass(2 * second);
    const plan = await hand.decide(pair.bob);
    await open('fcm:android');
    const result = await hand.notify(pair.bob, plan);
    assert.equal(result.result, 'deferred');
    assert.deepEqual([hand.push.sent.length, (await hand.attempts(pair.bob))[0]?.state], [0, 'claimed']);
    hand.pass(16 * second);
    assert.equal((await hand.notify(pair.bob, plan)).result, 'sent');
  });

  it('a provider that names a time beyond our patience is waited for by a timer, too', async () => {
    const pair = await unread();
    hand.pass(2 * second);
    const plan = await hand.decide(pair.bob);
    hand.push.answer = (_, n) => (n === 1 ? { ...refusal('throttled', 'fcm'), retryAfterMs: 60 * minute } : undefined);
    const result = await hand.notify(pair.bob, plan);
    assert.equal(result.result, 'deferred');
    const waits = Date.parse(result.result === 'deferred' ? result.until : '') - hand.deps.now().getTime();
    assert.ok(Math.abs(waits - 60 * minute) < 5 * second, `${waits} ms`);
    hand.pass(60 * minute);
    assert.equal((await hand.notify(pair.bob, plan)).result, 'sent');
  });

  it('and not into the night: it is told after it, once', async () => {
    const pair = await unread();
    const clock = (shiftMs: number) => new Date(Date.now() + shiftMs).toISOString().slice(11, 16);
    const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
    const windows = [{ days, from: clock(10 * minute), until: clock(60 * minute) }];
    expectStatus(
      await pair.bob.call('PATCH', '/v1/me/notifications', {
        quietHours: { windows, email: false },
        channels: { email: false, sms: false },
      }),
      200,
    );
    hand.pass(2 * second);
    const plan = await hand.decide(pair.bob);
    await open('fcm:android');
    assert.equal((await hand.notify(pair.bob, plan)).result, 'deferred');
    hand.pass(20 * minute);
    assert.deepEqual(await hand.notify(pair.bob, plan), { result: 'not-needed', reason: 'quiet_hours' });
    const later = await walk(pair);
    assert.deepEqual([later.kind === 'wait' && later.why, hand.push.sent.length], ['quiet_hours', 0]);
    hand.pass(50 * minute);
    await walk(pair);
    assert.deepEqual(
      hand.push.sent.map(({ data }) => data.seq),
      ['1'],
    );
    const states = (await hand.attempts(pair.bob)).map(({ state }) => state);
    assert.deepEqual(states, ['dropped', 'accepted']);
  });

  it('nor by a channel that was switched off meanwhile', async () => {
    const pair = await unread();
    hand.pass(2 * second);
    const plan = await hand.decide(pair.bob);
    await open('fcm:android');
    assert.equal((await hand.notify(pair.bob, plan)).result, 'deferred');
    expectStatus(await pair.bob.call('PATCH', '/v1/me/notifications', { channels: { push: false } }), 200);
    hand.pass(20 * minute);
    assert.equal((await hand.notify(pair.bob, plan)).result, 'not-needed');
    assert.deepEqual([hand.push.sent.length, (await hand.attempts(pair.bob))[0]?.state], [0, 'dropped']);
  });

  it('and no longer than it is of any use', async () => {
    const pair = await unread();
    hand.pass(2 * second);
    const plan = await hand.decide(pair.bob);
    await open('fcm:android');
    assert.equal((await hand.notify(pair.bob, plan)).result, 'deferred');
    hand.pass(24 * 60 * minute);
    assert.deepEqual(await hand.notify(pair.bob, plan), { result: 'unreachable', reason: 'expired' });
    assert.deepEqual([hand.push.sent.length, (await hand.attempts(pair.bob))[0]?.error_class], [0, 'expired']);
  });

  it('of two devices, the one whose way is in order is pushed to; the other waits', async () => {
    const pair = await unread();
    const phone = pair.bob.pushToken;
    const ios = await registerDevice(pair.bob);
    await hand.sql.query(`update devices set platform = 'ios' where push_token = $1`, [ios]);
    hand.pass(2 * second);
    await open('fcm:android');
    const plan = await hand.decide(pair.bob);
    assert.equal((await hand.notify(pair.bob, plan)).result, 'deferred');
    assert.deepEqual(
      hand.push.sent.map(({ token }) => token),
      [ios],
    );
    hand.pass(16 * second);
    assert.equal((await hand.notify(pair.bob, plan)).result, 'sent');
    assert.deepEqual(
      hand.push.sent.map(({ token }) => token),
      [ios, phone],
    );
  });

  it('wrong configuration makes three people’s jobs stuck, and the rest waits; who asks whether it is mended waits on', async () => {
    hand.email.answer = () => refusal('config_outage', 'sendgrid');
    const pairs: Pair[] = [];
    for (let n = 0; n < 5; n += 1) pairs.push(await unread());
    await hand.sql.query(`delete from devices where user_id = any($1)`, [pairs.map(({ bob }) => bob.id)]);
    hand.pass(3 * minute);
    const told: string[] = [];
    for (const { bob } of pairs) {
      const plan = await hand.decide(bob);
      if (plan.kind === 'notify') told.push((await hand.notify(bob, plan)).result);
      else told.push(plan.kind === 'wait' ? plan.why : plan.kind);
    }
    assert.deepEqual(told, ['stuck', 'stuck', 'stuck', 'breaker_open', 'breaker_open']);
    const pair = pairs.at(-1) as Pair;
    hand.pass(16 * second);
    const asks = await hand.decide(pair.bob);
    assert.equal((await hand.notify(pair.bob, asks)).result, 'deferred', 'it asked in vain');
    const [attempt] = await hand.attempts(pair.bob);
    assert.equal(attempt?.state, 'claimed');
    hand.email.answer = () => undefined;
    assert.equal((await hand.notify(pair.bob, asks, { again: true })).result, 'sent', 'an operator is let through');
  });

  it('push out of order for five minutes: the mail comes forward; before that it keeps its own time', async () => {
    const pair = await unread();
    await open('fcm:android');
    hand.push.answer = () => refusal('transient', 'fcm');
    hand.pass(4 * minute);
    await walk(pair);
    assert.equal(hand.email.sent.length, 0);
    hand.pass(minute + second);
    await walk(pair);
    assert.equal(hand.email.sent.length, 1);
  });

  it('mail out of order brings no text forward, not even one that was stuck by it', async () => {
    hand.email.answer = () => refusal('config_outage', 'sendgrid');
    const pair = await unread();
    hand.pass(2 * second);
    await walk(pair);
    hand.pass(10 * minute);
    const plan = await hand.decide(pair.bob);
    assert.ok(plan.kind === 'notify' && plan.channel === 'email');
    assert.equal((await hand.notify(pair.bob, plan)).result, 'stuck');
    hand.pass(5 * minute);
    const stuck = [{ channel: 'email' as const, attemptId: plan.attemptId }];
    const next = await hand.decide(pair.bob, { stuck });
    assert.ok(next.kind === 'wait' && next.next === 'sms', JSON.stringify(next));
    assert.ok(Date.parse(next.until) - hand.deps.now().getTime() > 14 * minute);
  });

  it('2.23/19: a push circuit that opens makes no texts, except urgent ones', async () => {
    const pairs = [await unread(), await unread(), await unread()];
    const urgent = await unread({ priority: 'urgent' });
    await open('fcm:android');
    hand.push.answer = () => refusal('transient', 'fcm');
    for (let n = 0; n < 6; n += 1) {
      hand.pass(10 * minute);
      for (const pair of [...pairs, urgent]) await walk(pair);
    }
    assert.deepEqual(
      hand.sms.sent.map(({ to }) => to),
      [urgent.bob.phone],
    );
    assert.equal(new Set(hand.email.sent.map(({ to }) => to)).size, 4, 'mail stood in');
    const sms = (await decisions(pairs[0] as Pair, 'sms')).at(-1);
    assert.deepEqual([sms?.outcome, sms?.reason], ['deferred', 'breaker_open']);
  });

  it('a token that a silent message calls dead is judged as any other: while too many are called so, it is not believed', async () => {
    const pair = await unread();
    hand.pass(2 * second);
    await walk(pair);
    const tablet = await signInAgain(hand.app, pair.bob);
    for (let n = 0; n < 200; n += 1) await hand.deps.circuits.heed('fcm:android', { class: 'ok', providerId: 'id' });
    for (let n = 0; n < 20; n += 1) await hand.deps.circuits.heed('fcm:android', refusal('recipient_dead', 'fcm'));
    hand.silent.answer = () => refusal('recipient_dead', 'fcm');
    expectStatus(await read(tablet, pair.direct.id, 1), 200);
    await until(
      () => hand.rows('select 1 from screens where user_id = $1 and look_at is not null', pair.bob.id),
      (rows) => rows.length > 0,
    );
    await hand.sql.query('update screens set look_at = now() where look_at is not null');
    await clearScreens(hand.deps);
    assert.equal(hand.silent.sent.length, 1);
    const devices = await hand.rows('select push_state from devices where user_id = $1', pair.bob.id);
    assert.deepEqual(devices, [{ push_state: 'active' }]);
  });

  it('2.23/9: all tokens unregistered: mail after two minutes; they are suspect, not dead, and one that came anew is untouched', async () => {
    const pair = await unread();
    const other = await registerDevice(pair.bob);
    hand.push.answer = async ({ token }) => {
      if (token === other)
        await hand.sql.query(`update devices set push_token_at = now() + interval '1 day' where push_token = $1`, [
          token,
        ]);
      return refusal('recipient_dead', 'fcm');
    };
    hand.pass(2 * second);
    await walk(pair);
    const states = await hand.rows<{ push_token: string; push_state: string }>(
      'select push_token, push_state from devices where user_id = $1',
      pair.bob.id,
    );
    assert.deepEqual(Object.fromEntries(states.map(({ push_token, push_state }) => [push_token, push_state])), {
      [pair.bob.pushToken]: 'suspect',
      [other]: 'active',
    });
    hand.pass(2 * minute - 5 * second);
    await walk(pair);
    assert.equal(hand.email.sent.length, 0);
    hand.pass(5 * second);
    await walk(pair);
    assert.equal(hand.email.sent.length, 1);
  });
}).timeout(30_000);
