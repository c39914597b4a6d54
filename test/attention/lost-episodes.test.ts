import assert from 'node:assert/strict';
import type { Client } from '@temporalio/client';
import pg from 'pg';
import { readConfig } from '../../platform/config.ts';
import { openTemporal } from '../../temporal/client.ts';
import {
  type Person,
  makeDirect,
  phoneNumber,
  registerPeople,
  registerPerson,
  send,
  verifyContacts,
} from '../factories/person.ts';
import { type TestApp, startApp, testLadder } from '../setup/app.ts';
import { waitFor } from '../support/inbox.ts';
import { expectStatus } from '../support/rest.ts';
import { until } from '../support/until.ts';

describe('an episode whose workflow is gone', () => {
  let app: TestApp;
  let db: pg.Client;
  let client: Client;
  before(async function () {
    this.timeout(60_000);
    app = await startApp({
      processes: [['api', 'realtime'], ['relay'], ['worker']],
      // The mail is an hour away: nothing but the relay can notice.
      env: { HOMING_LADDER: `${testLadder} email=1h email-without-push=1h sms=1s` },
    });
    db = new pg.Client(app.database.url);
    await db.connect();
    const { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, HOMING_PAYLOAD_KEYS } = readConfig(app.env);
    client = openTemporal({ address, namespace, payloadKeys: HOMING_PAYLOAD_KEYS });
  });
  after(async () => {
    await client.connection.close();
    await db.end();
    await app.stop();
  });

  const attention = async ({ id }: Person) => {
    const { rows } = await db.query<{ state: string; episode: string; wakes_at: Date | null }>(
      'select state, episode, wakes_at from attention where user_id = $1',
      [id],
    );
    return rows[0];
  };
  const outcomes = async ({ id }: Person) =>
    (
      await db.query<{ outcome: string | null }>('select outcome from episodes where user_id = $1 order by episode', [
        id,
      ])
    ).rows.map(({ outcome }) => outcome);
  /** Somebody with a verified address, something unread, and a workflow that was ended from outside. */
  const lost = async () => {
    const ana = await registerPerson(app, 'Ana');
    const bob = await registerPerson(app, 'Bob');
    const phone = phoneNumber();
    await verifyContacts(app, bob, phone);
    const direct = await makeDirect(ana, bob);
    await send(ana, direct.id, 'hello');
    await until(
      () => attention(bob),
      (row) => row?.state === 'running' && row.wakes_at !== null,
    );
    await client.workflow.getHandle(`attention/${bob.id}/1`).terminate('by hand');
    // Its next step would now be long over, and it has not been heard of since.
    await db.query(`update attention set wakes_at = now() - interval '1 hour' where user_id = $1`, [bob.id]);
    return { ana, bob, phone, direct };
  };

  it('is noticed by the relay, and what is unread gets another', async () => {
    const { bob } = await lost();
    await until(
      () => outcomes(bob),
      (all) => all.length === 2 && all[0] === 'workflow-lost',
    );
    await until(
      () => attention(bob),
      (row) => row?.state === 'running' && Number(row.episode) === 2 && row.wakes_at !== null,
    );
  }).timeout(60_000);

  it('does not silence what comes in other conversations', async () => {
    const { bob, phone } = await lost();
    const [cleo] = await registerPeople(app, 'Cleo');
    expectStatus(await bob.call('PATCH', '/v1/me/notifications', { channels: { sms: true } }), 200);
    const other = await makeDirect(cleo, bob);
    await send(cleo, other.id, 'and me?');
    await waitFor(app, { to: phone });
    assert.equal((await outcomes(bob))[0], 'workflow-lost');
  }).timeout(60_000);
});
