import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { applyChanges, callOff } from '../../domain/calling-off/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import {
  type Person,
  deleteMessage,
  makeDirect,
  makeGroup,
  read,
  registerDevice,
  registerPerson,
  send,
} from '../factories/person.ts';
import { type ByHand, attentionByHand } from '../support/by-hand.ts';
import { type Answer, expectStatus } from '../support/rest.ts';

const minute = 60_000;
const inAnHour = () => new Date(Date.now() + 60 * minute).toISOString();

describe('what calls for nobody any more', () => {
  let hand: ByHand;
  before(async function () {
    this.timeout(60_000);
    hand = await attentionByHand();
  });
  after(() => hand.close());
  beforeEach(() => hand.reset());

  const armed = async ({ id }: Person) =>
    (
      await hand.rows<{ conversation_id: string }>(
        'select conversation_id from armed where user_id = $1 order by 1',
        id,
      )
    ).map((row) => row.conversation_id);
  const decisions = async ({ id }: Person, step: string) =>
    (
      await hand.rows<{ outcome: string; reason: string }>(
        'select outcome, reason from decisions where user_id = $1 and step = $2 order by at',
        id,
        step,
      )
    ).map(({ outcome, reason }) => `${outcome} ${reason}`);
  const outcome = async ({ id }: Person) =>
    (await hand.rows<{ outcome: string }>('select outcome from episodes where user_id = $1', id)).map(
      (row) => row.outcome,
    );
  /** The relay sees to what was changed. */
  const changes = async () => {
    while ((await applyChanges(hand.deps)) > 0);
  };
  const settings = async (person: Person, id: string, patch: object) =>
    expectStatus(await person.call('PATCH', `/v1/conversations/${id}/me`, patch), 200);
  const edit = async (
    person: Person,
    { id, conversationId }: { id: string; conversationId: string },
    text: string,
    mentions: object[] = [],
  ) =>
    expectStatus(
      await person.call('PATCH', `/v1/conversations/${conversationId}/messages/${id}`, {
        clientId: randomUUIDv7(),
        text,
        mentions,
      }),
      200,
    );
  const naming = ({ id }: Person) => ({ type: 'user', userId: id, offset: 0, length: 4 });
  /** Bob has an unread message in a group of Ana's, pushed or still within the grace. */
  const called = async (state: 'running' | 'held') => {
    const [ana, bob] = [await registerPerson(hand.app, 'Ana'), await hand.reachable()];
    const group = await makeGroup(ana, [bob]);
    await send(ana, group.id, 'hello');
    hand.pass(2_000);
    if (state === 'running') assert.deepEqual(await hand.walk(bob), ['push', 'wait email step_delay']);
    else await hand.arm();
    await hand.sql.query('update attention set nudge_at = null where user_id = $1', [bob.id]);
    return { ana, bob, group };
  };

  describe('is called off at once, and the reason is named', () => {
    type Change = (story: Awaited<ReturnType<typeof called>>) => Promise<Answer<unknown>>;
    const endings: [what: string, reason: string, change: Change][] = [
      [
        'when the person mutes it',
        'muted_conversation',
        ({ bob, group }) => bob.call('PATCH', `/v1/conversations/${group.id}/me`, { mutedUntil: inAnHour() }),
      ],
      [
        'when they want nothing of it',
        'level_nothing',
        ({ bob, group }) => bob.call('PATCH', `/v1/conversations/${group.id}/me`, { level: 'nothing' }),
      ],
      [
        'when they want mentions only, and it is none',
        'level_mentions_only',
        ({ bob, group }) => bob.call('PATCH', `/v1/conversations/${group.id}/me`, { level: 'mentions' }),
      ],
      [
        'when they want nothing at all',
        'level_nothing',
        ({ bob }) => bob.call('PATCH', '/v1/me/notifications', { level: 'nothing' }),
      ],
      ['when they leave', 'not_member', ({ bob, group }) => bob.call('POST', `/v1/conversations/${group.id}/leave`)],
      [
        'when they are removed',
        'not_member',
        ({ ana, bob, group }) => ana.call('DELETE', `/v1/conversations/${group.id}/members/${bob.id}`),
      ],
      [
        'when they are banned',
        'not_member',
        ({ ana, bob, group }) => ana.call('PUT', `/v1/conversations/${group.id}/bans/${bob.id}`),
      ],
      ['when they block who wrote it', 'blocked_sender', ({ ana, bob }) => bob.call('PUT', `/v1/me/blocks/${ana.id}`)],
    ];
    for (const [what, reason, change] of endings) {
      it(`${what}, a running story is woken`, async () => {
        const story = await called('running');
        const { status } = await change(story);
        assert.ok(status < 300, `${status}`);
        assert.deepEqual(await armed(story.bob), []);
        assert.notEqual((await hand.attention(story.bob))?.nudge_at, null);
        assert.deepEqual(await decisions(story.bob, 'conversation'), [`cancelled ${reason}`]);
        assert.deepEqual(await hand.decide(story.bob), { kind: 'finished', outcome: 'nothing-notifiable' });
        assert.deepEqual(await decisions(story.bob, 'episode'), [`cancelled ${reason}`]);
      });

      it(`${what}, one that Temporal has not heard of never gets there`, async () => {
        const story = await called('held');
        assert.ok((await change(story)).status < 300);
        assert.ok((await hand.attention(story.bob))?.start_at.getTime() ?? 0 <= Date.now() + 1_000);
        await hand.start({ start: () => Promise.reject(new Error('nothing is to be started')) });
        assert.deepEqual(await outcome(story.bob), ['nothing-notifiable']);
        assert.deepEqual(await decisions(story.bob, 'episode'), [`cancelled ${reason}`]);
      });
    }

    it('when the conversation is over, for everybody', async () => {
      const { ana, bob, group } = await called('running');
      expectStatus(await ana.call('DELETE', `/v1/conversations/${group.id}`), 204);
      await changes();
      assert.deepEqual(await armed(bob), []);
      assert.deepEqual(await decisions(bob, 'conversation'), ['cancelled conversation_deleted']);
      assert.deepEqual(await hand.walk(bob), ['nothing-notifiable']);
    });

    it('when the account is suspended; and who is suspended is not armed', async () => {
      const { ana, bob, group } = await called('running');
      await hand.sql.query(`update users set status = 'suspended' where id = $1`, [bob.id]);
      await hand.deps.db.transaction((tx) =>
        callOff(tx, hand.deps, { userIds: [bob.id as UserId] }, 'account_inactive'),
      );
      assert.deepEqual(await armed(bob), []);
      assert.deepEqual(await hand.walk(bob), ['nothing-notifiable']);
      assert.deepEqual(await decisions(bob, 'episode'), ['cancelled account_inactive']);
      await send(ana, group.id, 'are you there?');
      while ((await hand.arm()) > 0);
      assert.deepEqual(await armed(bob), []);
    });

    it('and not what still calls: of others than the blocked, of other conversations, and what was read', async () => {
      const { ana, bob, group } = await called('running');
      const cleo = await registerPerson(hand.app, 'Cleo');
      expectStatus(await ana.call('POST', `/v1/conversations/${group.id}/members`, { userIds: [cleo.id] }), 200);
      const direct = await makeDirect(cleo, bob);
      await send(cleo, group.id, 'me too');
      await send(cleo, direct.id, 'hello');
      while ((await hand.arm()) > 0);
      expectStatus(await bob.call('PUT', `/v1/me/blocks/${ana.id}`), 204);
      assert.deepEqual(await armed(bob), [direct.id, group.id].sort());
      expectStatus(await read(bob, direct.id, 1), 200);
      await settings(bob, direct.id, { mutedUntil: inAnHour() });
      assert.deepEqual(await decisions(bob, 'conversation'), [], 'it was read, not called off');
    });
  });

  describe('of messages that were deleted', () => {
    it('disarms when none is left, and goes on while one is', async () => {
      const { ana, bob, group } = await called('running');
      const { items } = expectStatus(
        await ana.call<{ items: { id: string; kind: string }[] }>('GET', `/v1/conversations/${group.id}/messages`),
        200,
      );
      const first = items.find(({ kind }) => kind === 'text');
      const second = await send(ana, group.id, 'second');
      while ((await hand.arm()) > 0);
      expectStatus(await deleteMessage(ana, group.id, first?.id ?? ''), 200);
      await changes();
      assert.deepEqual(await armed(bob), [group.id]);
      expectStatus(await deleteMessage(ana, group.id, second.id), 200);
      await changes();
      assert.deepEqual(await armed(bob), []);
      assert.deepEqual(await decisions(bob, 'conversation'), ['cancelled message_deleted']);
      assert.deepEqual(await hand.walk(bob), ['nothing-notifiable']);
    });

    it('a mail that waits goes without them, or not at all', async () => {
      const { ana, bob, direct } = await hand.pair();
      const [first, second] = [await send(ana, direct.id, 'kept'), await send(ana, direct.id, 'taken back')];
      hand.pass(2_000);
      assert.deepEqual(await hand.walk(bob), ['push', 'wait email step_delay']);
      hand.pass(10 * minute);
      const plan = await hand.decide(bob);
      assert.equal(plan.kind === 'notify' && plan.channel, 'email');
      // Between the decision and the mail, before the relay has seen to it.
      expectStatus(await deleteMessage(ana, direct.id, second.id), 200);
      assert.deepEqual(await hand.notify(bob, plan), { result: 'sent' });
      assert.equal(hand.email.sent[0]?.subject, '1 new message from Ana');
      assert.doesNotMatch(hand.email.sent[0]?.text ?? '', /taken back/);
      assert.ok(first.seq < second.seq);

      hand.reset();
      const other = await hand.pair();
      const only = await send(other.ana, other.direct.id, 'taken back, too');
      hand.pass(2_000);
      await hand.walk(other.bob);
      hand.pass(10 * minute);
      const last = await hand.decide(other.bob);
      expectStatus(await deleteMessage(other.ana, other.direct.id, only.id), 200);
      const result = await hand.notify(other.bob, last);
      assert.deepEqual(result, { result: 'not-needed', reason: 'all_content_gone' });
      assert.deepEqual(hand.email.sent, []);
    });

    it('sets a change aside that cannot be done, and holds up no other', async () => {
      const { ana, bob, group } = await called('running');
      const message = await send(ana, group.id, 'taken back');
      while ((await hand.arm()) > 0);
      await hand.sql.query(`delete from outbox where topic = 'messages.changed'`);
      await hand.sql.query(
        `insert into outbox (topic, conversation_id, seq_from, seq_to, payload) values ('messages.changed', $1, 1, 1, null)`,
        [group.id],
      );
      assert.equal(await applyChanges(hand.deps), 1);
      const [row] = await hand.rows<{ tries: number; due: boolean }>(
        `select tries, due_at <= now() as due from outbox where topic = 'messages.changed'`,
      );
      assert.deepEqual(row, { tries: 1, due: false });
      assert.equal(hand.logged.filter(([level]) => level === 'error').length, 1);
      expectStatus(await deleteMessage(ana, group.id, message.id), 200);
      assert.equal(await applyChanges(hand.deps), 1);
      assert.equal(await applyChanges(hand.deps), 0);
      assert.deepEqual(await armed(bob), [group.id]);
      await hand.sql.query('delete from outbox');
    });
  });

  describe('and what an edit calls for', () => {
    /** A group of which Bob wants mentions only, with a message that is none, read by nobody. */
    const unmentioned = async () => {
      const [ana, bob] = [await registerPerson(hand.app, 'Ana'), await hand.reachable()];
      const group = await makeGroup(ana, [bob]);
      await settings(bob, group.id, { level: 'mentions' });
      const message = await send(ana, group.id, '@Bob');
      while ((await hand.arm()) > 0);
      assert.deepEqual(await armed(bob), []);
      return { ana, bob, group, message };
    };

    it('2.23/6 an edit that adds a mention arms; one that takes it away before the push cancels it', async () => {
      const { ana, bob, group, message } = await unmentioned();
      await edit(ana, message, '@Bob!', [naming(bob)]);
      while ((await hand.arm()) > 0);
      assert.deepEqual(await armed(bob), [group.id]);
      await edit(ana, message, 'nobody');
      await changes();
      assert.deepEqual(await armed(bob), []);
      await hand.start({ start: () => Promise.reject(new Error('nothing is to be started')) });
      assert.deepEqual(await outcome(bob), ['nothing-notifiable']);
      assert.deepEqual(await decisions(bob, 'episode'), ['cancelled mention_removed']);
      assert.deepEqual(hand.push.sent, []);
    });

    it('the clock runs from the edit, however old the message is, and it is told once', async () => {
      const { ana, bob, group, message } = await unmentioned();
      await hand.sql.query(
        `update messages set created_at = created_at - interval '3 days' where conversation_id = $1`,
        [group.id],
      );
      await edit(ana, message, '@Bob!', [naming(bob)]);
      hand.pass(2_000);
      assert.deepEqual(await hand.walk(bob), ['push', 'wait email step_delay']);
      assert.equal(hand.push.sent[0]?.data.seq, String(message.seq));
      hand.pass(10 * minute);
      assert.deepEqual(await hand.walk(bob), ['email', 'wait sms step_delay']);
      await edit(ana, message, '@Bob, and again', [naming(bob)]);
      assert.equal(await hand.arm(), 0, 'who was mentioned before is not called by a change of words');
    });

    it('not who has read so far, and not anew whom the message called before it mentioned them', async () => {
      const { ana, bob, group, message } = await unmentioned();
      expectStatus(await read(bob, group.id, message.seq), 200);
      await edit(ana, message, '@Bob!', [naming(bob)]);
      while ((await hand.arm()) > 0);
      assert.deepEqual(await armed(bob), []);

      const all = await hand.pair();
      const said = await send(all.ana, all.direct.id, 'hello');
      hand.pass(2_000);
      assert.deepEqual(await hand.walk(all.bob), ['push', 'wait email step_delay']);
      hand.pass(9 * minute);
      await edit(all.ana, said, '@Bob', [naming(all.bob)]);
      hand.pass(minute);
      assert.deepEqual(await hand.walk(all.bob), ['email', 'wait sms step_delay'], 'the edit put nothing off');
    });

    it('an edit that mentions anew puts off no mail about what came after the message', async () => {
      const { ana, bob, group, message } = await unmentioned();
      await send(ana, group.id, '@Bob', { mentions: [naming(bob)] });
      hand.pass(2_000);
      assert.deepEqual(await hand.walk(bob), ['push', 'wait email step_delay']);
      hand.pass(9 * minute);
      // As late as that, by the clock of the database.
      await hand.sql.query(
        `update messages set created_at = created_at - interval '9 minutes' where conversation_id = $1`,
        [group.id],
      );
      await hand.sql.query('update armed set armed_at = armed_at - $2::interval where user_id = $1', [
        bob.id,
        '9 minutes',
      ]);
      await edit(ana, message, '@Bob!', [naming(bob)]);
      hand.reset();
      hand.pass(minute + 1_000);
      assert.deepEqual((await hand.walk(bob)).slice(0, 2), ['push', 'email']);
    });
  });

  it('2.23/5 nothing, when an old message is marked as unread', async () => {
    const { bob, direct, ana } = await hand.pair();
    const { seq } = await send(ana, direct.id, 'hello');
    await hand.arm();
    expectStatus(await read(bob, direct.id, seq), 200);
    await hand.start();
    const before = await hand.attention(bob);
    assert.equal(before?.state, 'quiet');
    expectStatus(await bob.call('PUT', `/v1/conversations/${direct.id}/unread-mark`, { seq }), 200);
    while ((await hand.arm()) > 0);
    assert.deepEqual(await hand.attention(bob), before);
    assert.deepEqual(await armed(bob), []);
    assert.deepEqual(hand.push.sent, []);
  });

  it('2.23/7 a muted room calls by name only, where that was excepted', async () => {
    const [ana, bob] = [await registerPerson(hand.app, 'Ana'), await hand.reachable()];
    const group = await makeGroup(ana, [bob]);
    await settings(bob, group.id, { mutedUntil: inAnHour(), muteExcept: 'mentions' });
    await send(ana, group.id, 'hello');
    await send(ana, group.id, '@everyone', { mentions: [{ type: 'everyone', offset: 0, length: 9 }] });
    while ((await hand.arm()) > 0);
    assert.deepEqual(await armed(bob), []);
    const { seq } = await send(ana, group.id, '@Bob', { mentions: [naming(bob)] });
    hand.pass(2_000);
    assert.deepEqual(await hand.walk(bob), ['push', 'wait email step_delay']);
    assert.deepEqual([hand.push.sent[0]?.data.seq, hand.push.sent[0]?.data.count], [String(seq), '1']);
    // Without the exception the mute ends that, too.
    await settings(bob, group.id, { muteExcept: null });
    assert.deepEqual(await hand.walk(bob), ['nothing-notifiable']);
    await send(ana, group.id, '@Bob', { mentions: [naming(bob)] });
    while ((await hand.arm()) > 0);
    assert.deepEqual(await armed(bob), []);
  });

  it('what comes through a mute is told by mail and text, too', async () => {
    const [ana, bob] = [await registerPerson(hand.app, 'Ana'), await hand.reachable()];
    const group = await makeGroup(ana, [bob]);
    await settings(bob, group.id, { mutedUntil: inAnHour(), muteExcept: 'mentions' });
    await send(ana, group.id, 'hello');
    await send(ana, group.id, '@Bob', { mentions: [naming(bob)] });
    hand.pass(2_000);
    await hand.walk(bob);
    hand.pass(31 * 60_000);
    assert.deepEqual(await hand.walk(bob), ['email', 'sms', 'every-step-spent']);
    assert.match(hand.email.sent[0]?.text ?? '', /Ana: @Bob\n/);
    assert.doesNotMatch(hand.email.sent[0]?.text ?? '', /\nAna: hello/);
    assert.equal(hand.sms.sent.length, 1);
  });

  it('what came into a mute is not told at its end, however late the relay looks; what comes after is', async () => {
    const [ana, bob] = [await registerPerson(hand.app, 'Ana'), await hand.reachable()];
    const group = await makeGroup(ana, [bob]);
    await settings(bob, group.id, { mutedUntil: inAnHour() });
    await send(ana, group.id, 'while muted');
    // The hour is over before the relay has looked.
    const past = `interval '2 hours'`;
    await hand.sql.query(`update members set muted_until = muted_until - ${past} where conversation_id = $1`, [
      group.id,
    ]);
    await hand.sql.query(`update messages set created_at = created_at - ${past} where conversation_id = $1`, [
      group.id,
    ]);
    while ((await hand.arm()) > 0);
    assert.deepEqual(await armed(bob), []);
    const { seq } = await send(ana, group.id, 'after');
    hand.pass(2_000);
    assert.deepEqual(await hand.walk(bob), ['push', 'wait email step_delay']);
    assert.deepEqual([hand.push.sent[0]?.data.seq, hand.push.sent[0]?.data.count], [String(seq), '1']);
  });

  it('each kind of mention can be switched off by itself', async () => {
    const [ana, bob] = [await registerPerson(hand.app, 'Ana'), await hand.reachable()];
    const group = await makeGroup(ana, [bob]);
    await settings(bob, group.id, { level: 'mentions' });
    await registerDevice(bob);
    hand.deps.presences = async (ids) => new Map(ids.map((id) => [id, 'active' as const]));
    const kinds = {
      direct: { text: '@Bob', mention: naming(bob) },
      everyone: { text: '@everyone', mention: { type: 'everyone', offset: 0, length: 9 } },
      here: { text: '@here', mention: { type: 'here', offset: 0, length: 5 } },
    };
    const calls = async (kind: keyof typeof kinds) => {
      const { text, mention } = kinds[kind];
      const { seq } = await send(ana, group.id, text, { mentions: [mention] });
      while ((await hand.arm()) > 0);
      const isArmed = (await armed(bob)).length > 0;
      expectStatus(await read(bob, group.id, seq), 200);
      await hand.sql.query('delete from armed where user_id = $1', [bob.id]);
      return isArmed;
    };
    const change = async (mentions: object) =>
      expectStatus(await bob.call('PATCH', '/v1/me/notifications', { mentions }), 200);
    for (const kind of ['direct', 'everyone', 'here'] as const) {
      assert.equal(await calls(kind), true, `${kind}, as it is by itself`);
      await change({ [kind]: false });
      assert.equal(await calls(kind), false, `${kind}, switched off`);
      const others = (['direct', 'everyone', 'here'] as const).filter((other) => other !== kind);
      for (const other of others) assert.equal(await calls(other), true, `${other}, while ${kind} is off`);
      await change({ [kind]: true });
    }
  });

  describe('a reply that was read in its thread', () => {
    /** Bob began a thread, Ana says something else and answers in it: he is pushed to, or still within the grace. */
    const answered = async (state: 'running' | 'held', ...before: string[]) => {
      const [ana, bob] = [await registerPerson(hand.app, 'Ana'), await hand.reachable()];
      const group = await makeGroup(ana, [bob]);
      const root = await send(bob, group.id, 'who comes?');
      for (const text of before) await send(ana, group.id, text);
      const reply = await send(ana, group.id, 'me', { threadId: root.id });
      while ((await hand.arm()) > 0);
      hand.pass(2_000);
      if (state === 'running') assert.deepEqual(await hand.walk(bob), ['push', 'wait email step_delay']);
      assert.deepEqual(await armed(bob), [group.id]);
      const path = `/v1/conversations/${group.id}/messages/${root.id}/thread`;
      const readThread = async () => expectStatus(await bob.call('PATCH', path, { readSeq: reply.seq }), 200);
      return { bob, group, reply, readThread };
    };

    it('ends what runs for it', async () => {
      const { bob, readThread } = await answered('running');
      await readThread();
      assert.deepEqual(await armed(bob), []);
      assert.deepEqual(await hand.decide(bob), { kind: 'finished', outcome: 'read' });
    });

    it('within the grace, is told to nobody', async () => {
      const { bob, readThread } = await answered('held');
      await readThread();
      await hand.start({ start: () => Promise.reject(new Error('nothing is to be started')) });
      assert.deepEqual(await outcome(bob), ['read']);
    });

    it('leaves what else is unread, until that is read too', async () => {
      const { bob, group, reply, readThread } = await answered('running', 'and something else');
      await readThread();
      assert.deepEqual(await armed(bob), [group.id]);
      assert.equal((await hand.decide(bob)).kind, 'wait');
      expectStatus(await read(bob, group.id, reply.seq - 1), 200);
      assert.deepEqual(await hand.decide(bob), { kind: 'finished', outcome: 'read' });
    });
  });

  it('a thread has a level of its own: all of it in a quiet room, nothing of it in a loud one', async () => {
    const [ana, bob] = [await registerPerson(hand.app, 'Ana'), await hand.reachable()];
    const group = await makeGroup(ana, [bob]);
    const root = await send(ana, group.id, 'who comes?');
    while ((await hand.arm()) > 0);
    const thread = (patch: object) =>
      bob.call<{ level: string | null; following: boolean }>(
        'PATCH',
        `/v1/conversations/${group.id}/messages/${root.id}/thread`,
        patch,
      );
    const calls = async () => {
      const { seq } = await send(ana, group.id, 'me', { threadId: root.id });
      while ((await hand.arm()) > 0);
      const row = await hand.rows<{ last: string }>('select last_seq as last from armed where user_id = $1', bob.id);
      return row.some(({ last }) => Number(last) === seq);
    };
    await settings(bob, group.id, { level: 'nothing' });
    assert.equal(await calls(), false);
    const set = expectStatus(await thread({ level: 'all' }), 200);
    assert.deepEqual([set.level, set.following], ['all', true]);
    assert.equal(await calls(), true);
    hand.pass(2_000);
    assert.deepEqual(await hand.walk(bob), ['push', 'wait email step_delay']);
    // Nothing else calls, so the story ends with the wish.
    expectStatus(await thread({ level: 'nothing' }), 200);
    assert.deepEqual(await armed(bob), []);
    assert.deepEqual(await decisions(bob, 'conversation'), ['cancelled level_nothing', 'cancelled level_nothing']);
    await settings(bob, group.id, { level: 'all' });
    assert.equal(await calls(), false);
    assert.equal(expectStatus(await thread({ level: null, following: true }), 200).level, null);
    assert.equal(await calls(), true);
  });

  describe('a reply in a thread', () => {
    const callsBy = async (bob: Person, from: Person, conversationId: string, threadId: string, extra: object = {}) => {
      const { seq } = await send(from, conversationId, '@', { threadId, ...extra });
      while ((await hand.arm()) > 0);
      const row = await hand.rows<{ last: string }>('select last_seq as last from armed where user_id = $1', bob.id);
      return row.some(({ last }) => Number(last) === seq);
    };
    const mentioning = (type: 'everyone' | 'here') => ({ mentions: [{ type, offset: 0, length: 1 }] });

    it('that mentions all, calls those who follow it: with the others it would be unread nowhere', async () => {
      const [ana, bob] = [await registerPerson(hand.app, 'Ana'), await hand.reachable()];
      const group = await makeGroup(ana, [bob]);
      const root = await send(ana, group.id, 'who comes?');
      const calls = () => callsBy(bob, ana, group.id, root.id, mentioning('everyone'));
      for (const level of ['all', 'mentions']) {
        await settings(bob, group.id, { level });
        assert.equal(await calls(), false, level);
      }
      const path = `/v1/conversations/${group.id}/messages/${root.id}/thread`;
      expectStatus(await bob.call('PATCH', path, { following: true }), 200);
      assert.equal(await calls(), true);
    });

    it('between two, calls by everything and by mentions alike, until it is not followed', async () => {
      for (const level of ['all', 'mentions']) {
        const [ana, bob] = [await registerPerson(hand.app, 'Ana'), await hand.reachable()];
        const { id } = await makeDirect(ana, bob);
        const root = await send(ana, id, 'a word');
        await settings(bob, id, { level });
        assert.equal(await callsBy(bob, ana, id, root.id), true, level);
        const path = `/v1/conversations/${id}/messages/${root.id}/thread`;
        expectStatus(await bob.call('PATCH', path, { following: false }), 200);
        assert.equal(await callsBy(bob, ana, id, root.id), false, level);
      }
    });
  });
}).timeout(60_000);
