import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import type { EmailMessage, PushMessage, SendOutcome, SmsMessage } from '../../domain/deps.ts';
import { createEmailSender } from '../../platform/senders/email.ts';
import { createPushSender } from '../../platform/senders/push.ts';
import { createSmsSender } from '../../platform/senders/sms.ts';
import { type Sandbox, startSandbox } from '../../sandbox/index.ts';
import type { Item } from '../../sandbox/store.ts';

const credentials = { apiKey: 'SG.canary-key', authToken: 'canary-auth-token', accountSid: `AC${'a'.repeat(32)}` };
const pushMessage = (token: string): PushMessage => ({
  token,
  platform: 'android',
  attemptId: 'attempt-1',
  conversationKey: 'conversation-1',
  title: 'Ana',
  body: 'canary text',
  data: { conversationId: 'c1', attemptId: 'attempt-1' },
  badge: 3,
  urgent: false,
  sound: true,
  ttlSeconds: 3_600,
});
const mail = (to: string, extra: Partial<EmailMessage> = {}): EmailMessage => ({
  to,
  attemptId: 'attempt-2',
  subject: 'Hello',
  text: 'canary text',
  html: '<p>canary text</p>',
  messageId: '<attempt-2@homing.test>',
  ...extra,
});
const text = (to: string): SmsMessage => ({ to, attemptId: 'attempt-3', body: 'canary text', validitySeconds: 600 });

