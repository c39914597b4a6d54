import assert from 'node:assert/strict';
import type { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import pg from 'pg';
import type { OperatorAnswer } from '../../contracts/workflows/escalate-unread.ts';
import { readConfig } from '../../platform/config.ts';
import { openTemporal } from '../../temporal/client.ts';
import { type Person, makeDirect, registerDevice, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { inbox, rule, waitFor } from '../support/inbox.ts';
import { until } from '../support/until.ts';

describe('an episode that needs a person', () => {
  let app: TestApp;
  let db: pg.Client;
  let client: Client;
  before(async function () {
    this.timeout(60_000);
    app = await startApp({ processes: [['api', 'realtime'], ['relay'], ['worker']] });
    db = new pg.Client(app.database.url);
    await db.connect();
    const config = readConfig(app.env);
    client = openTemporal({
      address: config.TEMPORAL_ADDRESS,
      namespace: config.TEMPORAL_NAMESPACE,
      payloadKeys: config.HOMING_PAYLOAD_KEYS,
    });
  });
  after(async () => {
    await client.connection.close();
    await db.end();
    await app.stop();
  });

  const handleOf = (person: Person) => client.workflow.getHandle(`attention/${person.id}/1`);
  /** What the top of the workflow's page says; nothing before it runs. */
  const details = async (person: Person): Promise<string> => {
    const metadata = handleOf(person).query<{ currentDetails?: string }>('__temporal_workflow_metadata');
    return (await metadata.catch(() => undefined))?.currentDetails ?? '';
  };
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

  it('says in words what happened and what mends it; retry mends it', async () => {
    const { bob, token, mend } = await stuckPush('UNAUTHENTICATED');
    const said = await details(bob);
    assert.match(said, /push needs attention/);
    assert.match(said, /provider_configuration/);
    for (const name of ['retry', 'skip', 'snooze', 'close']) assert.ok(said.includes(name), name);
    assert.equal(await deviceState(bob), 'active', 'wrong credentials blame no device');

    await mend();
    const answer = await handleOf(bob).executeUpdate<OperatorAnswer, [object]>('retry', { args: [{ by: 'Olga' }] });
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
    assert.equal(await handleOf(bob).result(), 'every-step-spent');
    await assert.rejects(handleOf(bob).executeUpdate('retry', { args: [{ by: 'Olga' }] }), /completed|not found/i);
  }).timeout(60_000);

  it('a wrong project answers as a dead token does, and costs nobody a device', async () => {
    const { bob } = await stuckPush('NOT_FOUND');
    assert.equal(await deviceState(bob), 'active');
    await handleOf(bob).executeUpdate('close', { args: [{ by: 'Olga' }] });
    assert.equal(await handleOf(bob).result(), 'closed-by-operator');
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
    await handleOf(bob).executeUpdate('close', { args: [{ by: 'Olga' }] });
    assert.equal((await inbox(app, { to: token })).length, 0);
  }).timeout(60_000);
});
