import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import sendGridClient from '@sendgrid/client';
import sendGridMail from '@sendgrid/mail';
import { initializeApp } from 'firebase-admin/app';
import { type Message, type Messaging, getMessaging } from 'firebase-admin/messaging';
import twilio from 'twilio';
import type { RequestRecord } from '../../sandbox/store.ts';
import { type Still, account, hourMs, service, startStill } from './support.ts';

// The packages' types leave out their classes.
const { Client } = sendGridClient as unknown as { Client: new () => typeof sendGridClient };
const { MailService } = sendGridMail as unknown as { MailService: new () => typeof sendGridMail };

const phone = '+4915112345678';

/** The three official SDKs, unmodified, over the tables of what they make of each answer. */
describe('the sandbox, by the official SDKs', () => {
  let sandbox: Still;
  beforeEach(async () => {
    sandbox = await startStill();
  });
  afterEach(() => sandbox.close());

  const calls = async () => (await sandbox.ask('GET', '/requests.json')).body.requests as RequestRecord[];
  const failure = async (work: () => Promise<unknown>): Promise<Record<string, unknown>> => {
    let thrown: unknown;
    await work().catch((error: unknown) => (thrown = error));
    assert.ok(thrown instanceof Error, 'it was refused');
    return thrown as unknown as Record<string, unknown>;
  };

  describe('firebase-admin', () => {
    /** The SDK speaks HTTPS to its own host; the agent carries the same request here. */
    const open = (): Messaging => {
      const { hostname, port } = new URL(sandbox.url);
      const httpAgent = Object.assign(new Agent(), {
        protocol: 'https:',
        createConnection: () => connect({ host: hostname, port: Number(port) }),
      });
      const credential = { getAccessToken: async () => ({ access_token: 'x', expires_in: 3_600 }) };
      const app = initializeApp({ projectId: 'project', credential, httpAgent }, crypto.randomUUID());
      return getMessaging(app);
    };
    const send = (message: object = {}) => open().send({ token: 'ok-1', ...message } as Message);

    it('sends all that a message may hold, by its own spelling', async () => {
      const name = await send({
        data: { attemptId: 'a1' },
        notification: { title: 'Ana', body: 'canary' },
        android: { ttl: 60_000, priority: 'high', collapseKey: 'c1' },
        apns: {
          headers: { 'apns-collapse-id': 'c1' },
          payload: { aps: { alert: { title: 'Ana', body: 'canary' }, badge: 2, threadId: 't1' } },
        },
        webpush: { headers: { Urgency: 'high' } },
        fcmOptions: { analyticsLabel: 'label' },
      });
      const [item] = await sandbox.items();
      assert.equal(name, `projects/project/messages/${item?.id}`);
      assert.deepEqual(
        [item?.title, item?.badge, item?.collapseKey, item?.threadId, item?.attemptId],
        [...['Ana', 2, 'c1', 't1', 'a1']],
      );
      assert.equal(item?.silent, undefined);
      await send({ data: { kind: 'clear', tag: 'c1' } });
      assert.equal((await sandbox.items()).at(-1)?.silent, true);
    });

    it('sends to topics, and tries without sending', async () => {
      await open().send({ topic: 'news', data: { x: '1' } });
      await open().send({ token: 'ok-1' }, true);
      assert.deepEqual(
        (await sandbox.items()).map(({ to }) => to),
        ['/topics/news'],
      );
    });

    for (const [error, code, status] of [
      ['UNREGISTERED', 'messaging/registration-token-not-registered', 404],
      ['NOT_FOUND', 'messaging/registration-token-not-registered', 404],
      ['SENDER_ID_MISMATCH', 'messaging/mismatched-credential', 403],
      ['PERMISSION_DENIED', 'messaging/mismatched-credential', 403],
      ['INVALID_TOKEN', 'messaging/invalid-argument', 400],
      ['INVALID_ARGUMENT', 'messaging/invalid-argument', 400],
      ['UNAUTHENTICATED', 'messaging/third-party-auth-error', 401],
      ['THIRD_PARTY_AUTH_ERROR', 'messaging/third-party-auth-error', 401],
      ['QUOTA_EXCEEDED', 'messaging/message-rate-exceeded', 429],
      ['INTERNAL', 'messaging/internal-error', 500],
    ] as const) {
      it(`meets ${error} as ${code}, and does not try again`, async () => {
        await sandbox.rule({ provider: 'fcm', action: { error } });
        const { code: met, httpResponse } = await failure(() => send());
        assert.deepEqual([met, (httpResponse as { status?: number }).status], [code, status]);
        assert.equal((await calls()).length, 1);
      });
    }

    it('tries again by itself when FCM is unavailable, and by what Retry-After says', async () => {
      await sandbox.rule({ provider: 'fcm', count: 1, action: { error: 'UNAVAILABLE' } });
      await send();
      assert.deepEqual(
        (await calls()).map(({ status }) => status),
        [503, 200],
      );
      await sandbox.rule({ provider: 'fcm', action: { status: 503, headers: { 'retry-after': '61' }, body: {} } });
      await failure(() => send());
      assert.equal((await calls()).length, 3, 'it gives up at once on a wait of more than a minute');
    });

    for (const [why, message] of [
      ['more than 4,096 bytes', { data: { x: 'y'.repeat(4_100) } }],
      ['more than 2,048 bytes to a topic', { token: undefined, topic: 'news', data: { x: 'y'.repeat(2_100) } }],
      ['a name that is reserved', { data: { 'google.x': '1' } }],
      ['a time to live of more than four weeks', { android: { ttl: 2_419_201_000 } }],
      ['a collapse id of more than 64 bytes', { apns: { headers: { 'apns-collapse-id': 'é'.repeat(33) } } }],
    ] as const) {
      it(`is refused ${why}`, async () => {
        const { code, httpResponse } = await failure(() => send(message));
        assert.equal(code, 'messaging/invalid-argument');
        assert.equal((httpResponse as { status?: number }).status, 400);
      });
    }

    it('meets dead and foreign tokens as FCM tells them', async () => {
      for (const [token, code] of [
        ['dead-1', 'messaging/registration-token-not-registered'],
        ['mismatch-1', 'messaging/mismatched-credential'],
        ['badarg-1', 'messaging/invalid-argument'],
        ['quota-1', 'messaging/message-rate-exceeded'],
      ])
        assert.equal((await failure(() => send({ token }))).code, code);
    });

    it('does not know what came of an answer that it cannot read', async () => {
      await sandbox.rule({ provider: 'fcm', action: { malformed: true } });
      assert.equal((await failure(() => send())).code, 'messaging/unknown-error');
      assert.equal((await sandbox.items()).length, 1);
    });
  });

  describe('@sendgrid/mail and @sendgrid/client', () => {
    const open = () => {
      const client = new Client();
      const mail = new MailService();
      mail.setClient(client);
      mail.setApiKey('SG.x');
      // The other order is silently undone by setApiKey.
      client.setDefaultRequest('baseUrl', `${sandbox.url}/`);
      return { client, mail };
    };
    const from = 'homing@example.test';
    const send = (extra: object = {}) =>
      open().mail.send({ to: 'bob@example.test', from, subject: 'Hello', text: 'canary', ...extra } as never);
    const read = async (method: 'GET' | 'DELETE', url: string, body?: object) => {
      const [response] = await open().client.request({ method, url, ...(body ? { body } : {}) });
      return { status: response.statusCode, body: response.body as unknown };
    };

    it('sends, and learns the id that the events begin with', async () => {
      const [{ statusCode, headers }] = await send({ customArgs: { attemptId: 'a1' }, categories: ['news'] });
      const [item] = await sandbox.items();
      assert.equal(statusCode, 202);
      assert.equal((headers as Record<string, string>)['x-message-id'], item?.providerId);
      assert.deepEqual([item?.attemptId, item?.categories], ['a1', ['news']]);
    });

    it('sends one mail to several, each of whom gets one', async () => {
      await send({ to: ['a@example.test', 'b@example.test'], cc: 'c@example.test', bcc: 'd@example.test' });
      assert.equal((await sandbox.items()).length, 4);
    });

    it('tries without sending', async () => {
      const [{ statusCode }] = await send({ mailSettings: { sandboxMode: { enable: true } } });
      assert.equal(statusCode, 200);
      assert.deepEqual(await sandbox.items(), []);
    });

    for (const [error, status] of [
      ['BAD_REQUEST', 400],
      ['UNAUTHORIZED', 401],
      ['FORBIDDEN', 403],
      ['NOT_FOUND', 404],
      ['METHOD_NOT_ALLOWED', 405],
      ['PAYLOAD_TOO_LARGE', 413],
      ['RATE_LIMITED', 429],
      ['INTERNAL', 500],
      ['UNAVAILABLE', 503],
    ] as const) {
      it(`meets ${error} as ${status} with its errors, and does not try again`, async () => {
        await sandbox.rule({ provider: 'sendgrid', action: { error } });
        const { code, response } = await failure(() => send());
        assert.equal(code, status);
        const { errors } = (response as { body: { errors: { message: string }[] } }).body;
        assert.ok(errors[0]?.message);
        assert.equal((await calls()).length, 1);
      });
    }

    for (const [field, extra] of [
      ['personalizations.0.to.0.email', { to: { email: 'nobody', name: 'x' } }],
      ['personalizations', { to: ['bob@example.test', 'BOB@example.test'] }],
      ['personalizations', { to: Array.from({ length: 1_001 }, (_, n) => `p${n}@example.test`) }],
      ['from.email', { from: 'nobody' }],
      ['subject', { subject: '' }],
      ['custom_args', { customArgs: { x: 'y'.repeat(10_001) } }],
      ['categories', { categories: Array.from({ length: 11 }, (_, n) => `c${n}`) }],
      ['categories', { categories: ['c'.repeat(256)] }],
      ['send_at', { sendAt: Math.floor(Date.now() / 1_000) + 260_000 }],
      ['headers.Reply-To', { headers: { 'Reply-To': 'x@example.test' } }],
      ['headers.dkim-signature', { headers: { 'dkim-signature': 'x' } }],
      ['asm.groups_to_display', { asm: { groupId: 1, groupsToDisplay: Array.from({ length: 26 }, (_, n) => n) } }],
    ] as const) {
      it(`is refused by ${field}: ${JSON.stringify(extra).slice(0, 40)}`, async () => {
        const { code, response } = await failure(() => send(extra));
        const { errors } = (response as { body: { errors: { field: string }[] } }).body;
        assert.deepEqual([code, errors[0]?.field], [400, field]);
      });
    }

    it('reads and clears the lists of those who get no mail', async () => {
      for (const to of ['bounce@example.test', 'block@example.test', 'spam@example.test', 'bob@example.test'])
        await send({ to });
      await sandbox.advance(hourMs);
      const { body } = await read('GET', '/v3/suppression/bounces');
      const [bounce] = body as { email: string; reason: string; status: string; created: number }[];
      assert.deepEqual([bounce?.email, bounce?.status], ['bounce@example.test', '5.1.1']);
      assert.ok((bounce?.created ?? 0) > 1_700_000_000 && bounce?.reason.startsWith('550'));
      assert.equal(((await read('GET', '/v3/suppression/blocks/block@example.test')).body as object[]).length, 1);
      assert.equal((await read('DELETE', '/v3/suppression/bounces/bounce@example.test')).status, 204);
      assert.deepEqual((await read('GET', '/v3/suppression/bounces')).body, []);
      assert.equal((await read('DELETE', '/v3/suppression/spam_reports', { delete_all: true })).status, 204);
      assert.deepEqual((await read('GET', '/v3/suppression/spam_reports')).body, []);
      assert.equal((await failure(() => read('DELETE', '/v3/suppression/bounces/nobody@example.test'))).code, 404);
      assert.deepEqual((await read('GET', '/v3/suppression/invalid_emails')).body, []);
    });

    it('reads and clears unsubscribes, of everything and of one group', async () => {
      await send({ asm: { groupId: 2 } });
      const [item] = await sandbox.items();
      const happen = (body: object) => sandbox.ask('POST', `/items/${item?.id}/events`, body);
      await happen({ event: 'group_unsubscribe', fields: { asm_group_id: 2 } });
      await happen({ event: 'unsubscribe' });
      const group = (await read('GET', '/v3/asm/groups/2')).body as { unsubscribes: number };
      assert.equal(group.unsubscribes, 1);
      assert.equal(((await read('GET', '/v3/asm/groups')).body as object[]).length, 2);
      assert.deepEqual((await read('GET', '/v3/asm/groups/2/suppressions')).body, ['bob@example.test']);
      const everything = '/v3/asm/suppressions/global/bob@example.test';
      assert.deepEqual((await read('GET', everything)).body, { recipient_email: 'bob@example.test' });
      assert.equal((await read('DELETE', everything)).status, 204);
      assert.deepEqual((await read('GET', everything)).body, {});
      await send({ asm: { groupId: 2 } });
      await sandbox.advance(hourMs);
      assert.equal((await sandbox.items()).at(-1)?.status, 'dropped', 'the group still stands');
      assert.equal((await read('DELETE', '/v3/asm/groups/2/suppressions/bob@example.test')).status, 204);
      await send({ asm: { groupId: 2 } });
      await sandbox.advance(hourMs);
      assert.equal((await sandbox.items()).at(-1)?.status, 'delivered');
      assert.equal((await failure(() => read('GET', '/v3/asm/groups/9'))).code, 404);
    });

    it('reads scopes and the webhook’s key, with a key of its own alone', async () => {
      assert.ok(((await read('GET', '/v3/scopes')).body as { scopes: string[] }).scopes.includes('mail.send'));
      const signed = (await read('GET', '/v3/user/webhooks/event/settings/signed')).body as { public_key: string };
      assert.equal(Buffer.from(signed.public_key, 'base64').length, 91);
      assert.equal((await sandbox.ask('GET', '/v3/scopes')).status, 401);
    });
  });

  describe('twilio', () => {
    /** The way that the library's maintainers recommend. */
    const open = () => {
      class ToSandbox extends twilio.RequestClient {
        override request: typeof twilio.RequestClient.prototype.request = (options) => {
          const { pathname, search } = new URL(options.uri);
          options.uri = `${sandbox.url}${pathname}${search}`;
          return twilio.RequestClient.prototype.request.call(this, options) as never;
        };
      }
      return twilio(account, 'secret', { httpClient: new ToSandbox({}) });
    };
    const create = (extra: object = {}) =>
      open().messages.create({ to: phone, body: 'canary', messagingServiceSid: service, ...extra });

    it('sends, and looks it up: a sender and segments once they are chosen', async () => {
      const sent = await create({ statusCallback: 'https://chat.example.com/x?attempt=a1' });
      assert.deepEqual([sent.status, sent.numSegments, sent.from], ['accepted', '0', null]);
      assert.equal((await sandbox.items())[0]?.attemptId, 'a1');
      await sandbox.advance(hourMs);
      const found = await open().messages(sent.sid).fetch();
      assert.deepEqual([found.status, found.numSegments, found.body], ['delivered', '1', 'canary']);
      assert.ok(found.from && found.dateSent instanceof Date);
      assert.equal(
        (
          await failure(() =>
            open()
              .messages(`SM${'0'.repeat(32)}`)
              .fetch(),
          )
        ).code,
        20404,
      );
    });

    it('learns why a text was not delivered', async () => {
      const { sid } = await create({ to: '+49151030003' });
      await sandbox.advance(hourMs);
      const { status, errorCode, errorMessage } = await open().messages(sid).fetch();
      assert.deepEqual([status, errorCode, errorMessage], ['undelivered', 30003, 'Unreachable destination handset']);
    });

    it('lists by recipient and time, the newest first, page after page', async () => {
      for (let n = 0; n < 5; n += 1) await create({ body: `text ${n}` });
      await create({ to: '+4915112345679' });
      const found = await open().messages.list({ to: phone, pageSize: 2 });
      assert.deepEqual(
        found.map(({ body }) => body),
        ['text 4', 'text 3', 'text 2', 'text 1', 'text 0'],
      );
      const later = new Date(Date.now() + hourMs);
      assert.deepEqual(await open().messages.list({ to: phone, dateSentAfter: later }), []);
    });

    it('by the address of one product, too', async () => {
      const client = twilio(account, 'secret');
      client.api.baseUrl = sandbox.url;
      assert.equal(
        (await client.messages.create({ to: phone, body: 'x', messagingServiceSid: service })).status,
        'accepted',
      );
    });

    it('cancels what waits for its time, and nothing else; blanks what was sent', async () => {
      const cancel = (sid: string) => open().messages(sid).update({ status: 'canceled' });
      const sendAt = new Date(Date.now() + hourMs);
      const waiting = await create({ scheduleType: 'fixed', sendAt });
      const kept = await create({ scheduleType: 'fixed', sendAt });
      assert.equal(waiting.status, 'scheduled');
      assert.equal((await cancel(waiting.sid)).status, 'canceled');
      await sandbox.advance(24 * hourMs);
      assert.equal((await open().messages(waiting.sid).fetch()).status, 'canceled');
      assert.equal((await open().messages(kept.sid).fetch()).status, 'delivered');
      assert.equal((await failure(() => cancel(kept.sid))).code, 30409);
      assert.equal((await open().messages(kept.sid).update({ body: '' })).body, '');
    });

    it('looks up the account and the messaging service', async () => {
      assert.equal((await open().api.v2010.accounts(account).fetch()).status, 'active');
      assert.equal((await open().messaging.v1.services(service).fetch()).sid, service);
      assert.equal((await failure(() => open().messaging.v1.services('MG0').fetch())).code, 20404);
    });

    for (const [code, extra] of [
      [21211, { to: '0151' }],
      [21603, { messagingServiceSid: undefined }],
      [21602, { body: '' }],
      [21617, { body: 'x'.repeat(1_601) }],
      [21624, { validityPeriod: 36_001 }],
      [21609, { statusCallback: 'http://my_host/x' }],
      [35114, { scheduleType: 'fixed', sendAt: new Date(Date.now() + 60_000) }],
      [35114, { scheduleType: 'fixed', sendAt: new Date(Date.now() + 36 * 24 * hourMs) }],
    ] as const) {
      it(`is refused with ${code}: ${JSON.stringify(extra).slice(0, 40)}`, async () => {
        const { code: met, status, moreInfo } = await failure(() => create(extra));
        assert.deepEqual([met, status], [code, 400]);
        assert.equal(moreInfo, `https://www.twilio.com/docs/errors/${code}`);
      });
    }

    for (const [error, status] of [
      ['14107', 400],
      ['20003', 401],
      ['20429', 429],
      ['20500', 500],
      ['20503', 503],
      ['21408', 403],
      ['21610', 400],
      ['21612', 400],
      ['21703', 400],
      ['30002', 400],
      ['30034', 400],
    ] as const) {
      it(`meets ${error} with its status, and does not try again`, async () => {
        await sandbox.rule({ provider: 'twilio', action: { error } });
        const thrown = await failure(() => create());
        assert.deepEqual([thrown.code, thrown.status], [Number(error), status]);
        assert.equal((await calls()).length, 1);
      });
    }

    it('is refused an account that is not its own', async () => {
      const other = `AC${'c'.repeat(32)}`;
      assert.equal((await failure(() => open().api.v2010.accounts(other).messages.list())).code, 20003);
    });
  });
});