/** The official SDKs, unmodified, against the sandbox; and what our senders make of each answer. */
describe('the senders', () => {
  let sandbox: Sandbox;
  let senders: {
    push: ReturnType<typeof createPushSender>;
    email: ReturnType<typeof createEmailSender>;
    sms: ReturnType<typeof createSmsSender>;
  };
  before(async () => {
    sandbox = await startSandbox();
    const baseUrl = sandbox.url;
    const messagingServiceSid = `MG${'b'.repeat(32)}`;
    senders = {
      push: createPushSender({ projectId: 'canary-project', baseUrl }),
      email: createEmailSender({
        apiKey: credentials.apiKey,
        from: { email: 'homing@example.test', name: 'Homing' },
        baseUrl,
        timeoutMs: 400,
      }),
      sms: createSmsSender({
        ...credentials,
        messagingServiceSid,
        baseUrl,
        timeoutMs: 400,
        statusCallbackUrl: 'https://homing.test/twilio',
      }),
    };
  });
  after(() => sandbox.close());
  afterEach(async () => {
    await fetch(`${sandbox.url}/rules`, { method: 'DELETE' });
    await fetch(`${sandbox.url}/clear`, { method: 'POST' });
  });

  const send = (provider: string): Promise<SendOutcome> =>
    ({
      fcm: () => senders.push.send(pushMessage('ok-canary-token')),
      sendgrid: () => senders.email.send(mail('canary@example.test')),
      twilio: () => senders.sms.send(text('+4915112345678')),
    })[provider as 'fcm']();
  const rule = async (body: object) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${sandbox.url}/rules`, { method: 'POST', headers, body: JSON.stringify(body) });
    assert.equal(response.status, 201, await response.text());
  };
  const items = async () => ((await (await fetch(`${sandbox.url}/inbox.json`)).json()) as { items: Item[] }).items;
  const tell = (outcome: SendOutcome) => (outcome.class === 'ok' ? 'ok' : `${outcome.class} ${outcome.code}`);

  it('push what the phone needs, and replace by conversation', async () => {
    assert.equal((await send('fcm')).class, 'ok');
    const [item] = await items();
    assert.deepEqual(
      [item?.to, item?.title, item?.text, item?.badge, item?.collapseKey, item?.attemptId],
      ['ok-canary-token', 'Ana', 'canary text', 3, 'conversation-1', 'attempt-1'],
    );
    assert.equal(item?.data?.tag, 'conversation-1');
  });

  it('push loudly, silently or urgently, as they are told', async () => {
    const heard = async (extra: Partial<PushMessage>) => {
      await fetch(`${sandbox.url}/clear`, { method: 'POST' });
      assert.equal((await senders.push.send({ ...pushMessage('ok-canary-token'), ...extra })).class, 'ok');
      const [item] = await items();
      return [item?.data?.sound, item?.sound ?? null, item?.interruption ?? null];
    };
    assert.deepEqual(await heard({}), ['on', 'default', 'active']);
    assert.deepEqual(await heard({ sound: false }), ['off', null, 'passive']);
    assert.deepEqual(await heard({ urgent: true }), ['on', 'default', 'time-sensitive']);
  });

  it('push without a word to the person', async () => {
    const data = { kind: 'clear', conversations: '[]', badgeRevision: '2' };
    const silent = { token: 'ok-canary-token', platform: 'android' as const, data, badge: 0, ttlSeconds: 60 };
    assert.equal((await senders.push.sendSilently(silent)).class, 'ok');
    const [item] = await items();
    assert.deepEqual([item?.silent, item?.badge, item?.text, item?.sound], [true, 0, '', undefined]);
    assert.deepEqual(item?.data, { ...data, badge: '0' });
    const { requests } = (await (await fetch(`${sandbox.url}/requests.json`)).json()) as {
      requests: { body: { message: { android: object; apns: { headers: object; payload: { aps: object } } } } }[];
    };
    const [sent] = requests.map(({ body }) => body.message);
    assert.deepEqual(
      [
        (sent?.android as { priority?: string } | undefined)?.priority,
        (sent?.apns.headers as Record<string, string> | undefined)?.['apns-priority'],
        (sent?.apns.payload.aps as Record<string, number> | undefined)?.['content-available'],
      ],
      ['normal', '5', 1],
    );
  });

  it('mail with an own Message-ID, a thread and no tracking; header values cannot end a header', async () => {
    const references = '<c1@homing.test>\r\nBcc: everybody@example.test';
    assert.equal((await senders.email.send(mail('bob@example.test', { references, subject: 'a\r\nb' }))).class, 'ok');
    const [item] = await items();
    assert.equal(item?.headers?.['Message-ID'], '<attempt-2@homing.test>');
    assert.equal(item?.headers?.References, '<c1@homing.test> Bcc: everybody@example.test');
    assert.deepEqual([item?.title, item?.attemptId, item?.html], ['a b', 'attempt-2', '<p>canary text</p>']);
  });

  it('text by the messaging service, with the attempt in the callback, and find a text again', async () => {
    const since = new Date();
    const sent = await senders.sms.send(text('+4915112345678'));
    assert.ok(sent.class === 'ok' && sent.providerId.startsWith('SM'));
    const [item] = await items();
    assert.deepEqual([item?.to, item?.attemptId, item?.segments], ['+4915112345678', 'attempt-3', 1]);
    assert.deepEqual(await senders.sms.find({ to: '+4915112345678', holding: 'canary text', since }), {
      providerId: sent.providerId,
    });
    assert.equal(await senders.sms.find({ to: '+4915112345678', holding: 'other words', since }), null);
  });

  const table: [string, string, string][] = [
    ['fcm', 'UNREGISTERED', 'recipient_dead UNREGISTERED'],
    ['fcm', 'NOT_FOUND', 'config_outage NOT_FOUND'],
    ['fcm', 'SENDER_ID_MISMATCH', 'recipient_dead SENDER_ID_MISMATCH'],
    ['fcm', 'PERMISSION_DENIED', 'config_outage PERMISSION_DENIED'],
    ['fcm', 'INVALID_TOKEN', 'recipient_dead INVALID_ARGUMENT'],
    ['fcm', 'INVALID_ARGUMENT', 'content_rejected INVALID_ARGUMENT'],
    ['fcm', 'UNAUTHENTICATED', 'config_outage UNAUTHENTICATED'],
    ['fcm', 'THIRD_PARTY_AUTH_ERROR', 'config_outage THIRD_PARTY_AUTH_ERROR'],
    ['fcm', 'QUOTA_EXCEEDED', 'throttled QUOTA_EXCEEDED'],
    ['fcm', 'INTERNAL', 'transient INTERNAL'],
    ['sendgrid', 'UNAUTHORIZED', 'config_outage 401'],
    ['sendgrid', 'FORBIDDEN', 'config_outage 403'],
    ['sendgrid', 'BAD_REQUEST', 'content_rejected 400 subject'],
    ['sendgrid', 'INVALID_TO', 'recipient_dead 400 to'],
    ['sendgrid', 'RATE_LIMITED', 'throttled 429'],
    ['sendgrid', 'INTERNAL', 'transient 500'],
    ['sendgrid', 'UNAVAILABLE', 'transient 503'],
    ['twilio', '20003', 'config_outage 20003'],
    ['twilio', '20429', 'throttled 20429'],
    ['twilio', '20500', 'transient 20500'],
    ['twilio', '20503', 'transient 20503'],
    ['twilio', '21211', 'recipient_dead 21211'],
    ['twilio', '21408', 'config_outage 21408'],
    ['twilio', '21610', 'recipient_opted_out 21610'],
    ['twilio', '21614', 'recipient_dead 21614'],
    ['twilio', '21617', 'content_rejected 21617'],
    ['twilio', '30003', 'recipient_soft 30003'],
    ['twilio', '30005', 'recipient_dead 30005'],
    ['twilio', '30007', 'content_rejected 30007'],
    ['twilio', '14107', 'throttled 14107'],
    ['twilio', '20005', 'config_outage 20005'],
    ['twilio', '21214', 'recipient_dead 21214'],
    ['twilio', '21217', 'recipient_dead 21217'],
    ['twilio', '21602', 'content_rejected 21602'],
    ['twilio', '21603', 'config_outage 21603'],
    ['twilio', '21606', 'config_outage 21606'],
    ['twilio', '21609', 'config_outage 21609'],
    ['twilio', '21611', 'throttled 21611'],
    ['twilio', '21612', 'recipient_dead 21612'],
    ['twilio', '21624', 'content_rejected 21624'],
    ['twilio', '21703', 'config_outage 21703'],
    ['twilio', '30001', 'throttled 30001'],
    ['twilio', '30002', 'config_outage 30002'],
    ['twilio', '30004', 'recipient_soft 30004'],
    ['twilio', '30006', 'recipient_dead 30006'],
    ['twilio', '30008', 'recipient_soft 30008'],
    ['twilio', '30017', 'transient 30017'],
    ['twilio', '30022', 'throttled 30022'],
    ['twilio', '30023', 'throttled 30023'],
    ['twilio', '30034', 'config_outage 30034'],
    ['twilio', '30410', 'transient 30410'],
    ['twilio', '30450', 'throttled 30450'],
    ['sendgrid', 'NOT_FOUND', 'content_rejected 404'],
    ['sendgrid', 'METHOD_NOT_ALLOWED', 'content_rejected 405'],
    ['sendgrid', 'PAYLOAD_TOO_LARGE', 'content_rejected 413'],
  ];
  for (const [provider, error, expected] of table) {
    it(`take ${provider}’s ${error} for ${expected}, and nothing was sent`, async () => {
      await rule({ provider, action: { error } });
      assert.equal(tell(await send(provider)), expected);
      assert.deepEqual(await items(), []);
    });
  }

  for (const provider of ['fcm', 'sendgrid', 'twilio']) {
    it(`do not know what came of a call to ${provider} that was cut after it was taken`, async () => {
      // FCM's SDK tries a reset connection again by itself: every try is cut.
      await rule({ provider, action: { cut: 'after' } });
      assert.match(tell(await send(provider)), /^ambiguous /);
      assert.ok((await items()).length > 0, 'it was taken all the same');
    }).timeout(60_000);

    it(`know that ${provider} took nothing when a proxy answers 503 in its place`, async () => {
      await rule({ provider, count: 1, action: { status: 500, body: '<html>no</html>' } });
      assert.match(tell(await send(provider)), /^transient /);
      assert.deepEqual(await items(), []);
    });

    it(`call a gateway's time-out at ${provider} unknown`, async () => {
      await rule({ provider, action: { status: 504, body: '<html>timeout</html>' } });
      assert.match(tell(await send(provider)), /^ambiguous /);
    });

    it(`let nothing personal or secret out of ${provider}'s failures`, async () => {
      const secrets = [
        'canary-key',
        'canary-auth-token',
        'canary-token',
        'canary@example.test',
        '15112345678',
        'canary text',
      ];
      for (const action of [
        { status: 500, body: 'no' },
        { status: 401, body: {} },
        { cut: 'before' },
        { status: 400, body: { error: 'canary text' } },
      ]) {
        await fetch(`${sandbox.url}/rules`, { method: 'DELETE' });
        await rule({ provider, action });
        const outcome = await send(provider);
        assert.notEqual(outcome.class, 'ok');
        const all = inspect(outcome, { depth: 10, showHidden: true }) + JSON.stringify(outcome);
        for (const secret of secrets) assert.ok(!all.includes(secret), `${secret} in ${all}`);
      }
    }).timeout(60_000);
  }

  for (const provider of ['fcm', 'twilio']) {
    it(`do not know what came of an answer of ${provider} that says yes and cannot be read`, async () => {
      await rule({ provider, action: { malformed: true } });
      assert.match(tell(await send(provider)), /^ambiguous /);
      assert.equal((await items()).length, 1, 'it was taken');
    });
  }

  for (const provider of ['sendgrid', 'twilio']) {
    it(`give up on a ${provider} that hangs, and say that they do not know`, async () => {
      await rule({ provider, action: { hang: true } });
      assert.match(tell(await send(provider)), /^ambiguous /);
    });
  }

  it('take the provider’s own wish when to come again', async () => {
    await rule({
      provider: 'fcm',
      action: { status: 429, headers: { 'retry-after': '7' }, body: { error: { status: 'RESOURCE_EXHAUSTED' } } },
    });
    const outcome = await send('fcm');
    assert.ok(outcome.class === 'throttled' && outcome.retryAfterMs === 7_000);
  });

  it('say that nothing was sent when nobody listens', async () => {
    const gone = await startSandbox();
    await gone.close();
    const sender = createEmailSender({ apiKey: 'SG.x', from: { email: 'a@b.test', name: 'x' }, baseUrl: gone.url });
    assert.equal(tell(await sender.send(mail('bob@example.test'))), 'transient ECONNREFUSED');
  });
});
