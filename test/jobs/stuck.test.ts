import assert from 'node:assert/strict';
import pg from 'pg';
import type { Job, JobAnswer, JobBulkAnswer } from '../../contracts/entities/index.ts';
import {
  type Person,
  makeDirect,
  phoneNumber,
  registerDevice,
  registerPeople,
  send,
  verifyContacts,
} from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { inbox, rule, waitFor } from '../support/inbox.ts';
import { needsAttention, patientLadder, staff, stuckText } from '../support/jobs.ts';
import { expectStatus } from '../support/rest.ts';
import { until } from '../support/until.ts';

describe('what is stuck is mended', () => {
  let app: TestApp;
  let db: pg.Client;
  let olga: Person;
  beforeEach(async function () {
    this.timeout(60_000);
    app = await startApp({
      processes: [['api', 'realtime'], ['relay'], ['worker']],
      env: { HOMING_LADDER: patientLadder },
    });
    db = new pg.Client(app.database.url);
    await db.connect();
    olga = await staff(app, db, 'operator');
  });
  afterEach(async () => {
    await db.end();
    await app.stop();
  });

  const rows = async <Row extends pg.QueryResultRow>(text: string, ...values: unknown[]) =>
    (await db.query<Row>(text, values)).rows;
  const attempts = ({ id }: Person) =>
    rows<{ channel: string; state: string; error_class: string | null }>(
      'select channel, state, error_class from attempts where user_id = $1 order by claimed_at',
      id,
    );
  const openCircuits = async () => {
    const { values } = await (app.processes.at(-1) as TestApp['processes'][number]).runtime.metrics.circuits.get();
    return values.filter(({ value }) => value === 1).map(({ labels }) => `${labels.circuit} ${labels.cause}`);
  };
  const pushable = async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const token = await registerDevice(bob);
    const direct = await makeDirect(ana, bob);
    return { bob, token, write: () => send(ana, direct.id, 'hello') };
  };
  const deviceStates = () => rows<{ push_state: string }>('select push_state from devices');
  const bulk = async (body: object) =>
    expectStatus(await olga.call<JobBulkAnswer>('POST', '/v1/admin/jobs/bulk', body), 200);

  for (const [title, error] of [
    ['wrong credentials', 'UNAUTHENTICATED'],
    ['2.23/10: a wrong FCM project', 'NOT_FOUND'],
  ] as const) {
    it(`${title}: no token is blamed, the circuit opens, and configuration and retry mend it`, async () => {
      const mend = await rule(app, { provider: 'fcm', action: { error } });
      const people = [await pushable(), await pushable(), await pushable()];
      for (const { bob, write } of people) {
        await write();
        await needsAttention(app, bob, 'push');
      }
      assert.deepEqual(await openCircuits(), ['fcm:android configuration'], 'what an alert looks at');
      const waiting = await pushable();
      await waiting.write();
      await until(
        () =>
          rows<{ reason: string }>(`select reason from decisions where user_id = $1 and step = 'push'`, waiting.bob.id),
        (all) => all.some(({ reason }) => reason === 'breaker_open'),
      );
      assert.deepEqual(await attempts(waiting.bob), []);
      assert.deepEqual(new Set((await deviceStates()).map(({ push_state }) => push_state)), new Set(['active']));

      await mend();
      const where = { reason: 'provider_configuration', provider: 'fcm' };
      await until(
        () => bulk({ action: 'retry', where, dryRun: true }),
        ({ matched }) => matched === 3,
      );
      const mended = await bulk({ action: 'retry', where, note: 'the key is renewed', rate: 20 });
      assert.deepEqual([mended.done, mended.failures, mended.nextCursor], [3, [], null]);
      for (const { token } of people) await waitFor(app, { to: token });
      // It comes back by itself, and asks whether the provider is back.
      await until(
        () => inbox(app, { to: waiting.token }),
        (items) => items.length === 1,
        45_000,
      );
    }).timeout(120_000);
  }

  it('a poison template: that attempt fails, nobody is blamed, nothing is tried again, and the ladder goes on', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const phone = phoneNumber();
    await verifyContacts(app, bob, phone);
    expectStatus(await bob.call('PATCH', '/v1/me/notifications', { channels: { sms: true } }), 200);
    await waitFor(app, { to: bob.email, text: 'Homing code' });
    const body = JSON.stringify({
      errors: [{ message: 'The content value must be a string', field: 'content.0.value' }],
    });
    const headers = { 'content-type': 'application/json' };
    await rule(app, { provider: 'sendgrid', to: bob.email, action: { status: 400, body, headers } });
    const direct = await makeDirect(ana, bob);
    await send(ana, direct.id, 'hello');
    await waitFor(app, { to: phone });
    const [mail] = (await attempts(bob)).filter(({ channel }) => channel === 'email');
    assert.deepEqual([mail?.state, mail?.error_class], ['failed', 'content_rejected']);
    const asked = await fetch(`${app.sandboxUrl}/requests.json?to=${encodeURIComponent(bob.email)}&status=400`);
    assert.equal(((await asked.json()) as { requests: unknown[] }).requests.length, 1);
    assert.deepEqual(await rows('select * from suppressions'), []);
    assert.deepEqual(await openCircuits(), []);
  }).timeout(60_000);

  it('2.23/13: a text whose fate is unknown is sent again by a person alone', async () => {
    const { id, phone, bob } = await stuckText(app);
    assert.deepEqual(
      (await attempts(bob)).map(({ state, error_class }) => [state, error_class]),
      [['unknown', 'sms_outcome_unknown']],
    );
    assert.deepEqual(await inbox(app, { to: phone }), []);
    expectStatus(await olga.call<JobAnswer>('POST', `/v1/admin/jobs/${id}/retry`, {}), 200);
    await waitFor(app, { to: phone });
    await until(
      () => attempts(bob),
      ([text]) => text?.state === 'accepted',
    );
    assert.equal((await inbox(app, { to: phone })).length, 1);
  }).timeout(60_000);

  it('a dead device is nobody’s work: it becomes suspect, and no job needs a person', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    await registerDevice(bob, `dead-${bob.id}`);
    const direct = await makeDirect(ana, bob);
    await send(ana, direct.id, 'hello');
    await until(deviceStates, ([device]) => device?.push_state === 'suspect');
    await until(
      () => rows<{ outcome: string | null }>('select outcome from episodes where user_id = $1', bob.id),
      ([episode]) => episode?.outcome === 'every-step-spent',
    );
    const { items } = expectStatus(await olga.call<{ items: Job[] }>('GET', '/v1/admin/jobs'), 200);
    assert.deepEqual(items, []);
  }).timeout(60_000);
});
