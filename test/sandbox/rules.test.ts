import assert from 'node:assert/strict';
import { type Still, hourMs, startStill } from './support.ts';

const phone = '+4915112345678';
const minuteMs = 60_000;

/** What makes a provider fail; the first version’s actions are in sandbox.test.ts. */
describe('the sandbox’s rules', () => {
  let sandbox: Still;
  beforeEach(async () => {
    sandbox = await startStill({ seed: 'rules' });
  });
  afterEach(() => sandbox.close());

  const statusesOf = async (count: number, send: () => Promise<{ status: number }>) => {
    const statuses: number[] = [];
    for (let n = 0; n < count; n += 1) statuses.push((await send()).status);
    return statuses;
  };

  it('look at a field of the body, by its path', async () => {
    await sandbox.rule({ field: { path: 'message.data.kind', is: 'call' }, action: { error: 'UNAVAILABLE' } });
    await sandbox.rule({ field: { path: 'personalizations.0.subject', is: '/^Urgent/' }, action: { status: 500 } });
    await sandbox.rule({ field: { path: 'Body', is: '/canary/' }, action: { error: '20500' } });
    assert.equal((await sandbox.push('ok-1', { data: { kind: 'message' } })).status, 200);
    assert.equal((await sandbox.push('ok-1', { data: { kind: 'call' } })).status, 503);
    const to = [{ email: 'bob@example.test' }];
    assert.equal((await sandbox.mail('', { personalizations: [{ to, subject: 'Urgent: x' }] })).status, 500);
    assert.equal((await sandbox.mail('', { personalizations: [{ to, subject: 'Not urgent' }] })).status, 202);
    assert.equal((await sandbox.text(phone)).body.code, 20500);
    assert.equal((await sandbox.text(phone, { Body: 'else' })).status, 201);
  });

  it('let so many calls of a window through, and say when to come again', async () => {
    await sandbox.rule({ provider: 'sendgrid', action: { limit: 2, windowMs: minuteMs } });
    assert.deepEqual(await statusesOf(2, () => sandbox.mail('bob@example.test')), [202, 202]);
    await sandbox.advance(30_000);
    const refused = await sandbox.mail('bob@example.test');
    const now = Date.parse(String((await sandbox.ask('GET', '/clock')).body.now));
    assert.equal(refused.status, 429);
    assert.equal(Number(refused.headers.get('x-ratelimit-reset')), Math.ceil((now + 30_000) / 1_000));
    await sandbox.advance(31_000);
    assert.deepEqual(await statusesOf(3, () => sandbox.mail('bob@example.test')), [202, 202, 429]);
    await sandbox.rule({ provider: 'fcm', action: { limit: 0, windowMs: minuteMs } });
    assert.equal((await sandbox.push('ok-1')).headers.get('retry-after'), '60');
  });

  it('take a provider down for a while, now or later', async () => {
    await sandbox.rule({ provider: 'twilio', action: { outageMs: hourMs, afterMs: hourMs } });
    assert.equal((await sandbox.text(phone)).status, 201);
    await sandbox.advance(hourMs);
    assert.equal((await sandbox.text(phone)).body.code, 20503);
    assert.equal((await sandbox.push('ok-1')).status, 200);
    await sandbox.advance(hourMs);
    assert.equal((await sandbox.text(phone)).status, 201);
  });

  it('end by the sandbox’s clock', async () => {
    await sandbox.rule({ expiresInMs: hourMs, action: { status: 500 } });
    assert.equal((await sandbox.push('ok-1')).status, 500);
    await sandbox.advance(hourMs);
    assert.equal((await sandbox.push('ok-1')).status, 200);
  });

  it('act by chance, the same in every run of the same seed', async () => {
    const statuses = async () => {
      const own = await startStill({ seed: 'chance' });
      await own.rule({ probability: 0.5, action: { status: 500 } });
      const all = await statusesOf(20, () => own.push('ok-1'));
      await own.close();
      return all;
    };
    const first = await statuses();
    assert.deepEqual(await statuses(), first);
    assert.deepEqual(new Set(first), new Set([200, 500]));
  });

  it('spoil the answer to what was taken', async () => {
    await sandbox.rule({ action: { malformed: true } });
    const response = await fetch(`${sandbox.url}/v1/projects/p/messages:send`, {
      method: 'POST',
      headers: { authorization: 'Bearer x', 'content-type': 'application/json' },
      body: JSON.stringify({ message: { token: 'ok-1' } }),
    });
    assert.equal(response.status, 200);
    await assert.rejects(response.json(), SyntaxError);
    assert.equal((await sandbox.items()).length, 1);
  });

  it('hold back an answer, and act on look-ups only when they say so', async () => {
    await sandbox.text(phone);
    const list = () => sandbox.twilio('GET', `/2010-04-01/Accounts/AC${'a'.repeat(32)}/Messages.json`);
    await sandbox.rule({ provider: 'twilio', action: { error: '20500' } });
    assert.equal((await list()).status, 200);
    await sandbox.rule({ provider: 'twilio', call: 'other', action: { error: '20503' } });
    assert.equal((await list()).status, 503);
    await sandbox.rule({ provider: 'fcm', action: { delayMs: 50 } });
    const before = performance.now();
    await sandbox.push('ok-1');
    assert.ok(performance.now() - before >= 50);
  });

  it('are refused when they make no sense', async () => {
    const path = async (body: object) => {
      const answer = await sandbox.ask('POST', '/rules', body);
      assert.equal(answer.status, 400);
      return (answer.body.errors as { path: string }[])[0]?.path;
    };
    assert.equal(await path({ field: { path: 'Body', is: '/(/' }, action: { hang: true } }), 'field.is');
    assert.equal(await path({ action: { limit: -1, windowMs: 1 } }), 'action.limit');
    assert.equal(await path({ probability: 0, action: { hang: true } }), 'probability');
  });

  describe('are not needed for recipients of certain names', () => {
    it('flaky2-: fails twice, then works', async () => {
      assert.deepEqual(await statusesOf(4, () => sandbox.push('flaky2-1')), [500, 500, 200, 200]);
      assert.deepEqual(await statusesOf(1, () => sandbox.push('flaky2-2')), [500]);
    });

    it('slow-: answers after three seconds', async () => {
      const before = performance.now();
      assert.equal((await sandbox.push('slow-1')).status, 200);
      assert.ok(performance.now() - before >= 3_000);
    });

    for (const code of ['20003', '20429', '20500', '20503', '21211', '21408', '21610', '21612', '21614'])
      it(`a number that ends with ${code}`, async () => {
        assert.equal((await sandbox.text(`+491510${code}`)).body.code, Number(code));
        assert.deepEqual(await sandbox.items(), []);
      });
  });
});
