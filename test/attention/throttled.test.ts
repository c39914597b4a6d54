import assert from 'node:assert/strict';
import pg from 'pg';
import { makeDirect, registerDevice, registerPeople, send, verifyContacts } from '../factories/person.ts';
import { type TestApp, startApp, testLadder } from '../setup/app.ts';
import { inbox, rule, waitFor } from '../support/inbox.ts';
import { until } from '../support/until.ts';

describe('a provider that has too much to do', () => {
  let app: TestApp;
  let db: pg.Client;
  before(async function () {
    this.timeout(60_000);
    app = await startApp({
      processes: [['api', 'realtime'], ['relay'], ['worker']],
      env: { HOMING_LADDER: `${testLadder} give-up=60s` },
    });
    db = new pg.Client(app.database.url);
    await db.connect();
  });
  after(async () => {
    await db.end();
    await app.stop();
  });

  it('2.23/18 is asked again when it says, and what it tells comes once', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const token = await registerDevice(bob);
    await verifyContacts(app, bob);
    // The code that a registration mails is through.
    await waitFor(app, { to: bob.email });
    const later = { status: 429, headers: { 'retry-after': '1' } };
    const tooMuch = { error: { code: 429, status: 'RESOURCE_EXHAUSTED' } };
    await rule(app, { provider: 'fcm', to: token, count: 1, action: { ...later, body: tooMuch } });
    await rule(app, { provider: 'sendgrid', to: bob.email, count: 1, action: later });
    await send(ana, (await makeDirect(ana, bob)).id, 'hello');
    const attempts = async () =>
      (
        await db.query<{ channel: string; state: string; tries: number }>(
          'select channel, state, tries from attempts where user_id = $1 order by channel',
          [bob.id],
        )
      ).rows;
    const tried = await until(attempts, (all) => all.length === 2 && all.every(({ state }) => state === 'accepted'));
    assert.deepEqual(
      tried.map(({ channel, tries }) => [channel, tries]),
      ['email', 'push'].map((channel) => [channel, 2]),
    );
    assert.equal((await inbox(app, { to: token })).length, 1);
    assert.equal((await inbox(app, { to: bob.email, text: 'new message' })).length, 1);
  }).timeout(60_000);
});
