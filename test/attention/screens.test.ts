import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { clearScreens } from '../../domain/attention/index.ts';
import { applyChanges, screenLimits } from '../../domain/calling-off/index.ts';
import type { SilentPush } from '../../domain/deps.ts';
import {
  type Person,
  deleteMessage,
  makeDirect,
  makeGroup,
  read,
  registerDevice,
  registerPerson,
  send,
  signInAgain,
} from '../factories/person.ts';
import { type ByHand, attentionByHand } from '../support/by-hand.ts';
import { expectStatus } from '../support/rest.ts';
import { until } from '../support/until.ts';

describe('what a person’s screens show', () => {
  let hand: ByHand;
  before(async function () {
    this.timeout(60_000);
    hand = await attentionByHand();
  });
  after(() => hand.close());
  beforeEach(async () => {
    hand.reset();
    await hand.sql.query('update screens set look_at = null');
  });

  const screens = (person: Person) =>
    hand
      .rows<{ look: number | null; rest: number }>(
        `select extract(epoch from look_at - now())::float8 as look, extract(epoch from rests_until - now())::float8 as rest
         from screens where user_id = $1`,
        person.id,
      )
      .then(([row]) => row);
  const lookAwaited = (person: Person) =>
    until(
      () => screens(person),
      (row) => row?.look !== null && row?.look !== undefined,
    );
  /** The relay's turn, as if the time until then were over. */
  const clear = async () => {
    await hand.sql.query('update screens set look_at = now() where look_at is not null');
    return clearScreens(hand.deps);
  };
  const afterRest = (person: Person) =>
    hand.sql.query(`update screens set rests_until = 'epoch' where user_id = $1`, [person.id]);
  const takenDown = ({ data }: SilentPush) =>
    (JSON.parse(data.conversations ?? '[]') as { conversationId: string; throughSeq: number; tag: string }[]).map(
      ({ conversationId, throughSeq }) => [conversationId, throughSeq],
    );
  /** Bob was pushed about one message, and the same on a tablet with a session of its own. */
  const pushed = async () => {
    const { ana, bob, direct } = await hand.pair();
    const tablet = await signInAgain(hand.app, bob);
    const tabletToken = await registerDevice(tablet);
    const message = await send(ana, direct.id, 'one');
    hand.pass(2_000);
    await hand.walk(bob);
    assert.equal(hand.push.sent.length, 2);
    return { ana, bob, tablet, tabletToken, direct, message };
  };

  it('is taken down from the other devices once it is read on one, with the badge as it is then', async () => {
    const { bob, tabletToken, direct, message } = await pushed();
    const { badge, data } = hand.push.sent[0] ?? assert.fail();
    assert.deepEqual([badge, data.badgeRevision], [1, '1']);
    assert.equal((await screens(bob))?.look, null, 'nothing has been read');
    expectStatus(await read(bob, direct.id, message.seq), 200);
    const { look } = (await lookAwaited(bob)) ?? {};
    assert.ok((look ?? 0) > 1 && (look ?? 0) <= screenLimits.delayMs / 1_000, `looked at in ${look} s`);
    assert.equal(await clear(), 1);
    // The device that read sees to itself.
    assert.deepEqual(
      hand.silent.sent.map(({ token }) => token),
      [tabletToken],
    );
    const [sent] = hand.silent.sent;
    assert.deepEqual(sent && takenDown(sent), [[direct.id, message.seq]]);
    const [tag] = (JSON.parse(sent?.data.conversations ?? '[]') as { tag: string }[]).map((row) => row.tag);
    assert.deepEqual(
      [sent?.data.kind, sent?.badge, sent?.data.badgeRevision, tag],
      ['clear', 0, '2', hand.push.sent[0]?.conversationKey],
    );
    assert.equal(hand.push.sent.length, 2, 'nothing is shown anew');
    expectStatus(await read(bob, direct.id, message.seq), 200);
    assert.equal(await clear(), 0, 'once');
  });

  it('costs nothing for who was never pushed', async () => {
    const { ana, bob, direct } = await hand.pair();
    const { seq } = await send(ana, direct.id, 'one');
    await hand.arm();
    expectStatus(await read(bob, direct.id, seq), 200);
    await until(
      () => hand.attention(bob),
      (row) => (row?.start_at.getTime() ?? 0) > 0,
    );
    assert.equal(await screens(bob), undefined);
    assert.equal(await clear(), 0);
  });

  it('is left alone where only a part was read, and while nothing changed', async () => {
    const { ana, bob, direct, message } = await pushed();
    await send(ana, direct.id, 'two');
    const { seq } = await send(ana, direct.id, 'three');
    hand.pass(60_000);
    await hand.walk(bob);
    expectStatus(await read(bob, direct.id, message.seq), 200);
    await lookAwaited(bob);
    assert.equal(await clear(), 1);
    assert.deepEqual(hand.silent.sent, []);
    expectStatus(await read(bob, direct.id, seq), 200);
    await lookAwaited(bob);
    await clear();
    assert.deepEqual(hand.silent.sent.map(takenDown), [[[direct.id, seq]]]);
  });

  it('rests after a message; what is read meanwhile waits for the end and comes together', async () => {
    const { ana, bob, tablet, direct, message } = await pushed();
    const [cleo, dora] = [await registerPerson(hand.app, 'Cleo'), await registerPerson(hand.app, 'Dora')];
    const others = [await makeDirect(cleo, bob), await makeDirect(dora, bob)];
    for (const [n, sender] of [cleo, dora].entries()) await send(sender, others[n]?.id ?? '', 'hello');
    hand.pass(2_000);
    await hand.walk(bob);
    expectStatus(await read(bob, direct.id, message.seq), 200);
    await lookAwaited(bob);
    await clear();
    assert.equal(hand.silent.sent.length, 1);
    for (const { id } of others) expectStatus(await read(bob, id, 1), 200);
    const { look, rest } = (await lookAwaited(bob)) ?? {};
    assert.ok(Math.abs((look ?? 0) - (rest ?? 0)) < 0.001, 'at the end of the rest');
    assert.ok((rest ?? 0) > screenLimits.restMs / 1_000 - 5, `it rests for ${rest} s`);
    await until(
      async () => {
        await clear();
        return hand.silent.sent.slice(1).flatMap(takenDown).length;
      },
      (count) => count === 2,
    );
    assert.equal(hand.silent.sent.at(-1)?.badge, 0);
    assert.ok(tablet.token !== bob.token && ana.id !== bob.id);
  });

  it('says no more of a message that was deleted: it is replaced without a sound, or taken down with the last one', async () => {
    const { ana, bob, direct } = await hand.pair();
    const first = await send(ana, direct.id, 'the secret');
    const second = await send(ana, direct.id, 'the other');
    hand.pass(2_000);
    await hand.walk(bob);
    assert.deepEqual([hand.push.sent.length, hand.push.sent[0]?.data.count], [1, '2']);
    expectStatus(await deleteMessage(ana, direct.id, first.id), 200);
    while ((await applyChanges(hand.deps)) > 0);
    await lookAwaited(bob);
    await clear();
    const replaced = hand.push.sent[1];
    assert.deepEqual(
      [replaced?.sound, replaced?.data.count, replaced?.conversationKey, replaced?.data.attemptId],
      [false, '1', hand.push.sent[0]?.conversationKey, hand.push.sent[0]?.data.attemptId],
    );
    await afterRest(bob);
    expectStatus(await deleteMessage(ana, direct.id, second.id), 200);
    while ((await applyChanges(hand.deps)) > 0);
    await lookAwaited(bob);
    await clear();
    // Nobody has read it, so no device sees to itself.
    assert.deepEqual(hand.silent.sent.map(takenDown), [[[direct.id, second.seq]]]);
    assert.equal(hand.push.sent.length, 2);
  });

  it('goes with the membership, and when the person writes there themselves', async () => {
    const { ana, bob, direct, message } = await pushed();
    const group = await makeGroup(ana, [bob]);
    await send(ana, group.id, 'hello');
    hand.pass(60_000);
    await hand.walk(bob);
    expectStatus(await ana.call('DELETE', `/v1/conversations/${group.id}/members/${bob.id}`), 204);
    await lookAwaited(bob);
    await clear();
    assert.deepEqual(
      hand.silent.sent.flatMap(takenDown).map(([id]) => id),
      [group.id, group.id],
    );
    await afterRest(bob);
    // Who writes has read what their clients hold.
    expectStatus(await bob.call('PUT', `/v1/conversations/${direct.id}/receipts`, { deliveredSeq: message.seq }), 200);
    await send(bob, direct.id, 'yes');
    while ((await hand.arm()) > 0);
    await lookAwaited(bob);
    await clear();
    assert.equal(hand.silent.sent.flatMap(takenDown).filter(([id]) => id === direct.id).length, 2);
  });

  it('takes down many conversations by few messages, and none that is larger than a provider takes', async () => {
    const bob = await hand.reachable();
    await signInAgain(hand.app, bob).then((tablet) => registerDevice(tablet));
    const count = screenLimits.conversations + 1;
    await hand.sql.query(
      `insert into shown (user_id, conversation_id, attempt_id, from_seq, through_seq, device_ids)
       select $1, gen_random_uuid(), $2, 1, 9007199254740991, array(select id from devices where user_id = $1)
       from generate_series(1, $3::int)`,
      [bob.id, randomUUIDv7(), count],
    );
    await hand.sql.query('insert into screens (user_id, look_at) values ($1, now())', [bob.id]);
    await clear();
    assert.equal(hand.silent.sent.length, 2);
    const [first] = hand.silent.sent;
    assert.equal(first && takenDown(first).length, screenLimits.conversations);
    assert.ok(Buffer.byteLength(JSON.stringify(first?.data)) < 3_500);
    assert.ok(((await screens(bob))?.look ?? 0) > 20, 'the rest of them after the rest');
    await clear();
    assert.deepEqual(
      hand.silent.sent.slice(2).map((sent) => takenDown(sent).length),
      [1, 1],
    );
  });

  it('is not told again where it failed, and a token that the provider refuses is not used again', async () => {
    const { bob, direct, message } = await pushed();
    hand.silent.answer = () => ({ class: 'recipient_dead', provider: 'fcm', code: 'UNREGISTERED' });
    expectStatus(await read(bob, direct.id, message.seq), 200);
    await lookAwaited(bob);
    await clear();
    assert.equal(hand.silent.sent.length, 1);
    assert.equal(await clear(), 0);
    assert.deepEqual(
      (
        await hand.rows<{ state: string }>(
          'select push_state as state from devices where user_id = $1 order by 1',
          bob.id,
        )
      ).map(({ state }) => state),
      ['active', 'suspect'],
    );
  });

  it('counts badges upwards, so that the older of two can be told', async () => {
    const { ana, bob, direct } = await pushed();
    for (const text of ['two', 'three']) {
      await send(ana, direct.id, text);
      hand.pass(60_000);
      await hand.walk(bob);
    }
    const revisions = hand.push.sent.map(({ data }) => Number(data.badgeRevision));
    assert.deepEqual(revisions, [1, 1, 2, 2, 3, 3]);
  });
}).timeout(60_000);
