import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../support/until.ts';
import { type Receiver, type Still, hourMs, startReceiver, startStill } from './support.ts';

/** How tests steer the sandbox, wait for it and ask it what holds. */
describe('the sandbox’s control API', () => {
  let sandbox: Still;
  let app: Receiver;
  beforeEach(async () => {
    sandbox = await startStill({ seed: 'control' });
    app = await startReceiver();
  });
  afterEach(async () => {
    await sandbox.close();
    await app.close();
  });

  const push = (attemptId: string, to = 'ok-1') => sandbox.push(to, { data: { attemptId } });
  const holds = async (assertion: object) => {
    const { status, body } = await sandbox.ask('POST', '/assert', assertion);
    assert.ok([200, 409].includes(status), JSON.stringify(body));
    assert.equal(body.holds, status === 200);
    return body.holds as boolean;
  };

  it('waits for calls and reports, too, by what they hold', async () => {
    await sandbox.webhooks({ targets: { sendGridEvents: app.url } });
    const told = sandbox.ask('GET', '/wait?of=callbacks&event=delivered&attemptId=a1&status=200');
    const asked = sandbox.ask('GET', '/wait?of=requests&provider=fcm&status=404');
    await sandbox.mail('bob@example.test', { custom_args: { attemptId: 'a1' } });
    await sandbox.push('dead-1');
    await sandbox.advance(hourMs);
    assert.equal((await told).status, 200);
    assert.equal(((await asked).body.requests as { to: string }[])[0]?.to, 'dead-1');
    assert.equal((await sandbox.ask('GET', '/wait?of=requests&event=delivered')).status, 400);
    assert.equal((await sandbox.ask('GET', '/wait?pattern=(')).status, 400);
    assert.equal((await sandbox.items('?pattern=^bob')).length, 1);
    assert.equal((await sandbox.items('?status=delivered&event=processed')).length, 1);
  });

  describe('asserts', () => {
    it('exactly so many: waits for the last, and knows of one too many', async () => {
      const later = holds({ exactly: 2, where: { to: 'ok-1' } });
      await push('a1');
      await push('a2');
      assert.ok(await later);
      await push('a3');
      assert.equal(await holds({ exactly: 2, where: { to: 'ok-1' }, timeoutMs: 0 }), false);
      assert.equal(await holds({ exactly: 4, where: { to: 'ok-1' }, timeoutMs: 20 }), false);
      assert.ok(await holds({ exactly: 0, where: { to: 'ok-2' }, timeoutMs: 0 }));
    });

    it('exactly so many, while the clock goes on for an hour', async () => {
      await push('a1');
      const asking = holds({ exactly: 1, where: { to: 'ok-1' }, quietMs: hourMs });
      await waits();
      await push('a2');
      assert.equal(await asking, false);
      assert.ok(await holds({ exactly: 2, where: { to: 'ok-1' }, quietMs: hourMs, advance: true }));
    });

    // The clock stands, so whatever waits by it is a watch.
    const waits = () =>
      until(
        async () => Number((await sandbox.ask('GET', '/clock')).body.waiting),
        (waiting) => waiting > 0,
      );

    it('none while the sandbox’s clock goes on by a day, without anybody’s sleep', async () => {
      await push('before');
      const watch = holds({ noneForMs: 24 * hourMs, where: { channel: 'push' } });
      await waits();
      await sandbox.mail('bob@example.test');
      await sandbox.advance(24 * hourMs);
      assert.ok(await watch);
      const vain = holds({ noneForMs: 24 * hourMs, where: { channel: 'push' } });
      await waits();
      await push('meanwhile');
      assert.equal(await vain, false);
    });

    it('none, and moves the clock itself: what an app does when it is told counts', async () => {
      await sandbox.webhooks({ targets: { sendGridEvents: app.url } });
      await sandbox.mail('bounce@example.test');
      assert.ok(await holds({ noneForMs: hourMs, where: { channel: 'sms' }, advance: true }));
      assert.equal(app.posted.length, 2);
    });

    it('an order', async () => {
      for (const id of ['a1', 'a2', 'a3']) await push(id);
      assert.ok(await holds({ order: [{ attemptId: 'a1' }, { attemptId: 'a3' }] }));
      assert.equal(await holds({ order: [{ attemptId: 'a3' }, { attemptId: 'a1' }] }), false);
      assert.equal(await holds({ order: [{ attemptId: 'a1' }, { attemptId: 'a1' }] }), false);
    });

    it('that no attempt reached somebody twice', async () => {
      await push('a1');
      await push('a1', 'ok-2');
      await push('a2');
      assert.ok(await holds({ noDuplicates: 'attemptId', where: {} }));
      await push('a1');
      assert.equal(await holds({ noDuplicates: 'attemptId', where: {} }), false);
      assert.ok(await holds({ noDuplicates: 'attemptId', where: { to: 'ok-2' } }));
    });

    it('nothing that it does not understand', async () => {
      for (const body of [{}, { exactly: -1, where: {} }, { order: [{}] }, { noneForMs: 1, where: { colour: 'red' } }])
        assert.equal((await sandbox.ask('POST', '/assert', body)).status, 400);
    });
  });

  it('moves the clock, stops it and lets it go on, and never back', async () => {
    const now = async () => Date.parse(String((await sandbox.ask('GET', '/clock')).body.now));
    const before = await now();
    await sandbox.advance(24 * hourMs);
    assert.equal((await now()) - before, 24 * hourMs);
    await sandbox.ask('POST', '/clock', { stands: false });
    assert.ok((await now()) - before >= 24 * hourMs);
    await sandbox.ask('POST', '/clock', { advanceMs: hourMs, stands: true });
    assert.ok((await now()) - before >= 25 * hourMs);
    assert.equal((await sandbox.ask('POST', '/clock', {})).status, 400);
    assert.equal((await sandbox.ask('POST', '/clock', { advanceMs: -1 })).status, 400);
  });

  it('tells by the machine’s time when its clock goes with it', async () => {
    await sandbox.ask('POST', '/clock', { stands: false });
    await sandbox.webhooks({ targets: { sendGridEvents: app.url }, sendgrid: { delayMs: 5 } });
    await sandbox.mail('bob@example.test');
    assert.equal((await sandbox.ask('GET', '/wait?of=callbacks&event=delivered')).status, 200);
  });

  it('gives the same ids in every run of the same seed', async () => {
    const other = await startStill({ seed: 'control' });
    const idsOf = async (one: Still) => {
      await one.push('ok-1');
      await one.text('+4915112345678');
      return (await one.items()).map(({ id, providerId }) => [id, providerId]);
    };
    assert.deepEqual(await idsOf(other), await idsOf(sandbox));
    await other.close();
    const unlike = await startStill();
    assert.notDeepEqual(await idsOf(unlike), await idsOf(sandbox));
    await unlike.close();
  });

  it('exports all there is, a line each, in order', async () => {
    await sandbox.webhooks({ targets: { sendGridEvents: app.url } });
    await sandbox.mail('bob@example.test');
    await sandbox.advance(hourMs);
    const text = String((await sandbox.ask('GET', '/export')).body.text);
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { list: string; seq: number });
    assert.deepEqual(
      lines.map(({ list }) => list),
      ['items', 'requests', 'callbacks', 'callbacks'],
    );
    assert.deepEqual(
      lines.map(({ seq }) => seq),
      lines.map(({ seq }) => seq).sort((one, other) => one - other),
    );
  });

  it('writes each record to a file, too, where it is told one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sandbox-'));
    const file = join(folder, 'records.jsonl');
    const own = await startStill({ file });
    await own.mail('drop-unsub@example.test');
    await own.advance(hourMs);
    await own.close();
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    const records = lines.map((line) => JSON.parse(line) as { list: string; status: unknown });
    assert.deepEqual(
      records.map(({ list, status }) => [list, status]),
      [
        ['items', 'accepted'],
        ['requests', 202],
        ['items', 'dropped'],
      ],
    );
    rmSync(folder, { recursive: true });
  });

  it('keeps no body that is large', async () => {
    await sandbox.push('ok-1', { data: { x: 'y'.repeat(20_000) } });
    const { body } = await sandbox.ask('GET', '/requests.json');
    assert.equal((body.requests as { body: unknown }[])[0]?.body, '(too large to be kept)');
  });

  it('forgets what was to come as well', async () => {
    await sandbox.webhooks({ targets: { sendGridEvents: app.url } });
    await sandbox.mail('bob@example.test');
    await sandbox.ask('POST', '/clear');
    await sandbox.advance(hourMs);
    assert.deepEqual([app.posted, await sandbox.callbacks(), await sandbox.items()], [[], [], []]);
  });

  it('keeps of a call what was asked and answered, and no credentials', async () => {
    await sandbox.push('dead-1');
    const { body } = await sandbox.ask('GET', '/requests.json?to=dead-1');
    const [call] = body.requests as { body: object; answer: { status: number } }[];
    assert.deepEqual(call?.body, { message: { token: 'dead-1' } });
    assert.equal(call?.answer.status, 404);
    assert.ok(!JSON.stringify(body).includes('Bearer'));
  });

  it('answers nobody who asks by a name of the web, or from a page of elsewhere', async () => {
    const status = (method: string, path: string, headers: Record<string, string>) =>
      new Promise<number>((resolve, reject) => {
        const asked = request(`${sandbox.url}${path}`, { method, headers }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        });
        asked.on('error', reject).end();
      });
    await push('kept');
    for (const path of ['/inbox.json', '/', '/events', '/export', '/requests.json'])
      assert.equal(await status('GET', path, { host: 'rebound.example.com' }), 403, path);
    for (const origin of ['https://example.com', 'null'])
      assert.equal(await status('POST', '/clear', { origin }), 403, origin);
    assert.equal((await sandbox.items()).length, 1);
    assert.equal(await status('GET', '/inbox.json', { host: 'sandbox:4010' }), 200);
    assert.equal(await status('POST', '/clear', { origin: sandbox.url }), 204);
    // The SDKs name the provider's own host.
    assert.equal(await status('GET', '/v3/scopes', { host: 'api.sendgrid.com' }), 401);
    assert.equal(await status('GET', '/v3/nowhere', { host: 'api.sendgrid.com' }), 404);
  });

  describe('does what people do', () => {
    const mailWith = (headers: object, html = '') =>
      sandbox.mail('bob@example.test', {
        headers,
        content: [
          { type: 'text/plain', value: 'x' },
          { type: 'text/html', value: html || '<p>x</p>' },
        ],
      });
    const doIt = async (what: string) => {
      const [item] = await sandbox.items();
      return sandbox.ask('POST', `/items/${String(item?.id)}/${what}`);
    };

    it('unsubscribes with one click: a POST, no redirect followed', async () => {
      await mailWith({ 'List-Unsubscribe': `<mailto:x@homing.test>, <${app.url}/u?t=1>` });
      app.status = 302;
      assert.deepEqual((await doIt('unsubscribe')).body.visit, { url: `${app.url}/u?t=1`, status: 302 });
      const [post] = app.posted;
      assert.deepEqual([post?.path, post?.body], ['/u?t=1', 'List-Unsubscribe=One-Click']);
      assert.equal(post?.headers.cookie, undefined);
    });

    it('cannot where the mail has no such header', async () => {
      await mailWith({});
      assert.equal((await doIt('unsubscribe')).status, 400);
    });

    it('opens each link as a scanner does, and none that leads off this machine', async () => {
      await mailWith(
        { 'List-Unsubscribe': `<${app.url}/u>` },
        `<a href="${app.url}/o?a=1&amp;b=2">x</a><a href="https://example.com/">y</a>`,
      );
      const { visits } = (await doIt('scan')).body as { visits: { url: string; status: unknown }[] };
      assert.deepEqual(
        visits.map(({ status }) => status),
        [200, 'skipped', 200],
      );
      assert.deepEqual(
        app.posted.map(({ path }) => path),
        ['/o?a=1&b=2', '/u'],
      );
    });

    it('answers no push', async () => {
      await push('a1');
      assert.equal((await sandbox.ask('POST', '/items/a1/reply', { text: 'x' })).status, 400);
    });
  });
});
