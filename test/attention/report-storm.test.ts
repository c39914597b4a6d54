import assert from 'node:assert/strict';
import { randomBytes, randomUUIDv7 } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { limits } from '../../contracts/limits.ts';
import type { ReportDoor, ReportPost } from '../../domain/deps.ts';
import { applyReports, takeReports } from '../../domain/attention/index.ts';
import { replayUnreadable, unreadableReports } from '../../domain/support/index.ts';
import { readConfig } from '../../platform/config.ts';
import { createReportDoors } from '../../platform/webhooks/index.ts';
import { SendGridKey, signTwilio } from '../../sandbox/signatures.ts';
import { createRandom } from '../history/random.ts';
import { type ByHand, attentionByHand } from '../support/by-hand.ts';

const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 86_400_000];
const seed = Number(process.env.REPORT_SEED ?? Math.floor(Math.random() * 2 ** 31));

describe('reports by the thousand', () => {
  let hand: ByHand;
  let doors: { sendgrid: ReportDoor; twilio: ReportDoor };
  let key: SendGridKey;
  const path = { sendgrid: '/v1/providers/sendgrid/events', twilio: '/v1/providers/twilio/events' };
  before(async function () {
    this.timeout(60_000);
    hand = await attentionByHand();
    const all = createReportDoors(readConfig(hand.app.env));
    doors = { sendgrid: all[path.sendgrid] as ReportDoor, twilio: all[path.twilio] as ReportDoor };
    key = new SendGridKey(hand.app.env.SANDBOX_SENDGRID_KEY);
  });
  after(() => hand.close());
  beforeEach(() => hand.reset());

  const postOf = (events: readonly object[]): ReportPost => {
    const [body, timestamp] = [`${JSON.stringify(events)}\r\n`, String(Math.floor(Date.now() / second))];
    const headers: Record<string, string> = {
      'x-twilio-email-event-webhook-signature': key.sign(timestamp, body),
      'x-twilio-email-event-webhook-timestamp': timestamp,
    };
    return { header: (name) => headers[name], body: Buffer.from(body), pathAndQuery: path.sendgrid };
  };
  const formPost = (form: Record<string, string>, attempt = ''): ReportPost => {
    const pathAndQuery = attempt ? `${path.twilio}?attempt=${attempt}` : path.twilio;
    const { HOMING_PUBLIC_URL: url, TWILIO_AUTH_TOKEN: token = '' } = hand.app.env;
    const signature = signTwilio(token, `${url}${pathAndQuery}`, form);
    const header = (name: string) => (name === 'x-twilio-signature' ? signature : undefined);
    return { header, body: Buffer.from(new URLSearchParams(form).toString()), pathAndQuery };
  };
  const seeTo = async () => {
    while ((await applyReports(hand.deps)) > 0);
  };
  /** Everything that a report may change. */
  const everything = async () => {
    const tables: Record<string, string> = {
      provider_reports: 'source, key, fact, applied_at is not null as applied',
      attempt_events: 'user_id, attempt_id, key, kind, code',
      attempts: 'user_id, id, state, reported, setbacks, finished_at',
      suppressions: 'channel, target, cause, created_at, expires_at',
      attention: 'user_id, episode, state, revision, start_at, nudge_at',
    };
    const state: Record<string, unknown[]> = {};
    for (const [table, columns] of Object.entries(tables))
      state[table] = await hand.rows(`select ${columns} from ${table} order by 1, 2, 3`);
    return state;
  };

  /** People whom a mail and a text have been sent to. */
  const told = async (count: number) => {
    const people: { email: string; phone: string; mail: string; text: string }[] = [];
    for (let n = 0; n < count; n += 1) {
      const { bob } = await hand.pair();
      const [mail, text] = [randomUUIDv7(), randomUUIDv7()];
      for (const [id, channel] of [
        [mail, 'email'],
        [text, 'sms'],
      ])
        await hand.sql.query(
          `insert into attempts (user_id, id, episode, channel, state, covers, claimed_at) values ($1, $2, 1, $3, 'accepted', '[]', now())`,
          [bob.id, id, channel],
        );
      people.push({ email: bob.email, phone: bob.phone, mail, text });
    }
    return people;
  };
  const mailEvents = ({ email, mail }: Awaited<ReturnType<typeof told>>[number]) =>
    ['processed', 'deferred', 'delivered', 'open', 'bounce', 'spamreport'].map((event, n) => ({
      ...{ event, email, attemptId: mail, sg_event_id: randomBytes(12).toString('base64url'), type: 'bounce' },
      ...{ timestamp: Math.floor(Date.now() / second) - 100 + n, sandbox_extra: 'a parameter that nobody knows' },
    }));
  const textForms = ({ phone, text }: Awaited<ReturnType<typeof told>>[number]) => {
    const MessageSid = `SM${randomBytes(16).toString('hex')}`;
    return ['queued', 'sending', 'sent', 'delivered', 'undelivered'].map((MessageStatus) => ({
      form: {
        MessageSid,
        MessageStatus,
        To: phone,
        ...(MessageStatus === 'undelivered' ? { ErrorCode: '30005' } : {}),
      },
      attempt: text,
    }));
  };

  it('a signature that is none is refused as a forged one is, and breaks nothing', async () => {
    const event = { event: 'open', email: 'a@example.test', timestamp: 1, sg_event_id: randomBytes(8).toString('hex') };
    const signed = postOf([event]);
    const right = signed.header('x-twilio-email-event-webhook-signature') ?? '';
    for (const signature of [
      '',
      '!',
      'AAAA',
      right.slice(0, 40),
      `AAAA${right}`,
      Buffer.alloc(72, 48).toString('base64'),
    ]) {
      const answer = await fetch(`${hand.app.url}${path.sendgrid}`, {
        method: 'POST',
        body: new Uint8Array(signed.body),
        headers: { 'x-twilio-email-event-webhook-signature': signature, 'x-twilio-email-event-webhook-timestamp': '1' },
      });
      assert.equal(answer.status, 403);
      const header = (name: string) => (name.endsWith('signature') ? signature : signed.header(name));
      assert.equal(await takeReports(hand.deps, doors.sendgrid, { ...signed, header }), 'refused', signature);
    }
    assert.equal(await takeReports(hand.deps, doors.sendgrid, signed), 'taken');
  });

  describe('that were not understood', () => {
    it('are read again, and what is understood then counts once', async () => {
      const [bob] = await told(1);
      const form = textForms(bob as NonNullable<typeof bob>)[3]?.form ?? {};
      const event = { event: 'bounce', type: 'bounce', email: bob?.email, timestamp: 1, sg_event_id: 'again' };
      /** As an older release would have read them: not at all. */
      const blind = (door: ReportDoor): ReportDoor => ({
        ...door,
        read: ({ body }) => ({ reports: [], unreadable: [{ reason: 'nobody knows', body }] }),
      });
      const garbled = { ...postOf([]), body: Buffer.from('{"event":') };
      await takeReports(hand.deps, blind(doors.sendgrid), postOf([event]));
      await takeReports(hand.deps, blind(doors.twilio), formPost(form, bob?.text));
      await takeReports(hand.deps, { ...doors.sendgrid, isSigned: () => true }, garbled);
      const by = { operator: 'olga' };
      const before = await unreadableReports(hand.deps, by);
      assert.deepEqual(
        before.map(({ source, reason }) => [source, reason]),
        [
          ['sendgrid', 'nobody knows'],
          ['twilio', 'nobody knows'],
          ['sendgrid', 'neither events nor one'],
        ],
      );
      const all = [doors.sendgrid, doors.twilio];
      assert.deepEqual(await replayUnreadable(hand.deps, by, all), { understood: 2, left: 1 });
      await seeTo();
      const [found] = await hand.rows<{ reported: string }>('select reported from attempts where id = $1', bob?.text);
      assert.equal(found?.reported, 'delivered', 'the attempt stands in the address that was posted to');
      assert.deepEqual(await replayUnreadable(hand.deps, by, all), { understood: 0, left: 1 });
      const audited = await hand.rows<{ action: string }>(
        `select action from audit where operator = 'olga' order by id`,
      );
      assert.deepEqual(
        audited.map(({ action }) => action),
        ['read_unreadable', 'replay_unreadable', 'replay_unreadable'],
      );
    });
  });

  it('P16: 10,000 repeats, reversed and shuffled, from a second to a day later, change nothing', async () => {
    const random = createRandom(seed);
    const shuffled = <Item>(items: readonly Item[]) => [...items].sort(() => random.next() - 0.5);
    const people = await told(8);
    const events = people.flatMap(mailEvents);
    const forms = people.flatMap(textForms);
    const take = async (post: ReportPost, door: ReportDoor) =>
      assert.equal(await takeReports(hand.deps, door, post), 'taken');
    await take(postOf(shuffled(events)), doors.sendgrid);
    for (const { form, attempt } of shuffled(forms)) await take(formPost(form, attempt), doors.twilio);
    await seeTo();
    const once = await everything();
    assert.equal(once.suppressions?.length, people.length * 3, 'each bounced, complained, and has a dead number');
    assert.equal(once.attempt_events?.length, events.length + forms.length);
    const gaps = [0, second, minute, hour, 6 * hour, day];
    let repeats = 0;
    for (let round = 0; repeats < 10_000; round += 1) {
      const gap = gaps[round % gaps.length] ?? 0;
      hand.pass(gap);
      await hand.app.database.run(
        `update provider_reports set received_at = received_at - interval '${gap} milliseconds',
           applied_at = applied_at - interval '${gap} milliseconds'`,
      );
      const batch = round % 2 === 0 ? shuffled(events) : events.toReversed();
      // Sixteen times in one post: SendGrid gathers what it tells again.
      await take(postOf(Array.from({ length: 16 }, () => batch).flat()), doors.sendgrid);
      for (const { form, attempt } of shuffled(forms)) await take(formPost(form, attempt), doors.twilio);
      await seeTo();
      repeats += 16 * events.length + forms.length;
    }
    assert.deepEqual(await everything(), once, `REPORT_SEED=${seed}`);
  }).timeout(180_000);

  // After what takes longest: nothing was posted in the second before it.
  it('a node looks at so many of one provider’s in a second, and at the other’s all the same', async () => {
    const { hostname, port } = new URL(hand.app.url);
    const socket = connect(Number(port), hostname);
    // All in one packet: however busy the machine is, they come in one second.
    const one = `POST ${path.sendgrid} HTTP/1.1\r\nhost: ${hostname}\r\ncontent-length: 0\r\n\r\n`;
    socket.end(one.repeat(limits.sendGridPostsPerSecond + 1));
    const answers = (await text(socket)).matchAll(/HTTP\/1\.1 (\d+)/g);
    const statuses = [...answers].map(([, status]) => Number(status));
    assert.deepEqual(statuses, [...Array.from({ length: limits.sendGridPostsPerSecond }, () => 403), 429]);
    assert.equal((await fetch(`${hand.app.url}${path.twilio}`, { method: 'POST' })).status, 403);
  });
}).timeout(60_000);
