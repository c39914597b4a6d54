import assert from 'node:assert/strict';
import type { UserId } from '../../contracts/ids.ts';
import { takeOne } from '../../domain/attention/caps.ts';
import { standardCaps } from '../../platform/config-types.ts';
import { type Person, makeDirect, makeGroup, registerPerson, send } from '../factories/person.ts';
import { type ByHand, attentionByHand } from '../support/by-hand.ts';
import { expectStatus } from '../support/rest.ts';

const minute = 60_000;
const hour = 60 * minute;

describe('how much one person gets', () => {
  let hand: ByHand;
  before(async function () {
    this.timeout(60_000);
    hand = await attentionByHand();
  });
  after(() => hand.close());
  beforeEach(async () => {
    hand.reset();
    await hand.sql.query('delete from text_days');
  });

  const last = async (person: Person, step: string) =>
    (
      await hand.rows<{ outcome: string; reason: string; until: Date | null }>(
        'select outcome, reason, until from decisions where user_id = $1 and step = $2 order by at desc, id desc limit 1',
        person.id,
        step,
      )
    )[0];
  const only = async (person: Person, channels: Partial<Record<'push' | 'email' | 'sms', boolean>>) =>
    expectStatus(
      await person.call('PATCH', '/v1/me/notifications', {
        channels: { push: false, email: false, sms: false, ...channels },
      }),
      200,
    );
  const take = (person: Pick<Person, 'id'>, what: 'alert' | 'email' | 'sms', urgent = false) =>
    hand.deps.db.transaction((tx) => takeOne(tx, hand.deps, person.id as UserId, { what, urgent }));
  const takeAll = async (person: Person, what: 'alert' | 'email' | 'sms', times: number) => {
    for (let n = 0; n < times; n += 1) assert.equal(await take(person, what), 'taken');
  };

  it('a mail beyond the cap is put off, with the reason and until when, and comes then', async () => {
    const { ana, bob, direct } = await hand.pair();
    await only(bob, { email: true });
    await takeAll(bob, 'email', standardCaps.emailsPerHour);
    await send(ana, direct.id, 'hello');
    hand.pass(2 * minute);
    assert.deepEqual(await hand.walk(bob), ['wait email cap_user']);
    const decision = await last(bob, 'email');
    const wait = (decision?.until?.getTime() ?? 0) - hand.deps.now().getTime();
    assert.ok(wait > 0 && wait <= hour / standardCaps.emailsPerHour, `${wait} ms`);
    hand.pass(wait);
    assert.deepEqual(await hand.walk(bob), ['email', 'every-step-spent']);
  });

  it('a claim takes from the bucket itself: what was decided before the last one went is put off, too', async () => {
    const { ana, bob, direct } = await hand.pair();
    await only(bob, { email: true });
    await takeAll(bob, 'email', standardCaps.emailsPerHour - 1);
    await send(ana, direct.id, 'hello');
    await hand.arm();
    await hand.start();
    hand.pass(2 * minute);
    // Two workers with a plan each; the first takes what there is.
    const plan = await hand.decide(bob);
    await takeAll(bob, 'email', 1);
    assert.deepEqual(await hand.notify(bob, plan), { result: 'not-needed', reason: 'cap_user' });
    assert.deepEqual(await hand.attempts(bob), [], 'nothing is claimed, and no watermark has moved');
    assert.deepEqual(await hand.walk(bob), ['wait email cap_user']);
  });

  it('when two take the last one at once, one gets it', async () => {
    const people = await Promise.all([0, 1, 2, 3].map((n) => registerPerson(hand.app, `Text ${n}`)));
    hand.deps.caps.orgTextsPerDay = 1;
    const results = await Promise.all(people.map((person) => take(person, 'sms')));
    assert.deepEqual(results.sort(), ['cap_org_sms', 'cap_org_sms', 'cap_org_sms', 'taken']);
  });

  it('pushes beyond the cap come, silently; what is urgent has a few in reserve', async () => {
    const { ana, bob, direct } = await hand.pair();
    await only(bob, { push: true });
    await takeAll(bob, 'alert', standardCaps.alertsPer10Minutes);
    const group = await makeGroup(ana, [bob]);
    await send(ana, direct.id, 'hello');
    await send(ana, group.id, 'fire', { priority: 'urgent' });
    hand.pass(2_000);
    await hand.walk(bob);
    assert.deepEqual(
      hand.push.sent
        .map(({ urgent, sound }) => ({ urgent, sound }))
        .sort((a, b) => Number(a.urgent) - Number(b.urgent)),
      [
        { urgent: false, sound: false },
        { urgent: true, sound: true },
      ],
    );
  });

  it('texts have a reserve for what is urgent, too, and it ends', async () => {
    const bob = await registerPerson(hand.app, 'Bob');
    await takeAll(bob, 'sms', standardCaps.textsPerHour);
    assert.equal(await take(bob, 'sms'), 'cap_user');
    for (let n = 0; n < standardCaps.urgentTextsPerDay; n += 1) assert.equal(await take(bob, 'sms', true), 'taken');
    assert.equal(await take(bob, 'sms', true), 'cap_user');
  });

  for (const [what, hours, perHour, perDay] of [
    ['email', 24, standardCaps.emailsPerHour, standardCaps.emailsPerDay],
    ['sms', 24, standardCaps.textsPerHour, standardCaps.textsPerDay],
  ] as const)
    it(`no more ${what} than ${perHour} at once and twice ${perDay} in any day`, async () => {
      const bob = await registerPerson(hand.app, 'Bob');
      let taken = 0;
      const drain = async () => {
        let now = 0;
        while ((await take(bob, what)) === 'taken') now += 1;
        return now;
      };
      const first = await drain();
      assert.equal(first, Math.min(perHour, perDay));
      taken += first;
      for (let n = 0; n < hours; n += 1) {
        hand.pass(hour);
        taken += await drain();
      }
      assert.ok(taken >= perDay && taken <= 2 * perDay, `${taken}`);
    });

  describe('the organisation’s texts of a day', () => {
    it('are counted over all people, told at 50, 80 and 100 percent, and begin anew with the day', async () => {
      hand.deps.caps.orgTextsPerDay = 10;
      for (let n = 0; n < 10; n += 1) {
        const person = await registerPerson(hand.app, 'Bob');
        assert.equal(await take(person, 'sms'), 'taken');
      }
      const bob = await registerPerson(hand.app, 'Bob');
      assert.equal(await take(bob, 'sms', true), 'cap_org_sms');
      assert.deepEqual(
        hand.logged.filter(([level]) => level === 'warn').map(([, , { percent }]) => percent),
        [50, 80, 100],
      );
      hand.pass(24 * hour);
      assert.equal(await take(bob, 'sms'), 'taken');
    });

    it('put off a text until midnight, where it is of use by then', async () => {
      hand.deps.caps.orgTextsPerDay = 0;
      hand.deps.ladder.smsUntilMs = 48 * hour;
      const { ana, bob, direct } = await hand.pair();
      await only(bob, { sms: true });
      await send(ana, direct.id, 'hello');
      hand.pass(30 * minute);
      assert.deepEqual(await hand.walk(bob), ['wait sms cap_org_sms']);
      const until = (await last(bob, 'sms'))?.until;
      assert.deepEqual([until?.getUTCHours(), until?.getUTCMinutes(), until?.getUTCSeconds()], [0, 0, 0]);
    });
  });

  it('is counted for each by themselves', async () => {
    const [bob, cleo] = [await registerPerson(hand.app, 'Bob'), await registerPerson(hand.app, 'Cleo')];
    await makeDirect(bob, cleo);
    await takeAll(bob, 'email', standardCaps.emailsPerHour);
    assert.equal(await take(bob, 'email'), 'cap_user');
    assert.equal(await take(cleo, 'email'), 'taken');
  });
}).timeout(30_000);
