import assert from 'node:assert/strict';
import pg from 'pg';
import type { Conversation, MyMembership } from '../../contracts/entities/index.ts';
import {
  type Person,
  deleteMessage,
  makeChannel,
  makeDirect,
  makeGroup,
  read,
  registerPeople,
  registerPerson,
  send,
  verifyContacts,
} from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Item, inbox, waitFor } from '../support/inbox.ts';
import { expectStatus } from '../support/rest.ts';
import { until } from '../support/until.ts';

describe('gathered mail', () => {
  let app: TestApp;
  let db: pg.Client;
  before(async function () {
    this.timeout(60_000);
    app = await startApp({ processes: [['api', 'realtime'], ['relay'], ['worker']] });
    db = new pg.Client(app.database.url);
    await db.connect();
  });
  after(async () => {
    await db.end();
    await app.stop();
  });

  const set = async (person: Person, patch: object) =>
    expectStatus(await person.call('PATCH', '/v1/me/notifications', patch), 200);
  const clock = (ms: number) =>
    new Date(Date.now() + ms).toLocaleTimeString('en-GB', { timeZone: 'UTC', timeStyle: 'short' });
  /** Gathered, and due at no moment at which a test may be running. */
  const daily = () => ({ emailFrequency: 'daily', emailDigestAt: clock(12 * 3_600_000) });
  /** Somebody with a verified address and no device, whose mail is gathered. */
  const away = async (settings: object = daily()) => {
    const bob = await registerPerson(app, 'Bob');
    await verifyContacts(app, bob);
    await set(bob, settings);
    return bob;
  };
  const decisions = async ({ id }: Person) =>
    (
      await db.query<{ step: string; outcome: string; reason: string; until: Date | null }>(
        'select step, outcome, reason, until from decisions where user_id = $1 order by at, id',
        [id],
      )
    ).rows;
  const mailSteps = async (person: Person) => (await decisions(person)).filter(({ step }) => step === 'email');
  /** The mail waits for its time. */
  const waits = (person: Person, times = 1) =>
    until(
      () => mailSteps(person),
      (steps) => steps.filter(({ reason }) => reason === 'next_digest').length >= times,
    );
  /** Everything that is unread came more than a day earlier, so that its digest is due now; the settings' change is the nudge. */
  const bringForward = async (person: Person) => {
    // Once all of it is armed.
    await until(
      () => db.query(`select 1 from outbox where topic = 'messages.stored'`),
      ({ rowCount }) => rowCount === 0,
    );
    await db.query(
      `update messages g set created_at = g.created_at - interval '25 hours'
        where g.conversation_id in (select conversation_id from armed where user_id = $1)`,
      [person.id],
    );
    await set(person, { preview: 'full' });
  };
  const mails = (person: Person) => inbox(app, { to: person.email, channel: 'email', text: '/o/' });
  const mailed = async (person: Person, count = 1): Promise<Item> =>
    (await waitFor(app, { to: person.email, channel: 'email', text: '/o/' }, count)).at(-1) as Item;
  const closed = ({ id }: Person) =>
    until(
      async () =>
        (await db.query<{ outcome: string | null }>('select outcome from episodes where user_id = $1', [id])).rows,
      (all) => all.length > 0 && all.every(({ outcome }) => outcome !== null),
    );

  it('waits for its time, and then tells of every conversation, the oldest first, in one mail', async () => {
    const [ana, cleo] = await registerPeople(app, 'Ana', 'Cleo');
    const bob = await away();
    const [ops, direct] = [await makeGroup(ana, [bob], 'Ops'), await makeDirect(cleo, bob)];
    await send(ana, ops.id, 'in ops');
    await send(cleo, direct.id, 'in person');
    await waits(bob);
    assert.deepEqual(await mails(bob), []);
    await bringForward(bob);
    const mail = await mailed(bob);
    assert.equal(mail.title, '2 new messages in 2 conversations');
    assert.ok(mail.text.indexOf('Ana: in ops') < mail.text.indexOf('Cleo: in person'), mail.text);
    assert.ok(mail.text.includes('Ana: in ops'));
    await closed(bob);
    assert.equal((await mailSteps(bob)).filter(({ outcome }) => outcome === 'send').length, 1);
  }).timeout(60_000);

  it('C4: shows ten new messages of a conversation, three that stood before them, and how many more there are', async () => {
    const ana = await registerPerson(app, 'Ana');
    const bob = await away();
    const ops = await makeGroup(ana, [bob], 'Ops');
    for (let n = 1; n <= 4; n += 1) await send(ana, ops.id, `before ${n}`);
    expectStatus(await read(bob, ops.id, 4), 200);
    for (let n = 1; n <= 24; n += 1) await send(ana, ops.id, `new ${n}.`);
    await waits(bob);
    await bringForward(bob);
    const { title, text } = await mailed(bob);
    assert.equal(title, '24 new messages in Ops');
    assert.ok(!text.includes('before 1'));
    for (let n = 2; n <= 4; n += 1) assert.ok(text.includes(`> Ana: before ${n}`), text);
    for (let n = 1; n <= 24; n += 1) assert.equal(text.includes(`Ana: new ${n}.`), n <= 10, `new ${n}`);
    assert.ok(text.includes('and 14 more'));
  }).timeout(60_000);

  it('C4: shows as new what no mail has shown as new before, and that once', async () => {
    const ana = await registerPerson(app, 'Ana');
    const bob = await away();
    const ops = await makeGroup(ana, [bob], 'Ops');
    await send(ana, ops.id, 'first of all');
    await waits(bob);
    await bringForward(bob);
    await mailed(bob);
    await send(ana, ops.id, 'second of all');
    await until(
      () => mailSteps(bob),
      (steps) => steps.at(-1)?.reason === 'next_digest',
    );
    await bringForward(bob);
    const { title, text } = await mailed(bob, 2);
    assert.equal(title, '1 new message in Ops');
    assert.ok(text.includes('Ana: second of all') && text.includes('> Ana: first of all'), text);
    const told = (await mails(bob)).filter((mail) => /^Ana: first of all$/m.test(mail.text));
    assert.equal(told.length, 1);
  }).timeout(60_000);

  it('C4: shows nothing from before that its reader could not read, or does not want to', async () => {
    const [ana, eve] = await registerPeople(app, 'Ana', 'Eve');
    const bob = await away();
    const body = {
      clientId: crypto.randomUUID(),
      kind: 'group',
      title: 'Ops',
      memberIds: [eve.id],
      history: 'joining',
    };
    const ops = expectStatus(await ana.call<Conversation>('POST', '/v1/conversations', body), 201);
    await send(ana, ops.id, 'before he came');
    expectStatus(await ana.call('POST', `/v1/conversations/${ops.id}/members`, { userIds: [bob.id] }), 200);
    expectStatus(await bob.call('PUT', `/v1/me/blocks/${eve.id}`), 204);
    await send(eve, ops.id, 'of the blocked');
    const gone = await send(ana, ops.id, 'was taken back');
    const root = await send(ana, ops.id, 'seen by all');
    await send(ana, ops.id, 'in a thread', { threadId: root.id });
    expectStatus(await deleteMessage(ana, ops.id, gone.id), 200);
    expectStatus(await read(bob, ops.id, root.seq + 1), 200);
    await send(ana, ops.id, 'what is new');
    await waits(bob);
    await bringForward(bob);
    const { text } = await mailed(bob);
    assert.deepEqual(
      text.split('\n').filter((line) => line.startsWith('> ')),
      ['> Earlier', '> Ana: seen by all'],
    );
  }).timeout(60_000);

  it('C5: is in the thread of its one conversation, else in that of the day', async () => {
    const [ana, cleo] = await registerPeople(app, 'Ana', 'Cleo');
    const bob = await away();
    expectStatus(await bob.call('PATCH', '/v1/me', { timeZone: 'Pacific/Kiritimati' }), 200);
    const [ops, direct] = [await makeGroup(ana, [bob], 'Ops'), await makeDirect(cleo, bob)];
    await send(ana, ops.id, 'one');
    await waits(bob);
    await bringForward(bob);
    assert.equal((await mailed(bob)).headers?.References, `<conversation.${ops.id}@homing.test>`);
    await send(ana, ops.id, 'two');
    await send(cleo, direct.id, 'three');
    await until(
      () => db.query('select 1 from armed where user_id = $1', [bob.id]),
      ({ rowCount }) => rowCount === 2,
    );
    await bringForward(bob);
    const { headers } = await mailed(bob, 2);
    const day = /^<digest\.[0-9a-f-]{36}\.(\d{4}-\d\d-\d\d)@homing\.test>$/.exec(headers?.References ?? '')?.[1];
    const days = [0, -60_000].map((ms) =>
      new Intl.DateTimeFormat('en-CA', { timeZone: 'Pacific/Kiritimati' }).format(Date.now() + ms),
    );
    assert.ok(day && days.includes(day), `${headers?.References} on ${days.join()}`);
    assert.equal(headers?.['In-Reply-To'], headers?.References);
  }).timeout(60_000);

  it('C7: leaves out what was read, deleted, muted or left meanwhile', async () => {
    const [ana, cleo] = await registerPeople(app, 'Ana', 'Cleo');
    const bob = await away();
    const rooms: Conversation[] = [];
    for (const title of ['Read', 'Muted', 'Left', 'Kept']) rooms.push(await makeGroup(ana, [bob, cleo], title));
    const [wasRead, muted, left, kept] = rooms as [Conversation, Conversation, Conversation, Conversation];
    for (const { id } of rooms) await send(ana, id, 'anything');
    const gone = await send(ana, kept.id, 'was deleted');
    await waits(bob);
    expectStatus(await read(bob, wasRead.id, 1), 200);
    const mutedUntil = new Date(Date.now() + 3_600_000).toISOString();
    expectStatus(await bob.call('PATCH', `/v1/conversations/${muted.id}/me`, { mutedUntil }), 200);
    expectStatus(await bob.call('POST', `/v1/conversations/${left.id}/leave`), 204);
    expectStatus(await deleteMessage(ana, kept.id, gone.id), 200);
    await bringForward(bob);
    const { title, text } = await mailed(bob);
    assert.equal(title, '1 new message in Kept');
    for (const word of ['Read\n', 'Muted\n', 'Left\n', 'was deleted']) assert.ok(!text.includes(word), word);
  }).timeout(60_000);

  it('C7: is not sent where nothing is left to tell', async () => {
    const ana = await registerPerson(app, 'Ana');
    const bob = await away();
    const ops = await makeGroup(ana, [bob], 'Ops');
    const message = await send(ana, ops.id, 'was deleted');
    await waits(bob);
    expectStatus(await deleteMessage(ana, ops.id, message.id), 200);
    await bringForward(bob);
    await closed(bob);
    assert.deepEqual(await mails(bob), []);
  }).timeout(60_000);

  it('C8: says what the message says when it is sent', async () => {
    const ana = await registerPerson(app, 'Ana');
    const bob = await away();
    const ops = await makeGroup(ana, [bob], 'Ops');
    const { id } = await send(ana, ops.id, 'at nine');
    await waits(bob);
    const edit = { clientId: crypto.randomUUID(), text: 'at ten' };
    expectStatus(await ana.call('PATCH', `/v1/conversations/${ops.id}/messages/${id}`, edit), 200);
    await bringForward(bob);
    const { text } = await mailed(bob);
    assert.ok(text.includes('Ana: at ten') && !text.includes('at nine'), text);
  }).timeout(60_000);

  it('C9: comes once after quiet hours that mail waits for, whatever piled up', async () => {
    const ana = await registerPerson(app, 'Ana');
    const bob = await away();
    const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
    const windows = [{ days, from: clock(-3_600_000), until: clock(3_600_000) }];
    await set(bob, { quietHours: { windows, email: true } });
    const [ops, news] = [await makeGroup(ana, [bob], 'Ops'), await makeGroup(ana, [bob], 'News')];
    for (const { id } of [ops, news, ops]) await send(ana, id, 'by night');
    await until(
      () => mailSteps(bob),
      (steps) => steps.length > 0,
    );
    await bringForward(bob);
    await until(
      () => mailSteps(bob),
      (steps) => steps.at(-1)?.reason === 'quiet_hours',
    );
    assert.deepEqual(await mails(bob), []);
    await set(bob, { quietHours: null });
    assert.equal((await mailed(bob)).title, '3 new messages in 2 conversations');
    await closed(bob);
    assert.equal((await mails(bob)).length, 1);
  }).timeout(60_000);

  it('is mailed at once when its reader no longer wants it gathered, and not at all when they want none', async () => {
    const ana = await registerPerson(app, 'Ana');
    const [bob, cleo] = [await away(), await away()];
    for (const person of [bob, cleo]) await send(ana, (await makeDirect(ana, person)).id, 'hello');
    await waits(bob);
    await waits(cleo);
    await set(bob, { emailFrequency: 'immediate' });
    await set(cleo, { emailFrequency: 'off' });
    await mailed(bob);
    await closed(cleo);
    assert.deepEqual(await mails(cleo), []);
    assert.equal((await mailSteps(cleo)).at(-1)?.reason, 'channel_off');
  }).timeout(60_000);

  it('waits anew when its reader wants it gathered while a mail waits for its step', async () => {
    const ana = await registerPerson(app, 'Ana');
    const bob = await away({ emailFrequency: 'daily', emailDigestAt: '00:00' });
    await send(ana, (await makeDirect(ana, bob)).id, 'hello');
    const [first] = await waits(bob);
    await set(bob, { emailDigestAt: '12:00' });
    const steps = await waits(bob, 2);
    assert.equal(Math.abs((steps[1]?.until?.getTime() ?? 0) - (first?.until?.getTime() ?? 0)), 43_200_000);
  }).timeout(60_000);

  it('alone tells of a channel of which its reader wants everything', async () => {
    const ana = await registerPerson(app, 'Ana');
    const [bob, cleo] = [await away({ emailFrequency: 'immediate' }), await away()];
    const news = await makeChannel(ana, { memberIds: [bob.id, cleo.id] });
    for (const person of [bob, cleo])
      expectStatus(await person.call('PATCH', `/v1/conversations/${news.id}/me`, { level: 'all' }), 200);
    await send(ana, news.id, 'what is new');
    await closed(bob);
    assert.equal((await mailSteps(bob)).at(-1)?.reason, 'digest_only');
    await waits(cleo);
    await bringForward(cleo);
    assert.equal((await mailed(cleo)).title, `1 new message in ${news.title}`);
    assert.deepEqual(await mails(bob), []);
    const mentions = [{ type: 'user', userId: bob.id, offset: 0, length: 4 }];
    await send(ana, news.id, '@Bob, look', { mentions });
    assert.match((await mailed(bob)).text, /Ana: @Bob, look/);
  }).timeout(60_000);

  it('comes of no conversation for which mail is switched off, and again when it is as in the account', async () => {
    const ana = await registerPerson(app, 'Ana');
    const bob = await away({ emailFrequency: 'immediate' });
    const ops = await makeGroup(ana, [bob], 'Ops');
    const setHere = async (email: boolean | null) =>
      expectStatus(
        await bob.call<MyMembership>('PATCH', `/v1/conversations/${ops.id}/me`, { channels: { email } }),
        200,
      );
    assert.deepEqual((await setHere(false)).channels, { push: null, email: false, sms: null });
    await send(ana, ops.id, 'not by mail');
    await closed(bob);
    assert.equal((await mailSteps(bob)).at(-1)?.reason, 'channel_off_here');
    assert.deepEqual(await mails(bob), []);
    await setHere(null);
    await send(ana, ops.id, 'by mail');
    assert.match((await mailed(bob)).text, /Ana: by mail/);
  }).timeout(60_000);
});
