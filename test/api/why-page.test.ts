import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import pg from 'pg';
import type { NotificationSettings, Suppression } from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import { preferencesToken } from '../../domain/attention/index.ts';
import { makeDirect, makeGroup, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { writeAttempt } from '../support/attempts.ts';
import { type Browser, type Page, startBrowser } from '../support/browser.ts';
import { expectStatus } from '../support/rest.ts';

/** As much of the page as these tests use. */
interface PageGlobals {
  document: {
    querySelectorAll(selector: string): Iterable<{ getBoundingClientRect(): { height: number } }>;
    documentElement: { scrollWidth: number; clientWidth: number };
  };
}

const noDevice = { channel: 'push', outcome: 'skipped', reason: 'no_device' };

describe('the page that says why a mail came', () => {
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

  const pathOf = (userId: string, attemptId: string) => {
    const { deps } = (app.processes[0] as TestApp['processes'][number]).runtime;
    return `/why/${preferencesToken(deps, { userId: userId as UserId, attemptId })}`;
  };
  /** Somebody with a mail about a message of Ana's and two in a group, and its link. */
  const mailed = async ({ title = 'Ops', locale = 'en', ...more } = {}) => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    expectStatus(await bob.call('PATCH', '/v1/me', { locale }), 200);
    const [direct, group] = [await makeDirect(ana, bob), await makeGroup(ana, [bob], title)];
    await send(ana, direct.id, 'the secret words');
    for (const text of ['more secret words', 'and more']) await send(ana, group.id, text);
    const covers = [
      { conversationId: direct.id, fromSeq: 1, toSeq: 1 },
      { conversationId: group.id, fromSeq: 1, toSeq: 2 },
    ];
    const decided = [{ reason: 'quiet_hours' }, { reason: 'due', evaluation: [noDevice] }];
    const attemptId = await writeAttempt(db, bob, { covers, decided, ...more });
    return { ana, bob, group, attemptId, path: pathOf(bob.id, attemptId) };
  };
  const get = async (path: string) => {
    const response = await fetch(`${app.url}${path}`);
    return { status: response.status, headers: response.headers, text: await response.text() };
  };

  it('says what it told of, when, why then and why no push, and how fewer come', async () => {
    const { path } = await mailed();
    const { status, text } = await get(path);
    assert.equal(status, 200);
    for (const part of [
      '<h1>Why did I get this?</h1>',
      'you had not read 3 messages:',
      '<li>1 message from \u2068Ana\u2069</li><li>2 messages in \u2068Ops\u2069</li>',
      'Written: ',
      'Sent: ',
      'It waited for the end of your quiet hours.',
      'No device of yours could be pushed to.',
    ])
      assert.ok(text.includes(part), `${part} is not in ${text}`);
    for (const [, link = ''] of text.matchAll(/<a href="([^"]+)">/g)) assert.equal((await get(link)).status, 200, link);
    assert.equal(text.match(/<a /g)?.length, 2);
  });

  it('tells no text, no address and nothing of where its reader does not belong any more', async () => {
    const { bob, group, path } = await mailed();
    const { text } = await get(path);
    assert.ok(!/secret|and more|@example|\d{8}-/.test(text.replaceAll(/href="[^"]+"/g, '')), text);
    expectStatus(await bob.call('POST', `/v1/conversations/${group.id}/leave`), 204);
    const left = (await get(path)).text;
    assert.ok(!left.includes('Ops') && left.includes('2 messages where you do not belong any more'), left);
  });

  it('is changed by nobody who looks', async () => {
    const { bob, path } = await mailed();
    const state = async () => [
      expectStatus(await bob.call<NotificationSettings>('GET', '/v1/me/notifications'), 200),
      expectStatus(await bob.call<{ items: Suppression[] }>('GET', '/v1/me/suppressions'), 200),
      (await db.query('select * from attempts where user_id = $1', [bob.id])).rows,
      (await db.query('select * from attempt_events where user_id = $1', [bob.id])).rows,
    ];
    const before = await state();
    for (const method of ['GET', 'HEAD']) assert.equal((await fetch(`${app.url}${path}`, { method })).status, 200);
    assert.equal((await fetch(`${app.url}${path}`, { method: 'POST' })).status, 404);
    assert.deepEqual(await state(), before);
  });

  it('runs nothing, loads nothing, and stands in no frame and no cache', async () => {
    const { path } = await mailed();
    const { headers, text } = await get(path);
    assert.match(
      headers.get('content-security-policy') ?? '',
      /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
    );
    assert.deepEqual(
      ['referrer-policy', 'cache-control', 'x-robots-tag'].map((name) => headers.get(name)),
      ['no-referrer', 'no-store', 'noindex'],
    );
    assert.ok(!/<script|\son\w+=|style="|src=/.test(text));
  });

  it('is nobody else’s: a link that was changed is none, nor is one that stood in no mail', async () => {
    const [{ bob, path, attemptId }, cleo] = [await mailed(), await mailed()];
    for (const other of [
      ...[path.slice(0, -1), `${path}x`, path.replace(bob.id, cleo.bob.id), path.replace(attemptId, cleo.attemptId)],
      ...[path.replace('v1.', 'v2.'), '/why/v1', pathOf(bob.id, 'all'), pathOf(randomUUIDv7(), attemptId)],
    ])
      assert.equal((await get(other)).status, 404, other);
  });

  it('says so where the records are gone, and how fewer come all the same', async () => {
    const { bob, attemptId } = await mailed();
    const { bob: other, path: push } = await mailed({ channel: 'push' } as object);
    for (const path of [pathOf(bob.id, randomUUIDv7()), pathOf(other.id, attemptId), push]) {
      const { status, text } = await get(path);
      assert.equal(status, 200);
      assert.ok(text.includes('what was decided is kept for 90 days') && !text.includes('Ops'), text);
      assert.equal(text.match(/<a /g)?.length, 2);
    }
  });

  it('takes names for text', async () => {
    const { path } = await mailed({ title: '<img src=x> "Ops" & \'Co\'' });
    const { text } = await get(path);
    assert.ok(text.includes('&lt;img src=x&gt; &quot;Ops&quot; &amp; &#39;Co&#39;'), text);
  });

  for (const [locale, words, direction] of [
    ['de', 'Es hat das Ende deiner Ruhezeit abgewartet.', 'ltr'],
    ['es', 'Esperó al final de tus horas de silencio.', 'ltr'],
    ['ar', 'انتظر نهاية ساعات الهدوء لديك.', 'rtl'],
    ['fr', 'It waited for the end of your quiet hours.', 'ltr'],
  ] as const)
    it(`speaks ${locale}, or what comes nearest`, async () => {
      const { text } = await get((await mailed({ locale })).path);
      assert.ok(text.includes(words) && text.includes(`dir="${direction}"`), text);
    });

  describe('in a browser', () => {
    let browser: Browser;
    let page: Page<PageGlobals>;
    before(async function () {
      // A machine without a browser fetches one, once.
      this.timeout(300_000);
      browser = await startBrowser();
      page = await browser.openPage();
    });
    after(async () => {
      await page?.close();
      await browser?.close();
    });

    for (const locale of ['en', 'de', 'es', 'ar'])
      it(`fits a phone in ${locale}, and fingers`, async () => {
        const { path } = await mailed({ locale, title: 'A'.repeat(200) });
        await page.resize(390, 900);
        await page.open(`${app.url}${path}`);
        const { scroll, client, heights } = await page.run(({ document }) => ({
          scroll: document.documentElement.scrollWidth,
          client: document.documentElement.clientWidth,
          heights: [...document.querySelectorAll('a')].map((one) => one.getBoundingClientRect().height),
        }));
        assert.ok(scroll <= client, `${scroll} of ${client} pixels`);
        assert.ok(heights.length === 2 && heights.every((height) => height >= 44), heights.join());
        assert.deepEqual(page.complaints, []);
      }).timeout(60_000);
  });
});
