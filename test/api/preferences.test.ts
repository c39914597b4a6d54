import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import pg from 'pg';
import type { MyMembership, NotificationSettings, Suppression } from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import { preferencesToken } from '../../domain/attention/index.ts';
import { unsubscribeToken } from '../../domain/attention/unsubscribe-token.ts';
import { type Person, makeDirect, makeGroup, registerPerson } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { expectStatus } from '../support/rest.ts';
import { connect } from '../support/socket.ts';

describe('the preferences behind a mail’s link', () => {
  let app: TestApp;
  let db: pg.Client;
  before(async () => {
    app = await startApp();
    db = new pg.Client(app.database.url);
    await db.connect();
  });
  after(async () => {
    await db.end();
    await app.stop();
  });

  const deps = () => (app.processes[0] as TestApp['processes'][number]).runtime.deps;
  /** Somebody with a mail about these conversations, and its link. */
  const mailed = async (titles: string[] = ['Ops']) => {
    const [ana, bob] = [await registerPerson(app, 'Ana'), await registerPerson(app, 'Bob')];
    // What is mailed is mailed to proved addresses alone.
    await db.query('update users set email_verified_at = now() where id = $1', [bob.id]);
    const rooms = [];
    for (const title of titles) rooms.push(await makeGroup(ana, [bob], title));
    const attemptId = randomUUIDv7();
    const covers = rooms.map(({ id }) => ({ conversationId: id, fromSeq: 1, toSeq: 1 }));
    await db.query(
      `insert into attempts (user_id, id, episode, channel, state, covers, claimed_at)
        values ($1, $2, 1, 'email', 'accepted', $3, now())`,
      [bob.id, attemptId, JSON.stringify(covers)],
    );
    const path = `/preferences/${preferencesToken(deps(), { userId: bob.id as UserId, attemptId })}`;
    return { ana, bob, rooms, path, attemptId };
  };
  const get = async (path: string) => {
    const response = await fetch(`${app.url}${path}`);
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  const post = async (
    path: string,
    fields: [string, string][] | string,
    type = 'application/x-www-form-urlencoded',
  ) => {
    const body = typeof fields === 'string' ? fields : new URLSearchParams(fields).toString();
    const response = await fetch(`${app.url}${path}`, { method: 'POST', headers: { 'content-type': type }, body });
    return { status: response.status, text: await response.text() };
  };
  const form = (more: Record<string, string> = {}): [string, string][] =>
    Object.entries({ emailFrequency: 'immediate', emailDigestAt: '08:00', weeklySummary: 'on', ...more });
  const settingsOf = async (person: Person) =>
    expectStatus(await person.call<NotificationSettings>('GET', '/v1/me/notifications'), 200);
  const membership = async (person: Person, id: string) =>
    expectStatus(await person.call<{ me: MyMembership }>('GET', `/v1/conversations/${id}`), 200).me;
  const suppressions = async (person: Person) =>
    expectStatus(await person.call<{ items: Suppression[] }>('GET', '/v1/me/suppressions'), 200).items;

  it('are shown, and changed by nobody who only looks', async () => {
    const { bob, path } = await mailed();
    const before = await settingsOf(bob);
    for (const method of ['GET', 'HEAD'])
      assert.equal((await fetch(`${app.url}${path}?emailFrequency=off`, { method })).status, 200);
    const { text } = await get(path);
    assert.match(text, /b…@example\.test/);
    assert.match(text, /value="immediate" checked/);
    assert.match(text, /Mails about \u2068Ops/);
    assert.ok(!text.includes(bob.email), 'the address is masked');
    assert.deepEqual(await settingsOf(bob), before);
    assert.deepEqual(await suppressions(bob), []);
  });

  it('run nothing, load nothing, and stand in no frame and no cache', async () => {
    const { path } = await mailed();
    const { headers, text } = await get(path);
    const policy = headers.get('content-security-policy') ?? '';
    assert.match(
      policy,
      /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
    );
    assert.equal(headers.get('referrer-policy'), 'no-referrer');
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.ok(!/<script|\son\w+=|style="|src=/.test(text));
  });

  it('are changed by a form, and each device is told', async () => {
    const { bob, path } = await mailed();
    const socket = await connect(app.url, { token: bob.token });
    const { status, text } = await post(path, form({ emailFrequency: 'daily', emailDigestAt: '18:30' }));
    assert.equal(status, 200);
    assert.match(text, /role="status">Saved\.</);
    assert.match(text, /value="daily" checked/);
    const settings = await settingsOf(bob);
    assert.deepEqual(
      [settings.emailFrequency, settings.emailDigestAt, settings.weeklySummary],
      ['daily', '18:30', true],
    );
    const told = await socket.heard('notification-settings', () => true);
    assert.deepEqual(told, { settings, version: 1 });
    socket.close();
    // A box that is not ticked is not sent.
    await post(
      path,
      form().filter(([name]) => name !== 'weeklySummary'),
    );
    assert.equal((await settingsOf(bob)).weeklySummary, false);
  });

  it('switch the conversations of their mail, and no other', async () => {
    const { ana, bob, rooms, path } = await mailed(['Ops', 'News']);
    const [ops = '', news = ''] = rooms.map(({ id }): string => id);
    const other = await makeDirect(ana, bob);
    const socket = await connect(app.url, { token: bob.token });
    const shown: [string, string][] = [ops, news, other.id].map((id) => ['shown', id]);
    assert.equal((await post(path, [...form(), ...shown, ['mail', news]])).status, 200);
    assert.deepEqual((await socket.heard('membership', () => true)).channels, { push: null, email: false, sms: null });
    socket.close();
    const off = async (id: string) => (await membership(bob, id)).channels.email;
    assert.deepEqual([await off(ops), await off(news), await off(other.id)], [false, null, null]);
    const { text } = await get(path);
    assert.ok(text.includes(`value="${news}" checked`) && !text.includes(`value="${ops}" checked`));
    await post(path, [...form(), ...shown, ['mail', news], ['mail', ops]]);
    assert.equal(await off(ops), null);
    // What the page had no box for stays.
    await post(path, form());
    assert.deepEqual([await off(ops), await off(news)], [null, null]);
  });

  it('show no conversation that its reader has left', async () => {
    const { bob, rooms, path } = await mailed(['Ops', 'News']);
    expectStatus(await bob.call('POST', `/v1/conversations/${rooms[0]?.id}/leave`), 204);
    const { text } = await get(path);
    assert.ok(!text.includes('Ops') && text.includes('News'));
  });

  it('end every mail by their last button, whatever is chosen, and say how it begins again', async () => {
    const { bob, path } = await mailed();
    for (const time of ['once', 'twice'])
      assert.match(
        (await post(`${path}/unsubscribe`, '')).text,
        /You have unsubscribed|No more mails about unread/,
        time,
      );
    assert.deepEqual(
      (await suppressions(bob)).map(({ cause }) => cause),
      ['unsubscribed'],
    );
    const { text } = await get(path);
    assert.ok(!text.includes('<form'), 'who has the link cannot take it back');
    expectStatus(await bob.call('DELETE', '/v1/me/suppressions/unsubscribed'), 204);
    assert.ok((await get(path)).text.includes('<form'));
  });

  it('switch mail on again where it was off for the whole account', async () => {
    const { bob, path } = await mailed();
    expectStatus(await bob.call('PATCH', '/v1/me/notifications', { channels: { email: false } }), 200);
    assert.match((await get(path)).text, /value="off" checked/);
    await post(path, form({ emailFrequency: 'hourly' }));
    const { channels, emailFrequency } = await settingsOf(bob);
    assert.deepEqual([channels.email, emailFrequency], [true, 'hourly']);
  });

  it('are nobody else’s: a link that was changed is none', async () => {
    const [{ bob, path, attemptId }, { bob: cleo }] = [await mailed(), await mailed()];
    for (const other of [
      ...[path.slice(0, -1), `${path}x`, path.replace(bob.id, cleo.id), path.replace('v1.', 'v2.')],
      ...[
        path.replace(attemptId, 'all'),
        path.replace('/preferences/', '/unsubscribe/'),
        '/preferences/v1',
        path.replace(`.${attemptId}`, ''),
      ],
    ]) {
      assert.equal((await get(other)).status, 404, other);
      assert.equal((await post(other, form({ emailFrequency: 'off' }))).status, 404, other);
      assert.equal((await post(`${other}/unsubscribe`, '')).status, 404, other);
    }
    assert.deepEqual(
      [(await settingsOf(bob)).emailFrequency, (await settingsOf(cleo)).emailFrequency],
      ['immediate', 'immediate'],
    );
  });

  it('refuse what no page of ours has asked for, and name the field', async () => {
    const { bob, path } = await mailed();
    const faulty: [[string, string][], string][] = [
      [form({ emailFrequency: 'yearly' }), 'emailFrequency'],
      [form({ emailDigestAt: '24:00' }), 'emailDigestAt'],
      [form({ emailDigestAt: '' }), 'emailDigestAt'],
      [form({ weeklySummary: 'maybe' }), 'weeklySummary'],
      [form({ level: 'nothing' }), 'level'],
      [[...form(), ['mail', 'all']], 'mail.0'],
      [
        [
          ...form(),
          ...Array.from({ length: limits.preferencesConversations + 1 }, (): [string, string] => [
            'mail',
            randomUUIDv7(),
          ]),
        ],
        'mail',
      ],
      [[], 'emailFrequency'],
    ];
    for (const [fields, field] of faulty) {
      const { status, text } = await post(path, fields);
      const { errors } = JSON.parse(text) as { errors: { path: string }[] };
      assert.deepEqual([status, errors.some((fault) => fault.path === field)], [400, true], `${field}: ${text}`);
    }
    const many = Array.from({ length: limits.preferencesConversations }, (): [string, string] => [
      'mail',
      randomUUIDv7(),
    ]);
    assert.equal((await post(path, [...form(), ...many])).status, 200);
    const padding = (bytes: number) => `${new URLSearchParams(form()).toString()}&`.padEnd(bytes, '&');
    assert.equal((await post(path, padding(limits.preferencesFormBytes))).status, 200);
    assert.equal((await post(path, padding(limits.preferencesFormBytes + 1))).status, 413);
    assert.equal((await post(path, '{}', 'application/json')).status, 400);
    assert.equal((await settingsOf(bob)).emailFrequency, 'immediate');
  });

  it('are what the link that unsubscribes offers instead', async () => {
    const { bob } = await mailed();
    const { text } = await get(`/unsubscribe/${unsubscribeToken(deps(), bob.id as UserId)}`);
    const path = /href="(\/preferences\/[^"]+)"/.exec(text)?.[1] ?? '';
    const page = await get(path);
    assert.equal(page.status, 200);
    assert.ok(!page.text.includes('Ops'));
    assert.equal((await post(path, form({ emailFrequency: 'daily' }))).status, 200);
    assert.equal((await settingsOf(bob)).emailFrequency, 'daily');
  });

  for (const [locale, words, direction] of [
    ['de', 'Gesammelt, einmal am Tag', 'ltr'],
    ['es', 'Reunidos, una vez al día', 'ltr'],
    ['ar', 'مجمّعة، مرة في اليوم', 'rtl'],
    ['fr', 'Gathered, once a day', 'ltr'],
  ] as const)
    it(`speak ${locale}, or what comes nearest`, async () => {
      const { bob, path } = await mailed();
      expectStatus(await bob.call('PATCH', '/v1/me', { locale }), 200);
      const { text } = await get(path);
      assert.ok(text.includes(words) && text.includes(`dir="${direction}"`), text);
    });

  it('take names for text', async () => {
    const { path } = await mailed(['<img src=x> "Ops" & \'Co\'']);
    const { text } = await get(path);
    assert.ok(text.includes('&lt;img src=x&gt; &quot;Ops&quot; &amp; &#39;Co&#39;'), text);
  });
});
