import assert from 'node:assert/strict';
import {
  read,
  registerDevice,
  registerPerson,
  makeDirect,
  makeGroup,
  send,
  verifyContacts,
} from '../factories/person.ts';
import { type ByHand, attentionByHand } from '../support/by-hand.ts';
import { expectStatus } from '../support/rest.ts';

const minute = 60_000;
const day = 24 * 60 * minute;

describe('what an ended episode leaves behind', () => {
  let hand: ByHand;
  before(async function () {
    this.timeout(60_000);
    hand = await attentionByHand();
  });
  after(() => hand.close());
  beforeEach(() => hand.reset());

  /** Makes the messages older, as if they had been sent then. */
  const age = async (conversationId: string, ms: number) => {
    await hand.sql.query(
      `update messages set created_at = created_at - $2 * interval '1 millisecond' where conversation_id = $1`,
      [conversationId, ms],
    );
    for (const table of ['armed', 'watermarks']) {
      const column = table === 'armed' ? 'armed_at' : 'at';
      await hand.sql.query(
        `update ${table} set ${column} = ${column} - $2 * interval '1 millisecond' where conversation_id = $1`,
        [conversationId, ms],
      );
    }
    await hand.sql.query(
      `update armed set last_at = last_at - $2 * interval '1 millisecond' where conversation_id = $1`,
      [conversationId, ms],
    );
  };
  const mute = (
    person: { call: (...args: [string, string, object]) => Promise<unknown> },
    id: string,
    until: Date | null,
  ) => person.call('PATCH', `/v1/conversations/${id}/me`, { mutedUntil: until?.toISOString() ?? null });
  const inAnHour = () => new Date(Date.now() + 60 * minute);

  it('after a mute: one message begins the ladder anew, and what was written meanwhile is not told', async () => {
    const { ana, bob, direct } = await hand.pair();
    await send(ana, direct.id, 'before');
    await hand.arm();
    await hand.start();
    await mute(bob, direct.id, inAnHour());
    assert.deepEqual(await hand.walk(bob), ['nothing-notifiable']);
    await send(ana, direct.id, 'while muted');
    await hand.arm();
    await age(direct.id, 90 * minute);
    await mute(bob, direct.id, null);
    await send(ana, direct.id, 'after');
    hand.pass(2_000);
    assert.deepEqual(await hand.walk(bob), ['push', 'wait email step_delay']);
    hand.pass(10 * minute);
    assert.deepEqual(await hand.walk(bob), ['email', 'wait sms step_delay']);
    assert.equal(hand.email.sent[0]?.subject, '1 new message from Ana');
    assert.match(hand.email.sent[0]?.text ?? '', /^Ana: after$/m);
    assert.doesNotMatch(hand.email.sent[0]?.text ?? '', /^Ana: (while muted|before)/m);
  }).timeout(30_000);

  it('after a mute within a running episode: likewise', async () => {
    const { ana, bob, direct } = await hand.pair();
    await send(ana, direct.id, 'before');
    await hand.arm();
    await hand.start();
    await mute(bob, direct.id, inAnHour());
    await send(ana, direct.id, 'while muted');
    const cleo = await registerPerson(hand.app, 'Cleo');
    const other = await makeDirect(cleo, bob);
    await send(cleo, other.id, 'this keeps the episode going');
    hand.pass(2_000);
    assert.deepEqual(await hand.walk(bob), ['push', 'wait email step_delay']);
    await mute(bob, direct.id, null);
    await send(ana, direct.id, 'after');
    hand.pass(10 * minute);
    assert.deepEqual(await hand.walk(bob), ['push', 'email', 'wait sms step_delay']);
    assert.match(hand.email.sent[0]?.text ?? '', /Ana: after/);
    assert.doesNotMatch(hand.email.sent[0]?.text ?? '', /^Ana: (while muted|before)/m);
  }).timeout(30_000);

  it('after a close by an operator: the next message is told, the closed one is not', async () => {
    const { ana, bob, direct } = await hand.pair();
    await send(ana, direct.id, 'closed away');
    await hand.arm();
    await hand.start();
    assert.equal((await hand.decide(bob, { closed: true })).kind, 'finished');
    await age(direct.id, 15 * minute);
    await send(ana, direct.id, 'next');
    hand.pass(2_000);
    assert.deepEqual(await hand.walk(bob), ['push', 'wait email step_delay']);
    hand.pass(10 * minute);
    assert.deepEqual(await hand.walk(bob), ['email', 'wait sms step_delay']);
    assert.doesNotMatch(hand.email.sent[0]?.text ?? '', /^Ana: closed away/m);
    assert.match(hand.email.sent[0]?.text ?? '', /next/);
  }).timeout(30_000);

  it('who could not be reached on Monday is reached on Friday', async () => {
    const ana = await registerPerson(hand.app, 'Ana');
    const bob = await registerPerson(hand.app, 'Bob');
    const direct = await makeDirect(ana, bob);
    await send(ana, direct.id, 'on Monday');
    assert.deepEqual(await hand.walk(bob), ['every-step-spent']);
    await age(direct.id, 4 * day);
    await registerDevice(bob);
    await verifyContacts(hand.app, bob);
    await send(ana, direct.id, 'on Friday');
    hand.pass(2_000);
    assert.deepEqual(await hand.walk(bob), ['push', 'wait email step_delay']);
    hand.pass(10 * minute);
    assert.deepEqual(await hand.walk(bob), ['email', 'every-step-spent']);
  }).timeout(30_000);

  it('a message the day after every step was spent is told again, by mail and by text', async () => {
    const ana = await registerPerson(hand.app, 'Ana');
    const bob = await hand.reachable();
    await hand.sql.query('delete from devices where user_id = $1', [bob.id]);
    const direct = await makeDirect(ana, bob);
    await send(ana, direct.id, 'first day');
    hand.pass(31 * minute);
    assert.deepEqual(await hand.walk(bob), ['email', 'sms', 'every-step-spent']);
    await age(direct.id, day);
    hand.pass(-29 * minute);
    await send(ana, direct.id, 'second day');
    assert.deepEqual(await hand.walk(bob), ['email', 'wait sms step_delay']);
    assert.match(hand.email.sent[1]?.text ?? '', /second day/);
    assert.doesNotMatch(hand.email.sent[1]?.text ?? '', /^Ana: first day/m);
    hand.pass(28 * minute);
    assert.deepEqual(await hand.walk(bob), ['sms', 'every-step-spent']);
  }).timeout(30_000);

  it('L4: is no storm: the next mail about what is still unread waits longer each time, until it is read', async () => {
    const ana = await registerPerson(hand.app, 'Ana');
    const bob = await registerPerson(hand.app, 'Bob');
    await verifyContacts(hand.app, bob);
    const direct = await makeDirect(ana, bob);
    // This clock stands still while the messages grow older.
    hand.deps.caps.emailsPerHour = 100;
    const next = async (text: string, gap: number): Promise<string[]> => {
      await age(direct.id, gap);
      await send(ana, direct.id, text);
      hand.pass(2 * minute);
      const story = await hand.walk(bob);
      await age(direct.id, 2 * minute);
      hand.pass(-2 * minute);
      return story;
    };
    assert.deepEqual(await next('one', 0), ['email', 'every-step-spent']);
    assert.deepEqual(await next('two', 5 * minute), ['wait email reminder_gap']);
    assert.deepEqual(await next('three', 5 * minute), ['email', 'every-step-spent'], 'after ten minutes');
    assert.match(hand.email.sent[1]?.subject ?? '', /^2 new messages/);
    assert.deepEqual(await next('four', 30 * minute), ['wait email reminder_gap']);
    assert.deepEqual(await next('five', 30 * minute), ['email', 'every-step-spent'], 'after an hour');
    assert.deepEqual(await next('six', 5 * 60 * minute), ['wait email reminder_gap']);
    assert.deepEqual(await next('seven', 60 * minute), ['email', 'every-step-spent'], 'after six hours');
    expectStatus(await read(bob, direct.id, 7), 200);
    assert.deepEqual(await next('eight', 3 * minute), ['email', 'every-step-spent'], 'reading begins anew');
  }).timeout(30_000);

  it('a chatty sender does not make it expire: what is newest counts', async () => {
    const { ana, bob, direct } = await hand.pair();
    await hand.sql.query('delete from devices where user_id = $1', [bob.id]);
    await hand.sql.query('update users set email_verified_at = null where id = $1', [bob.id]);
    await send(ana, direct.id, 'old');
    await hand.arm();
    await hand.start();
    await age(direct.id, 5 * 60 * minute);
    await send(ana, direct.id, 'new');
    assert.deepEqual(await hand.walk(bob), ['sms', 'every-step-spent']);
  }).timeout(30_000);

  it('a mail leaves out conversations of which nothing is wanted any more', async () => {
    const { ana, bob, direct } = await hand.pair();
    const quiet = await makeGroup(ana, [bob], 'Quiet');
    const muted = await makeGroup(ana, [bob], 'Muted');
    await send(ana, direct.id, 'wanted');
    for (const { id } of [quiet, muted]) await send(ana, id, 'not wanted');
    hand.pass(2_000);
    assert.deepEqual(await hand.walk(bob), ['push', 'push', 'push', 'wait email step_delay']);
    hand.pass(10 * minute);
    const plan = await hand.decide(bob);
    await bob.call('PATCH', `/v1/conversations/${quiet.id}/me`, { level: 'nothing' });
    await mute(bob, muted.id, inAnHour());
    assert.deepEqual(await hand.notify(bob, plan), { result: 'sent' });
    assert.equal(hand.email.sent[0]?.subject, '1 new message from Ana');
  }).timeout(30_000);

  it('under the level of mentions only the mention is told, not what stands beside it', async () => {
    const { ana, bob } = await hand.pair();
    const group = await makeGroup(ana, [bob], 'Ops');
    await bob.call('PATCH', `/v1/conversations/${group.id}/me`, { level: 'mentions' });
    await send(ana, group.id, `one @Bob`, { mentions: [{ type: 'user', userId: bob.id, offset: 4, length: 4 }] });
    await send(ana, group.id, 'beside it');
    await send(ana, group.id, `two @Bob`, { mentions: [{ type: 'user', userId: bob.id, offset: 4, length: 4 }] });
    hand.pass(2_000);
    await hand.walk(bob);
    hand.pass(10 * minute);
    await hand.walk(bob);
    assert.equal(hand.email.sent[0]?.subject, '2 new messages in Ops');
    assert.doesNotMatch(hand.email.sent[0]?.text ?? '', /beside it/);
  }).timeout(30_000);
});
