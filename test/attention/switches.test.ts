import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { type Person, makeChannel, makeDirect, registerDevice, registerPerson, send } from '../factories/person.ts';
import { type ByHand, attentionByHand } from '../support/by-hand.ts';
import { expectStatus } from '../support/rest.ts';

const minute = 60_000;
const hour = 60 * minute;

describe('what a person has switched on and off', () => {
  let hand: ByHand;
  before(async function () {
    this.timeout(60_000);
    hand = await attentionByHand();
  });
  after(() => hand.close());
  beforeEach(() => hand.reset());

  const setHere = async (person: Person, id: string, channels: object) =>
    expectStatus(await person.call('PATCH', `/v1/conversations/${id}/me`, { channels }), 200);
  const set = async (person: Person, patch: object) =>
    expectStatus(await person.call('PATCH', '/v1/me/notifications', patch), 200);
  const spend = async (person: Person): Promise<string[]> => {
    const story: string[] = [];
    for (;;) {
      const told = await hand.walk(person);
      story.push(...told.filter((step) => !step.startsWith('wait')));
      if (!told.at(-1)?.startsWith('wait')) return story;
      hand.pass(10 * minute);
    }
  };

  it('counts for one conversation before it counts for the account, on and off', async () => {
    const { ana, bob, direct } = await hand.pair();
    const cleo = await registerPerson(hand.app, 'Cleo');
    const other = await makeDirect(cleo, bob);
    await set(bob, { channels: { sms: false } });
    await setHere(bob, direct.id, { sms: true, push: false });
    await setHere(bob, other.id, { email: false });
    await send(ana, direct.id, 'one');
    await send(cleo, other.id, 'two');
    const story = await spend(bob);
    assert.deepEqual(story, ['push', 'email', 'sms', 'every-step-spent']);
    assert.equal(hand.push.sent[0]?.title, 'Cleo');
    assert.ok(hand.email.sent[0]?.text.includes('one') && !hand.email.sent[0].text.includes('two'));
    assert.match(hand.sms.sent[0]?.body ?? '', /1 new message\./);
  });

  it('has no text told of a channel what calls for nobody by name', async () => {
    const [ana, bob] = [await registerPerson(hand.app, 'Ana'), await hand.reachable()];
    const news = await makeChannel(ana, { memberIds: [bob.id] });
    expectStatus(await bob.call('PATCH', `/v1/conversations/${news.id}/me`, { level: 'all' }), 200);
    await send(ana, news.id, 'what is new');
    hand.pass(2_000);
    assert.deepEqual(await hand.walk(bob), ['push', 'every-step-spent']);
    hand.pass(31 * 60_000);
    await send(ana, news.id, '@Bob', { mentions: [{ type: 'user', userId: bob.id, offset: 0, length: 4 }] });
    await hand.walk(bob);
    hand.pass(61 * 60_000);
    await hand.walk(bob);
    assert.deepEqual([hand.email.sent.length, hand.sms.sent.length], [1, 1]);
  });

  it('is looked at again when a mail is claimed', async () => {
    const { ana, bob, direct } = await hand.pair();
    const inHalfADay = new Date(Date.now() + 12 * hour).toISOString().slice(11, 16);
    await send(ana, direct.id, 'one');
    for (const off of [
      () => setHere(bob, direct.id, { email: false }),
      () => set(bob, { channels: { email: false } }),
      () => set(bob, { emailFrequency: 'off' }),
      () => set(bob, { emailFrequency: 'daily', emailDigestAt: inHalfADay }),
    ]) {
      await setHere(bob, direct.id, { email: null });
      await set(bob, { emailFrequency: 'immediate', channels: { push: false, email: true } });
      await hand.arm();
      await hand.start();
      hand.pass(hand.email.sent.length === 0 ? 3 * minute : 0);
      const plan = await hand.decide(bob);
      assert.equal(plan.kind === 'notify' && plan.channel, 'email');
      await off();
      assert.deepEqual(await hand.notify(bob, plan), { result: 'not-needed', reason: 'read_before_send' });
    }
    assert.deepEqual(hand.email.sent, []);
  });

  it('tells in one digest after the other only what no mail has told, as long as the episode lasts', async () => {
    const { ana, bob, direct } = await hand.pair();
    const at = (ms: number) => new Date(Date.now() + ms).toISOString().slice(11, 16);
    const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
    // A push that waits for their quiet hours keeps it open.
    const quietHours = { windows: [{ days, from: at(-hour), until: at(hour) }], email: false };
    await set(bob, { emailFrequency: 'hourly', quietHours, channels: { sms: false } });
    for (const text of ['first of all', 'second of all']) {
      await send(ana, direct.id, text);
      await hand.sql.query("update messages set created_at = now() - interval '2 hours' where conversation_id = $1", [
        direct.id,
      ]);
      assert.deepEqual(await hand.walk(bob), ['email', 'wait push quiet_hours']);
    }
    const [first, second] = hand.email.sent.map(({ text }) => text);
    assert.match(first ?? '', /^Ana: first of all$/m);
    assert.match(second ?? '', /^Ana: second of all$/m);
    assert.doesNotMatch(second ?? '', /^Ana: first of all$/m);
  });

  it('is each device’s own', async () => {
    const { ana, bob, direct } = await hand.pair();
    const id = randomUUIDv7();
    const device = { platform: 'ios', pushToken: `ok-${id}`, pushPermission: 'granted' };
    const answer = await bob.call<{ pushEnabled: boolean }>('PUT', `/v1/me/devices/${id}`, {
      ...device,
      pushEnabled: false,
    });
    assert.equal(expectStatus(answer, 200).pushEnabled, false);
    await send(ana, direct.id, 'one');
    hand.pass(2_000);
    await hand.walk(bob);
    assert.deepEqual(
      hand.push.sent.map(({ token }) => token),
      [bob.pushToken],
    );
    // What is not said stays.
    const refreshed = await bob.call<{ pushEnabled: boolean }>('PUT', `/v1/me/devices/${id}`, { platform: 'ios' });
    assert.equal(expectStatus(refreshed, 200).pushEnabled, false);
  });

  it('leaves who has switched every device off to the other channels, and says why', async () => {
    const { ana, bob, direct } = await hand.pair();
    const { items } = expectStatus(await bob.call<{ items: { id: string }[] }>('GET', '/v1/me/devices'), 200);
    for (const { id } of items)
      expectStatus(await bob.call('PUT', `/v1/me/devices/${id}`, { platform: 'android', pushEnabled: false }), 200);
    await send(ana, direct.id, 'one');
    hand.pass(2 * minute);
    assert.deepEqual((await hand.walk(bob)).slice(0, 1), ['email']);
    const reasons = await hand.rows<{ reason: string }>(
      `select reason from decisions where user_id = $1 and step = 'push'`,
      bob.id,
    );
    assert.deepEqual(reasons, [{ reason: 'device_off' }]);
    await registerDevice(bob);
    hand.pass(hour);
    assert.ok((await hand.walk(bob)).includes('push'));
  });
});
