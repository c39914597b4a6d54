import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import type { DeliveryState, NotificationSettings } from '../../contracts/entities/index.ts';
import { type UserId, placeOf, places } from '../../contracts/ids.ts';
import type { Plan } from '../../contracts/workflows/escalate-unread.ts';
import { stuckSteps } from '../../db/queries/episodes.ts';
import {
  type Person,
  makeChannel,
  makeDirect,
  makeGroup,
  read,
  registerDevice,
  registerPerson,
  send,
} from '../factories/person.ts';
import { type ByHand, active, attentionByHand } from '../support/by-hand.ts';
import { expectStatus } from '../support/rest.ts';

const minute = 60_000;
const hour = 60 * minute;

describe('something urgent', () => {
  let hand: ByHand;
  before(async function () {
    this.timeout(60_000);
    hand = await attentionByHand();
  });
  after(() => hand.close());
  beforeEach(() => hand.reset());

  const urgent = (by: Person, id: string, text = 'fire') => send(by, id, text, { priority: 'urgent' });
  const set = async (person: Person, patch: Record<string, unknown>) =>
    expectStatus(await person.call<NotificationSettings>('PATCH', '/v1/me/notifications', patch), 200);
  /** It is quiet from an hour ago to an hour from now, by the clock of UTC. */
  const clock = (shiftMs: number) => new Date(Date.now() + shiftMs).toISOString().slice(11, 16);
  const quiet = (shiftMs = 0) => {
    const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
    return { windows: [{ days, from: clock(shiftMs - hour), until: clock(shiftMs + hour) }], email: false };
  };
  const later = async (person: Person, minutes: number) => {
    hand.pass(minutes * minute);
    return hand.walk(person);
  };

  it('is pushed at once, three times more while it is unread, and then no more', async () => {
    const { ana, bob, direct } = await hand.pair();
    hand.presence = active;
    await urgent(ana, direct.id);
    assert.deepEqual(await hand.walk(bob), ['push', 'wait push urgent_repeat']);
    assert.deepEqual(await later(bob, 4), ['wait push urgent_repeat']);
    assert.deepEqual(await later(bob, 1), ['push', 'wait push urgent_repeat']);
    assert.deepEqual(await later(bob, 5), ['push', 'email', 'wait push urgent_repeat']);
    assert.deepEqual(await later(bob, 5), ['push', 'wait sms step_delay']);
    assert.deepEqual(await later(bob, 15), ['sms', 'every-step-spent']);
    assert.deepEqual(
      hand.push.sent.map((push) => [push.urgent, push.data.seq]),
      Array<unknown>(4).fill([true, '1']),
    );
    // The provider, too, is told when it is of no use any more.
    assert.ok(hand.push.sent.every(({ ttlSeconds }) => ttlSeconds <= 3_600));
    assert.ok((hand.push.sent[3]?.ttlSeconds ?? 0) <= 45 * 60);
  }).timeout(30_000);

  for (const taken of [false, true]) {
    it(`takes the place of a push that its provider keeps waiting${taken ? ', of which one device knows' : ''}`, async () => {
      const { ana, bob, direct } = await hand.pair();
      const other = await registerDevice(bob);
      await send(ana, direct.id, 'hello');
      while ((await hand.arm()) > 0);
      await hand.start();
      hand.pass(minute);
      const plain = await hand.decide(bob);
      hand.push.answer = ({ token }, n) =>
        n <= 2 && !(taken && token === other) ? { class: 'transient', provider: 'fcm', code: '503' } : undefined;
      await assert.rejects(hand.notify(bob, plain), /503/);
      await urgent(ana, direct.id);
      while ((await hand.arm()) > 0);
      hand.pass(2_000);
      const trying = { underWay: ['push' as const], urgentUnderWay: [] };
      const plan = await hand.decide(bob, trying);
      assert.deepEqual(
        [plan.kind, plan.kind === 'notify' && [plan.channel, plan.alert]],
        ['notify', ['push', 'urgent']],
      );
      const [first] = await hand.attempts(bob);
      assert.deepEqual(await hand.notify(bob, plan, { instead: String(first?.id) }), { result: 'sent' });
      const [old] = await hand.attempts(bob);
      assert.equal(old?.state, taken ? 'accepted' : 'dropped');
      const told = hand.push.sent.filter(({ urgent }) => urgent);
      assert.deepEqual(
        told.map(({ data }) => [data.seq, data.count]),
        Array.from({ length: 2 }, () => ['2', taken ? '1' : '2']),
      );
      assert.notEqual((await hand.decide(bob, { underWay: ['push'], urgentUnderWay: ['push'] })).kind, 'notify');
    });
  }

  describe('while a push waits for a person', () => {
    /** A plain message whose push our configuration keeps from being sent, until it is mended. */
    const stuckPush = async () => {
      const planned = await plainPush();
      hand.push.answer = (_, n) => (n === 1 ? { class: 'config_outage', provider: 'fcm', code: 'NO' } : undefined);
      assert.equal((await hand.notify(planned.bob, planned.plan)).result, 'stuck');
      return besideUrgent(planned);
    };
    /** One of which nobody knows whether it came, until nobody tries it any more. */
    const unansweredPush = async () => {
      const planned = await plainPush();
      hand.push.answer = (_, n) => (n === 1 ? { class: 'ambiguous', provider: 'fcm', code: 'timeout' } : undefined);
      await assert.rejects(hand.notify(planned.bob, planned.plan), /timeout/);
      return besideUrgent(planned);
    };
    const plainPush = async () => {
      const { ana, bob, direct } = await hand.pair();
      await send(ana, direct.id, 'hello');
      while ((await hand.arm()) > 0);
      await hand.start();
      hand.pass(2_000);
      return { ana, bob, direct, plan: await hand.decide(bob) };
    };
    const besideUrgent = async (planned: Awaited<ReturnType<typeof plainPush>>) => {
      const { ana, bob, direct, plan } = planned;
      const attemptId = plan.kind === 'notify' ? plan.attemptId : '';
      const stuck = [{ channel: 'push' as const, attemptId }];
      assert.equal((await hand.decide(bob, { stuck })).kind, 'wait');
      await urgent(ana, direct.id);
      while ((await hand.arm()) > 0);
      hand.pass(2_000);
      return { ...planned, stuck, attemptId };
    };
    const told = (plan: Plan) =>
      plan.kind === 'notify'
        ? [plan.channel, plan.alert]
        : [plan.kind, plan.kind === 'wait' ? plan.next : plan.outcome];
    const pushes = () => hand.push.sent.map(({ data, urgent }) => [data.seq, data.count, urgent]);

    it('passes it, and that one stays for whoever mends it, with what it was to tell', async () => {
      const { bob, plan, stuck } = await stuckPush();
      const next = await hand.decide(bob, { stuck });
      assert.deepEqual(told(next), ['push', 'urgent']);
      assert.deepEqual(await hand.notify(bob, next), { result: 'sent' });
      const then = await hand.decide(bob, { stuck });
      assert.deepEqual([then.settled, ...told(then)], [undefined, 'wait', 'push']);
      hand.pass(5 * minute);
      assert.deepEqual(told(await hand.decide(bob, { stuck })), ['push', 'repeat']);
      assert.deepEqual(await hand.notify(bob, plan, { again: true }), { result: 'sent' });
      assert.deepEqual(pushes(), [
        ['1', '1', false],
        ['2', '1', true],
        ['1', '1', false],
      ]);
      assert.deepEqual(
        (await hand.attempts(bob)).map(({ state }) => state),
        ['accepted', 'accepted'],
      );
    });

    it('and is stuck itself, it waits beside it, and its mail and text come as without push', async () => {
      const { bob, stuck } = await stuckPush();
      hand.push.answer = () => ({ class: 'config_outage', provider: 'fcm', code: 'NO' });
      const next = await hand.decide(bob, { stuck });
      assert.equal((await hand.notify(bob, next)).result, 'stuck');
      const both = [...stuck, { channel: 'push' as const, attemptId: next.kind === 'notify' ? next.attemptId : '' }];
      const waits = await hand.decide(bob, { stuck: both });
      assert.deepEqual(told(waits), ['wait', 'email']);
      assert.deepEqual(await stuckSteps(hand.deps.db), [
        { channel: 'push', reason: 'provider_configuration', steps: 2 },
      ]);
      hand.pass(2 * minute);
      assert.deepEqual(told(await hand.decide(bob, { stuck: both })), ['email', undefined]);
      hand.pass(10 * minute);
      assert.deepEqual(told(await hand.decide(bob, { stuck: both, closed: true })), ['finished', 'closed-by-operator']);
    });

    it('and is struck off, what comes later is pushed as ever, and nothing of it', async () => {
      const { ana, bob, direct, attemptId } = await stuckPush();
      const struckOff = [attemptId];
      assert.deepEqual(await hand.notify(bob, await hand.decide(bob, { struckOff })), { result: 'sent' });
      await send(ana, direct.id, 'and more');
      while ((await hand.arm()) > 0);
      hand.pass(31_000);
      const plain = await hand.decide(bob, { struckOff });
      assert.deepEqual(told(plain), ['push', undefined]);
      assert.deepEqual(await hand.notify(bob, plain), { result: 'sent' });
      assert.deepEqual(pushes().slice(1), [
        ['2', '1', true],
        ['3', '1', false],
      ]);
    });

    it('where it was urgent and is struck off, it is not repeated, and its story says why', async () => {
      const { ana, bob, direct } = await hand.pair();
      await urgent(ana, direct.id);
      while ((await hand.arm()) > 0);
      await hand.start();
      const plan = await hand.decide(bob);
      hand.push.answer = () => ({ class: 'transient', provider: 'fcm', code: 'NO' });
      await assert.rejects(hand.notify(bob, plan), /NO/);
      const attemptId = plan.kind === 'notify' ? plan.attemptId : '';
      // Nothing was decided since it was given up: it is struck off as soon as it is stuck.
      assert.deepEqual(told(await hand.decide(bob, { struckOff: [attemptId] })), ['wait', 'email']);
      const reasons = await hand.rows(
        `select reason from decisions where user_id = $1 and step = 'push' and outcome = 'skipped'`,
        bob.id,
      );
      assert.deepEqual(reasons, [{ reason: 'skipped_by_operator' }]);
      assert.equal((await hand.attempts(bob))[0]?.state, 'failed', 'and is not left open');
    });

    for (const known of [true, false])
      it(`takes along what that was to tell, where its retry had not begun yet${known ? '' : ', also where nobody knows what came of it'}`, async () => {
        const { bob, attemptId } = await (known ? stuckPush() : unansweredPush());
        const next = await hand.decide(bob, { underWay: ['push'], urgentUnderWay: [] });
        assert.deepEqual(told(next), ['push', 'urgent']);
        assert.deepEqual(await hand.notify(bob, next, { instead: attemptId }), { result: 'sent' });
        assert.deepEqual(pushes().at(-1), ['2', '2', true]);
        const [old] = await hand.attempts(bob);
        assert.equal(old?.state, 'dropped');
      });

    it('tells nothing along of a retry that may have been heard', async () => {
      const { bob, plan, attemptId } = await unansweredPush();
      hand.push.answer = () => ({ class: 'ambiguous', provider: 'fcm', code: 'timeout' });
      await assert.rejects(hand.notify(bob, plan, { again: true, request: 'run/1' }), /timeout/);
      hand.push.answer = () => undefined;
      const next = await hand.decide(bob, { underWay: ['push'], urgentUnderWay: [] });
      assert.deepEqual(await hand.notify(bob, next, { instead: attemptId }), { result: 'sent' });
      assert.deepEqual(pushes().at(-1), ['2', '1', true]);
      assert.equal((await hand.attempts(bob))[0]?.state, 'unknown');
    });
  });

  it('ends with the reading, as everything does', async () => {
    const { ana, bob, direct } = await hand.pair();
    await urgent(ana, direct.id);
    await hand.walk(bob);
    expectStatus(await read(bob, direct.id, 1), 200);
    assert.deepEqual(await later(bob, 5), ['read']);
    assert.equal(hand.push.sent.length, 1);
  });

  it('waits for no grace that something else has', async () => {
    const { ana, bob, direct } = await hand.pair();
    const startsAt = async () => (await hand.attention(bob))?.start_at.getTime() ?? 0;
    await send(ana, direct.id, 'no hurry');
    await hand.arm();
    await hand.sql.query(`update attention set start_at = now() + interval '20 seconds' where user_id = $1`, [bob.id]);
    await urgent(ana, direct.id);
    await hand.arm();
    const [{ now } = { now: new Date(0) }] = await hand.rows<{ now: Date }>('select now()');
    assert.ok((await startsAt()) <= now.getTime());
  });

  it('that comes while another waits for its repeat has repeats of its own', async () => {
    const { ana, bob, direct } = await hand.pair();
    await urgent(ana, direct.id);
    await hand.walk(bob);
    await later(bob, 5);
    await later(bob, 5);
    await urgent(ana, direct.id, 'flood');
    assert.deepEqual((await hand.walk(bob))[0], 'push');
    const [{ repeats } = { repeats: -1 }] = await hand.rows<{ repeats: number }>(
      `select repeats from watermarks where user_id = $1 and channel = 'push'`,
      bob.id,
    );
    assert.equal(repeats, 0);
  });

  it('is texted after five minutes to who wants that, where other texts are off', async () => {
    const { ana, bob, direct } = await hand.pair();
    await set(bob, { channels: { sms: false, push: false, email: false }, urgentSms: true });
    const plain = await makeGroup(ana, [bob]);
    await send(ana, plain.id, 'no hurry');
    await urgent(ana, direct.id);
    assert.deepEqual(await hand.walk(bob), ['wait sms step_delay']);
    assert.deepEqual(await later(bob, 5), ['sms', 'every-step-spent']);
    assert.match(hand.sms.sent[0]?.body ?? '', /1 new message\b/, 'the other one does not ride along');
  });

  it('is mailed also of a channel of which the person wants everything', async () => {
    const [ana, bob] = [await registerPerson(hand.app, 'Ana'), await hand.reachable()];
    const news = await makeChannel(ana, { memberIds: [bob.id] });
    expectStatus(await bob.call('PATCH', `/v1/conversations/${news.id}/me`, { level: 'all' }), 200);
    await urgent(ana, news.id);
    await hand.walk(bob);
    await later(bob, 10);
    assert.deepEqual(
      hand.email.sent.map(({ subject }) => subject),
      [`1 new message in ${news.title}`],
    );
  });

  const delivery = async (by: Person, id: string, messageId: string) =>
    expectStatus(await by.call<DeliveryState>('GET', `/v1/conversations/${id}/messages/${messageId}/receipts`), 200);

  describe('for who can be reached on no channel', () => {
    const nowhere = async () => {
      const [ana, bob] = [await registerPerson(hand.app, 'Ana'), await registerPerson(hand.app, 'Bob')];
      return { ana, bob, direct: await makeDirect(ana, bob) };
    };
    const unreachable = async (by: Person, { conversationId, id }: { conversationId: string; id: string }) =>
      (await delivery(by, conversationId, id)).unreachable;

    it('is written down once, and its sender is told until they read it, and not why', async () => {
      const { ana, bob, direct } = await nowhere();
      const [plain, message] = [await send(ana, direct.id, 'no hurry'), await urgent(ana, direct.id)];
      assert.deepEqual(await unreachable(ana, message), [], 'not before it was tried');
      assert.deepEqual(await hand.walk(bob), ['every-step-spent']);
      assert.deepEqual([await hand.walk(bob), await unreachable(ana, message)], [['every-step-spent'], [bob.id]]);
      assert.equal(await unreachable(ana, plain), undefined);
      const decided = await hand.rows(`select reason from decisions where user_id = $1 and step = 'episode'`, bob.id);
      assert.deepEqual(decided, [{ reason: 'unreachable' }]);
      expectStatus(await read(bob, direct.id, message.seq), 200);
      assert.deepEqual(await unreachable(ana, message), []);
    });

    it('tells of nobody who was told, who read it, or who wants to hear nothing of it', async () => {
      const { ana, bob, direct } = await nowhere();
      const [reached, muting] = [await hand.reachable('Cy'), await registerPerson(hand.app, 'Max')];
      const group = await makeGroup(ana, [reached, muting]);
      const mutedUntil = new Date(Date.now() + hour).toISOString();
      const messages = [await urgent(ana, group.id), await urgent(ana, direct.id)] as const;
      expectStatus(await muting.call('PATCH', `/v1/conversations/${group.id}/me`, { mutedUntil }), 200);
      expectStatus(await read(bob, direct.id, 1), 200);
      for (const one of [reached, muting, bob]) await hand.walk(one);
      for (const message of messages) assert.deepEqual(await unreachable(ana, message), []);
    });

    it('takes no name away for a reading that is not told', async () => {
      const { ana, bob, direct } = await nowhere();
      expectStatus(await bob.call('PATCH', '/v1/me', { privacy: { tellRead: false } }), 200);
      const message = await urgent(ana, direct.id);
      await hand.walk(bob);
      expectStatus(await read(bob, direct.id, 1), 200);
      assert.deepEqual(await unreachable(ana, message), [bob.id]);
    });
  });

  describe('for who wants to be left alone', () => {
    it('waits as any other where its sender does not come through, and the sender is told until when', async () => {
      const { ana, bob, direct } = await hand.pair();
      await set(bob, { quietHours: quiet(), urgentThrough: 'nobody' });
      const message = await urgent(ana, direct.id);
      assert.deepEqual(await hand.walk(bob), ['wait email step_delay']);
      assert.deepEqual(hand.push.sent, []);
      const [held, ...others] = (await delivery(ana, direct.id, message.id)).heldBack ?? [];
      assert.deepEqual([held?.userId, others], [bob.id, []]);
      const until = Date.parse(held?.until ?? '');
      assert.ok(until > Date.now() && until <= Date.now() + hour + minute);
      expectStatus(await read(bob, direct.id, 1), 200);
      assert.deepEqual((await delivery(ana, direct.id, message.id)).heldBack, []);
    });

    it('is urgent as soon as that is over, while others still wait for their turn', async () => {
      const { ana, bob, direct } = await hand.pair();
      // It ended with this minute, and who waits for their turn waits for an hour.
      const over = { ...quiet(), windows: quiet().windows.map((window) => ({ ...window, until: clock(0) })) };
      await set(bob, { quietHours: over, urgentThrough: 'nobody' });
      const left = placeOf(bob.id as UserId) / places;
      hand.deps.ladder = { ...hand.deps.ladder, releaseJitterMs: hour / Math.max(left, 0.001) };
      await send(ana, direct.id, 'no hurry');
      assert.deepEqual(await hand.walk(bob), ['wait email step_delay']);
      await urgent(ana, direct.id);
      assert.deepEqual((await hand.walk(bob))[0], 'push');
      assert.deepEqual(
        hand.push.sent.map((push) => [push.urgent, push.data['count']]),
        [[true, '2']],
      );
    });

    it('keeps the hours of the device that was seen last, and says whose clock it was', async () => {
      const { ana, bob, direct } = await hand.pair();
      // Half a day ahead of the account's clock, by which it is not quiet.
      const deviceId = randomUUIDv7();
      const clock = { platform: 'ios', timeZone: 'Etc/GMT-12' };
      expectStatus(await bob.call('PUT', `/v1/me/devices/${deviceId}`, clock), 200);
      await set(bob, { quietHours: quiet(12 * hour), urgentThrough: 'nobody' });
      const message = await urgent(ana, direct.id);
      assert.deepEqual(await hand.walk(bob), ['wait email step_delay']);
      const [decided] = await hand.rows<{ reason: string; evaluation: { channel: string; zone?: string }[] }>(
        `select reason, evaluation from decisions where user_id = $1 and step = 'push'`,
        bob.id,
      );
      const zone = decided?.evaluation.find(({ channel }) => channel === 'push')?.zone;
      assert.deepEqual([decided?.reason, zone], ['quiet_hours', 'Etc/GMT-12']);
      const [held] = (await delivery(ana, direct.id, message.id)).heldBack ?? [];
      assert.ok(Date.parse(held?.until ?? '') <= Date.now() + hour + minute);
      expectStatus(await bob.call('PUT', `/v1/me/devices/${deviceId}`, { ...clock, timeZone: 'UTC' }), 200);
      assert.deepEqual((await hand.walk(bob))[0], 'push', 'the device has come home');
    });

    it('is told of nobody whom it reaches, and of no message that is not urgent', async () => {
      const { ana, bob, direct } = await hand.pair();
      await set(bob, { quietHours: quiet() });
      const [through, plain] = [await urgent(ana, direct.id), await send(ana, direct.id, 'no hurry')];
      assert.deepEqual((await delivery(ana, direct.id, through.id)).heldBack, []);
      assert.equal((await delivery(ana, direct.id, plain.id)).heldBack, undefined);
      assert.deepEqual((await hand.walk(bob))[0], 'push');
    });

    it('names who is held back until then, whether or not they have read it, where they do not tell that', async () => {
      const { ana, bob, direct } = await hand.pair();
      await set(bob, { quietHours: quiet(), urgentThrough: 'nobody' });
      expectStatus(await bob.call('PATCH', '/v1/me', { privacy: { tellRead: false } }), 200);
      const message = await urgent(ana, direct.id);
      const before = (await delivery(ana, direct.id, message.id)).heldBack;
      assert.deepEqual(
        before?.map(({ userId }) => userId),
        [bob.id],
      );
      expectStatus(await read(bob, direct.id, 1), 200);
      assert.deepEqual((await delivery(ana, direct.id, message.id)).heldBack, before);
      await set(bob, { quietHours: null });
      assert.deepEqual((await delivery(ana, direct.id, message.id)).heldBack, []);
    });

    it('is not told who blocks the sender, mutes the conversation or wants less of it afterwards', async () => {
      const ana = await registerPerson(hand.app, 'Ana');
      const people = [await hand.reachable('Bea'), await hand.reachable('Max'), await hand.reachable('Lea')] as const;
      for (const one of people) await set(one, { quietHours: quiet(), urgentThrough: 'nobody' });
      const [blocking, muted, leaving] = people;
      const group = await makeGroup(ana, people);
      const direct = await makeDirect(ana, blocking);
      const messages = [await urgent(ana, group.id), await urgent(ana, direct.id)] as const;
      const held = async () => {
        const states = messages.map(({ conversationId, id }) => delivery(ana, conversationId, id));
        return (await Promise.all(states)).map(({ heldBack }) => heldBack?.map(({ userId }) => userId).sort());
      };
      const before = await held();
      assert.deepEqual(before, [people.map(({ id }) => id).sort(), [blocking.id]]);
      const mutedUntil = new Date(Date.now() + hour).toISOString();
      expectStatus(await muted.call('PATCH', `/v1/conversations/${group.id}/me`, { mutedUntil }), 200);
      expectStatus(await leaving.call('PATCH', `/v1/conversations/${group.id}/me`, { level: 'nothing' }), 200);
      expectStatus(await blocking.call('PUT', `/v1/me/blocks/${ana.id}`), 204);
      assert.deepEqual(await held(), before);
      expectStatus(await read(blocking, direct.id, 1), 200);
      assert.deepEqual(await held(), before, 'between two, one of whom has blocked the other, no reading is told');
    });

    it('names nobody who came after it', async () => {
      const { ana, bob } = await hand.pair();
      await set(bob, { quietHours: quiet(), urgentThrough: 'nobody' });
      expectStatus(await bob.call('PATCH', '/v1/me', { privacy: { tellRead: false } }), 200);
      const group = await makeGroup(ana, [await hand.reachable('Cy')]);
      const message = await urgent(ana, group.id);
      expectStatus(await ana.call('POST', `/v1/conversations/${group.id}/members`, { userIds: [bob.id] }), 200);
      assert.deepEqual((await delivery(ana, group.id, message.id)).heldBack, []);
    });

    it('is not told of who has muted the conversation or blocked the sender: it reaches them never', async () => {
      const ana = await registerPerson(hand.app, 'Ana');
      const [muted, blocking] = [await hand.reachable('Max'), await hand.reachable('Bea')];
      for (const one of [muted, blocking]) await set(one, { quietHours: quiet(), urgentThrough: 'nobody' });
      const group = await makeGroup(ana, [muted, blocking]);
      const mutedUntil = new Date(Date.now() + hour).toISOString();
      expectStatus(await muted.call('PATCH', `/v1/conversations/${group.id}/me`, { mutedUntil }), 200);
      expectStatus(await blocking.call('PUT', `/v1/me/blocks/${ana.id}`), 204);
      const message = await urgent(ana, group.id);
      assert.deepEqual((await delivery(ana, group.id, message.id)).heldBack, []);
    });
  });
});
