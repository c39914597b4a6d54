import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import type { UserId } from '../../contracts/ids.ts';
import type { DifferenceKind } from '../../contracts/entities/index.ts';
import { differenceKinds } from '../../contracts/entities/index.ts';
import { type WalkPlace, beginWalk, leaseWalk, moveWalk } from '../../db/queries/differences.ts';
import { closeEpisode } from '../../db/queries/episodes.ts';
import type { Meter } from '../../domain/deps.ts';
import { createRecount, reconciliation } from '../../domain/recount/index.ts';
import { rearm } from '../../domain/support/index.ts';
import { type Person, makeChannel, makeGroup, read, registerPeople, send } from '../factories/person.ts';
import { type ByHand, attentionByHand } from '../support/by-hand.ts';
import { recount } from '../support/recount.ts';
import { expectStatus } from '../support/rest.ts';

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];

/** What no interface can do is done to the rows by hand: each of these is a fault that the ledger itself does not show. */
describe('the recount', () => {
  let hand: ByHand;
  before(async function () {
    this.timeout(60_000);
    hand = await attentionByHand();
  });
  after(() => hand.close());
  beforeEach(async () => {
    hand.reset();
    // Each plant is judged by itself; what the others left behind is read.
    await hand.app.database.run('update members set seen_seq = 1000000, read_seq = 1000000, delivered_seq = 1000000');
    await hand.app.database.run('delete from outbox; delete from attempts; delete from armed; delete from differences');
    await hand.app.database.run(`update attention set state = 'quiet'; delete from episodes; delete from disarmed`);
    await hand.app.database.run(`delete from decisions; delete from recount_walks where name <> 'began'`);
  });

  /** A message to Bob that the relay has armed. */
  const armed = async () => {
    const { ana, bob, direct } = await hand.pair();
    const message = await send(ana, direct.id, 'Are you there?');
    await hand.arm();
    return { ana, bob, direct, message };
  };
  /** To the end: every step spent, and unread still. */
  const spent = async () => {
    const all = await armed();
    for (let n = 0; n < 3; n += 1) {
      await hand.walk(all.bob);
      hand.pass(31 * minute);
    }
    return { ...all, end: (await hand.walk(all.bob)).at(-1) };
  };
  const run = (text: string) => hand.app.database.run(text);
  const attentionOf = async (person: Person) => (await hand.attention(person))?.episode ?? 0;

  it('finds nothing where everybody was told', async () => {
    const { end } = await spent();
    assert.equal(end, 'every-step-spent');
    assert.deepEqual(await recount(hand.deps), {});
    hand.pass(day);
    assert.deepEqual(await recount(hand.deps), {});
  });

  it('finds nothing where who is to be told has read, or is being told', async () => {
    const { ana, bob, direct } = await hand.pair();
    const { seq } = await send(ana, direct.id, 'read at once');
    expectStatus(await read(bob, direct.id, seq), 200);
    await armed();
    await hand.start();
    assert.deepEqual(await recount(hand.deps), {});
    hand.pass(5 * minute);
    assert.deepEqual(await recount(hand.deps), {});
  });

  it('finds nothing where a weekly summary tells what has waited for longer than an episode may take', async () => {
    const { bob } = await armed();
    await hand.start();
    await hand.decide(bob);
    await run(`update armed set armed_at = now() - interval '9 days'`);
    assert.deepEqual(await recount(hand.deps), {});
  });

  it('finds nothing where an edit called somebody below what they were told, unless that is told twice', async () => {
    const [ana, bob] = [(await registerPeople(hand.app, 'Ana'))[0], await hand.reachable()];
    const group = await makeGroup(ana, [bob]);
    expectStatus(await bob.call('PATCH', `/v1/conversations/${group.id}/me`, { level: 'mentions' }), 200);
    const mentions = [{ type: 'user', userId: bob.id, offset: 0, length: 4 }];
    await send(ana, group.id, '@Bob, the first', { mentions });
    const { id, seq } = await send(ana, group.id, 'to nobody');
    await send(ana, group.id, '@Bob, the last', { mentions });
    hand.pass(2_000);
    await hand.walk(bob);
    const edit = { clientId: randomUUIDv7(), text: '@Bob, after all', mentions };
    expectStatus(await ana.call('PATCH', `/v1/conversations/${group.id}/messages/${id}`, edit), 200);
    for (let n = 0; n < 4; n += 1) {
      hand.pass(31 * minute);
      await hand.walk(bob);
    }
    assert.deepEqual(
      hand.push.sent.map(({ data }) => Number(data.seq)),
      [seq + 1, seq],
    );
    hand.pass(day);
    assert.deepEqual(await recount(hand.deps), {});
    await hand.sql.query(
      `insert into attempts (user_id, id, episode, channel, state, covers, claimed_at)
       select user_id, $2, episode, channel, state, covers, now() from attempts
       where user_id = $1 and channel = 'push' order by id desc limit 1`,
      [bob.id, randomUUIDv7()],
    );
    hand.pass(day);
    assert.deepEqual(await recount(hand.deps), { announced_twice: 1 });
  });

  type Plant = () => Promise<void>;
  const plants: Record<DifferenceKind, Plant> = {
    async not_armed() {
      const { ana, direct } = await hand.pair();
      await send(ana, direct.id, 'nobody hears of this');
      await run('delete from outbox');
      hand.pass(11 * minute);
    },
    async wrong_outcome() {
      const { bob } = await armed();
      await hand.start();
      await hand.decide(bob);
      const episode = await attentionOf(bob);
      await hand.deps.db.transaction((tx) => closeEpisode(tx, bob.id as UserId, episode, 'read'));
      await hand.sql.query(
        `insert into decisions select user_id, gen_random_uuid(), episode, at, 'episode', 'cancelled', 'read_before_send', null,
           null, evaluation, workflow_id, run_id from decisions where user_id = $1 limit 1`,
        [bob.id],
      );
      hand.pass(11 * minute);
    },
    async stalled() {
      await armed();
      hand.pass(11 * minute);
    },
    async unfinished() {
      const { bob } = await armed();
      await hand.start();
      await hand.decide(bob);
      await run(`update armed set armed_at = now() - interval '9 days'`);
      await run(`update episodes set opened_at = now() - interval '9 days'`);
    },
    async no_outcome() {
      const { bob } = await armed();
      const episode = await attentionOf(bob);
      await hand.deps.db.transaction((tx) => closeEpisode(tx, bob.id as UserId, episode, 'every-step-spent'));
      hand.pass(2 * minute);
    },
    async two_outcomes() {
      const { bob } = await spent();
      await hand.sql.query(
        `insert into decisions select user_id, $2, episode, at, step, outcome, reason, until, attempt_id, evaluation,
           workflow_id, run_id from decisions where user_id = $1 and step = 'episode'`,
        [bob.id, randomUUIDv7()],
      );
      hand.pass(2 * minute);
    },
    async announced_twice() {
      const { bob } = await spent();
      await hand.sql.query(
        `insert into attempts (user_id, id, episode, channel, state, covers, claimed_at)
         select user_id, $2, episode, channel, state, covers, now() from attempts where user_id = $1 and channel = 'push'`,
        [bob.id, randomUUIDv7()],
      );
      hand.pass(11 * minute);
    },
    async not_owed() {
      const { ana, direct } = await spent();
      const covers = [{ conversationId: direct.id, fromSeq: 1, toSeq: 1 }];
      await hand.sql.query(
        `insert into attempts (user_id, id, episode, channel, state, covers, claimed_at) values ($1, $2, 1, 'push', 'accepted', $3, now())`,
        [ana.id, randomUUIDv7(), JSON.stringify(covers)],
      );
      hand.pass(11 * minute);
    },
    async attempt_open() {
      const { bob } = await spent();
      await hand.sql.query(`update attempts set state = 'claimed' where user_id = $1 and channel = 'email'`, [bob.id]);
      hand.pass(27 * hour);
    },
  };
  for (const kind of differenceKinds)
    it(`finds what is ${kind}, and names it in the log by ids alone`, async () => {
      await plants[kind]();
      assert.deepEqual(await recount(hand.deps), { [kind]: 1 });
      const [told] = hand.logged.filter(([level]) => level === 'error');
      assert.match(JSON.stringify(told), new RegExp(`"kind":"${kind}","userId":"[0-9a-f-]{36}"`));
      assert.doesNotMatch(JSON.stringify(told), /Are you there|nobody hears|@example/);
    });

  it('finds what was taken out of what is armed while its episode goes on', async () => {
    const { bob } = await armed();
    await hand.start();
    await hand.decide(bob);
    await run(`delete from armed where user_id = '${bob.id}'`);
    hand.pass(9 * minute);
    assert.deepEqual(await recount(hand.deps), {});
    hand.pass(2 * minute);
    assert.equal((await recount(hand.deps)).wrong_outcome, 1);
  });

  it('looks again after a day, when everything has an outcome', async () => {
    const { bob } = await armed();
    hand.pass(9 * minute);
    await recount(hand.deps);
    hand.pass(3 * minute);
    await hand.walk(bob);
    assert.deepEqual(await recount(hand.deps), {});
    await run(`delete from armed; delete from disarmed; delete from attempts`);
    assert.deepEqual(await recount(hand.deps), {}, 'it was looked at already');
    hand.pass(day);
    assert.equal((await recount(hand.deps)).not_armed, 1);
  });

  it('takes off its list what agrees by now', async () => {
    const { ana, bob, direct } = await hand.pair();
    const { seq } = await send(ana, direct.id, 'nobody hears of this');
    await run('delete from outbox');
    hand.pass(11 * minute);
    assert.deepEqual(await recount(hand.deps), { not_armed: 1 });
    assert.deepEqual(await recount(hand.deps), { not_armed: 1 });
    expectStatus(await read(bob, direct.id, seq), 200);
    hand.pass(minute);
    assert.deepEqual(await recount(hand.deps), {});
  });

  it('has the relay arm again whom it forgot, and tells nobody twice', async () => {
    const [ana, cleo] = await registerPeople(hand.app, 'Ana', 'Cleo');
    const bob = await hand.reachable();
    const group = await makeGroup(ana, [bob, cleo]);
    await send(ana, group.id, 'nobody hears of this');
    await run('delete from outbox');
    hand.pass(11 * minute);
    assert.deepEqual(await recount(hand.deps), { not_armed: 2 });
    assert.equal(await rearm(hand.deps, { operator: 'olga' }), 1);
    for (let n = 0; n < 2; n += 1) await hand.walk(bob);
    assert.equal(hand.push.sent.length, 1);
    assert.equal(await rearm(hand.deps, { operator: 'olga' }), 1);
    await hand.walk(bob);
    assert.equal(hand.push.sent.length, 1);
    await hand.walk(cleo);
    hand.pass(minute);
    assert.deepEqual(await recount(hand.deps), {});
  });

  it('says nothing of whom the rules of the time are not known', async () => {
    const { ana, bob, direct } = await hand.pair();
    const mine = `/v1/conversations/${direct.id}/me`;
    expectStatus(await bob.call('PATCH', mine, { level: 'nothing' }), 200);
    await send(ana, direct.id, 'not now');
    const { ana: other, bob: blocker } = await hand.pair();
    const group = await makeGroup(other, [blocker]);
    expectStatus(await blocker.call('PUT', `/v1/me/blocks/${other.id}`), 204);
    await send(other, group.id, 'not to you');
    await hand.arm();
    assert.deepEqual([await hand.attention(bob), await hand.attention(blocker)], [undefined, undefined]);
    expectStatus(await bob.call('PATCH', mine, { level: null }), 200);
    expectStatus(await blocker.call('DELETE', `/v1/me/blocks/${other.id}`), 204);
    const { seq } = await send(ana, direct.id, 'now');
    await hand.arm();
    await run(`delete from armed where user_id = '${bob.id}' and last_seq = ${seq}`);
    hand.pass(11 * minute);
    const found = await recount(hand.deps);
    assert.deepEqual([found.not_armed, found.wrong_outcome], [undefined, 1], 'of what came after the change it does');
  });

  it('passes over who is not to be told', async () => {
    const [ana, bob, cleo, dan] = await registerPeople(hand.app, 'Ana', 'Bob', 'Cleo', 'Dan');
    const group = await makeGroup(ana, [bob, cleo, dan]);
    const at = (rest: string) => `/v1/conversations/${group.id}${rest}`;
    expectStatus(await bob.call('PATCH', at('/me'), { mutedUntil: new Date(Date.now() + hour).toISOString() }), 200);
    expectStatus(await cleo.call('PATCH', at('/me'), { level: 'mentions' }), 200);
    const channel = await makeChannel(ana, { visibility: 'open' });
    expectStatus(await dan.call('POST', `/v1/conversations/${channel.id}/join`), 200);
    await send(ana, group.id, 'to Dan alone');
    await send(ana, channel.id, 'to nobody');
    await run('delete from outbox');
    // The mute has run out by then, which brings nothing back.
    hand.pass(2 * hour);
    await recount(hand.deps);
    const { items } = await reconciliation(hand.deps, { limit: 10 });
    assert.deepEqual(
      items.map(({ userId, kind }) => [userId, kind]),
      [[dan.id, 'not_armed']],
    );
  });

  it('is walked by one relay at a time, and moved by nobody who has lost the walk to another', async () => {
    const { db } = hand.deps;
    const walk = { name: 'messages', cursor: 'here', through: new Date() };
    const lease = () => leaseWalk(db, walk.name, minute);
    const move = (from: WalkPlace, cursor: string) =>
      db.transaction((tx) => moveWalk(tx, from, { cursor, through: new Date() }));
    await beginWalk(db, walk);
    const stopped = (await lease()) as WalkPlace;
    assert.equal(await lease(), undefined, 'another has it');
    await run(`update recount_walks set leased_until = now() where name = '${walk.name}'`);
    const other = (await lease()) as WalkPlace;
    assert.equal(await move(other, 'farther'), true);
    assert.equal(await move(stopped, 'here again'), false);
    assert.equal((await lease())?.cursor, 'farther');
  });

  it('goes on where another was stopped, a page at a time, each page once', async () => {
    const { ana, direct } = await hand.pair();
    for (let n = 0; n < 5; n += 1) await send(ana, direct.id, `${n}`);
    await run('delete from outbox');
    hand.pass(11 * minute);
    const looked: number[] = [];
    const recounted: Meter['recounted'] = (walk, { kinds }) => void (walk === 'messages' && looked.push(kinds.length));
    const relays = [0, 1].map(() => createRecount({ ...hand.deps, meter: { ...hand.deps.meter, recounted } }));
    for (let n = 0; n < 20; n += 1) await Promise.all(relays.map((round) => round()));
    assert.equal(
      looked.reduce((sum, n) => sum + n, 0),
      5,
    );
    assert.deepEqual(await recount(hand.deps), { not_armed: 5 });
  });
}).timeout(60_000);
