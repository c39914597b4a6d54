import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { startVerifications } from '../../domain/accounts/index.ts';
import { type Episodes, nudgeEpisodes, presenceEnded, startHeldEpisodes } from '../../domain/attention/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import { type Person, read, registerDevice, registerPeople, send } from '../factories/person.ts';
import { type ByHand, active, attentionByHand } from '../support/by-hand.ts';
import { type Answer, expectStatus } from '../support/rest.ts';
import { until } from '../support/until.ts';

const minute = 60_000;

describe('the relay, turn by turn', () => {
  let hand: ByHand;
  before(async function () {
    this.timeout(60_000);
    hand = await attentionByHand();
  });
  after(() => hand.close());
  beforeEach(async () => {
    hand.reset();
    // Each test has the queues for itself.
    await hand.sql.query(`update attention set state = 'quiet', nudge_at = null`);
    await hand.sql.query('delete from armed');
    await hand.sql.query('delete from outbox');
  });

  /** Something unread for somebody away, armed and held. */
  const held = async () => {
    const { ana, bob, direct } = await hand.pair();
    await send(ana, direct.id, 'hello');
    await hand.arm();
    return { ana, bob, direct };
  };
  /** A client of theirs has said that it holds everything. */
  const acknowledge = ({ id }: Person) =>
    hand.sql.query(
      `update members m set delivered_seq = c.last_seq from conversations c where c.id = m.conversation_id and m.user_id = $1`,
      [id],
    );
  /** The same, handed over, and waiting for its mail. */
  const running = async () => {
    const story = await held();
    hand.pass(2_000);
    assert.deepEqual(await hand.walk(story.bob), ['push', 'wait email step_delay']);
    return story;
  };
  const outcomes = async ({ id }: Person) =>
    (
      await hand.rows<{ outcome: string | null; workflow_id: string | null }>(
        'select outcome, workflow_id from episodes where user_id = $1 order by episode',
        id,
      )
    ).map(({ outcome, workflow_id: workflowId }) => [outcome, workflowId]);
  const nudge = (answer: 'nudged' | 'gone', before: () => Promise<unknown> = async () => undefined) =>
    nudgeEpisodes({
      ...hand.deps,
      episodes: {
        start: async () => '',
        nudge: async () => {
          await before();
          return answer;
        },
      },
    });
  const setNudge = (person: Person) =>
    hand.sql.query('update attention set nudge_at = now() where user_id = $1', [person.id]);

  describe('of what is held', () => {
    it('tells Temporal nothing of what was read within the grace', async () => {
      const { bob, direct } = await held();
      assert.equal((await hand.attention(bob))?.state, 'held');
      expectStatus(await read(bob, direct.id, 1), 200);
      const started: string[] = [];
      await hand.start({ start: async ({ userId }) => (started.push(userId), 'w') });
      assert.deepEqual(started, []);
      assert.deepEqual(await outcomes(bob), [['read', null]]);
      const decisions = await hand.rows('select reason from decisions where user_id = $1', bob.id);
      assert.deepEqual(decisions, [{ reason: 'read_before_send' }]);
    });

    it('hands over who is called urgently before all who have waited longer', async () => {
      const started: [string, string | undefined][] = [];
      const some = [await held(), await held()];
      const { ana, bob, direct } = await hand.pair();
      await send(ana, direct.id, 'fire', { priority: 'urgent' });
      await hand.arm();
      await hand.sql.query(`update attention set start_at = now() - interval '1 hour' where state = 'held'`);
      await hand.sql.query(`update attention set start_at = now() where user_id = $1`, [bob.id]);
      const start: Episodes['start'] = async ({ userId, conversationId }) => {
        started.push([userId, conversationId]);
        return 'workflow';
      };
      await startHeldEpisodes({ ...hand.deps, episodes: { start, nudge: async () => 'nudged' } }, 1);
      assert.deepEqual(started, [[bob.id, direct.id]]);
      await startHeldEpisodes({ ...hand.deps, episodes: { start, nudge: async () => 'nudged' } });
      const others = some.map((one) => [one.bob.id, one.direct.id]);
      assert.deepEqual(started.slice(1).sort(), others.sort());
    });

    it('is urgent for as long as the episode, and no longer', async () => {
      const isUrgent = async ({ id }: Person) =>
        (await hand.rows<{ urgent: boolean }>('select urgent from attention where user_id = $1', id))[0]?.urgent;
      const { ana, bob, direct } = await held();
      assert.equal(await isUrgent(bob), false);
      await send(ana, direct.id, 'fire', { priority: 'urgent' });
      await hand.arm();
      await send(ana, direct.id, 'it is out');
      await hand.arm();
      assert.equal(await isUrgent(bob), true);
      expectStatus(await read(bob, direct.id, 3), 200);
      await hand.start();
      assert.deepEqual(await outcomes(bob), [['read', null]]);
      await send(ana, direct.id, 'nothing more');
      await hand.arm();
      assert.equal(await isUrgent(bob), false);
    });

    it('nudges who is called urgently before all others', async () => {
      const nudged: string[] = [];
      const [other, called] = [await running(), await running()];
      await send(called.ana, called.direct.id, 'fire', { priority: 'urgent' });
      await hand.arm();
      await hand.sql.query(`update attention set nudge_at = now() - interval '1 hour' where user_id = $1`, [
        other.bob.id,
      ]);
      const asked: Episodes['nudge'] = async ({ userId }) => {
        nudged.push(userId);
        return 'nudged';
      };
      const episodes = { start: async () => '', nudge: asked };
      await nudgeEpisodes({ ...hand.deps, episodes }, 1);
      await nudgeEpisodes({ ...hand.deps, episodes }, 1);
      assert.deepEqual(nudged, [called.bob.id, other.bob.id]);
    });

    it('does not close what was armed again between the look and the closing, and gives it back at once', async () => {
      const { ana, bob, direct } = await held();
      expectStatus(await read(bob, direct.id, 1), 200);
      const { db } = hand.deps;
      let slipped = false;
      // The next message slips in when the closing begins.
      const deps = {
        ...hand.deps,
        db: {
          ...db,
          transaction: async (work: never) => {
            if (!slipped) {
              slipped = true;
              await send(ana, direct.id, 'second');
              await hand.arm();
            }
            return db.transaction(work);
          },
        } as typeof db,
        episodes: { start: async () => 'workflow', nudge: async () => 'nudged' as const },
      };
      await hand.sql.query('update attention set start_at = now() where user_id = $1', [bob.id]);
      await startHeldEpisodes(deps);
      assert.ok(slipped);
      const row = await hand.attention(bob);
      assert.equal(row?.state, 'held');
      assert.ok((row?.start_at.getTime() ?? Infinity) <= Date.now() + 1_000, 'not after the whole lease');
      assert.deepEqual(await outcomes(bob), [[null, null]]);
      assert.deepEqual(await hand.rows('select 1 from decisions where user_id = $1', bob.id), []);
    });

    it('waits for who is connected, and no longer than their grace', async () => {
      const { bob } = await held();
      hand.presence = active;
      await acknowledge(bob);
      hand.pass(2_000);
      const started: string[] = [];
      const start = async ({ userId }: { userId: string }) => (started.push(userId), 'w');
      await hand.start({ start });
      assert.deepEqual(started, []);
      assert.equal((await hand.attention(bob))?.state, 'held');
      hand.pass(20_000);
      await hand.start({ start });
      assert.deepEqual(started, [bob.id]);
    });

    it('L6: hardly waits for a client that does not say that it has the message', async () => {
      const { bob } = await held();
      hand.presence = active;
      hand.pass(2_000);
      await hand.start();
      assert.equal((await hand.attention(bob))?.state, 'held');
      hand.pass(1_000);
      await hand.start();
      assert.equal((await hand.attention(bob))?.state, 'running');
    });

    it('waits as long as the person has chosen', async () => {
      const { bob } = await held();
      expectStatus(await bob.call('PATCH', '/v1/me/notifications', { graceSeconds: 60 }), 200);
      hand.presence = active;
      await acknowledge(bob);
      hand.pass(59_000);
      await hand.start();
      assert.equal((await hand.attention(bob))?.state, 'held');
      hand.pass(1_000);
      await hand.start();
      assert.equal((await hand.attention(bob))?.state, 'running');
    });

    it('the end of a presence is not lost between the look at it and the waiting', async () => {
      const { bob } = await held();
      await acknowledge(bob);
      await hand.sql.query(`update attention set start_at = now() where user_id = $1`, [bob.id]);
      const deps = { ...hand.deps, episodes: { start: async () => 'w', nudge: async () => 'nudged' as const } };
      deps.presence = async () => {
        await presenceEnded(hand.deps, [bob.id as UserId]);
        return active;
      };
      await startHeldEpisodes(deps);
      const row = await hand.attention(bob);
      assert.equal(row?.state, 'held');
      assert.ok((row?.start_at.getTime() ?? Infinity) <= Date.now() + hand.deps.ladder.pushMs);
    });

    it('does not wait for a presence that nobody knows', async () => {
      const { bob } = await held();
      hand.presence = 'unknown';
      await hand.start();
      assert.equal((await hand.attention(bob))?.state, 'running');
    });

    it('nudges an episode in which something was armed while it was started', async () => {
      const { ana, bob, direct } = await held();
      await hand.start({
        start: async () => {
          await send(ana, direct.id, 'meanwhile');
          await hand.arm();
          return 'workflow';
        },
      });
      assert.notEqual((await hand.attention(bob))?.nudge_at, null);
    });

    const changes: [string, (bob: Person, conversationId: string) => Promise<Answer<unknown>>][] = [
      ['channels were switched', (bob) => bob.call('PATCH', '/v1/me/notifications', { channels: { push: false } })],
      [
        'it was muted',
        (bob, id) =>
          bob.call('PATCH', `/v1/conversations/${id}/me`, {
            mutedUntil: new Date(Date.now() + 60 * minute).toISOString(),
          }),
      ],
    ];
    for (const [what, change] of changes) {
      it(`nudges an episode in which ${what} while it was started`, async () => {
        const { bob, direct } = await held();
        await hand.start({
          start: async () => {
            expectStatus(await change(bob, direct.id), 200);
            return 'workflow';
          },
        });
        const row = await hand.attention(bob);
        assert.equal(row?.state, 'running');
        assert.ok((row?.nudge_at?.getTime() ?? Infinity) <= Date.now() + 1_000, 'as soon as it was asked for');
      });
    }

    it('and does not where nothing was', async () => {
      const { bob } = await held();
      await hand.start();
      assert.equal((await hand.attention(bob))?.nudge_at, null);
    });
  });

  describe('of what runs', () => {
    it('opens anew what was lost, with what is unread', async () => {
      const { bob } = await running();
      await setNudge(bob);
      await nudge('gone');
      const row = await hand.attention(bob);
      assert.deepEqual([row?.state, row?.episode], ['held', 2]);
      assert.deepEqual(await outcomes(bob), [
        ['workflow-lost', `attention/${bob.id}/1`],
        [null, null],
      ]);
      hand.pass(10 * minute);
      assert.deepEqual(await hand.walk(bob), ['email', 'wait sms step_delay']);
    });

    it('tells what its workflow had claimed and no provider has heard of', async () => {
      const { bob } = await held();
      await hand.start();
      hand.pass(2_000);
      const plan = await hand.decide(bob);
      hand.push.answer = () => ({ class: 'transient', provider: 'fcm', code: '503' });
      await assert.rejects(hand.notify(bob, plan));
      hand.push.answer = () => undefined;
      await setNudge(bob);
      await nudge('gone');
      assert.deepEqual(await hand.walk(bob), ['push', 'wait email step_delay']);
      const states = (await hand.attempts(bob)).map(({ state }) => state);
      assert.deepEqual(states, ['dropped', 'accepted']);
    });

    it('nudges what was not heard of for too long, once', async () => {
      const { bob } = await running();
      await hand.sql.query(`update attention set wakes_at = now() - interval '10 minutes' where user_id = $1`, [
        bob.id,
      ]);
      assert.equal(await nudge('nudged'), 1);
      assert.equal(await nudge('nudged'), 0);
    });

    it('and what never said when it wakes', async () => {
      const { bob } = await running();
      await hand.sql.query(
        `update attention set wakes_at = null, start_at = now() - interval '10 minutes' where user_id = $1`,
        [bob.id],
      );
      assert.equal(await nudge('gone'), 1);
      assert.equal((await outcomes(bob))[0]?.[0], 'workflow-lost');
    });

    it('keeps a nudge that was asked for while an earlier one was on its way', async () => {
      const { bob } = await running();
      await setNudge(bob);
      await nudge('nudged', () => presenceEnded(hand.deps, [bob.id as UserId]));
      assert.notEqual((await hand.attention(bob))?.nudge_at, null);
      await setNudge(bob);
      await nudge('nudged');
      assert.equal((await hand.attention(bob))?.nudge_at, null, 'one that arrived is over');
    });

    it('one that cannot be nudged holds up no other', async () => {
      const [one, other] = [await running(), await running()];
      for (const { bob } of [one, other]) await setNudge(bob);
      const nudged: string[] = [];
      await nudgeEpisodes({
        ...hand.deps,
        episodes: {
          start: async () => '',
          nudge: async ({ userId }) => {
            if (userId === one.bob.id) throw new Error('Temporal says no');
            nudged.push(userId);
            return 'nudged';
          },
        },
      });
      assert.deepEqual(nudged, [other.bob.id]);
      assert.equal((await hand.attention(other.bob))?.nudge_at, null);
      assert.notEqual((await hand.attention(one.bob))?.nudge_at, null, 'it comes again');
    });

    it('the end of a presence is not lost between the look at it and the decision', async () => {
      const { ana, bob, direct } = await running();
      await send(ana, direct.id, 'second');
      await hand.arm();
      await hand.sql.query('update attention set nudge_at = null where user_id = $1', [bob.id]);
      const deps = { ...hand.deps };
      deps.presence = async () => {
        // The last socket closes right after somebody was seen.
        await presenceEnded(hand.deps, [bob.id as UserId]);
        return active;
      };
      const plan = await hand.decide(bob, {}, deps);
      assert.equal(plan.kind, 'wait');
      assert.notEqual((await hand.attention(bob))?.nudge_at, null);
    });
  });

  describe('has an episode look again', () => {
    const changes: [string, (person: Person, conversationId: string) => Promise<Answer<unknown>>][] = [
      ['when the person reads', (bob, id) => read(bob, id, 1)],
      ['when they mute it', (bob, id) => bob.call('PATCH', `/v1/conversations/${id}/me`, { mutedUntil: inAnHour() })],
      ['when they ask for less', (bob, id) => bob.call('PATCH', `/v1/conversations/${id}/me`, { level: 'nothing' })],
      [
        'when they switch a channel off',
        (bob) => bob.call('PATCH', '/v1/me/notifications', { channels: { push: false } }),
      ],
    ];
    const inAnHour = () => new Date(Date.now() + 60 * minute).toISOString();

    for (const [what, change] of changes) {
      it(what, async () => {
        const { bob, direct } = await running();
        assert.equal((await hand.attention(bob))?.nudge_at, null);
        expectStatus(await change(bob, direct.id), 200);
        // What is read is gathered, and looked at a moment after the answer.
        await until(
          () => hand.attention(bob),
          (row) => row?.nudge_at instanceof Date,
        );
      });
    }

    it('when they register a device, and when they take it away', async () => {
      const { bob } = await running();
      await registerDevice(bob);
      assert.notEqual((await hand.attention(bob))?.nudge_at, null);
      await hand.sql.query('update attention set nudge_at = null where user_id = $1', [bob.id]);
      const [device] = await hand.rows<{ id: string }>('select id from devices where user_id = $1', bob.id);
      expectStatus(await bob.call('DELETE', `/v1/me/devices/${device?.id}`), 204);
      assert.notEqual((await hand.attention(bob))?.nudge_at, null);
    });

    it('not when what they change has nothing to do with it', async () => {
      const { bob, direct } = await running();
      expectStatus(await bob.call('PATCH', `/v1/conversations/${direct.id}/me`, { pinned: true }), 200);
      assert.equal((await hand.attention(bob))?.nudge_at, null);
    });
  });

  it('hands over codes although one request cannot be understood, and says so once', async () => {
    const [ana] = await registerPeople(hand.app, 'Ana');
    const started: string[] = [];
    const round = () => startVerifications({ ...hand.deps, start: async ({ userId }) => void started.push(userId) });
    await hand.sql.query(
      `insert into outbox (topic, user_id, payload, due_at) values ('verification.requested', $1, '{"channel": "pigeon"}', now() - interval '1 day')`,
      [randomUUIDv7()],
    );
    await round();
    assert.deepEqual(started, [ana.id]);
    await hand.sql.query('update outbox set due_at = now()');
    await round();
    const [row] = await hand.rows<{ tries: number; due: boolean }>('select tries, due_at <= now() as due from outbox');
    assert.deepEqual(row, { tries: 2, due: false });
    assert.equal(hand.logged.filter(([level]) => level === 'error').length, 1);
  });
}).timeout(30_000);
