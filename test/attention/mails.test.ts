import assert from 'node:assert/strict';
import pg from 'pg';
import type { Suppression } from '../../contracts/entities/index.ts';
import { type Person, makeGroup, registerDevice, registerPerson, send, verifyContacts } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Item, inbox, waitFor } from '../support/inbox.ts';
import { expectStatus } from '../support/rest.ts';
import { until } from '../support/until.ts';

describe('mails about unread messages', () => {
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

  /** Somebody with a verified address and no device, so that mail comes first. */
  const away = async (locale = 'en') => {
    const bob = await registerPerson(app, 'Bob');
    await verifyContacts(app, bob);
    expectStatus(await bob.call('PATCH', '/v1/me', { locale }), 200);
    return bob;
  };
  const mailOf = async (bob: Person): Promise<Item> => {
    const [mail] = await waitFor(app, { to: bob.email, channel: 'email', text: 'in the kitchen' });
    return mail as Item;
  };
  const linkIn = (mail: Item) => /^<(.+)>$/.exec(mail.headers?.['List-Unsubscribe'] ?? '')?.[1] ?? '';
  const pathOf = (link: string) => new URL(link).pathname;
  const oneClick = (link: string) =>
    fetch(`${app.url}${pathOf(link)}`, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'List-Unsubscribe=One-Click',
    });
  const suppressions = async (bob: Person) =>
    expectStatus(await bob.call<{ items: Suppression[] }>('GET', '/v1/me/suppressions'), 200).items;
  const spoken = async (bob: Person, text = 'Who is in the kitchen?') => {
    const ana = await registerPerson(app, 'Ana');
    const group = await makeGroup(ana, [bob], 'Ops');
    await send(ana, group.id, text);
    return group;
  };
  const reasons = async (bob: Person) => {
    const { rows } = await db.query<{ reason: string }>('select reason from decisions where user_id = $1', [bob.id]);
    return rows.map(({ reason }) => reason);
  };

  it('2.23/16: say how they end, and end by one POST, which may come twice', async () => {
    const bob = await away();
    await spoken(bob);
    const mail = await mailOf(bob);
    assert.equal(mail.headers?.['List-Unsubscribe-Post'], 'List-Unsubscribe=One-Click');
    assert.match(mail.headers?.['List-Id'] ?? '', /^<notifications\..+>$/);
    const link = linkIn(mail);
    assert.ok(mail.text.includes(link) && mail.html?.includes(link), 'the link stands in the mail, too');
    for (const status of [(await oneClick(link)).status, (await oneClick(link)).status]) assert.equal(status, 200);
    assert.deepEqual(
      (await suppressions(bob)).map(({ channel, cause, until }) => [channel, cause, until]),
      [['email', 'unsubscribed', null]],
    );
    await spoken(bob, 'Who is in the kitchen now?');
    await until(
      () => reasons(bob),
      (all) => all.includes('unsubscribed'),
    );
    assert.equal((await inbox(app, { to: bob.email, text: 'in the kitchen' })).length, 1);
  });

  it('2.23/16: are not ended by who fetches the link', async () => {
    const bob = await away();
    await spoken(bob);
    const link = linkIn(await mailOf(bob));
    for (const method of ['GET', 'HEAD']) {
      const answer = await fetch(`${app.url}${pathOf(link)}`, { method });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('referrer-policy'), 'no-referrer');
    }
    assert.deepEqual(await suppressions(bob), []);
  });

  it('2.20: say why they came, by a link that needs no login and changes nothing', async () => {
    const bob = await away();
    await spoken(bob);
    const mail = await mailOf(bob);
    const link = /^Why did I get this\? (\S+)$/m.exec(mail.text)?.[1] ?? '';
    assert.ok(mail.html?.includes(`<a href="${link}">Why did I get this?</a>`), mail.html);
    const answer = await fetch(`${app.url}${pathOf(link)}`);
    const page = await answer.text();
    assert.equal(answer.status, 200, page);
    for (const part of [
      '1 message in \u2068Ops\u2069',
      'You had not read it',
      'No device of yours could be pushed to.',
    ])
      assert.ok(page.includes(part), page);
    assert.ok(!page.includes('kitchen'));
    assert.deepEqual(await suppressions(bob), []);
  });

  it('come again when their reader wants them', async () => {
    const bob = await away();
    await spoken(bob);
    await oneClick(linkIn(await mailOf(bob)));
    expectStatus(await bob.call('DELETE', '/v1/me/suppressions/unsubscribed'), 204);
    assert.deepEqual(await suppressions(bob), []);
    await spoken(bob, 'Who is in the kitchen now?');
    await waitFor(app, { to: bob.email, channel: 'email', text: 'in the kitchen now' });
  });

  it('are ended by nobody else: a link that was changed is none', async () => {
    const [bob, cleo] = [await away(), await away()];
    await spoken(bob);
    const link = linkIn(await mailOf(bob));
    for (const other of [link.slice(0, -1), `${link}x`, link.replace(bob.id, cleo.id), `${app.url}/unsubscribe/v1`])
      assert.equal((await oneClick(other)).status, 404, other);
    assert.deepEqual([await suppressions(bob), await suppressions(cleo)], [[], []]);
  });

  it('are other than codes, which come all the same', async () => {
    const bob = await away();
    await spoken(bob);
    await oneClick(linkIn(await mailOf(bob)));
    const before = await inbox(app, { to: bob.email });
    expectStatus(await bob.call('POST', '/v1/me/email', { email: bob.email }), 202);
    const codes = await waitFor(app, { to: bob.email, after: before.at(-1)?.seq ?? 0 });
    assert.equal(codes[0]?.headers?.['List-Unsubscribe'], undefined);
  });

  const languages: [string, RegExp, string][] = [
    ['de-AT', /^1 neue Nachricht in Ops$/, 'dir="ltr"'],
    ['es', /^1 mensaje nuevo en Ops$/, 'dir="ltr"'],
    ['ar-EG', /^رسالة جديدة واحدة في Ops$/, 'dir="rtl"'],
    ['fr', /^1 new message in Ops$/, 'dir="ltr"'],
  ];
  for (const [locale, subject, direction] of languages)
    it(`speak ${locale}, or what comes nearest`, async () => {
      const bob = await away(locale);
      const phone = await registerDevice(bob);
      await spoken(bob, 'Who is <b>in the kitchen</b>?');
      const mail = await mailOf(bob);
      assert.match(mail.title, subject);
      assert.ok(mail.html?.includes(direction) && mail.html.includes('<bdi>Who is &lt;b&gt;in the kitchen'), mail.html);
      const [push] = await waitFor(app, { to: phone });
      assert.equal(push?.title, 'Ops');
    });
});
