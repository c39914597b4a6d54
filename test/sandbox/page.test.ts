import assert from 'node:assert/strict';
import { type Browser, type Page, startBrowser } from '../support/browser.ts';
import { type Receiver, type Still, service, startReceiver, startStill } from './support.ts';

const phone = '+4915112345678';
/** Would run, load and show itself if anything took it for markup. */
const nasty = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';

/** As much of a page's globals as these tests use. */
interface PageGlobals {
  document: {
    querySelector(selector: string): Shown | null;
    querySelectorAll(selector: string): Iterable<Shown>;
    documentElement: { scrollWidth: number; clientWidth: number };
  };
  hacked?: number;
  requestAnimationFrame: (work: () => void) => void;
}
interface Shown {
  textContent: string;
  hidden: boolean;
  open: boolean;
  value: string;
  src: string;
  children: { length: number };
  click(): void;
  focus(): void;
  requestSubmit(): void;
  getAttribute(name: string): string | null;
}

describe('the sandbox’s page', () => {
  let browser: Browser;
  let sandbox: Still;
  let app: Receiver;
  let page: Page<PageGlobals>;
  before(async function () {
    // A machine without a browser fetches one, once.
    this.timeout(300_000);
    browser = await startBrowser();
  });
  beforeEach(async () => {
    sandbox = await startStill();
    app = await startReceiver();
    page = await browser.openPage();
    await page.open(`${sandbox.url}/`);
  });
  afterEach(async () => {
    await page?.close();
    await sandbox?.close();
    await app?.close();
  });
  after(() => browser?.close());

  /** Waits, frame by frame, until the text stands there. */
  const shows = (selector: string, text: string) =>
    page.run(
      ({ document, requestAnimationFrame }, where, wanted) =>
        new Promise<void>((resolve) => {
          const look = () =>
            document.querySelector(where)?.textContent.includes(wanted) ? resolve() : requestAnimationFrame(look);
          look();
        }),
      ...([selector, text] as const),
    );
  const texts = (selector: string) =>
    page.run(
      ({ document }, where) => [...document.querySelectorAll(where)].map(({ textContent }) => textContent),
      selector,
    );
  const press = (selector: string, label: string) =>
    page.run(
      ({ document }, where, wanted) =>
        [...document.querySelectorAll(where)].find(({ textContent }) => textContent === wanted)?.click(),
      ...([selector, label] as const),
    );
  const push = (title: string, key: string, data: object = {}) =>
    sandbox.push('ok-1', {
      data: { attemptId: `a-${title}`, ...data },
      apns: {
        headers: { 'apns-collapse-id': key },
        payload: { aps: { alert: { title, body: 'canary' }, badge: 3, 'thread-id': key } },
      },
    });

  it('shows a phone’s lock screen: what is new replaces, what is cleared goes, what is silent lies in a drawer', async () => {
    await push('first of one', 'c1');
    await push('only of two', 'c2');
    await push('second of one', 'c1');
    for (const title of ['second of one', 'only of two']) await shows('#phones', title);
    assert.deepEqual(await texts('#phones .notification b'), ['second of one', 'only of two']);
    assert.deepEqual(await texts('#phones .badge'), ['3']);
    await sandbox.push('ok-1', { data: { kind: 'clear', tag: 'c1' } });
    await shows('#phones', 'Silent (1)');
    assert.deepEqual(await texts('#phones .thread .notification b'), ['only of two']);
    // As Homing says it: several at once, and of each only what is no newer than was read.
    await push('newer of three', 'c3', { seq: '7' });
    const conversations = JSON.stringify([
      { tag: 'c2', throughSeq: 9 },
      { tag: 'c3', throughSeq: 6 },
    ]);
    await sandbox.push('ok-1', { data: { kind: 'clear', conversations } });
    await shows('#phones', 'Silent (2)');
    assert.deepEqual(await texts('#phones .thread .notification b'), ['newer of three']);
    assert.deepEqual(page.complaints, []);
  });

  it('takes nothing that people say for markup', async () => {
    await push(nasty, 'c1');
    await sandbox.mail('bob@example.test', { subject: nasty, headers: { 'X-Nasty': nasty } });
    await sandbox.text(phone, { Body: nasty });
    await sandbox.push(`dead-${nasty}`);
    await shows('#phones', nasty);
    await shows('#mail', nasty);
    await shows('#texts', nasty);
    await shows('#failed', nasty);
    assert.equal(
      await page.run(({ document }) => [...document.querySelectorAll('section img, section script')].length),
      0,
    );
    assert.equal(await page.run(({ hacked }) => hacked ?? 'no'), 'no');
    assert.deepEqual(page.complaints, []);
  });

  it('shows a mail’s HTML in a frame that may do nothing', async () => {
    const value = `<p style="color:red">canary</p>${nasty}<img src="${app.url}/pixel"><form action="${app.url}/form"></form>`;
    await sandbox.mail('bob@example.test', { content: [{ type: 'text/html', value }] });
    await shows('#mail', 'bob@example.test');
    await press('#mail summary', 'HTML');
    const frame = await page.run(async ({ document, requestAnimationFrame }) => {
      const found = document.querySelector('#mail iframe');
      while (!found?.src) await new Promise<void>((resolve) => requestAnimationFrame(resolve));
      return { sandbox: found.getAttribute('sandbox'), src: found.src };
    });
    assert.equal(frame.sandbox, '');
    const served = await fetch(frame.src);
    assert.match(served.headers.get('content-security-policy') ?? '', /^sandbox; default-src 'none'/);
    assert.equal(await served.text(), value);
    // Opened by itself it may do no more: its own policy holds.
    const alone = await browser.openPage<PageGlobals>();
    await alone.open(frame.src);
    assert.equal(await alone.run(({ hacked }) => hacked ?? 'no'), 'no');
    await alone.close();
    assert.deepEqual(app.posted, [], 'nothing was loaded');
  });

  it('unsubscribes, bounces and marks as spam by its buttons, and shows what came of it', async () => {
    await sandbox.webhooks({ targets: { sendGridEvents: `${app.url}/events` } });
    await sandbox.mail('bob@example.test', {
      headers: { 'List-Unsubscribe': `<${app.url}/u>` },
      custom_args: { attemptId: 'a1' },
    });
    await shows('#mail', 'bob@example.test');
    await press('#mail button', 'Unsubscribe');
    await shows('#timeline, #mail', '200');
    assert.deepEqual(
      app.posted.map(({ path }) => path),
      ['/u'],
    );
    await press('#mail button', 'Mark spam');
    await shows('#mail .chip', 'spamreport');
    await shows('#mail .traces', 'Callbacks (1)');
    assert.deepEqual(
      app.posted.map(({ path }) => path),
      ['/u', '/events'],
    );
  });

  it('shows a thread of texts, and answers as the person would', async () => {
    await sandbox.webhooks({ targets: { twilioInbound: `${app.url}/inbound` } });
    await sandbox.text(phone, { Body: `${'я'.repeat(70)}!` });
    await shows('#texts', '2 segments, UCS-2, about $0.0226');
    await press('#texts button', 'STOP');
    await shows('#texts .chip.stopped', 'stopped');
    assert.deepEqual(await texts('#texts .mine p'), ['STOP']);
    assert.match(app.posted[0]?.body ?? '', /OptOutType=STOP/);
    assert.equal((await sandbox.text(phone)).body.code, 21610);
    await page.run(({ document }) => {
      const input = document.querySelector('#texts form input');
      if (input) input.value = 'on my way';
      document.querySelector('#texts form')?.requestSubmit();
    });
    await shows('#texts', 'on my way');
    assert.match(app.posted[1]?.body ?? '', /Body=on\+my\+way/);
  });

  it('keeps what is typed and folded out when something new comes to the same card', async () => {
    await sandbox.text(phone);
    await shows('#texts', 'canary');
    await page.run(({ document }) => {
      const input = document.querySelector('#texts form input');
      if (input) input.value = 'half a word';
      const fold = document.querySelector('#texts details');
      if (fold) fold.open = true;
    });
    await sandbox.advance(60_000);
    await shows('#texts .chip', 'delivered');
    const kept = await page.run(({ document }) => [
      document.querySelector('#texts form input')?.value,
      document.querySelector('#texts details')?.open,
    ]);
    assert.deepEqual(kept, ['half a word', true]);
  });

  it('tells an attempt’s story by its id: asked, taken, told', async () => {
    await sandbox.webhooks({ targets: { sendGridEvents: `${app.url}/events` } });
    await sandbox.mail('bob@example.test', { custom_args: { attemptId: 'a1' } });
    await sandbox.advance(60_000);
    await shows('#mail .traces', 'attempt a1');
    await press('#mail .attempt', 'attempt a1');
    await shows('#timeline-title', 'Timeline of attempt a1');
    await shows('#timeline', 'asked sendgrid');
    await shows('#timeline', 'told delivered');
    const story = (await texts('#timeline li > span')).map((line) => line.replace(/^.*[AP]M /, ''));
    assert.deepEqual(story.toSorted(), [
      'asked sendgrid: POST /v3/mail/send → 202',
      'delivered ',
      'processed ',
      'sendgrid took it',
      'told delivered, try 1 → 200',
      'told processed, try 1 → 200',
    ]);
    await page.run(({ document }) => document.querySelector('#close')?.click());
    assert.equal(await page.run(({ document }) => document.querySelector('#timeline')?.hidden), true);
  });

  it('shows calls that were refused and paths that there are not, in red', async () => {
    await sandbox.ask('GET', '/v3/nowhere');
    await sandbox.text('+49151021211', { MessagingServiceSid: service });
    await shows('#failed', '/v3/nowhere 404');
    await shows('#failed', '+49151021211');
    assert.equal((await texts('#failed .refused')).length, 2);
  });

  it('is filtered by recipient, cleared, and knows what came before it was opened', async () => {
    await sandbox.text(phone);
    await sandbox.text('+4915199999999');
    await page.reload();
    await shows('#texts-count', '2');
    await page.run(({ document }) => {
      const input = document.querySelector('#to');
      if (!input) return;
      input.value = '99999';
      (input as unknown as { dispatchEvent(event: unknown): void }).dispatchEvent(new Event('input'));
    });
    await shows('#texts-count', '1');
    await press('.tools button', 'Clear');
    await shows('#texts', 'nothing yet');
    assert.deepEqual(await sandbox.items(), []);
  });

  it('moves the clock', async () => {
    await sandbox.mail('bob@example.test');
    await press('.tools button', '+1 h');
    await shows('#mail .chip', 'delivered');
  });

  for (const [kind, width] of [
    ['a phone', 390],
    ['a desk', 1_440],
  ] as const) {
    it(`fits ${kind}`, async () => {
      await page.resize(width, 900);
      await push('Ana', 'c1');
      await sandbox.mail('bob@example.test', { subject: 'x'.repeat(200), headers: { 'X-Long': 'y'.repeat(300) } });
      await sandbox.text(phone, { Body: 'z'.repeat(300) });
      await sandbox.push(`dead-${'d'.repeat(300)}`);
      await shows('#failed', 'dddd');
      await shows('#texts', 'zzzz');
      const [scroll = 0, client = 0] = await page.run(({ document: { documentElement: root } }) => [
        ...[root.scrollWidth, root.clientWidth],
      ]);
      assert.ok(client > width - 30, 'but for the scroll bar');
      assert.ok(scroll <= client, `${scroll} of ${client} pixels`);
    });
  }
});
