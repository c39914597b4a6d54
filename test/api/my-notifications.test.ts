import assert from 'node:assert/strict';
import pg from 'pg';
import type { MyNotification } from '../../contracts/entities/index.ts';
import {
  type Person,
  deleteMessage,
  makeDirect,
  makeGroup,
  read,
  registerDevice,
  registerPeople,
  send,
  verifyContacts,
} from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Door, by, byEachDoor } from '../support/doors.ts';
import { waitFor } from '../support/inbox.ts';
import { expectProblem, expectStatus } from '../support/rest.ts';
import { writeAttempt } from '../support/attempts.ts';

byEachDoor('a person can see why they were notified', (door: Door) => {
  let app: TestApp;
  let entrance: ReturnType<typeof by>;
  let db: pg.Client;
  before(async function () {
    this.timeout(60_000);
    app = await startApp({ processes: [['api', 'realtime'], ['relay'], ['worker']] });
    entrance = by(door, app);
    db = new pg.Client(app.database.url);
    await db.connect();
  });
  after(async () => {
    await db.end();
    await app.stop();
  });

  const ask = (person: Person, id: string) => person.call<MyNotification>('GET', `/v1/me/notifications/${id}`);
  const why = async (person: Person, id: string | null | undefined) => expectStatus(await ask(person, id ?? ''), 200);
  const told = ({ messages }: MyNotification) => messages.map(({ conversationId, seq }) => [conversationId, seq]);
  const mailed = async () => {
    const [ana, bob] = await registerPeople(entrance, 'Ana', 'Bob');
    await verifyContacts(app, bob);
    const group = await makeGroup(ana, [bob]);
    await send(ana, group.id, 'the secret words');
    await send(bob, group.id, 'an answer');
    const message = await send(ana, group.id, 'more secret words');
    const [mail] = await waitFor(app, { to: bob.email, channel: 'email', text: 'secret words' });
    return { ana, bob, group, message, id: mail?.attemptId };
  };
  /** An attempt as it stands in the tables, for what takes hours to come about. */
  const written = async (decided: { reason: string; evaluation?: object[] }[], more: object = {}) => {
    const [ana, bob] = await registerPeople(entrance, 'Ana', 'Bob');
    const { id } = await makeDirect(ana, bob);
    await send(ana, id, 'the secret words');
    const covers = [{ conversationId: id, fromSeq: 1, toSeq: 1 }];
    return { ana, bob, conversation: id, id: await writeAttempt(db, bob, { covers, decided, ...more }) };
  };

  it('when a mail came for want of a push, then it is told with what it told of, when, and why', async () => {
    const { bob, group, message, id } = await mailed();
    const mine = await why(bob, id);
    assert.equal(mine.channel, 'email');
    // On a slow machine its time has come before anybody looks.
    assert.ok(mine.reason === 'step_delay' || mine.reason === 'due', mine.reason ?? '');
    assert.deepEqual(told(mine).at(-1), [group.id, message.seq]);
    assert.ok(Date.parse(mine.sentAt) >= Date.parse(message.createdAt));
    assert.equal(mine.sentence, 'You had not read it shortly after it was written.');
    assert.match(
      mine.sentences.join(' '),
      /in \u2068Ops\u2069 Written: .* Sent: .* No device of yours could be pushed to/,
    );
    assert.ok(mine.sentences.includes(mine.sentence));
    assert.doesNotMatch(JSON.stringify(mine), /secret|@example/);
  });

  it('when it was pushed first, then push and mail say so, each of its own', async () => {
    const [ana, bob] = await registerPeople(entrance, 'Ana', 'Bob');
    await verifyContacts(app, bob);
    const token = await registerDevice(bob);
    const { id } = await makeDirect(ana, bob);
    await send(ana, id, 'the secret words');
    const [push] = await waitFor(app, { to: token });
    const [mail] = await waitFor(app, { to: bob.email, channel: 'email', text: 'secret words' });
    const [pushed, mine] = [await why(bob, push?.attemptId), await why(bob, mail?.attemptId)];
    assert.deepEqual([pushed.channel, mine.channel], ['push', 'email']);
    assert.deepEqual([told(pushed), told(mine)], [[[id, 1]], [[id, 1]]]);
    assert.equal(pushed.sentences[1], '1 message from \u2068Ana\u2069');
    assert.ok(mine.sentences.includes('It had been pushed before and was still unread.'));
    assert.ok(!pushed.sentences.includes('It had been pushed before and was still unread.'));
  });

  it('when it is somebody else’s or none, then there is no such notification', async () => {
    const { ana, bob, message, id } = await mailed();
    expectProblem(await ask(ana, id ?? ''), 404, 'not_found');
    expectProblem(await ask(bob, message.id), 404, 'not_found');
  });

  it('when nothing was sent by it, then there is no such notification', async () => {
    for (const state of ['dropped', 'claimed', 'failed']) {
      const { bob, id } = await written([{ reason: 'due' }], { state, called: false });
      expectProblem(await ask(bob, id), 404, 'not_found');
    }
    const { bob, id } = await written([{ reason: 'due' }], { state: 'failed' });
    assert.equal((await why(bob, id)).reason, 'due');
  });

  it('when the rules have changed since, then it is told by those of then', async () => {
    const { ana, bob, group, message, id } = await mailed();
    const before = await why(bob, id);
    assert.ok(!told(before).some(([, seq]) => seq === 2), 'nobody is told of what they wrote');
    const patch = { level: 'nothing', mutedUntil: new Date(Date.now() + 3_600_000).toISOString() };
    expectStatus(await bob.call('PATCH', `/v1/conversations/${group.id}/me`, patch), 200);
    expectStatus(await bob.call('PUT', `/v1/me/blocks/${ana.id}`), 204);
    expectStatus(await read(bob, group.id, message.seq), 200);
    expectStatus(await deleteMessage(ana, group.id, message.id), 200);
    assert.deepEqual(await why(bob, id), before);
    expectStatus(await bob.call('POST', `/v1/conversations/${group.id}/leave`), 204);
    const left = await why(bob, id);
    assert.deepEqual(told(left), told(before));
    assert.doesNotMatch(JSON.stringify(left), /Ops/);
    assert.match(left.sentences[1] ?? '', /where you do not belong any more$/);
  });

  it('when it waited for the gathered mail, then it says for which, as it was wanted then', async () => {
    const [ana, bob] = await registerPeople(entrance, 'Ana', 'Bob');
    const wants = async (emailFrequency: string) =>
      expectStatus(await bob.call('PATCH', '/v1/me/notifications', { emailFrequency }), 200);
    await wants('hourly');
    const { id: conversationId } = await makeDirect(ana, bob);
    await send(ana, conversationId, 'the secret words');
    const covers = [{ conversationId, fromSeq: 1, toSeq: 1 }];
    const decided = [{ reason: 'next_digest' }, { reason: 'due' }];
    const id = await writeAttempt(db, bob, { covers, decided });
    await wants('daily');
    const mine = await why(bob, id);
    assert.deepEqual([mine.reason, mine.sentence], ['next_digest', 'It was gathered for your hourly mail.']);
  });

  it('when a mail of the same step went before, then what that one waited for is not told', async () => {
    const { bob, id } = await written([{ reason: 'quiet_hours' }, { reason: 'due' }, { reason: 'due' }]);
    assert.equal((await why(bob, id)).reason, 'due');
  });

  it('when it was a weekly summary, then it is told as such, without a number that nobody knows', async () => {
    const { bob, id } = await written([{ reason: 'weekly_summary' }], { kind: 'summary' });
    const { reason, sentences } = await why(bob, id);
    assert.equal(reason, 'weekly_summary');
    assert.deepEqual(sentences.slice(0, 2), [
      'You had not been here for a week. This was waiting for you:',
      '\u2068Ana\u2069',
    ]);
  });

  it('when it was urgent, then it says so', async () => {
    const { bob, id } = await written([{ reason: 'due' }], { urgent: true });
    const { sentences } = await why(bob, id);
    assert.ok(sentences.includes('Something in it is urgent, and what is urgent comes sooner.'));
  });

  it('when the decision is kept no longer, then it says that, and tells what is left', async () => {
    const { bob, conversation, id } = await written([]);
    const mine = await why(bob, id);
    assert.deepEqual([mine.reason, told(mine)], [null, [[conversation, 1]]]);
    assert.match(mine.sentence, /90 days/);
  });

  it('when they speak another language, then in that, and by their own clock', async () => {
    const { bob, id } = await written([{ reason: 'due' }]);
    expectStatus(await bob.call('PATCH', '/v1/me', { locale: 'de-AT', timeZone: 'Pacific/Kiritimati' }), 200);
    const { sentence, sentences, sentAt } = await why(bob, id);
    assert.equal(sentence, 'Du hattest es kurz nach dem Schreiben nicht gelesen.');
    const clock = { dateStyle: 'long', timeStyle: 'short', timeZone: 'Pacific/Kiritimati' } as const;
    const at = new Intl.DateTimeFormat('de', clock).format(new Date(sentAt));
    assert.ok(sentences.includes(`Gesendet: ${at}.`), sentences.join(' '));
  });
});
