import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { RequestRecord } from '../../sandbox/store.ts';
import {
  makeDirect,
  phoneNumber,
  read,
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

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('a worker is killed between the claim and the provider’s answer', () => {
  let app: TestApp;
  let db: pg.Client;
  let operators: ReturnType<typeof operatorsOf>;
  let workers: ChildProcess[] = [];
  before(async function () {
    this.timeout(60_000);
    // The provider is given more time than a new worker needs to begin.
    app = await startApp({
      processes: [['api', 'realtime'], ['relay']],
      env: { HOMING_LADDER: `${testLadder} give-up=60s` },
    });
    db = new pg.Client(app.database.url);
    await db.connect();
    operators = operatorsOf(app);
  });
  afterEach(async () => {
    for (const worker of workers) await kill(worker);
    workers = [];
  });
  after(async () => {
    await operators.disconnect();
    await db.end();
    await app.stop();
  });

  const startWorker = (): ChildProcess => {
    const { PATH, HOME } = process.env;
    const worker = spawn(process.execPath, ['main.ts', 'worker'], {
      cwd: root,
      env: { ...app.env, PATH, HOME },
      stdio: 'ignore',
    });
    workers.push(worker);
    return worker;
  };
  const kill = async (worker: ChildProcess) => {
    if (worker.exitCode !== null || worker.signalCode !== null) return;
    const exited = once(worker, 'exit');
    worker.kill('SIGKILL');
    await exited;
  };
  const requests = async () =>
    ((await (await fetch(`${app.sandboxUrl}/requests.json`)).json()) as { requests: RequestRecord[] }).requests;
  const attempts = async (userId: string, channel: string) =>
    (
      await db.query<{ id: string; state: string }>(
        'select id, state from attempts where user_id = $1 and channel = $2',
        [userId, channel],
      )
    ).rows;

  it('2.23/11: the next worker sends the same attempt: one push is seen', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const token = await registerDevice(bob);
    await rule(app, { provider: 'fcm', to: token, count: 1, action: { hang: true } });
    const first = startWorker();
    const direct = await makeDirect(ana, bob);
    await send(ana, direct.id, 'hello');
    await until(requests, (all) => all.some(({ to, status }) => to === token && status === 'hang'));
    await kill(first);
    assert.deepEqual(
      (await attempts(bob.id, 'push')).map(({ state }) => state),
      ['claimed'],
    );
    startWorker();
    const [push] = await waitFor(app, { to: token });
    const [attempt] = await until(
      () => attempts(bob.id, 'push'),
      (all) => all[0]?.state === 'accepted',
    );
    assert.equal(push?.attemptId, attempt?.id);
    expectStatus(await read(bob, direct.id, 1), 200);
    assert.equal((await attempts(bob.id, 'push')).length, 1);
    assert.equal((await inbox(app, { to: token })).length, 1);
  }).timeout(90_000);

  it('2.23/13: an SMS that the provider took before the cut is found and not sent again', async () => {
    const ana = await registerPerson(app);
    const bob = await registerPerson(app, 'Bob');
    const phone = phoneNumber();
    await verifyContacts(app, bob, phone);
    expectStatus(
      await bob.call('PATCH', '/v1/me/notifications', { channels: { push: false, email: false, sms: true } }),
      200,
    );
    await rule(app, { provider: 'twilio', to: phone, count: 1, action: { cut: 'after' } });
    startWorker();
    const direct = await makeDirect(ana, bob);
    await send(ana, direct.id, 'hello');
    await waitFor(app, { to: phone });
    await until(
      () => attempts(bob.id, 'sms'),
      (all) => all[0]?.state === 'accepted',
    );
    assert.equal((await inbox(app, { to: phone })).length, 1);
  }).timeout(90_000);

  it('2.23/12: a mail whose fate is unknown is sent again with the same Message-ID', async () => {
    const ana = await registerPerson(app);
    const bob = await registerPerson(app, 'Bob');
    await verifyContacts(app, bob);
    startWorker();
    // The code for his address first: the rule is for the mail after it.
    await waitFor(app, { to: bob.email, text: 'Homing code' });
    await rule(app, { provider: 'sendgrid', to: bob.email, count: 1, action: { cut: 'after' } });
    const direct = await makeDirect(ana, bob);
    await send(ana, direct.id, 'hello');
    const mails = await waitFor(app, { to: bob.email, text: 'new message' }, 2);
    assert.equal(new Set(mails.map(({ headers }) => headers?.['Message-ID'])).size, 1);
    assert.equal(new Set(mails.map(({ attemptId }) => attemptId)).size, 1);
    await until(
      () => attempts(bob.id, 'email'),
      (all) => all[0]?.state === 'accepted',
    );
  }).timeout(90_000);

  /** Somebody who is asked by this one channel alone. */
  const by = async (channel: 'email' | 'sms') => {
    const ana = await registerPerson(app);
    const bob = await registerPerson(app, 'Bob');
    const phone = phoneNumber();
    await verifyContacts(app, bob, phone);
    const channels = { push: false, email: channel === 'email', sms: channel === 'sms' };
    expectStatus(await bob.call('PATCH', '/v1/me/notifications', { channels }), 200);
    return { ana, bob, phone, direct: await makeDirect(ana, bob) };
  };
  const calling = (to: string, status: string) =>
    until(requests, (all) => all.some((request) => request.to === to && request.status === status));

  it('a text whose fate the dead worker took along is not sent again by itself, and is by a person', async () => {
    const { ana, bob, phone, direct } = await by('sms');
    await rule(app, { provider: 'twilio', to: phone, count: 1, action: { hang: true } });
    const first = startWorker();
    await send(ana, direct.id, 'hello');
    await calling(phone, 'hang');
    await kill(first);
    startWorker();
    await until(
      () => attempts(bob.id, 'sms'),
      (all) => all[0]?.state === 'unknown',
    );
    assert.deepEqual(await inbox(app, { to: phone }), []);
    await until(
      () => operators.details(bob.id),
      (text) => text.includes('SMS needs attention'),
    );
    await operators.retry(bob.id);
    await waitFor(app, { to: phone });
    await until(
      () => attempts(bob.id, 'sms'),
      (all) => all[0]?.state === 'accepted',
    );
    assert.equal((await inbox(app, { to: phone })).length, 1);
  }).timeout(90_000);

  it('a mail whose fate the dead worker took along is sent once more, with the same Message-ID', async () => {
    const { ana, bob, direct } = await by('email');
    const first = startWorker();
    await waitFor(app, { to: bob.email, text: 'Homing code' });
    await rule(app, { provider: 'sendgrid', to: bob.email, count: 1, action: { hang: true } });
    await send(ana, direct.id, 'hello');
    await calling(bob.email, 'hang');
    await kill(first);
    const [claimed] = await attempts(bob.id, 'email');
    startWorker();
    const [mail] = await waitFor(app, { to: bob.email, text: 'new message' });
    assert.equal(mail?.attemptId, claimed?.id);
    assert.match(mail?.headers?.['Message-ID'] ?? '', new RegExp(claimed?.id ?? '-'));
    await until(
      () => attempts(bob.id, 'email'),
      (all) => all.length === 1 && all[0]?.state === 'accepted',
    );
    assert.equal((await inbox(app, { to: bob.email, text: 'new message' })).length, 1);
  }).timeout(90_000);

  it('a worker that is told to stop sees its send through: the mail goes out once', async () => {
    const { ana, bob, direct } = await by('email');
    const first = startWorker();
    await waitFor(app, { to: bob.email, text: 'Homing code' });
    // Longer than the rest of stopping takes, and less than what a send is granted.
    await rule(app, { provider: 'sendgrid', to: bob.email, count: 1, action: { delayMs: 2_700 } });
    await send(ana, direct.id, 'hello');
    await until(
      () => attempts(bob.id, 'email'),
      (all) => all[0]?.state === 'claimed',
    );
    const exited = once(first, 'exit');
    first.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null]);
    assert.deepEqual(
      (await attempts(bob.id, 'email')).map(({ state }) => state),
      ['accepted'],
    );
    assert.equal((await inbox(app, { to: bob.email, text: 'new message' })).length, 1);
  }).timeout(90_000);
});
