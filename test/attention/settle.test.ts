import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { applyReports, settleAttempts } from '../../domain/attention/index.ts';
import type { ProviderReport } from '../../domain/deps.ts';
import { phoneNumber, send } from '../factories/person.ts';
import { type ByHand, attentionByHand } from '../support/by-hand.ts';
import { rule } from '../support/inbox.ts';
import { until } from '../support/until.ts';

const [minute, hour] = [60_000, 3_600_000];

describe('what a provider took and told no end of', () => {
  let hand: ByHand;
  before(async function () {
    this.timeout(60_000);
    hand = await attentionByHand();
  });
  after(() => hand.close());
  beforeEach(async () => {
    hand.reset();
    await hand.app.database.run('delete from attempts');
  });

  /** A ladder that was climbed to its end, half an hour after the message. */
  const climbed = async () => {
    const { ana, bob, direct } = await hand.pair();
    await send(ana, direct.id, 'Are you there?');
    for (let n = 0; n < 3; n += 1) {
      await hand.walk(bob);
      hand.pass(16 * minute);
    }
    return bob;
  };
  const reported = async (person: { id: string }) =>
    Object.fromEntries(
      (
        await hand.rows<{ channel: string; reported: string | null }>(
          'select channel, reported from attempts where user_id = $1',
          person.id,
        )
      ).map((row) => [row.channel, row.reported]),
    );
  const settle = async () => {
    while ((await settleAttempts(hand.deps)) > 0);
    while ((await applyReports(hand.deps)) > 0);
  };
  const report = (fact: ProviderReport['fact']): ProviderReport => ({
    ...{ key: `SM1:${fact}`, channel: 'sms', fact, says: null, code: null, attemptId: null, address: null, at: null },
  });

  it('is asked for after six hours where that can be, and is not known for good after a day where it cannot', async () => {
    const bob = await climbed();
    assert.deepEqual(Object.keys(await reported(bob)).sort(), ['email', 'push', 'sms']);
    const [text] = await hand.rows<{ id: string }>(`select id from attempts where channel = 'sms'`);
    hand.told = { ...report('delivered'), attemptId: text?.id ?? null };
    await settle();
    assert.deepEqual(await reported(bob), { push: null, email: null, sms: null }, 'nothing is asked too soon');
    hand.pass(6 * hour);
    await settle();
    assert.deepEqual(await reported(bob), { push: null, email: null, sms: 'delivered' });
    hand.pass(18 * hour);
    await settle();
    assert.deepEqual(await reported(bob), { push: null, email: 'unknown_final', sms: 'delivered' });
    const events = await hand.rows<{ source: string }>(
      `select source from attempt_events where kind = 'unknown_final'`,
    );
    assert.deepEqual(events, [{ source: 'homing' }]);
  });

  for (const [what, told] of [
    ['knows no end of it either', report('accepted')],
    ['does not know it', null],
  ] as const)
    it(`of a text of which Twilio ${what} nothing is known for good; what comes after all counts`, async () => {
      const bob = await climbed();
      hand.told = told;
      hand.pass(6 * hour);
      await settle();
      assert.equal((await reported(bob)).sms, 'unknown_final');
      const [text] = await hand.rows<{ id: string }>(`select id from attempts where channel = 'sms'`);
      for (const [fact, comesTo] of [
        ['accepted', 'unknown_final'],
        ['delivered', 'delivered'],
      ] as const) {
        await hand.sql.query(
          `insert into provider_reports (source, key, channel, fact, attempt_id, at) values ('twilio', $1, 'sms', $2, $3, now())`,
          [`late:${text?.id}:${fact}`, fact, text?.id],
        );
        await settle();
        assert.equal((await reported(bob)).sms, comesTo);
      }
    });

  it('is asked for by the official library, in the words of the report that did not come', async () => {
    const { sms } = (hand.app.processes[0] as (typeof hand.app.processes)[number]).runtime.deps.senders;
    const to = phoneNumber();
    const attemptId = randomUUIDv7();
    const sent = await sms.send({ to, attemptId, body: 'A text', validitySeconds: 600 });
    const sid = sent.class === 'ok' ? (sent.providerId ?? '') : '';
    const told = await until(
      () => sms.status(sid, attemptId),
      (answer) => answer?.fact === 'delivered',
    );
    const { key, address, says } = told as ProviderReport;
    assert.deepEqual([key, address, says, told?.attemptId], [`${sid}:delivered`, to, null, attemptId]);
    assert.equal(await sms.status(`SM${'0'.repeat(32)}`, attemptId), null);
    const end = await rule(hand.app, { provider: 'twilio', call: 'other', action: { status: 500, body: 'no' } });
    assert.equal(await sms.status(sid, attemptId), undefined);
    await end();
  });

  it('is asked for again later while Twilio cannot be asked', async () => {
    const bob = await climbed();
    hand.pass(6 * hour);
    let asked = 0;
    const { sms } = hand.deps.senders;
    const senders = { ...hand.deps.senders, sms: { ...sms, status: async () => void (asked += 1) } };
    for (let n = 0; n < 3; n += 1) await settleAttempts({ ...hand.deps, senders: senders as never });
    assert.equal(asked, 1);
    hand.pass(11 * minute);
    await settleAttempts({ ...hand.deps, senders: senders as never });
    assert.equal(asked, 2);
    assert.equal((await reported(bob)).sms, null);
  });

  it('but was still being tried when its episode ended: not sent, or nobody knows', async () => {
    const { ana, bob, direct } = await hand.pair();
    await send(ana, direct.id, 'Are you there?');
    hand.push.answer = () => ({ class: 'transient', provider: 'fcm', code: '500' });
    hand.email.answer = () => ({ class: 'ambiguous', provider: 'sendgrid', code: 'ECONNRESET' });
    while ((await hand.arm()) > 0);
    await hand.start();
    for (const underWay of [[], ['push']] as const) {
      hand.pass(11 * minute);
      await assert.rejects(hand.notify(bob, await hand.decide(bob, { underWay: [...underWay] })));
    }
    await hand.decide(bob, { closed: true });
    const states = async () => (await hand.attempts(bob)).map(({ channel, state }) => [channel, state]);
    assert.deepEqual(await states(), [
      ['push', 'claimed'],
      ['email', 'claimed'],
    ]);
    hand.pass(2 * hour);
    await settle();
    assert.deepEqual(await states(), [
      ['push', 'dropped'],
      ['email', 'unknown'],
    ]);
  });
}).timeout(60_000);
