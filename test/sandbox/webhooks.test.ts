import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import {
  type Receiver,
  type Still,
  formOf,
  hourMs,
  isSignedBySendGrid,
  isSignedByTwilio,
  startReceiver,
  startStill,
} from './support.ts';

const phone = '+4915112345678';
const secondMs = 1_000;

interface MailEvent {
  event: string;
  email: string;
  timestamp: number;
  sg_event_id: string;
  sg_message_id?: string;
  [field: string]: unknown;
}

/** What the app is told of mails and texts, by a clock that only the test moves. */
describe('the sandbox’s webhooks', () => {
  let sandbox: Still;
  let app: Receiver;
  let settings: { sendGridPublicKey: string; twilioAuthToken: string };
  beforeEach(async () => {
    sandbox = await startStill();
    app = await startReceiver();
    settings = (await sandbox.webhooks({
      targets: {
        sendGridEvents: `${app.url}/v1/providers/sendgrid/events`,
        sendGridInbound: `${app.url}/inbound`,
        twilioStatus: `${app.url}/v1/providers/twilio/events`,
        twilioInbound: `${app.url}/v1/providers/twilio/events`,
      },
      sendgrid: { delayMs: secondMs },
      twilio: { delayMs: secondMs },
    })) as typeof settings;
  });
  afterEach(async () => {
    await sandbox.close();
    await app.close();
  });

  const mailEvents = () => app.posted.flatMap(({ body }) => JSON.parse(body) as MailEvent[]);
  const names = () => mailEvents().map(({ event }) => event);
  const statuses = () => app.posted.map((post) => formOf(post).MessageStatus);
  const itemId = async () => String((await sandbox.items()).at(-1)?.id);

  it('when nobody listens, then nothing is told, and what became of it is known all the same', async () => {
    await sandbox.webhooks({ targets: { sendGridEvents: null, twilioStatus: null } });
    await sandbox.mail('bob@example.test');
    await sandbox.text(phone, { StatusCallback: `${app.url}/somewhere` });
    await sandbox.advance(hourMs);
    assert.deepEqual(app.posted, []);
    assert.deepEqual(
      (await sandbox.items()).map(({ status }) => status),
      ['delivered', 'delivered'],
    );
  });

  it('tells no host but this machine’s', async () => {
    for (const url of [
      'https://example.com/x',
      'http://169.254.169.254/',
      'http://127.0.0.1.example.com/',
      'ftp://localhost/',
    ]) {
      const { status, body } = await sandbox.ask('PATCH', '/webhooks', { targets: { sendGridEvents: url } });
      assert.equal(status, 400, url);
      assert.equal((body.errors as { path: string }[])[0]?.path, 'targets.sendGridEvents');
    }
    for (const url of ['http://localhost:1/x', 'http://127.0.0.1/', 'http://[::1]:1/', 'http://api:4000/x'])
      assert.equal((await sandbox.ask('PATCH', '/webhooks', { targets: { twilioInbound: url } })).status, 200, url);
  });

  describe('of mail', () => {
    it('is signed as SendGrid signs: over the bytes, with the line’s end', async () => {
      await sandbox.mail('bob@example.test', { custom_args: { attemptId: 'a1', email: 'mine@example.test' } });
      await sandbox.advance(10 * secondMs);
      const [first, second] = app.posted;
      assert.ok(first && second && app.posted.length === 2);
      assert.ok(isSignedBySendGrid(first, settings.sendGridPublicKey));
      assert.ok(
        !isSignedBySendGrid({ ...first, body: JSON.stringify(JSON.parse(first.body)) }, settings.sendGridPublicKey),
      );
      assert.ok(!isSignedBySendGrid({ ...first, body: second.body }, settings.sendGridPublicKey));
      const [processed, delivered] = mailEvents();
      assert.deepEqual([processed?.event, delivered?.event], ['processed', 'delivered']);
      assert.deepEqual([processed?.attemptId, processed?.email], ['a1', 'bob@example.test']);
      assert.equal((delivered?.timestamp ?? 0) - (processed?.timestamp ?? 0), 1);
      const [item] = await sandbox.items();
      assert.ok(processed?.sg_message_id?.startsWith(String(item?.providerId)));
      assert.notEqual(processed?.sg_event_id, delivered?.sg_event_id);
    });

    for (const [to, expected, list] of [
      ['bounce@example.test', ['processed', 'bounce'], 'bounces'],
      ['block+7@example.test', ['processed', 'bounce'], 'blocks'],
      ['defer@example.test', ['processed', 'deferred', 'delivered'], undefined],
      ['drop-unsub@example.test', ['dropped'], undefined],
      ['spam@example.test', ['processed', 'delivered', 'spamreport'], 'spam_reports'],
      ['noevents@example.test', [], undefined],
      ['twice@example.test', ['processed', 'processed', 'delivered', 'delivered'], undefined],
      ['bouncer@example.test', ['processed', 'delivered'], undefined],
    ] as const) {
      it(`to ${to}: ${expected.join(', ') || 'nothing'}`, async () => {
        assert.equal((await sandbox.mail(to)).status, 202);
        await sandbox.advance(hourMs);
        assert.deepEqual(names(), expected);
        if (list === undefined) return;
        const listed = (await sandbox.sendGrid('GET', `/v3/suppression/${list}`)).body as unknown as {
          email: string;
        }[];
        assert.deepEqual(
          listed.map(({ email }) => email),
          [to],
        );
      });
    }

    it('tells a block from a bounce, and the same event by the same id', async () => {
      await sandbox.mail('block@example.test');
      await sandbox.mail('bounce@example.test');
      await sandbox.mail('twice@example.test');
      await sandbox.advance(hourMs);
      const types = mailEvents().filter(({ event }) => event === 'bounce');
      assert.deepEqual(
        types.map(({ email, type }) => [email, type]),
        [
          ['block@example.test', 'blocked'],
          ['bounce@example.test', 'bounce'],
        ],
      );
      const twice = mailEvents().filter(({ email }) => email === 'twice@example.test');
      assert.equal(twice[0]?.sg_event_id, twice[1]?.sg_event_id);
    });

    it('when an address has bounced, then the next mail to it is dropped, until it is taken off the list', async () => {
      await sandbox.mail('bounce@example.test');
      await sandbox.advance(hourMs);
      app.posted.length = 0;
      await sandbox.mail('bounce@example.test');
      await sandbox.advance(hourMs);
      assert.deepEqual(
        mailEvents().map(({ event, reason }) => [event, reason]),
        [['dropped', 'Bounced Address']],
      );
      assert.equal((await sandbox.sendGrid('DELETE', '/v3/suppression/bounces/bounce@example.test')).status, 204);
      app.posted.length = 0;
      await sandbox.mail('bounce@example.test');
      await sandbox.advance(hourMs);
      assert.deepEqual(names(), ['processed', 'bounce']);
    });

    it('gathers events when it is told to', async () => {
      await sandbox.webhooks({ sendgrid: { batchMs: 30 * secondMs } });
      await sandbox.mail('bob@example.test');
      await sandbox.mail('ana@example.test');
      await sandbox.advance(20 * secondMs);
      assert.equal(app.posted.length, 0);
      await sandbox.advance(20 * secondMs);
      assert.equal(app.posted.length, 1);
      assert.deepEqual(names().sort(), ['delivered', 'delivered', 'processed', 'processed']);
    });

    it('tells what a test has become of it, and a late bounce that names the address alone', async () => {
      await sandbox.mail('bob@example.test', { custom_args: { attemptId: 'a1' } });
      await sandbox.advance(hourMs);
      app.posted.length = 0;
      const happen = (body: object) => sandbox.ask('POST', '/items/a1/events', body);
      assert.equal((await happen({ event: 'open' })).status, 200);
      assert.equal((await happen({ event: 'bounce', bare: true, fields: { reason: '550 gone' } })).status, 200);
      const [open, bounce] = mailEvents();
      assert.deepEqual([open?.event, open?.attemptId], ['open', 'a1']);
      assert.deepEqual(
        [bounce?.event, bounce?.reason, bounce?.attemptId, bounce?.sg_message_id],
        [...['bounce', '550 gone'], ...[undefined, undefined]],
      );
      const { status, body } = await happen({ event: 'eaten' });
      assert.equal(status, 400);
      assert.match(JSON.stringify(body), /"path":"event".*processed/);
      assert.equal((await sandbox.ask('POST', '/items/nobody/events', { event: 'open' })).status, 404);
    });

    it('hands on what a person answers to a mail, as inbound parse does', async () => {
      await sandbox.mail('bob@example.test', { headers: { 'Message-ID': '<m1@homing.test>' } });
      const { status } = await sandbox.ask('POST', `/items/${await itemId()}/reply`, { text: 'I am here' });
      assert.equal(status, 200);
      const [post] = app.posted;
      assert.equal(post?.path, '/inbound');
      const response = new Response(post.body, { headers: { 'content-type': String(post.headers['content-type']) } });
      const parts = Object.fromEntries(await response.formData()) as Record<string, string>;
      assert.deepEqual(
        [parts.from, parts.to, parts.text, parts.subject],
        [...['bob@example.test', 'homing@example.test', 'I am here', 'Re: Hello']],
      );
      assert.match(parts.headers ?? '', /In-Reply-To: <m1@homing.test>/);
      assert.deepEqual(JSON.parse(parts.envelope ?? ''), { to: ['homing@example.test'], from: 'bob@example.test' });
    });
  });

  describe('of texts', () => {
    it('is signed over the address that the message named, and comes by the target’s', async () => {
      const stated = 'https://chat.example.com/v1/providers/twilio/events?attempt=a1';
      await sandbox.text(phone, { StatusCallback: stated });
      await sandbox.advance(hourMs);
      assert.deepEqual(statuses(), ['queued', 'sending', 'sent', 'delivered']);
      for (const post of app.posted) {
        assert.equal(post.path, '/v1/providers/twilio/events?attempt=a1');
        assert.ok(isSignedByTwilio(post, settings.twilioAuthToken, stated));
        assert.ok(!isSignedByTwilio(post, settings.twilioAuthToken, `${app.url}${post.path}`));
        assert.ok(!isSignedByTwilio(post, 'another token', stated));
      }
    });

    it('leaves out the first status: `accepted` by a messaging service, else `queued`', async () => {
      const { body } = await sandbox.text(phone, { MessagingServiceSid: '', From: '+15005550006' });
      assert.equal(body.status, 'queued');
      assert.equal((await sandbox.text(phone)).body.status, 'accepted');
      await sandbox.advance(hourMs);
      const bySid = Map.groupBy(app.posted.map(formOf), ({ MessageSid }) => MessageSid);
      assert.deepEqual(
        [...bySid.values()].map((forms) => forms.map(({ MessageStatus }) => MessageStatus)),
        [
          ['sending', 'sent', 'delivered'],
          ['queued', 'sending', 'sent', 'delivered'],
        ],
      );
    });

    for (const [code, last] of [
      ['30003', 'undelivered'],
      ['30005', 'undelivered'],
      ['30006', 'undelivered'],
      ['30007', 'undelivered'],
      ['30001', 'failed'],
    ] as const) {
      it(`to a number that ends with ${code}: taken, then ${last}`, async () => {
        assert.equal((await sandbox.text(`+491510${code}`)).status, 201);
        await sandbox.advance(hourMs);
        const forms = app.posted.map(formOf);
        assert.deepEqual([forms.at(-1)?.MessageStatus, forms.at(-1)?.ErrorCode], [last, code]);
        assert.ok(forms.slice(0, -1).every(({ ErrorCode }) => ErrorCode === undefined));
      });
    }

    it('when somebody answers STOP, then the app hears it and they get no text until they answer START', async () => {
      await sandbox.text(phone);
      const id = await itemId();
      const reply = (text: string) => sandbox.ask('POST', `/items/${id}/reply`, { text });
      await reply(' stop ');
      const [post] = app.posted;
      assert.ok(post && isSignedByTwilio(post, settings.twilioAuthToken, `${app.url}/v1/providers/twilio/events`));
      const { From, Body, OptOutType, SmsStatus } = formOf(post);
      assert.deepEqual(
        { From, Body, OptOutType, SmsStatus },
        {
          ...{ From: phone, Body: ' stop ', OptOutType: 'STOP', SmsStatus: 'received' },
        },
      );
      assert.equal((await sandbox.text(phone)).body.code, 21610);
      await reply('stop it please');
      assert.equal(formOf(app.posted.at(-1)!).OptOutType, undefined);
      await reply('START');
      assert.equal((await sandbox.text(phone)).status, 201);
    });
  });

  describe('go wrong as they are told to', () => {
    it('duplicate', async () => {
      await sandbox.webhooks({ sendgrid: { duplicate: 2 } });
      await sandbox.mail('drop-unsub@example.test');
      await sandbox.advance(hourMs);
      assert.deepEqual(names(), ['dropped', 'dropped', 'dropped']);
      assert.equal(new Set(mailEvents().map(({ sg_event_id: id }) => id)).size, 1);
    });

    it('reorder: the last first, each with its own time', async () => {
      await sandbox.webhooks({ sendgrid: { reorder: true }, twilio: { reorder: true } });
      await sandbox.mail('defer@example.test');
      await sandbox.advance(hourMs);
      assert.deepEqual(names(), ['delivered', 'deferred', 'processed']);
      const times = mailEvents().map(({ timestamp }) => timestamp);
      assert.deepEqual(
        times,
        times.toSorted((one, other) => other - one),
      );
      app.posted.length = 0;
      await sandbox.text(phone);
      await sandbox.advance(hourMs);
      assert.deepEqual(statuses(), ['delivered', 'sent', 'sending', 'queued']);
    });

    it('drop: all, some, or those of certain events', async () => {
      await sandbox.webhooks({ sendgrid: { drop: ['processed'] } });
      await sandbox.mail('bob@example.test');
      await sandbox.advance(hourMs);
      assert.deepEqual(names(), ['delivered']);
      await sandbox.webhooks({ sendgrid: { drop: true } });
      await sandbox.mail('bob@example.test');
      await sandbox.advance(hourMs);
      assert.deepEqual(names(), ['delivered']);
      const lost = await sandbox.callbacks('?status=dropped');
      assert.deepEqual(
        lost.map(({ events }) => events[0]),
        ['processed', 'processed', 'delivered'],
      );
    });

    it('sign wrongly', async () => {
      await sandbox.webhooks({ sendgrid: { wrongSignature: true }, twilio: { wrongSignature: true } });
      await sandbox.mail('drop-unsub@example.test');
      await sandbox.text(phone);
      await sandbox.advance(hourMs);
      const [mail, ...texts] = app.posted;
      assert.ok(mail && !isSignedBySendGrid(mail, settings.sendGridPublicKey));
      const url = `${app.url}/v1/providers/twilio/events`;
      assert.ok(texts.length > 0 && texts.every((post) => !isSignedByTwilio(post, settings.twilioAuthToken, url)));
      assert.equal((await sandbox.callbacks('?signature=wrong')).length, app.posted.length);
    });

    it('hold a parameter that nobody knows, signed with the rest', async () => {
      await sandbox.webhooks({ sendgrid: { extraParameter: true }, twilio: { extraParameter: true } });
      await sandbox.mail('drop-unsub@example.test');
      await sandbox.text(phone);
      await sandbox.advance(hourMs);
      const [mail, text] = app.posted;
      assert.ok(mail && text);
      assert.ok('sandbox_extra' in (JSON.parse(mail.body) as object[])[0]!);
      assert.ok(isSignedBySendGrid(mail, settings.sendGridPublicKey));
      assert.ok('sandbox_extra' in formOf(text));
      assert.ok(isSignedByTwilio(text, settings.twilioAuthToken, `${app.url}/v1/providers/twilio/events`));
    });

    it('come again, with growing gaps, for as long as SendGrid does, when they are not answered with 2xx', async () => {
      app.status = 503;
      await sandbox.mail('drop-unsub@example.test');
      await sandbox.advance(secondMs);
      const minuteMs = 60 * secondMs;
      const tries: number[] = [];
      for (const gapMs of [0, minuteMs, minuteMs, minuteMs]) {
        await sandbox.advance(gapMs);
        tries.push(app.posted.length);
      }
      assert.deepEqual(tries, [1, 2, 2, 3]);
      await sandbox.advance(24 * hourMs);
      assert.equal(app.posted.length, 11);
      assert.equal(new Set(mailEvents().map(({ sg_event_id: id }) => id)).size, 1);
      assert.deepEqual(
        (await sandbox.callbacks()).map(({ attempt }) => attempt),
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
      );
    });

    it('follow no redirect, which could lead anywhere', async () => {
      app.status = 307;
      await sandbox.mail('drop-unsub@example.test');
      await sandbox.advance(secondMs);
      assert.deepEqual(
        app.posted.map(({ path }) => path),
        ['/v1/providers/sendgrid/events'],
      );
      assert.equal((await sandbox.callbacks())[0]?.status, 307);
    });

    it('stop once they are answered, and know when nobody is there', async () => {
      await sandbox.webhooks({ twilio: { retries: 2 } });
      app.status = 500;
      await sandbox.text('+49151030001');
      await sandbox.advance(secondMs);
      app.status = 204;
      await sandbox.advance(24 * hourMs);
      assert.deepEqual(
        (await sandbox.callbacks()).map(({ status }) => status),
        [500, 204, 204],
      );
      await app.close();
      await sandbox.mail('drop-unsub@example.test');
      await sandbox.advance(secondMs);
      assert.equal((await sandbox.callbacks('?provider=sendgrid'))[0]?.status, 'unreachable');
      app = await startReceiver();
    });
  });

  it('takes keys from whoever starts it, so that they outlive it', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'der' },
    });
    const own = await startStill({ sendGridKey: privateKey, twilioAuthToken: 'token' });
    const { body } = await own.ask('GET', '/webhooks');
    assert.deepEqual([body.sendGridPublicKey, body.twilioAuthToken], [publicKey.toString('base64'), 'token']);
    const read = await own.sendGrid('GET', '/v3/user/webhooks/event/settings/signed');
    assert.equal(read.body.public_key, body.sendGridPublicKey);
    await own.close();
  });
});
