import assert from 'node:assert/strict';
import { makeDirect, registerDevice, registerPeople, send, verifyContacts } from '../factories/person.ts';
import { testLadder } from '../setup/app.ts';
import { inbox, waitFor } from '../support/inbox.ts';
import { connect } from '../support/socket.ts';
import { ownSuite } from '../support/own-suite.ts';
import { until } from '../support/until.ts';
import pg from 'pg';

describe('Temporal is away while messages are sent', () => {
  const suite = ownSuite();

  it('chat goes on; what is owed waits and is delivered when Temporal arrives', async () => {
    const port = await suite.own.freePort();
    const app = await suite.start({
      processes: [['api', 'realtime'], ['relay'], ['worker']],
      env: { TEMPORAL_ADDRESS: `127.0.0.1:${port}` },
    });
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const token = await registerDevice(bob);
    const direct = await makeDirect(ana, bob);
    const live = await connect(app.url, { token: ana.token });
    await send(ana, direct.id, 'is anybody there?');
    await live.heard('event', ({ version }) => version === 2);
    live.close();

    const db = new pg.Client(app.database.url);
    await db.connect();
    const owed = await until(
      async () =>
        (
          await db.query<{ state: string; tries: number }>(
            'select state, start_tries as tries from attention where user_id = $1',
            [bob.id],
          )
        ).rows[0],
      (row) => row?.state === 'held' && row.tries >= 2,
    );
    assert.equal(owed?.state, 'held', 'it was offered to Temporal and waits');
    await db.end();
    assert.deepEqual(await inbox(app, { to: token }), []);

    await suite.own.temporal(port);
    const [push] = await waitFor(app, { to: token });
    assert.equal(push?.title, 'Ana');
    // The code for her address was owed as well.
    await waitFor(app, { to: ana.email, channel: 'email' });
  }).timeout(90_000);

  it('in the middle of an episode: what was due is done when it is back, and what came meanwhile too', async () => {
    const port = await suite.own.freePort();
    const temporal = await suite.own.temporal(port);
    const app = await suite.start({
      processes: [['api', 'realtime'], ['relay'], ['worker']],
      env: { TEMPORAL_ADDRESS: `127.0.0.1:${port}`, HOMING_LADDER: `${testLadder} email=5s email-without-push=5s` },
    });
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    await verifyContacts(app, bob);
    const token = await registerDevice(bob);
    const direct = await makeDirect(ana, bob);
    await send(ana, direct.id, 'before');
    await waitFor(app, { to: token });
    temporal.kill('SIGKILL');
    await temporal.exited;
    const [cleo] = await registerPeople(app, 'Cleo');
    const other = await makeDirect(cleo, bob);
    await send(cleo, other.id, 'while it is away');
    const db = new pg.Client(app.database.url);
    await db.connect();
    await until(
      async () => (await db.query('select 1 from armed where user_id = $1', [bob.id])).rowCount,
      (count) => count === 2,
    );
    await suite.own.temporal(port);
    const pushes = await waitFor(app, { to: token }, 2);
    assert.equal(pushes.at(-1)?.title, 'Cleo');
    await waitFor(app, { to: bob.email, text: 'new message' });
    await until(
      async () =>
        (await db.query<{ outcome: string | null }>('select outcome from episodes where user_id = $1', [bob.id])).rows,
      (rows) => rows.length === 1 && rows[0]?.outcome === 'every-step-spent',
    );
    await db.end();
    assert.equal((await inbox(app, { to: token })).length, 2);
  }).timeout(120_000);
});
