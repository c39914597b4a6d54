import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import type { AttemptId, UserId } from '../../contracts/ids.ts';
import { applyChanges } from '../../domain/calling-off/index.ts';
import { explainMyNotification, rearm } from '../../domain/support/index.ts';
import {
  type Person,
  deleteMessage,
  makeGroup,
  read,
  registerPeople,
  registerPerson,
  send,
} from '../factories/person.ts';
import { type ByHand, attentionByHand } from '../support/by-hand.ts';
import { recount } from '../support/recount.ts';
import { expectStatus } from '../support/rest.ts';

const minute = 60_000;
const naming = ({ id }: Person) => ({ type: 'user', userId: id, offset: 0, length: 4 });
const inAnHour = () => new Date(Date.now() + 60 * minute).toISOString();
/** As a clock makes it that shows this. */
const idAt = (ms: number) => {
  const at = ms.toString(16).padStart(12, '0');
  return `${at.slice(0, 8)}-${at.slice(8)}${randomUUIDv7().slice(13)}`;
};
type Place = { id: string; conversationId: string; seq: number };

describe('an edit that calls somebody below what a channel has told', () => {
  let hand: ByHand;
  before(async function () {
    this.timeout(60_000);
    hand = await attentionByHand();
  });
  after(() => hand.close());
  beforeEach(() => hand.reset());

  const edit = async (person: Person, { id, conversationId }: Place, mentions: object[], text = '@Bob') =>
    expectStatus(
      await person.call('PATCH', `/v1/conversations/${conversationId}/messages/${id}`, {
        ...{ clientId: randomUUIDv7(), text, mentions },
      }),
      200,
    );
  const mine = async (person: Person, id: string, patch: object) =>
    expectStatus(await person.call('PATCH', `/v1/conversations/${id}/me`, patch), 200);
  const changes = async () => {
    while ((await applyChanges(hand.deps)) > 0);
  };
  const pushed = () => hand.push.sent.map(({ data }) => [data.seq, data.count]);
  const late = ({ id }: Person) =>
    hand.rows('select channel from late_calls where user_id = $1 and told_by is null order by 1', id);

  /** Bob wants mentions only; one is told by every channel, and before it stands a message that was none of his concern. */
  const passedOver = async (...channels: ('email' | 'sms')[]) => {
    const [ana, bob] = [await registerPerson(hand.app, 'Ana'), await hand.reachable()];
    const group = await makeGroup(ana, [bob]);
    await mine(bob, group.id, { level: 'mentions' });
    const message = await send(ana, group.id, 'about the server room');
    const later = await send(ana, group.id, '@Bob', { mentions: [naming(bob)] });
    hand.pass(2_000);
    await hand.walk(bob);
    for (const channel of channels) {
      hand.pass(channel === 'email' ? 11 * minute : 20 * minute);
      assert.ok((await hand.walk(bob)).includes(channel));
    }
    assert.deepEqual(pushed(), [[String(later.seq), '1']]);
    hand.push.sent.length = 0;
    hand.email.sent.length = 0;
    hand.sms.sent.length = 0;
    hand.pass(2 * minute);
    return { ana, bob, group, message, later };
  };

  /** Of three messages more the one in the middle calls for nobody. */
  const amid = async (...channels: 'email'[]) => {
    const { ana, bob, group } = await passedOver(...channels);
    const said = { mentions: [naming(bob)] };
    await send(ana, group.id, '@Bob', said);
    const message = await send(ana, group.id, 'no name');
    await send(ana, group.id, '@Bob', said);
    return { ana, bob, message };
  };

  it('is told by a push of its own, with a sound, and of nothing else', async () => {
    const { ana, bob, message } = await passedOver();
    await edit(ana, message, [naming(bob)]);
    assert.deepEqual(await hand.walk(bob), ['push', 'wait email step_delay']);
    assert.deepEqual(pushed(), [[String(message.seq), '1']]);
    assert.equal(hand.push.sent[0]?.sound, true);
    assert.deepEqual(await hand.walk(bob), ['wait email step_delay'], 'and once');
    hand.pass(9 * minute);
    assert.deepEqual(await hand.walk(bob), ['email', 'wait sms step_delay']);
    assert.equal(hand.email.sent[0]?.subject, '2 new messages in Ops');
  });

  it('by mail and text as well, once their distance is over', async () => {
    const { ana, bob, message } = await passedOver('email', 'sms');
    await edit(ana, message, [naming(bob)]);
    // The texts' own distance is the longest: three hours.
    assert.deepEqual(await hand.walk(bob), ['push', 'email', 'wait sms reminder_gap']);
    hand.pass(180 * minute);
    assert.deepEqual(await hand.walk(bob), ['sms', 'every-step-spent']);
    assert.match(hand.email.sent[0]?.text ?? '', /Ana: @Bob/);
    assert.equal(hand.email.sent[0]?.subject, '1 new message in Ops');
    assert.deepEqual([pushed().length, hand.email.sent.length, hand.sms.sent.length], [1, 1, 1]);
  });

  it('in an episode of its own, where every step of the one before was spent', async () => {
    const { ana, bob, message } = await passedOver('email', 'sms');
    assert.equal((await hand.attention(bob))?.state, 'quiet');
    await edit(ana, message, [naming(bob)]);
    assert.equal((await hand.walk(bob))[0], 'push');
    assert.equal((await hand.attention(bob))?.episode, 2);
  });

  it('together with what came since, and with others like it, as one', async () => {
    const { ana, bob, group, message } = await passedOver();
    const other = await send(ana, group.id, 'more of it');
    await send(ana, group.id, '@Bob', { mentions: [naming(bob)] });
    hand.pass(10 * minute);
    assert.deepEqual(await hand.walk(bob), ['push', 'email', 'wait sms step_delay']);
    await edit(ana, message, [naming(bob)], '@Bob: the server room');
    await edit(ana, other, [naming(bob)], '@Bob: more of it');
    const newest = await send(ana, group.id, '@Bob', { mentions: [naming(bob)] });
    hand.push.sent.length = 0;
    hand.email.sent.length = 0;
    hand.pass(11 * minute);
    assert.deepEqual((await hand.walk(bob)).slice(0, 2), ['push', 'email']);
    assert.deepEqual(pushed(), [[String(newest.seq), '3']]);
    const [mail] = hand.email.sent;
    assert.equal(mail?.subject, '3 new messages in Ops');
    assert.match(mail?.text ?? '', /@Bob: the server room\n[^]*@Bob: more of it\n[^]*Ana: @Bob\n/);
    for (const { attemptId } of [hand.push.sent[0], mail].filter((one) => one !== undefined)) {
      const actor = { userId: bob.id as UserId, sessionId: bob.session.id };
      const { messages, sentences } = await explainMyNotification(hand.deps, actor, attemptId as AttemptId);
      assert.equal(messages.length, 3);
      assert.equal(sentences.filter((sentence) => sentence.includes('Ops')).length, 1);
    }
  });

  it('not who has read it, before the edit or between it and the push', async () => {
    const { ana, bob, group, message } = await passedOver();
    expectStatus(await read(bob, group.id, message.seq), 200);
    await edit(ana, message, [naming(bob)]);
    while ((await hand.arm()) > 0);
    assert.deepEqual([await late(bob), await hand.walk(bob)], [[], ['wait email step_delay']]);

    const again = await passedOver();
    await edit(again.ana, again.message, [naming(again.bob)]);
    while ((await hand.arm()) > 0);
    const plan = await hand.decide(again.bob);
    assert.equal(plan.kind === 'notify' && plan.channel, 'push');
    expectStatus(await read(again.bob, again.group.id, again.message.seq), 200);
    assert.deepEqual(await hand.notify(again.bob, plan), { result: 'not-needed', reason: 'read_before_send' });
    assert.deepEqual(pushed(), []);
  });

  it('not a second time: when others are mentioned as well, or when it is taken back and made again', async () => {
    const { ana, bob, group, message } = await passedOver();
    const cleo = await registerPerson(hand.app, 'Cleo');
    expectStatus(await ana.call('POST', `/v1/conversations/${group.id}/members`, { userIds: [cleo.id] }), 200);
    await edit(ana, message, [naming(bob)]);
    assert.equal((await hand.walk(bob))[0], 'push');
    const both = [naming(bob), { ...naming(cleo), offset: 5, length: 5 }];
    for (const mentions of [both, both.slice(1), both]) {
      await edit(ana, message, mentions, '@Bob @Cleo');
      await changes();
      hand.pass(2 * minute);
      assert.equal((await hand.walk(bob)).includes('push'), false);
    }
    assert.equal(hand.push.sent.length, 1);
  });

  it('not whom it called before it mentioned them, whatever they have asked for since', async () => {
    const { ana, bob, direct } = await hand.pair();
    const [message] = [await send(ana, direct.id, 'hello'), await send(ana, direct.id, 'are you there?')];
    hand.pass(2_000);
    assert.deepEqual(await hand.walk(bob), ['push', 'wait email step_delay']);
    hand.pass(2 * minute);
    await edit(ana, message, [naming(bob)]);
    assert.deepEqual(await hand.walk(bob), ['wait email step_delay']);

    const group = await makeGroup(ana, [bob]);
    const said = [await send(ana, group.id, 'hello'), await send(ana, group.id, '@Bob', { mentions: [naming(bob)] })];
    assert.equal((await hand.walk(bob))[0], 'push');
    await mine(bob, group.id, { level: 'mentions' });
    hand.pass(2 * minute);
    await edit(ana, said[0] as Place, [naming(bob)]);
    assert.equal((await hand.walk(bob)).includes('push'), false);
  });

  it('not whom it called by what they asked for between its storing and the look of the relay', async () => {
    const [ana, bob] = [await registerPerson(hand.app, 'Ana'), await hand.reachable()];
    const group = await makeGroup(ana, [bob]);
    await mine(bob, group.id, { level: 'mentions' });
    const message = await send(ana, group.id, 'hello');
    await mine(bob, group.id, { level: 'all' });
    hand.pass(2_000);
    assert.equal((await hand.walk(bob))[0], 'push');
    hand.pass(2 * minute);
    await edit(ana, message, [naming(bob)]);
    assert.equal((await hand.walk(bob)).includes('push'), false);
    assert.deepEqual(pushed(), [[String(message.seq), '1']]);
  });

  it('not who was mentioned from the beginning, in a mute, when others are as well', async () => {
    const [ana, cleo, bob] = [...(await registerPeople(hand.app, 'Ana', 'Cleo')), await hand.reachable()];
    const group = await makeGroup(ana, [cleo, bob]);
    await mine(bob, group.id, { mutedUntil: inAnHour() });
    const message = await send(ana, group.id, '@Bob', { mentions: [naming(bob)] });
    while ((await hand.arm()) > 0);
    await mine(bob, group.id, { mutedUntil: null });
    await send(ana, group.id, 'hello');
    hand.pass(2_000);
    assert.equal((await hand.walk(bob))[0], 'push');
    await edit(ana, message, [naming(bob), { ...naming(cleo), offset: 5, length: 5 }], '@Bob @Cleo');
    hand.pass(2 * minute);
    assert.equal((await hand.walk(bob)).includes('push'), false);
  });

  it('is called off by whatever calls off a new message', async () => {
    const ways: ((story: Awaited<ReturnType<typeof passedOver>>) => Promise<unknown>)[] = [
      ({ ana, message }) => edit(ana, message, []),
      ({ ana, group, message }) => deleteMessage(ana, group.id, message.id),
      ({ bob, group }) => mine(bob, group.id, { mutedUntil: inAnHour() }),
      ({ bob, group }) => mine(bob, group.id, { level: 'nothing' }),
      ({ bob, group }) => bob.call('POST', `/v1/conversations/${group.id}/leave`),
      ({ ana, bob }) => bob.call('PUT', `/v1/me/blocks/${ana.id}`),
    ];
    for (const way of ways) {
      const story = await passedOver();
      await edit(story.ana, story.message, [naming(story.bob)]);
      while ((await hand.arm()) > 0);
      const plan = await hand.decide(story.bob);
      assert.equal(plan.kind, 'notify');
      await way(story);
      await changes();
      assert.equal((await hand.notify(story.bob, plan)).result, 'not-needed');
      assert.equal((await hand.walk(story.bob)).includes('push'), false);
      assert.deepEqual(pushed(), []);
    }
  });

  it('goes with what is armed: an episode that has ended takes it along', async () => {
    const { ana, bob, message, group } = await passedOver();
    await edit(ana, message, [naming(bob)]);
    while ((await hand.arm()) > 0);
    assert.deepEqual(await late(bob), [{ channel: 'push' }]);
    assert.deepEqual(await hand.decide(bob, { closed: true }), { kind: 'finished', outcome: 'closed-by-operator' });
    assert.deepEqual(await late(bob), []);
    await send(ana, group.id, '@Bob', { mentions: [naming(bob)] });
    assert.equal((await hand.walk(bob))[0], 'push');
    assert.deepEqual(
      pushed().map(([, count]) => count),
      ['1'],
    );
  });

  it('is told, when it was taken back before anybody was told of it and is made again', async () => {
    const { ana, bob, message } = await passedOver();
    await edit(ana, message, [naming(bob)]);
    while ((await hand.arm()) > 0);
    await edit(ana, message, []);
    await changes();
    await edit(ana, message, [naming(bob)]);
    assert.equal((await hand.walk(bob))[0], 'push');
    assert.deepEqual(pushed(), [[String(message.seq), '1']]);
  });

  it('waits for the end of quiet hours and of the distance, as a new message does', async () => {
    const { ana, bob, message } = await passedOver();
    const doNotDisturbUntil = new Date(Date.now() + 20 * minute).toISOString();
    expectStatus(await bob.call('PATCH', '/v1/me/notifications', { doNotDisturbUntil }), 200);
    await edit(ana, message, [naming(bob)]);
    assert.deepEqual(await hand.walk(bob), ['wait email step_delay']);
    hand.pass(20 * minute);
    assert.ok((await hand.walk(bob)).includes('push'));
  });

  it('a claim that is given back, because it is quiet by then, is decided on again', async () => {
    const { ana, bob, message } = await passedOver();
    await edit(ana, message, [naming(bob)]);
    while ((await hand.arm()) > 0);
    const plan = await hand.decide(bob);
    // A worker that died right after it claimed the send.
    const broken = { ...hand.deps.circuits, admit: () => Promise.reject(new Error('gone')) };
    const { circuits } = hand.deps;
    hand.deps.circuits = broken;
    await assert.rejects(hand.notify(bob, plan), /gone/);
    hand.deps.circuits = circuits;
    assert.deepEqual(await late(bob), []);
    const quiet = async (doNotDisturbUntil: string | null) =>
      expectStatus(await bob.call('PATCH', '/v1/me/notifications', { doNotDisturbUntil }), 200);
    await quiet(inAnHour());
    assert.deepEqual(await hand.notify(bob, plan), { result: 'not-needed', reason: 'quiet_hours' });
    assert.deepEqual(await late(bob), [{ channel: 'push' }]);
    await quiet(null);
    hand.pass(2 * minute);
    assert.equal((await hand.walk(bob))[0], 'push');
    assert.deepEqual(pushed(), [[String(message.seq), '1']]);
  });

  it('is told once by a worker that dies after the claim and one that takes over', async () => {
    const { ana, bob, message } = await passedOver();
    await edit(ana, message, [naming(bob)]);
    while ((await hand.arm()) > 0);
    const plan = await hand.decide(bob);
    const { circuits } = hand.deps;
    hand.deps.circuits = { ...circuits, admit: () => Promise.reject(new Error('gone')) };
    await assert.rejects(hand.notify(bob, plan), /gone/);
    hand.deps.circuits = circuits;
    assert.deepEqual(await hand.notify(bob, plan), { result: 'sent' });
    assert.deepEqual(await hand.walk(bob), ['wait email step_delay']);
    assert.deepEqual(pushed(), [[String(message.seq), '1']]);
  });

  it('is left to an attempt that is still to read what it tells', async () => {
    const { ana, bob, group } = await passedOver();
    const first = await send(ana, group.id, '@Bob', { mentions: [naming(bob)] });
    const message = await send(ana, group.id, 'no name');
    await send(ana, group.id, '@Bob', { mentions: [naming(bob)] });
    while ((await hand.arm()) > 0);
    const plan = await hand.decide(bob);
    const { circuits } = hand.deps;
    hand.deps.circuits = { ...circuits, admit: () => Promise.reject(new Error('gone')) };
    await assert.rejects(hand.notify(bob, plan), /gone/);
    hand.deps.circuits = circuits;
    await edit(ana, message, [naming(bob)]);
    while ((await hand.arm()) > 0);
    assert.deepEqual(await hand.notify(bob, plan), { result: 'sent' });
    assert.deepEqual(pushed(), [[String(first.seq + 2), '3']]);
    assert.deepEqual(await hand.walk(bob), ['wait email step_delay']);
  });

  it('is not told by itself where it was told along, however late the relay looks', async () => {
    const { ana, bob, group } = await passedOver();
    const said = { mentions: [naming(bob)] };
    const [, message] = [
      await send(ana, group.id, '@Bob', said),
      await send(ana, group.id, 'no name'),
      await send(ana, group.id, '@Bob', said),
    ];
    while ((await hand.arm()) > 0);
    await edit(ana, message, [naming(bob)]);
    // Edited long ago; the relay has not seen to it before it is told.
    await hand.sql.query(
      `update outbox set created_at = created_at - interval '1 minute', due_at = due_at + interval '1 hour'`,
    );
    const plan = await hand.decide(bob);
    assert.deepEqual(await hand.notify(bob, plan), { result: 'sent' });
    assert.equal(hand.push.sent[0]?.data.count, '3');
    await hand.sql.query(`update outbox set due_at = due_at - interval '1 hour'`);
    hand.pass(2 * minute);
    assert.equal((await hand.walk(bob)).includes('push'), false);
  });

  it('is kept where the relay forgot it and an operator has it armed again, and is told once', async () => {
    const { ana, bob, message } = await passedOver('email');
    await edit(ana, message, [naming(bob)]);
    await hand.sql.query('delete from outbox');
    hand.pass(11 * minute);
    assert.equal((await recount(hand.deps)).not_armed, 1);
    const again = async () => assert.ok((await rearm(hand.deps, { operator: 'olga' })) > 0);
    await again();
    assert.deepEqual((await hand.walk(bob)).slice(0, 2), ['push', 'email']);
    await again();
    hand.pass(2 * minute);
    const walked = await hand.walk(bob);
    assert.deepEqual([walked.includes('push'), walked.includes('email')], [false, false]);
    assert.deepEqual([pushed(), hand.email.sent.length], [[[String(message.seq), '1']], 1]);
  });

  it('nor is it kept where it was told along before the operator had it armed again', async () => {
    const { ana, bob, message } = await amid();
    await edit(ana, message, [naming(bob)]);
    await hand.sql.query('delete from differences');
    await hand.sql.query(
      `insert into differences (kind, user_id, conversation_id, seq)
      select 'not_armed', $1, conversation_id, seq from messages where id = $2`,
      [bob.id, message.id],
    );
    await hand.sql.query(`delete from outbox where payload ? 'replaced'`);
    assert.equal((await hand.walk(bob))[0], 'push');
    assert.equal(pushed().at(-1)?.[1], '3');
    assert.equal(await rearm(hand.deps, { operator: 'olga' }), 1);
    // A minute lies between the edit and the push, and another before the operator.
    await hand.sql.query(`update attempts set read_at = read_at + interval '1 minute'`);
    await hand.sql.query(`update outbox set created_at = created_at + interval '2 minutes'`);
    hand.pass(2 * minute);
    assert.equal((await hand.walk(bob)).includes('push'), false);
  });

  describe('while it is not known what came of a call', () => {
    /** They are told by one attempt, which gets no answer. */
    const unanswered = async (channel: 'push' | 'email') => {
      const { ana, bob, message } = await amid(...(channel === 'email' ? (['email'] as const) : []));
      while ((await hand.arm()) > 0);
      if (channel === 'email') {
        hand.pass(11 * minute);
        await hand.notify(bob, await hand.decide(bob));
      }
      const provider = channel === 'email' ? ('sendgrid' as const) : ('fcm' as const);
      hand[channel].answer = (_: unknown, n: number) =>
        n === 1 ? { class: 'ambiguous' as const, provider, code: 'timeout' } : undefined;
      const plan = await hand.decide(bob);
      assert.equal(plan.kind === 'notify' && plan.channel, channel);
      await assert.rejects(hand.notify(bob, plan), /timeout/);
      return { ana, bob, message, plan };
    };

    it('is told once, by a push of its own and not by the one that is repeated', async () => {
      const { ana, bob, message, plan } = await unanswered('push');
      await edit(ana, message, [naming(bob)]);
      while ((await hand.arm()) > 0);
      assert.deepEqual(await hand.notify(bob, plan), { result: 'sent' });
      hand.pass(2 * minute);
      assert.equal((await hand.walk(bob))[0], 'push');
      const newest = String(message.seq + 1);
      assert.deepEqual(pushed(), [
        [newest, '2'],
        [newest, '2'],
        [String(message.seq), '1'],
      ]);
      assert.equal((await hand.walk(bob)).includes('push'), false);
    });

    it('and the same of a mail', async () => {
      const { ana, bob, message, plan } = await unanswered('email');
      await edit(ana, message, [naming(bob)]);
      while ((await hand.arm()) > 0);
      hand.pass(3 * minute);
      assert.deepEqual(await hand.notify(bob, plan), { result: 'sent' });
      hand.pass(60 * minute);
      assert.ok((await hand.walk(bob)).includes('email'));
      assert.deepEqual(
        hand.email.sent.map(({ subject }) => subject),
        ['2 new messages in Ops', '2 new messages in Ops', '1 new message in Ops'],
      );
    });

    it('nor by one that an operator has repeated when it was told', async () => {
      const { ana, bob, message, plan } = await unanswered('push');
      await edit(ana, message, [naming(bob)]);
      while ((await hand.arm()) > 0);
      const stuck = [{ channel: 'push' as const, attemptId: plan.kind === 'notify' ? plan.attemptId : '' }];
      await hand.decide(bob, { stuck });
      hand.pass(2 * minute);
      assert.equal((await hand.walk(bob))[0], 'push');
      assert.deepEqual(await hand.notify(bob, plan, { again: true }), { result: 'sent' });
      assert.deepEqual(pushed().slice(1), [
        [String(message.seq), '1'],
        [String(message.seq + 1), '2'],
      ]);
    });

    it('is not told by itself where the repeat has told it along, however late the relay looks', async () => {
      const { ana, bob, message, plan } = await unanswered('push');
      await edit(ana, message, [naming(bob)]);
      await hand.sql.query(
        `update outbox set created_at = created_at - interval '1 minute', due_at = due_at + interval '1 hour'`,
      );
      // The first call was made before the edit.
      await hand.sql.query(`update attempts set read_at = read_at - interval '2 minutes'`);
      assert.deepEqual(await hand.notify(bob, plan), { result: 'sent' });
      assert.equal(hand.push.sent[1]?.data.count, '3');
      await hand.sql.query(`update outbox set due_at = due_at - interval '1 hour'`);
      hand.pass(2 * minute);
      assert.equal((await hand.walk(bob)).includes('push'), false);
    });
  });

  for (const [clock, aheadMs] of [
    ['ahead', 10_000],
    ['behind', -10_000],
  ] as const)
    it(`is told once, though the clock of the worker before was ${clock}`, async () => {
      const { deps } = hand;
      const original = { ...deps };
      deps.newId = () => idAt(Date.now() + aheadMs);
      try {
        const { ana, bob, message } = await amid();
        assert.equal((await hand.walk(bob))[0], 'push');
        await edit(ana, message, [naming(bob)]);
        hand.pass(2 * minute);
        assert.equal((await hand.walk(bob))[0], 'push');
        assert.deepEqual(pushed().at(-1), [String(message.seq), '1']);
        await edit(ana, message, []);
        await changes();
        await edit(ana, message, [naming(bob)]);
        hand.pass(2 * minute);
        assert.equal((await hand.walk(bob)).includes('push'), false);
      } finally {
        Object.assign(deps, original);
      }
    });

  it('is as urgent as the message', async () => {
    const [ana, bob] = [await registerPerson(hand.app, 'Ana'), await hand.reachable()];
    const group = await makeGroup(ana, [bob]);
    await mine(bob, group.id, { level: 'mentions' });
    const message = await send(ana, group.id, 'fire', { priority: 'urgent' });
    await send(ana, group.id, '@Bob', { mentions: [naming(bob)] });
    hand.pass(2_000);
    assert.equal((await hand.walk(bob))[0], 'push');
    await edit(ana, message, [naming(bob)]);
    // At once: no distance is kept.
    assert.deepEqual(await hand.walk(bob), ['push', 'wait push urgent_repeat']);
    assert.deepEqual(
      hand.push.sent.map(({ data, urgent }) => [data.seq, urgent]),
      [
        [String(message.seq + 1), false],
        [String(message.seq), true],
      ],
    );
  });

  it('is gathered where mail is', async () => {
    const { ana, bob, message } = await passedOver('email');
    // Due at no moment at which a test may be running.
    const emailDigestAt = new Date(Date.now() + 12 * 60 * minute).toISOString().slice(11, 16);
    const daily = { emailFrequency: 'daily', emailDigestAt };
    expectStatus(await bob.call('PATCH', '/v1/me/notifications', daily), 200);
    await edit(ana, message, [naming(bob)]);
    assert.equal((await hand.walk(bob)).includes('email'), false);
    hand.pass(13 * 60 * minute);
    assert.ok((await hand.walk(bob)).includes('email'));
    assert.match(hand.email.sent[0]?.text ?? '', /Ana: @Bob/);
  });
}).timeout(60_000);
