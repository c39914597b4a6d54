import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Suppression } from '../../contracts/entities/index.ts';
import { limits } from '../../contracts/limits.ts';
import { SendGridKey, signTwilio } from '../../sandbox/signatures.ts';
import type { CallbackRecord } from '../../sandbox/store.ts';
import { type Person, makeDirect, phoneNumber, registerPerson, send, verifyContacts } from '../factories/person.ts';
import { type TestApp, startApp, testLadder } from '../setup/app.ts';
import { type Item, inbox, rule, waitFor } from '../support/inbox.ts';
import { expectStatus } from '../support/rest.ts';
import { until } from '../support/until.ts';

const hour = 3_600_000;

describe('what providers report', () => {
  let app: TestApp;
  let db: pg.Client;
  const oldToken = `sandbox-${randomBytes(16).toString('hex')}`;
  const oldKey = new SendGridKey();
  before(async function () {
    this.timeout(60_000);
    const { SENDGRID_WEBHOOK_KEYS: key } = (app = await startApp({ processes: [], reports: true })).env;
    const ladder = `${testLadder} sms=10m sms-after-failure=500ms email-settle=5s give-up=30s`;
    // A key and a token that are being changed: both of each are good.
    const changing = { TWILIO_AUTH_TOKEN_SECONDARY: oldToken, SENDGRID_WEBHOOK_KEYS: `${key},${oldKey.publicKey}` };
    for (const roles of [['api', 'realtime'], ['relay'], ['worker']] as const)
      await app.start(roles, { HOMING_LADDER: ladder, ...changing });
    app.url = app.env.HOMING_PUBLIC_URL ?? '';
    db = new pg.Client(app.database.url);
    await db.connect();
  });
  after(async () => {
    await db.end();
    await app.stop();
  });
  afterEach(async () => {
    const ordinary = { duplicate: 0, reorder: false, wrongSignature: false, extraParameter: false, delayMs: 200 };
    await knobs({ sendgrid: ordinary, twilio: ordinary });
    await clock({ stands: false });
  });

  const control = async (method: string, path: string, body?: object) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${app.sandboxUrl}${path}`, { method, headers, body: JSON.stringify(body) });
    assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
    return (await answer.json()) as Record<string, unknown>;
  };
  const knobs = (settings: object) => control('PATCH', '/webhooks', settings);
  const clock = (change: object) => control('POST', '/clock', change);
  const happen = (item: Item, event: object) => control('POST', `/items/${item.id}/events`, event);
  const reply = (item: Item, text: string) => control('POST', `/items/${item.id}/reply`, { text });
  const callbacks = async (item: Item): Promise<CallbackRecord[]> => {
    const answer = await fetch(`${app.sandboxUrl}/callbacks.json`);
    const { callbacks: all } = (await answer.json()) as { callbacks: CallbackRecord[] };
    return all.filter(({ itemIds }) => itemIds.includes(item.id));
  };

  /** Somebody without a device whom mails, or texts, reach at an address of the sandbox's kind. */
  const away = async ({ kind = 'bob', phone }: { kind?: string; phone?: string } = {}) => {
    const address = `${kind}+${randomBytes(5).toString('hex')}@example.test`;
    const bob = { ...(await registerPerson(app, 'Bob', { email: address })), email: address };
    // Its code comes first, and is a mail like any other to who reports.
    await waitFor(app, { to: address });
    await verifyContacts(app, bob, phone);
    const channels = { sms: phone !== undefined };
    expectStatus(await bob.call('PATCH', '/v1/me/notifications', { channels }), 200);
    return bob;
  };
  const written = async (bob: Person) => {
    const ana = await registerPerson(app, 'Ana');
    const { id } = await makeDirect(ana, bob);
    await send(ana, id, 'Are you there?');
    return { ana, id };
  };
  const mailTo = async (bob: Person) =>
    (await waitFor(app, { to: bob.email, channel: 'email', text: 'Are you there' }))[0] as Item;
  const suppressions = async (bob: Person) =>
    expectStatus(await bob.call<{ items: Suppression[] }>('GET', '/v1/me/suppressions'), 200).items;
  const causes = async (bob: Person) => (await suppressions(bob)).map(({ cause }) => cause);
  const suppressed = (bob: Person, cause: string) =>
    until(
      () => causes(bob),
      (all) => all.includes(cause as never),
    );
  interface Attempt {
    state: string;
    reported: string | null;
    setbacks: string[];
    tries: number;
  }
  const attempt = async (item: Item) => {
    const text = 'select state, reported, setbacks, tries from attempts where id = $1';
    return (await db.query<Attempt>(text, [item.attemptId])).rows[0];
  };
  const comesTo = (item: Item, right: (found: Attempt | undefined) => boolean) => until(() => attempt(item), right);
  const eventsOf = async (item: Item) => {
    const text = `select kind from attempt_events where attempt_id = $1 and key not in ('accepted') order by kind`;
    return (await db.query<{ kind: string }>(text, [item.attemptId])).rows.map(({ kind }) => kind);
  };
  const reasons = async (bob: Person) =>
    (await db.query<{ reason: string }>('select reason from decisions where user_id = $1', [bob.id])).rows.map(
      ({ reason }) => reason,
    );
  const count = async (table: string) => Number((await db.query(`select count(*) as n from ${table}`)).rows[0]?.n);

  const post = (path: string, body: string, headers: Record<string, string>) =>
    fetch(`${app.url}${path}`, { method: 'POST', body, headers });
  const postEvents = (body: string, key = new SendGridKey(app.env.SANDBOX_SENDGRID_KEY)) => {
    const timestamp = String(Math.floor(Date.now() / 1_000));
    return post('/v1/providers/sendgrid/events', body, {
      'content-type': 'application/json',
      'x-twilio-email-event-webhook-signature': key.sign(timestamp, body),
      'x-twilio-email-event-webhook-timestamp': timestamp,
    });
  };
  const postReply = (form: Record<string, string>, token: string) => {
    const path = '/v1/providers/twilio/inbound';
    return post(path, new URLSearchParams(form).toString(), {
      'content-type': 'application/x-www-form-urlencoded',
      'x-twilio-signature': signTwilio(token, `${app.url}${path}`, form),
    });
  };

  describe('of a mail', () => {
    it('2.23/14: that bounced while it was unread: the address is left alone, and the text comes sooner', async () => {
      const phone = phoneNumber();
      const bob = await away({ phone });
      await written(bob);
      const mail = await mailTo(bob);
      await happen(mail, { event: 'bounce' });
      await waitFor(app, { to: phone, channel: 'sms' });
      assert.deepEqual(await causes(bob), ['hard_bounce']);
      const { state, setbacks } = (await attempt(mail)) as Attempt;
      assert.deepEqual([state, setbacks], ['failed', ['bounced']]);
      assert.ok((await reasons(bob)).includes('email_suppressed'));
    });

    it('2.23/17: comes to the same when it is told twice, backwards and with what nobody knows yet', async () => {
      await knobs({ sendgrid: { duplicate: 2, reorder: true, extraParameter: true } });
      const bob = await away({ kind: 'defer' });
      await written(bob);
      const mail = await mailTo(bob);
      await comesTo(mail, (found) => found?.reported === 'delivered' && found.state === 'accepted');
      await until(
        () => eventsOf(mail),
        (all) => all.length >= 3,
      );
      assert.deepEqual(await eventsOf(mail), ['deferred', 'delivered', 'sent']);
      const told = await callbacks(mail);
      assert.equal(told.length, 9);
      assert.ok(told.every(({ status }) => status === 204));
      assert.deepEqual((await attempt(mail))?.reported, 'delivered');
    });

    it('2.23/17: a day late is taken all the same', async () => {
      await clock({ stands: true });
      await knobs({ sendgrid: { delayMs: 23 * hour } });
      const bob = await away();
      await written(bob);
      const mail = await mailTo(bob);
      assert.equal((await attempt(mail))?.reported, null);
      await clock({ advanceMs: 2 * 23 * hour });
      await comesTo(mail, (found) => found?.reported === 'delivered');
      await happen(mail, { event: 'spamreport' });
      await suppressed(bob, 'complaint');
      assert.deepEqual((await attempt(mail))?.setbacks, ['complained']);
    });

    it('2.23/12: whose answer was lost says that it was taken: it is not sent again', async () => {
      const bob = await away();
      await rule(app, { provider: 'sendgrid', to: bob.email, count: 1, action: { cut: 'after' } });
      await written(bob);
      const mail = await mailTo(bob);
      await comesTo(mail, (found) => found?.state === 'accepted' && found.reported === 'delivered');
      // The step is through, and the episode with it: nothing else is left to try.
      await until(
        () => reasons(bob),
        (all) => all.includes('every_step_spent'),
      );
      assert.equal((await attempt(mail))?.tries, 1);
      assert.equal((await inbox(app, { to: bob.email, text: 'Are you there' })).length, 1);
    });

    it('that was refused three times in a week pauses the address; one that comes through ends that', async () => {
      const bob = await away({ kind: 'noevents' });
      await written(bob);
      const mail = await mailTo(bob);
      for (let n = 0; n < 2; n += 1) await happen(mail, { event: 'blocked' });
      await comesTo(mail, (found) => found?.setbacks.includes('blocked') === true);
      assert.deepEqual(await causes(bob), []);
      await happen(mail, { event: 'blocked' });
      await suppressed(bob, 'soft_bounces');
      const left = Date.parse((await suppressions(bob))[0]?.until ?? '') - Date.now();
      assert.ok(left > 6.9 * 24 * hour && left < 7.1 * 24 * hour, `${left} ms`);
      await happen(mail, { event: 'delivered' });
      await until(
        () => causes(bob),
        (all) => all.length === 0,
      );
    });
  });

  describe('of a text', () => {
    /** A mail that bounces brings the text. */
    const unmailed = async (phone: string) => {
      const bob = await away({ phone });
      await written(bob);
      await happen(await mailTo(bob), { event: 'bounce' });
      return bob;
    };
    const texted = async (phone = phoneNumber()) => {
      const bob = await unmailed(phone);
      const [text] = await waitFor(app, { to: phone, channel: 'sms' });
      return { bob, phone, text: text as Item };
    };

    it('goes by its attempt, in whatever order', async () => {
      await knobs({ twilio: { duplicate: 1, reorder: true, extraParameter: true } });
      const { text } = await texted();
      await comesTo(text, (found) => found?.reported === 'delivered');
      await until(
        () => eventsOf(text),
        (all) => all.length >= 4,
      );
      assert.deepEqual(await eventsOf(text), ['accepted', 'accepted', 'delivered', 'sent']);
      assert.equal((await attempt(text))?.state, 'accepted');
    });

    it('2.23/15: that was answered with STOP: no other is asked for; START takes that back and nothing else', async () => {
      const { bob, text, phone } = await texted();
      await comesTo(text, (found) => found?.reported === 'delivered');
      await reply(text, 'stop');
      await suppressed(bob, 'opted_out');
      await written(bob);
      await until(
        () => reasons(bob),
        (all) => all.includes('sms_opted_out'),
      );
      assert.equal((await inbox(app, { to: phone })).filter(({ channel }) => channel === 'sms').length, 1);
      await reply(text, 'START');
      await until(
        () => causes(bob),
        (all) => !all.includes('opted_out'),
      );
      assert.deepEqual(await causes(bob), ['hard_bounce']);
    });

    for (const [code, cause] of [
      ['21610', 'opted_out'],
      ['21211', 'invalid'],
      ['30005', 'invalid'],
    ] as const)
      it(`${code === '21610' ? '2.23/15: ' : ''}that fails with ${code} says that the number is ${cause}`, async () => {
        const phone = `+4915${(randomBytes(2).readUInt16BE() % 9_000) + 1_000}${code}`;
        await suppressed(await unmailed(phone), cause);
      });
  });

  describe('is believed only with a signature', () => {
    it('2.23/17: of the provider: nothing else is taken', async () => {
      await knobs({ sendgrid: { wrongSignature: true, retries: 0 } });
      const bob = await away();
      await written(bob);
      const mail = await mailTo(bob);
      const told = await until(
        () => callbacks(mail),
        (all) => all.length > 1,
      );
      assert.ok(told.every(({ status }) => status === 403));
      await knobs({ sendgrid: { retries: 10 } });
      const before = await count('provider_reports');
      const event = { event: 'bounce', type: 'bounce', email: bob.email, timestamp: 1, sg_event_id: 'forged' };
      const stop = { MessageSid: 'SMforged', SmsStatus: 'received', From: '+4915112345678', Body: 'STOP' };
      const forged = [
        await postEvents(JSON.stringify([event]), new SendGridKey()),
        await post('/v1/providers/sendgrid/events', JSON.stringify([event]), {}),
        await postReply(stop, 'another token'),
        await post('/v1/providers/twilio/inbound', new URLSearchParams(stop).toString(), {}),
        await post('/v1/providers/twilio/events', '', { 'x-twilio-signature': '' }),
      ];
      for (const answer of forged) {
        assert.equal(answer.status, 403);
        assert.equal(((await answer.json()) as { code: string }).code, 'forbidden');
      }
      assert.equal(await count('provider_reports'), before);
      assert.deepEqual(await causes(bob), []);
    });

    it('and with that of the other key or token while they are changed', async () => {
      const event = {
        event: 'open',
        email: 'nobody@example.test',
        timestamp: 1,
        sg_event_id: randomBytes(8).toString('hex'),
      };
      assert.equal((await postEvents(JSON.stringify([event]), oldKey)).status, 204);
      const help = {
        MessageSid: `SM${randomBytes(8).toString('hex')}`,
        SmsStatus: 'received',
        From: '+49151',
        Body: 'HELP',
      };
      assert.equal((await postReply(help, oldToken)).status, 204);
    });
  });

  it('and cannot be understood is set aside: to tell it again would change nothing', async () => {
    const before = await count('unreadable_reports');
    const good = { event: 'open', email: 'a@example.test', timestamp: 1, sg_event_id: randomBytes(8).toString('hex') };
    for (const body of ['{"event":', '{}', JSON.stringify([good, { event: 'bounce' }])])
      assert.equal((await postEvents(body)).status, 204);
    assert.equal(await count('unreadable_reports'), before + 3);
    const kept = await db.query('select 1 from provider_reports where key = $1', [good.sg_event_id]);
    assert.equal(kept.rowCount, 1, 'what stands beside it is taken');
  });

  it('is taken up to a megabyte', async () => {
    const answer = await postEvents(' '.repeat(limits.reportBodyBytes + 1));
    assert.equal(answer.status, 413);
  });

  it('keeps no address and no number', async () => {
    const { rows } = await db.query<{ row: string }>('select r::text as row from provider_reports r');
    assert.ok(rows.length > 0);
    for (const { row } of rows) assert.doesNotMatch(row, /@|\+49/);
  });
}).timeout(40_000);
