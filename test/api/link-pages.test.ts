import assert from 'node:assert/strict';
import { type Person, password, registerPerson, verifyContacts } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Browser, type Page, startBrowser } from '../support/browser.ts';
import { waitFor } from '../support/inbox.ts';
import { call, expectProblem, expectStatus } from '../support/rest.ts';
import { until } from '../support/until.ts';

/** As much of the page as these tests use. */
interface PageGlobals {
  document: { querySelector(selector: string): Shown | null; querySelectorAll(selector: string): Iterable<Shown> };
  location: { href: string };
}
interface Shown {
  textContent: string;
  value: string;
  hidden: boolean;
  dataset: { said?: string };
  click(): void;
}

/** As much of a field as is looked at. */
interface Field {
  type: string;
  autocomplete: string;
  readOnly: boolean;
  dispatchEvent(event: Event): boolean;
}

describe('the pages that mails, texts and sign-ins lead to', () => {
  let app: TestApp;
  let browser: Browser;
  let page: Page<PageGlobals>;
  before(async function () {
    // A machine without a browser fetches one, once.
    this.timeout(300_000);
    app = await startApp({ processes: [['api', 'realtime'], ['relay'], ['worker']], reports: true });
    app.url = app.env.HOMING_PUBLIC_URL ?? '';
    browser = await startBrowser();
  });
  beforeEach(async () => {
    page = await browser.openPage();
  });
  afterEach(() => page?.close());
  after(async () => {
    await browser?.close();
    await app?.stop();
  });

  const mailedLink = async (person: Person) => {
    await verifyContacts(app, person);
    const body = { identifier: person.email };
    expectStatus(await call(app.url, 'POST', '/v1/auth/password/forgot', { body }), 202);
    const [mail] = await waitFor(app, { to: person.email, channel: 'email', text: '/reset-password#' });
    return /http\S+\/reset-password#[\w-]+/.exec(mail?.text ?? '')?.[0] ?? '';
  };
  const said = () =>
    page.run(({ document }) =>
      Array.from(document.querySelectorAll('[data-said]'))
        .filter(({ hidden }) => !hidden)
        .map(({ dataset }) => dataset.said ?? ''),
    );
  const choose = async (chosen: string, outcome: string) => {
    await page.run(({ document }, text) => {
      Object.assign(document.querySelector('input') ?? {}, { value: text });
      document.querySelector('button')?.click();
    }, chosen);
    await until(said, (words) => words[0] === outcome);
  };
  const signIn = (person: Person, secret: string) =>
    call(app.url, 'POST', '/v1/auth/login', { body: { identifier: person.email, password: secret } });

  it('set a new password by the link of the mail, once', async () => {
    const ana = await registerPerson(app);
    const link = await mailedLink(ana);
    await page.open(link);
    assert.deepEqual(await said(), []);
    const address = await page.run(({ location }) => location.href);
    assert.equal(address, `${app.url}/reset-password`, 'no history keeps the token');
    await choose('too short', 'weak');
    await choose('aaaaaaaaaaaaaaaaaaaa', 'weak');
    const chosen = 'a cormorant under the pier';
    await choose(chosen, 'done');
    expectStatus(await signIn(ana, chosen), 200);
    expectProblem(await signIn(ana, password), 401, 'invalid_credentials');
    await page.open('about:blank');
    await page.open(link);
    await choose('another cormorant by the sea', 'expired');
    assert.equal(await page.run(({ document }) => document.querySelector('form')?.hidden), true);
    // What is refused the browser itself says, and nothing else: no policy stood in the page's way.
    for (const complaint of page.complaints) assert.match(complaint, /status of 4\d\d|favicon/);
  }).timeout(60_000);

  it('without a token nothing is asked for', async () => {
    await page.open(`${app.url}/reset-password`);
    assert.deepEqual(await said(), ['expired']);
  });

  it('mask what is typed, and take what is pasted or filled in', async () => {
    await page.open(`${app.url}/reset-password#${'t'.repeat(43)}`);
    const field = await page.run(({ document }) => {
      const input = document.querySelector('input') as unknown as Field;
      const isTaken = (type: string) => input.dispatchEvent(new Event(type, { bubbles: true, cancelable: true }));
      const { type, autocomplete, readOnly } = input;
      return { type, autocomplete, readOnly, taken: ['paste', 'beforeinput', 'drop'].map(isTaken) };
    });
    assert.deepEqual(field, {
      ...{ type: 'password', autocomplete: 'new-password', readOnly: false },
      taken: [true, true, true],
    });
  });

  it('run one script of their own and nothing else, and are read in the language of the browser', async () => {
    for (const [language, direction] of Object.entries({ en: 'ltr', de: 'ltr', es: 'ltr', ar: 'rtl' })) {
      const headers = { 'accept-language': `fr-FR, ${language};q=0.8` };
      for (const path of ['/reset-password', '/o?n=01900000-0000-7000-8000-000000000000', '/signed-in']) {
        const answer = await fetch(app.url + path, { headers });
        assert.equal(answer.status, 200);
        assert.match(await answer.text(), new RegExp(`<html lang="${language}" dir="${direction}">`));
        const policy = answer.headers.get('content-security-policy') ?? '';
        assert.match(policy, /^default-src 'none'; style-src 'sha256-[^']+';/);
        assert.doesNotMatch(policy, /unsafe|https?:|\*/);
        const form = path.startsWith('/o?') ? "form-action 'self'" : "form-action 'none'";
        assert.ok(policy.includes(`; ${form};`), policy);
        assert.equal(/; script-src 'sha256-[^']+'; connect-src 'self';/.test(policy), !path.startsWith('/o?'));
      }
    }
  });

  it('the page of a text says that there are messages, whoever asks, and nothing of them', async () => {
    const texts = ['01900000-0000-7000-8000-000000000000', '<b>'].map(async (n) =>
      (await fetch(`${app.url}/o?n=${encodeURIComponent(n)}`)).text(),
    );
    const [one, other] = await Promise.all(texts);
    assert.equal(one, other);
    assert.match(one ?? '', /You have new messages/);
  });

  it('who comes back from a sign-in elsewhere, and to no app, is sent to theirs; no history keeps the code', async () => {
    await page.open(`${app.url}/signed-in#code=${'c'.repeat(43)}`);
    assert.equal(await page.run(({ location }) => location.href), `${app.url}/signed-in`);
    assert.equal(await page.run(({ document }) => document.querySelector('h1')?.textContent), 'Back to the app');
    assert.deepEqual(
      page.complaints.filter((complaint) => !complaint.includes('favicon')),
      [],
    );
  });
});
