import assert from 'node:assert/strict';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import pg from 'pg';
import {
  type Person,
  makeDirect,
  phoneNumber,
  registerDevice,
  registerPeople,
  registerPerson,
  send,
  verifyContacts,
} from '../factories/person.ts';
import { type TestApp, startApp, testLadder } from '../setup/app.ts';
import { inbox, rule, waitFor } from '../support/inbox.ts';
import { operatorsOf } from '../support/operators.ts';
import { expectStatus } from '../support/rest.ts';
import { until } from '../support/until.ts';

describe('an episode that needs a person', () => {
  let app: TestApp;
  let db: pg.Client;
  let operators: ReturnType<typeof operatorsOf>;
  before(async function () {
    this.timeout(60_000);
    app = await startApp({ processes: [['api', 'realtime'], ['relay'], ['worker']] });
    db = new pg.Client(app.database.url);
    await db.connect();
    operators = operatorsOf(app);
  });
  after(async () => {
    await operators.disconnect();
    await db.end();
    await app.stop();
  });

  const handleOf = ({ id }: Person) => operators.handleOf(id);
  const details = ({ id }: Person) => operators.details(id);
  /** No base64 holds it by chance. */
  const canary = 'the canary sings at noon';
  const stuckPush = async (error: string) => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bartholomew');
    const token = await registerDevice(bob);
    const mend = await rule(app, { provider: 'fcm', to: token, action: { error } });
    const direct = await makeDirect(ana, bob);
    await send(ana, direct.id, canary);
    await until(
      () => details(bob),
      (text) => text.includes('needs attention'),
    );
    return { bob, token, mend };
  };
  const states = async (person: Person) =>
    (
      await db.query<{ channel: string; state: string; error_class: string | null }>(
        'select channel, state, error_class from attempts where user_id = $1',
        [person.id],
      )
    ).rows;
  const deviceState = async (person: Person) =>
    (await db.query<{ push_state: string }>('select push_state from devices where user_id = $1', [person.id])).rows[0]
      ?.push_state;

  /** So many pushes need somebody to mend our configuration, as the relay says. */
  const stepsWait = (n: number) => {
    const { stuckSteps } = (app.processes[1] as TestApp['processes'][number]).runtime.metrics;
    const isMeant = ({ labels }: { labels: Record<string, unknown> }) =>
      labels.channel === 'push' && labels.reason === 'provider_configuration';
    return until(
      async () => (await stuckSteps.get()).values.find(isMeant)?.value,
      (value) => value === n,
    );
  };

  it('says in words what happened and what mends it; retry mends it', async () => {
    const { bob, token, mend } = await stuckPush('UNAUTHENTICATED');
    const said = await details(bob);
    assert.match(said, /push needs attention/);
    assert.match(said, /provider_configuration/);
    for (const name of ['retry', 'skip', 'snooze', 'close']) assert.ok(said.includes(name), name);
    assert.equal(await deviceState(bob), 'active', 'wrong credentials blame no device');

    await stepsWait(1);

    await mend();
    const answer = await operators.retry(bob.id);
    assert.deepEqual(answer, { done: true, message: 'push is tried again now' });
    const [push] = await waitFor(app, { to: token });
    assert.equal(push?.title, 'Ana');
    assert.deepEqual(
      await until(
        () => states(bob),
        ([first]) => first?.state === 'accepted',
      ),
      [{ channel: 'push', state: 'accepted', error_class: null }],
    );
    await stepsWait(0);
    assert.equal(await handleOf(bob).result(), 'every-step-spent');
    await assert.rejects(operators.retry(bob.id), /completed|not found/i);
  }).timeout(60_000);

  it('a wrong project answers as a dead token does, and costs nobody a device', async () => {
    const { bob } = await stuckPush('NOT_FOUND');
    assert.equal(await deviceState(bob), 'active');
    await stepsWait(1);
    await operators.close(bob.id);
    assert.equal(await handleOf(bob).result(), 'closed-by-operator');
    await stepsWait(0);
  }).timeout(60_000);

  it('a dead token is no stuck step: the device becomes suspect and the story goes on', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    await registerDevice(bob, `dead-${bob.id}`);
    const direct = await makeDirect(ana, bob);
    await send(ana, direct.id, 'hello');
    await until(
      () => deviceState(bob),
      (state) => state === 'suspect',
    );
    assert.equal(await handleOf(bob).result(), 'every-step-spent');
    assert.deepEqual(await states(bob), [{ channel: 'push', state: 'failed', error_class: 'recipient_dead' }]);
  }).timeout(60_000);

  it('histories, ids and attributes hold nothing personal', async () => {
    const { bob, token } = await stuckPush('UNAUTHENTICATED');
    const history = historyToJSON(await handleOf(bob).fetchHistory());
    const plain = history;
    const decoded = [...history.matchAll(/"data": ?"([^"]+)"/g)]
      .map(([, data = '']) => Buffer.from(data, 'base64').toString('latin1'))
      .join('\n');
    assert.ok(decoded.length > 100, 'payloads were looked at');
    assert.ok(history.includes(Buffer.from('binary/encrypted').toString('base64')), 'and are encrypted');
    for (const secret of [bob.email, token, canary, bob.name]) {
      assert.ok(!decoded.includes(secret), `a payload holds ${secret}`);
      assert.ok(!plain.includes(secret), `the history holds ${secret}`);
    }
    await operators.close(bob.id);
    assert.equal((await inbox(app, { to: token })).length, 0);
  }).timeout(60_000);

  /** Somebody who can be asked by every channel. */
  const reachable = async () => {
    const ana = await registerPerson(app, 'Ana');
    const bob = await registerPerson(app, 'Bob');
    const phone = phoneNumber();
    await verifyContacts(app, bob, phone);
    expectStatus(await bob.call('PATCH', '/v1/me/notifications', { channels: { sms: true } }), 200);
    return { ana, bob, phone, token: await registerDevice(bob), direct: await makeDirect(ana, bob) };
  };
  const needsAttention = (bob: Person, name: string) =>
    until(
      () => details(bob),
      (text) => text.includes(`${name} needs attention`),
    );
  const accepted = (bob: Person, channel: string) =>
    until(
      () => states(bob),
      (all) => all.some((one) => one.channel === channel && one.state === 'accepted'),
    );

  it('retry mends a mail that was given up after any number of failures, once the provider is back', async () => {
    const { ana, bob, direct } = await reachable();
    await waitFor(app, { to: bob.email, text: 'Homing code' });
    const mend = await rule(app, { provider: 'sendgrid', to: bob.email, action: { status: 503 } });
    await send(ana, direct.id, 'hello');
    await needsAttention(bob, 'e-mail');
    await until(
      () => states(bob),
      (all) => all.some(({ channel, state }) => channel === 'email' && state === 'failed'),
    );
    await mend();
    await operators.retry(bob.id);
    await waitFor(app, { to: bob.email, text: 'new message' });
    await accepted(bob, 'email');
    assert.equal((await inbox(app, { to: bob.email, text: 'new message' })).length, 1);
  }).timeout(60_000);

  it('and a text', async () => {
    const { ana, bob, phone, direct } = await reachable();
    const mend = await rule(app, { provider: 'twilio', to: phone, action: { status: 503 } });
    await send(ana, direct.id, 'hello');
    await needsAttention(bob, 'SMS');
    await mend();
    await operators.retry(bob.id);
    await waitFor(app, { to: phone });
    await accepted(bob, 'sms');
    assert.equal((await inbox(app, { to: phone })).length, 1);
  }).timeout(60_000);

  it('while a push keeps failing, mail and text go out; after close nothing does', async () => {
    const patient = await startApp({
      processes: [['api', 'realtime'], ['relay'], ['worker']],
      env: { HOMING_LADDER: `${testLadder} give-up=60s` },
    });
    const [ana, bob] = await registerPeople(patient, 'Ana', 'Bob');
    const phone = phoneNumber();
    await verifyContacts(patient, bob, phone);
    expectStatus(await bob.call('PATCH', '/v1/me/notifications', { channels: { sms: true } }), 200);
    const token = await registerDevice(bob);
    const mend = await rule(patient, { provider: 'fcm', to: token, action: { status: 503 } });
    const direct = await makeDirect(ana, bob);
    await send(ana, direct.id, 'hello');
    await waitFor(patient, { to: bob.email, text: 'new message' });
    await waitFor(patient, { to: phone });
    const olga = operatorsOf(patient);
    await olga.close(bob.id);
    await mend();
    assert.equal(await olga.handleOf(bob.id).result(), 'closed-by-operator');
    assert.deepEqual(await inbox(patient, { to: token }), []);
    await olga.disconnect();
    await patient.stop();
  }).timeout(60_000);
});
