import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { type Person, makeGroup, read, send } from '../factories/person.ts';
import { type ByHand, active, attentionByHand } from '../support/by-hand.ts';
import { expectStatus } from '../support/rest.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

describe('when somebody is told', () => {
  let hand: ByHand;
  before(async function () {
    this.timeout(60_000);
    hand = await attentionByHand();
  });
  after(() => hand.close());
  beforeEach(() => hand.reset());

  const acknowledge = async (person: Person, conversationId: string, deliveredSeq: number) =>
    expectStatus(await person.call('PUT', `/v1/conversations/${conversationId}/receipts`, { deliveredSeq }), 200);
  const outcome = async ({ id }: Person) =>
    (await hand.rows<{ outcome: string | null }>('select outcome from episodes where user_id = $1', id))[0]?.outcome;

  it('2.23/2 read at 19 seconds on the desktop: no push; at 21: a push', async () => {
    const { ana, bob, direct } = await hand.pair();
    hand.presence = active;
    await send(ana, direct.id, 'hello');
    await acknowledge(bob, direct.id, 1);
    await hand.arm();
    hand.pass(19 * second);
    await hand.start();
    assert.equal((await hand.attention(bob))?.state, 'held');
    expectStatus(await read(bob, direct.id, 1), 200);
    await hand.start();
    assert.deepEqual([await outcome(bob), hand.push.sent.length], ['read', 0]);

    const other = await hand.pair();
    await send(other.ana, other.direct.id, 'hello');
    await acknowledge(other.bob, other.direct.id, 1);
    hand.pass(21 * second);
    assert.deepEqual(await hand.walk(other.bob), ['push', 'wait email step_delay']);
    expectStatus(await read(other.bob, other.direct.id, 1), 200);
    assert.deepEqual(await hand.walk(other.bob), ['read']);
  });

  it('C3: three replacements of a push make a sound, then one in five minutes; the rest come silently', async () => {
    const { ana, bob, direct } = await hand.pair();
    expectStatus(await bob.call('PATCH', '/v1/me/notifications', { channels: { email: false, sms: false } }), 200);
    const another = async (ms: number, text: string) => {
      hand.pass(ms);
      await send(ana, direct.id, text);
      // Messages come by the database's clock, decisions by the test's.
      await hand.sql.query(
        `update messages set created_at = now() + $2 * interval '1 millisecond'
          where conversation_id = $1 and seq = (select max(seq) from messages where conversation_id = $1)`,
        [direct.id, hand.deps.now().getTime() - Date.now()],
      );
      hand.pass(2 * second);
      await hand.walk(bob);
      return hand.push.sent.at(-1)?.sound;
    };
    const heard: unknown[] = [];
    for (const ms of [0, 30, 30, 30, 30, 60, 150, 60]) heard.push(await another(ms * second, `after ${ms}`));
    assert.deepEqual(heard, [true, true, true, true, false, false, false, true]);
    assert.equal(hand.push.sent.length, heard.length);
    expectStatus(await read(bob, direct.id, heard.length), 200);
    assert.equal(await another(second, 'after the reading'), true);
  }).timeout(30_000);

  it('C3: a room that is followed message by message makes one sound in a quarter of an hour, a mention another', async () => {
    const { ana, bob } = await hand.pair();
    expectStatus(await bob.call('PATCH', '/v1/me/notifications', { channels: { email: false, sms: false } }), 200);
    const room = await makeGroup(ana, [bob]);
    const told = async (text: string, extra: Record<string, unknown> = {}) => {
      const { seq } = await send(ana, room.id, text, extra);
      hand.pass(2 * second);
      await hand.walk(bob);
      expectStatus(await read(bob, room.id, seq), 200);
      await hand.walk(bob);
      return hand.push.sent.at(-1)?.sound;
    };
    assert.deepEqual([await told('one'), await told('two')], [true, false]);
    assert.equal(await told('@Bob', { mentions: [{ type: 'user', userId: bob.id, offset: 0, length: 4 }] }), true);
    assert.equal(await told('three'), false);
    await hand.sql.query(`update watermarks set sounded_at = sounded_at - interval '15 minutes' where user_id = $1`, [
      bob.id,
    ]);
    assert.equal(await told('four'), true);
  }).timeout(30_000);

  it('L7: a push goes past the device that is active, but for what is urgent, and not where there is no other', async () => {
    const { ana, bob, direct } = await hand.pair();
    expectStatus(await bob.call('PATCH', '/v1/me/notifications', { channels: { email: false, sms: false } }), 200);
    const deviceId = randomUUIDv7();
    const desktop = { platform: 'desktop', pushToken: `ok-${deviceId}`, pushPermission: 'granted' };
    expectStatus(await bob.call('PUT', `/v1/me/devices/${deviceId}`, desktop), 200);
    hand.presence = [
      { state: 'active', deviceId, viewing: null },
      { state: 'idle', deviceId: null, viewing: null },
    ];
    const told = async (extra: Record<string, unknown> = {}) => {
      const { seq } = await send(ana, direct.id, 'hello', extra);
      hand.pass(minute);
      await hand.walk(bob);
      expectStatus(await read(bob, direct.id, seq), 200);
      await hand.walk(bob);
      return hand.push.sent.splice(0).map(({ token }) => token);
    };
    assert.deepEqual(await told(), [bob.pushToken]);
    assert.deepEqual((await told({ priority: 'urgent' })).sort(), [bob.pushToken, desktop.pushToken].sort());
    await hand.sql.query('delete from devices where user_id = $1 and id <> $2', [bob.id, deviceId]);
    assert.deepEqual(await told(), [desktop.pushToken]);
  }).timeout(30_000);

  it('C9: what piled up in thirty hours of peace leaves as one push, which its provider keeps for a day from then', async () => {
    const { ana, bob, direct } = await hand.pair();
    const doNotDisturbUntil = new Date(Date.now() + 30 * hour).toISOString();
    const settings = { channels: { email: false, sms: false }, doNotDisturbUntil };
    expectStatus(await bob.call('PATCH', '/v1/me/notifications', settings), 200);
    await send(ana, direct.id, 'hello');
    await send(ana, direct.id, 'are you there?');
    hand.pass(minute);
    assert.deepEqual(await hand.walk(bob), ['wait push do_not_disturb']);
    hand.pass(25 * hour);
    assert.deepEqual(await hand.walk(bob), ['wait push do_not_disturb']);
    hand.pass(5 * hour);
    assert.deepEqual(await hand.walk(bob), ['push', 'every-step-spent']);
    const [only, ...others] = hand.push.sent;
    assert.deepEqual([only?.data['count'], others], ['2', []]);
    assert.ok((only?.ttlSeconds ?? 0) > 23 * 3_600, `${only?.ttlSeconds} s`);
  });

  it('L5: a conversation past half of its mail’s delay rides along; one before that does not', async () => {
    const { ana, bob } = await hand.pair();
    const groups = [
      await makeGroup(ana, [bob], 'One'),
      await makeGroup(ana, [bob], 'Two'),
      await makeGroup(ana, [bob], 'Three'),
    ] as const;
    const at = async (id: string, ms: number) => {
      await send(ana, id, 'hello');
      await hand.sql.query(
        `update messages set created_at = now() + $2 * interval '1 millisecond' where conversation_id = $1`,
        [id, ms],
      );
    };
    await at(groups[0].id, 0);
    await at(groups[1].id, 4 * minute);
    await at(groups[2].id, 6 * minute);
    hand.pass(7 * minute);
    await hand.walk(bob);
    hand.pass(3 * minute + second);
    await hand.walk(bob);
    assert.match(hand.email.sent[0]?.subject ?? '', /2 new messages in 2 conversations/);
    assert.match(hand.email.sent[0]?.text ?? '', /One[\s\S]*Two/);
    assert.doesNotMatch(hand.email.sent[0]?.text ?? '', /Three/);
  }).timeout(30_000);
});
