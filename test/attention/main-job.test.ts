import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import pg from 'pg';
import {
  type Person,
  makeDirect,
  makeGroup,
  phoneNumber,
  read,
  registerDevice,
  registerPeople,
  registerPerson,
  send,
  signInAgain,
  verifyContacts,
} from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { inbox, waitFor } from '../support/inbox.ts';
import { expectProblem, expectStatus } from '../support/rest.ts';
import { connect } from '../support/socket.ts';
import { until } from '../support/until.ts';

describe('every message reaches a person', () => {
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

  const rows = async <Row extends pg.QueryResultRow>(text: string, ...values: unknown[]): Promise<Row[]> =>
    (await db.query<Row>(text, values)).rows;
  const episodes = (person: Person) =>
    rows<{ episode: number; outcome: string | null; workflow_id: string | null }>(
      'select episode, outcome, workflow_id from episodes where user_id = $1 order by episode',
      person.id,
    );
  const closed = (person: Person, count = 1) =>
    until(
      () => episodes(person),
      (all) => all.length === count && all.every(({ outcome }) => outcome !== null),
    );
  const closedAfterReading = async (person: Person, conversationId: string, seq: number) => {
    expectStatus(await read(person, conversationId, seq), 200);
    await closed(person, seq);
  };
  /** A client of theirs says that it has the first message. */
  const acknowledge = async (person: Person, conversationId: string) =>
    expectStatus(await person.call('PUT', `/v1/conversations/${conversationId}/receipts`, { deliveredSeq: 1 }), 200);
  /** Somebody away who can be reached on every channel. */
  const away = async (name = 'Bob') => {
    const person = await registerPerson(app, name);
    const phone = phoneNumber();
    const token = await registerDevice(person);
    await verifyContacts(app, person, phone);
    expectStatus(await person.call('PATCH', '/v1/me/notifications', { channels: { sms: true } }), 200);
    return { person, phone, token };
  };

  it('after their quiet hours to who wants to be left alone, and at once when these are taken away', async () => {
    const ana = await registerPerson(app, 'Ana');
    const { person: bob, token } = await away();
    const change = async (patch: object) => expectStatus(await bob.call('PATCH', '/v1/me/notifications', patch), 200);
    // The hour that it is now, by the clock of Berlin.
    expectStatus(await bob.call('PATCH', '/v1/me', { timeZone: 'Europe/Berlin' }), 200);
    const clock = (shiftMs: number) =>
      new Date(Date.now() + shiftMs).toLocaleTimeString('en-GB', { timeZone: 'Europe/Berlin', timeStyle: 'short' });
    const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
    const windows = [{ days, from: clock(-3_600_000), until: clock(3_600_000) }];
    await change({ channels: { email: false, sms: false }, quietHours: { windows, email: false } });
    const direct = await makeDirect(ana, bob);
    await send(ana, direct.id, 'Not now?');
    const decided = () =>
      rows<{ outcome: string; reason: string; until: Date }>(
        "select outcome, reason, until from decisions where user_id = $1 and step = 'push'",
        bob.id,
      );
    const [decision] = await until(decided, (all) => all.length > 0);
    assert.deepEqual([decision?.outcome, decision?.reason], ['deferred', 'quiet_hours']);
    assert.ok((decision?.until.getTime() ?? 0) > Date.now() + 3_000_000);
    assert.deepEqual(await inbox(app, { to: token }), []);
    await change({ quietHours: null });
    const [push] = await waitFor(app, { to: token });
    assert.equal(push?.data?.conversationId, direct.id);
  });

  it('live to who is present; by push, e-mail and SMS, in this order and once each, to who is not', async () => {
    const [ana, cleo] = await registerPeople(app, 'Ana', 'Cleo');
    const bob = await away();
    const group = await makeGroup(ana, [cleo, bob.person], 'Ops');
    const live = await connect(app.url, { token: cleo.token });
    const message = await send(ana, group.id, 'The server room is on fire');
    await live.heard('event', ({ version }) => version === message.version);

    const [push] = await waitFor(app, { to: bob.token });
    assert.deepEqual([push?.title, push?.text, push?.badge], ['Ops', 'New message from Ana', 1]);
    assert.equal(push?.data?.conversationId, group.id);
    assert.equal(push?.data?.seq, '1');
    const [mail] = await waitFor(app, { to: bob.person.email, channel: 'email', text: 'new message' });
    assert.equal(mail?.title, '1 new message in Ops');
    assert.match(mail?.text ?? '', /Ana: The server room is on fire/);
    const [text] = await waitFor(app, { to: bob.phone });
    assert.match(text?.text ?? '', /^Homing: 1 new message\. Open: http/);
    assert.ok(!text?.text.includes('fire'), 'a text shows no content');

    assert.ok((push?.seq ?? 0) < (mail?.seq ?? 0) && (mail?.seq ?? 0) < (text?.seq ?? 0));
    const [episode] = await closed(bob.person);
    assert.equal(episode?.outcome, 'every-step-spent');
    assert.match(episode?.workflow_id ?? '', new RegExp(`^attention/${bob.person.id}/1$`));
    for (const to of [bob.token, bob.phone]) assert.equal((await inbox(app, { to })).length, 1);
    live.close();
  }).timeout(60_000);

  it('once more where an edit mentions them, though what came after the message was told', async () => {
    const [ana, bob] = [await registerPerson(app), await away()];
    const group = await makeGroup(ana, [bob.person], 'Ops');
    const path = `/v1/conversations/${group.id}`;
    expectStatus(await bob.person.call('PATCH', `${path}/me`, { level: 'mentions' }), 200);
    const mentions = [{ type: 'user', userId: bob.person.id, offset: 0, length: 4 }];
    const message = await send(ana, group.id, 'The server room is on fire');
    const later = await send(ana, group.id, '@Bob: hello', { mentions });
    await waitFor(app, { to: bob.phone });
    await closed(bob.person);
    const edit = { clientId: randomUUIDv7(), text: '@Bob: the server room is on fire', mentions };
    expectStatus(await ana.call('PATCH', `${path}/messages/${message.id}`, edit), 200);
    const pushes = await waitFor(app, { to: bob.token }, 2);
    assert.deepEqual(
      pushes.map(({ data }) => data?.seq),
      [later, message].map(({ seq }) => String(seq)),
    );
    const [first, second] = await waitFor(app, { to: bob.person.email, channel: 'email', text: 'new message' }, 2);
    assert.match(first?.text ?? '', /Ana: @Bob: hello/);
    assert.match(second?.text ?? '', /Ana: @Bob: the server room is on fire/);
    assert.doesNotMatch(second?.text ?? '', /hello/);
  }).timeout(60_000);

  it('a reply in a thread that they follow too, and it stands on the icon', async () => {
    const [ana, bob] = [await registerPerson(app), await away()];
    const group = await makeGroup(ana, [bob.person], 'Ops');
    const root = await send(bob.person, group.id, 'who comes?');
    await send(ana, group.id, 'me', { threadId: root.id });
    const [push] = await waitFor(app, { to: bob.token });
    assert.deepEqual([push?.text, push?.badge], ['New message from Ana', 1]);
  }).timeout(60_000);

  it('costs Temporal nothing when it was read within the grace', async () => {
    const [ana, bob] = [await registerPerson(app), await away()];
    const direct = await makeDirect(ana, bob.person);
    // Who is connected has the longer grace: time enough to see that it was armed.
    const socket = await connect(app.url, { token: bob.person.token });
    const { seq } = await send(ana, direct.id, 'hello');
    await until(
      () => episodes(bob.person),
      (all) => all.length === 1,
    );
    expectStatus(await read(bob.person, direct.id, seq), 200);
    assert.deepEqual(
      (await closed(bob.person)).map(({ outcome, workflow_id: workflowId }) => [outcome, workflowId]),
      [['read', null]],
    );
    assert.deepEqual(await inbox(app, { to: bob.token }), []);
    socket.close();
  }).timeout(60_000);

  it('2.23/2 pushes to who does not read within the grace, and takes it down once they read on another device', async () => {
    const [ana, bob] = [await registerPerson(app), await away()];
    const desktop = await signInAgain(app, bob.person);
    const socket = await connect(app.url, { token: desktop.token });
    const direct = await makeDirect(ana, bob.person);
    const early = await send(ana, direct.id, 'read within the grace');
    expectStatus(await read(desktop, direct.id, early.seq), 200);
    const late = await send(ana, direct.id, 'read after it');
    const [push] = await waitFor(app, { to: bob.token });
    assert.deepEqual([push?.data?.seq, push?.data?.count, push?.badge], ['2', '1', 1]);
    expectStatus(await read(desktop, direct.id, late.seq), 200);
    const [, silent] = await waitFor(app, { to: bob.token }, 2);
    assert.deepEqual([silent?.silent, silent?.data?.kind, silent?.badge], [true, 'clear', 0]);
    assert.deepEqual(JSON.parse(String(silent?.data?.conversations)), [
      { conversationId: direct.id, throughSeq: 2, tag: push?.data?.tag },
    ]);
    socket.close();
  }).timeout(60_000);

  it('stops when it is read: no mail after a push that led to the reading', async () => {
    const [ana, bob] = [await registerPerson(app), await away()];
    const direct = await makeDirect(ana, bob.person);
    const { seq } = await send(ana, direct.id, 'hello');
    await waitFor(app, { to: bob.token });
    expectStatus(await read(bob.person, direct.id, seq), 200);
    const [episode] = await closed(bob.person);
    assert.equal(episode?.outcome, 'read');
    assert.deepEqual(await inbox(app, { to: bob.phone }), []);
    assert.deepEqual(await inbox(app, { to: bob.person.email, text: 'new message' }), []);
  }).timeout(60_000);

  it('2.23/1 announces ten messages in a burst by one push and one mail, and by no text to who wants none', async () => {
    const [ana, bob] = [await registerPerson(app), await away()];
    expectStatus(await bob.person.call('PATCH', '/v1/me/notifications', { channels: { sms: false } }), 200);
    const direct = await makeDirect(ana, bob.person);
    await Promise.all(Array.from({ length: 10 }, (_, n) => send(ana, direct.id, `message ${n}`)));
    const [push] = await waitFor(app, { to: bob.token });
    assert.deepEqual([push?.title, push?.text], ['Ana', '10 new messages']);
    const [mail] = await waitFor(app, { to: bob.person.email, text: 'new messages' });
    assert.equal(mail?.title, '10 new messages from Ana');
    const [episode] = await closed(bob.person);
    assert.equal(episode?.outcome, 'every-step-spent');
    assert.equal((await inbox(app, { to: bob.token })).length, 1);
    assert.deepEqual(await inbox(app, { to: bob.phone }), []);
  }).timeout(60_000);

  it('begins a new episode for what comes after the reading', async () => {
    const [ana, bob] = [await registerPerson(app), await away()];
    const direct = await makeDirect(ana, bob.person);
    await send(ana, direct.id, 'first');
    await waitFor(app, { to: bob.token });
    expectStatus(await read(bob.person, direct.id, 1), 200);
    await closed(bob.person);
    await send(ana, direct.id, 'second');
    await waitFor(app, { to: bob.token }, 2);
    expectStatus(await read(bob.person, direct.id, 2), 200);
    assert.deepEqual(
      (await closed(bob.person, 2)).map(({ episode }) => episode),
      [1, 2],
    );
  }).timeout(60_000);

  it('is told by a push of its own when it comes while an earlier one is still unread', async () => {
    const [ana, bob] = [await registerPerson(app), await away()];
    const direct = await makeDirect(ana, bob.person);
    await send(ana, direct.id, 'first');
    await waitFor(app, { to: bob.token });
    await send(ana, direct.id, 'second');
    const [, second] = await waitFor(app, { to: bob.token }, 2);
    assert.equal(second?.data?.seq, '2');
    assert.equal(
      (await inbox(app, { to: bob.token })).at(0)?.collapseKey,
      second?.collapseKey,
      'the later one replaces the earlier',
    );
    expectStatus(await read(bob.person, direct.id, 2), 200);
    assert.equal((await closed(bob.person)).length, 1, 'one episode');
  }).timeout(60_000);

  it('2.23/4 presence delays the push and does not cancel it: whoever left the desk is told at the end of the grace', async () => {
    const [ana, bob] = [await registerPerson(app), await away()];
    const direct = await makeDirect(ana, bob.person);
    const socket = await connect(app.url, { token: bob.person.token });
    await send(ana, direct.id, 'are you there?');
    await acknowledge(bob.person, direct.id);
    const [push] = await waitFor(app, { to: bob.token });
    const [{ created } = { created: new Date() }] = await rows<{ created: Date }>(
      'select created_at as created from messages where conversation_id = $1',
      direct.id,
    );
    const waited = Date.parse(push?.receivedAt ?? '') - created.getTime();
    assert.ok(waited >= 3_000, `the grace of who is present, 3 s in this ladder; it was ${waited} ms`);
    socket.close();
    expectStatus(await read(bob.person, direct.id, 1), 200);
    await closed(bob.person);
  }).timeout(60_000);

  it('and is pulled forward when the presence ends', async () => {
    const [ana, bob] = [await registerPerson(app), await away()];
    const direct = await makeDirect(ana, bob.person);
    const socket = await connect(app.url, { token: bob.person.token });
    await send(ana, direct.id, 'are you there?');
    await acknowledge(bob.person, direct.id);
    await until(
      () => rows('select 1 from attention where user_id = $1', bob.person.id),
      (all) => all.length === 1,
    );
    const left = Date.now();
    socket.close();
    const [push] = await waitFor(app, { to: bob.token });
    const [{ created } = { created: new Date() }] = await rows<{ created: Date }>(
      'select created_at as created from messages where conversation_id = $1',
      direct.id,
    );
    assert.ok(
      Date.parse(push?.receivedAt ?? '') - Math.min(created.getTime(), left) < 3_000,
      'before the grace of who is present',
    );
    expectStatus(await read(bob.person, direct.id, 1), 200);
    await closed(bob.person);
  }).timeout(60_000);

  it('2.23/3 a lid that was closed keeps no push back: its connection stands and acknowledges nothing', async () => {
    const [ana, bob] = [await registerPerson(app), await away()];
    const direct = await makeDirect(ana, bob.person);
    // They would have a minute to read it, were they there.
    expectStatus(await bob.person.call('PATCH', '/v1/me/notifications', { graceSeconds: 60 }), 200);
    const socket = await connect(app.url, { token: bob.person.token });
    const { version } = await send(ana, direct.id, 'are you there?');
    await socket.heard('event', (event) => event.version === version);
    await waitFor(app, { to: bob.token });
    const reasons = await rows<{ reason: string }>(
      `select reason from decisions where user_id = $1 and step = 'push' and outcome = 'send'`,
      bob.person.id,
    );
    assert.equal(reasons.length, 1);
    socket.close();
    expectStatus(await read(bob.person, direct.id, 1), 200);
    await closed(bob.person);
  }).timeout(60_000);

  for (const state of ['idle', 'hidden'] as const)
    it(`is pulled forward when the person’s last active device becomes ${state}`, async () => {
      const [ana, bob] = [await registerPerson(app), await away()];
      const direct = await makeDirect(ana, bob.person);
      expectStatus(await bob.person.call('PATCH', '/v1/me/notifications', { graceSeconds: 60 }), 200);
      const [phone, desktop] = [
        await connect(app.url, { token: bob.person.token }),
        await connect(app.url, { token: bob.person.token }),
      ];
      await send(ana, direct.id, 'are you there?');
      await acknowledge(bob.person, direct.id);
      for (const socket of [phone, desktop]) {
        assert.deepEqual(await inbox(app, { to: bob.token }), []);
        assert.ok((await socket.ask('presence.set', { state, viewing: null })).ok);
      }
      await waitFor(app, { to: bob.token });
      for (const socket of [phone, desktop]) socket.close();
      expectStatus(await read(bob.person, direct.id, 1), 200);
      await closed(bob.person);
    }).timeout(60_000);

  it('L7: is pushed to all devices but the one that is active, and to that one where it is the only one', async () => {
    const [ana, bob] = [await registerPerson(app), await away()];
    const direct = await makeDirect(ana, bob.person);
    const deviceId = randomUUIDv7();
    const desktop = `ok-${deviceId}`;
    const device = { platform: 'desktop', pushToken: desktop, pushPermission: 'granted' };
    expectStatus(await bob.person.call('PUT', `/v1/me/devices/${deviceId}`, device), 200);
    const socket = await connect(app.url, { token: bob.person.token, deviceId });
    await send(ana, direct.id, 'are you there?');
    await waitFor(app, { to: bob.token });
    await closedAfterReading(bob.person, direct.id, 1);
    assert.deepEqual(await inbox(app, { to: desktop }), []);
    await rows(
      'update devices set push_token = null, push_token_hash = null where user_id = $1 and id <> $2',
      bob.person.id,
      deviceId,
    );
    await send(ana, direct.id, 'and now?');
    await waitFor(app, { to: desktop });
    socket.close();
    await closedAfterReading(bob.person, direct.id, 2);
  }).timeout(60_000);

  it('comes by mail sooner to who has no device, and does not come by SMS to who has not asked for it', async () => {
    const ana = await registerPerson(app);
    const bob = await registerPerson(app, 'Bob');
    await verifyContacts(app, bob, phoneNumber());
    const direct = await makeDirect(ana, bob);
    await send(ana, direct.id, 'hello');
    await waitFor(app, { to: bob.email, text: 'new message' });
    const [episode] = await closed(bob);
    assert.equal(episode?.outcome, 'every-step-spent');
    const reasons = await rows<{ step: string; reason: string }>(
      `select distinct step, reason from decisions where user_id = $1 and outcome = 'skipped'`,
      bob.id,
    );
    assert.ok(reasons.some(({ step, reason }) => step === 'push' && reason === 'no_device'));
    assert.ok(reasons.some(({ step, reason }) => step === 'sms' && reason === 'channel_off'));
  }).timeout(60_000);

  it('does not disturb who has muted the conversation', async () => {
    const [ana, bob] = [await registerPerson(app), await away()];
    const direct = await makeDirect(ana, bob.person);
    expectStatus(
      await bob.person.call('PATCH', `/v1/conversations/${direct.id}/me`, {
        mutedUntil: new Date(Date.now() + 3_600_000).toISOString(),
      }),
      200,
    );
    await send(ana, direct.id, 'hello');
    await until(
      () => rows(`select 1 from outbox where topic = 'messages.stored'`),
      (all) => all.length === 0,
    );
    assert.deepEqual(await episodes(bob.person), []);
  }).timeout(60_000);

  it('every decision leaves a reason, with the workflow and run that made it', async () => {
    const [ana, bob] = [await registerPerson(app), await away()];
    const direct = await makeDirect(ana, bob.person);
    await send(ana, direct.id, 'hello');
    await waitFor(app, { to: bob.token });
    expectStatus(await read(bob.person, direct.id, 1), 200);
    await closed(bob.person);
    const decisions = await rows<{
      step: string;
      outcome: string;
      reason: string;
      workflow_id: string;
      run_id: string;
      attempt_id: string | null;
    }>(
      'select step, outcome, reason, workflow_id, run_id, attempt_id from decisions where user_id = $1 order by at, id',
      bob.person.id,
    );
    assert.ok(
      decisions.some(({ step, outcome, attempt_id }) => step === 'push' && outcome === 'send' && attempt_id !== null),
    );
    assert.ok(
      decisions.some(
        ({ step, outcome, reason }) => step === 'email' && outcome === 'deferred' && reason === 'step_delay',
      ),
    );
    assert.deepEqual([decisions.at(-1)?.step, decisions.at(-1)?.reason], ['episode', 'read_before_send']);
    assert.ok(decisions.every(({ workflow_id, run_id }) => workflow_id.startsWith('attention/') && run_id !== ''));
  }).timeout(60_000);

  describe('codes for contacts', () => {
    const codeIn = (text: string | undefined) => /\b(\d{6})\b/.exec(text ?? '')?.[1] ?? '';

    it('come by mail when registering, and make the address verified', async () => {
      const ana = await registerPerson(app);
      const [mail] = await waitFor(app, { to: ana.email, channel: 'email' });
      const code = codeIn(mail?.text);
      const wrong = code === '000000' ? '000001' : '000000';
      expectProblem(await ana.call('POST', '/v1/me/email/verify', { code: wrong }), 400, 'invalid_code');
      const me = expectStatus(await ana.call<{ email: object }>('POST', '/v1/me/email/verify', { code }), 200);
      assert.deepEqual(me.email, { address: ana.email, verified: true });
      expectProblem(await ana.call('POST', '/v1/me/email/verify', { code }), 410, 'code_expired');
    });

    it('come by SMS for a new number; five wrong tries use a code up', async () => {
      const ana = await registerPerson(app);
      const phone = phoneNumber();
      expectStatus(await ana.call('POST', '/v1/me/phone', { phone }), 202);
      const [text] = await waitFor(app, { to: phone });
      const code = codeIn(text?.text);
      const wrong = code === '000000' ? '000001' : '000000';
      for (let n = 0; n < 5; n += 1)
        expectProblem(await ana.call('POST', '/v1/me/phone/verify', { code: wrong }), 400, 'invalid_code');
      expectProblem(await ana.call('POST', '/v1/me/phone/verify', { code }), 429, 'too_many_attempts');
      expectStatus(await ana.call('POST', '/v1/me/phone', { phone }), 202);
      const [, second] = await waitFor(app, { to: phone }, 2);
      const me = expectStatus(
        await ana.call<{ phone: object }>('POST', '/v1/me/phone/verify', { code: codeIn(second?.text) }),
        200,
      );
      assert.deepEqual(me.phone, { address: phone, verified: true });
    });

    it('are not sent for an address that another account has proved; who asks is not told why', async () => {
      const [ana, eve] = await registerPeople(app, 'Ana', 'Eve');
      const [mail] = await waitFor(app, { to: ana.email, channel: 'email' });
      expectStatus(await ana.call('POST', '/v1/me/email/verify', { code: codeIn(mail?.text) }), 200);
      expectStatus(await eve.call('POST', '/v1/me/email', { email: ana.email }), 202);
      const mails = await waitFor(app, { to: ana.email, channel: 'email' }, 2);
      assert.deepEqual(mails.map(({ text }) => codeIn(text) !== '').sort(), [false, true]);
    });
  }).timeout(60_000);
});
