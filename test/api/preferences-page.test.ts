import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import pg from 'pg';
import type { NotificationSettings } from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import { preferencesToken } from '../../domain/attention/index.ts';
import { makeGroup, registerPerson } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Browser, type Page, startBrowser } from '../support/browser.ts';
import { expectStatus } from '../support/rest.ts';
import { until } from '../support/until.ts';

/** As much of the page as these tests use. */
interface PageGlobals {
  document: {
    querySelector(selector: string): Shown | null;
    querySelectorAll(selector: string): Iterable<Shown>;
    documentElement: { scrollWidth: number; clientWidth: number };
  };
}
interface Shown {
  textContent: string;
  value: string;
  checked: boolean;
  click(): void;
  getBoundingClientRect(): { width: number; height: number };
}

describe('the page of preferences, in a browser', () => {
  let app: TestApp;
  let db: pg.Client;
  let browser: Browser;
  let page: Page<PageGlobals>;
  before(async function () {
    // A machine without a browser fetches one, once.
    this.timeout(300_000);
    [app, browser] = [await startApp(), await startBrowser()];
    db = new pg.Client(app.database.url);
    await db.connect();
  });
  beforeEach(async () => {
    page = await browser.openPage();
  });
  afterEach(() => page?.close());
  after(async () => {
    await browser?.close();
    await db?.end();
    await app?.stop();
  });

  const mailed = async (locale: string, titles: string[]) => {
    const [ana, bob] = [await registerPerson(app, 'Ana'), await registerPerson(app, 'Bob')];
    expectStatus(await bob.call('PATCH', '/v1/me', { locale }), 200);
    const attemptId = randomUUIDv7();
    const covers = [];
    for (const title of titles)
      covers.push({ conversationId: (await makeGroup(ana, [bob], title)).id, fromSeq: 1, toSeq: 1 });
    await db.query(
      `insert into attempts (user_id, id, episode, channel, state, covers, claimed_at)
        values ($1, $2, 1, 'email', 'accepted', $3, now())`,
      [bob.id, attemptId, JSON.stringify(covers)],
    );
    const { deps } = (app.processes[0] as TestApp['processes'][number]).runtime;
    return { bob, url: `${app.url}/preferences/${preferencesToken(deps, { userId: bob.id as UserId, attemptId })}` };
  };
  const shownStatus = () =>
    until(
      () => page.run(({ document }) => document.querySelector('[role=status]')?.textContent ?? '').catch(() => ''),
      (text) => text !== '',
    );

  it('is filled in and saved like any form, and complains of nothing', async () => {
    const { bob, url } = await mailed('en', ['Ops']);
    await page.open(url);
    await page.run(({ document }) => {
      document.querySelector('input[value=daily]')?.click();
      document.querySelector('input[name=mail]')?.click();
      document.querySelector('button.first')?.click();
    });
    assert.equal(await shownStatus(), 'Saved.');
    const { emailFrequency } = expectStatus(await bob.call<NotificationSettings>('GET', '/v1/me/notifications'), 200);
    assert.equal(emailFrequency, 'daily');
    const kept = await page.run(({ document }) => [
      document.querySelector('input[value=daily]')?.checked,
      document.querySelector('input[name=mail]')?.checked,
    ]);
    assert.deepEqual(kept, [true, false]);
    await page.run(({ document }) => {
      for (const button of document.querySelectorAll('button'))
        if (button.textContent === 'No more mails at all') button.click();
    });
    await until(shownStatus, (text) => text.startsWith('No more mails'));
    assert.deepEqual(page.complaints, []);
  }).timeout(60_000);

  for (const width of [390, 1_280])
    for (const locale of ['en', 'de', 'es', 'ar'])
      it(`fits ${width} pixels in ${locale}, and fingers`, async () => {
        const { url } = await mailed(locale, ['Ops', 'A'.repeat(200)]);
        await page.resize(width, 900);
        await page.open(url);
        const { scroll, client, heights } = await page.run(({ document }) => ({
          scroll: document.documentElement.scrollWidth,
          client: document.documentElement.clientWidth,
          heights: [...document.querySelectorAll('label, button')].map((one) => one.getBoundingClientRect().height),
        }));
        assert.ok(client > width - 30, 'but for the scroll bar');
        assert.ok(scroll <= client, `${scroll} of ${client} pixels`);
        assert.ok(heights.length >= 9 && heights.every((height) => height >= 44), heights.join());
        assert.deepEqual(page.complaints, []);
      }).timeout(60_000);
});
