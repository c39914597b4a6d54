import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Message } from '../../contracts/entities/index.ts';
import { migrate } from '../../db/migrate.ts';
import { provisionDatabase } from '../../db/provision.ts';
import {
  type Person,
  makeDirect,
  makeGroup,
  registerDevice,
  registerPeople,
  send,
  verifyContacts,
} from '../factories/person.ts';
import { testLadder } from '../setup/app.ts';
import { waitFor } from '../support/inbox.ts';
import { connect } from '../support/socket.ts';
import { call } from '../support/rest.ts';
import { ownSuite } from '../support/own-suite.ts';
import { until } from '../support/until.ts';

describe('PostgreSQL is restarted while messages are sent', () => {
  const suite = ownSuite();

  it('no acked message is lost, none stands twice, sockets stay, and a retry with the same clientId succeeds', async () => {
    const postgres = await suite.own.postgres();
    const port = Number(new URL(postgres.url).port);
    const { ownerUrl, appUrl } = await provisionDatabase({
      adminUrl: postgres.url,
      database: 'homing',
      ownerPassword: 'o',
      appPassword: 'a',
    });
    await migrate({ ownerUrl });
    const app = await suite.start({ env: { DATABASE_URL: appUrl } });
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const socket = await connect(app.url, { token: bob.token });

    const acked = new Map<string, number>();
    const answers: number[] = [];
    const flow = new AbortController();
    const senders = Array.from({ length: 4 }, () => keepSending(ana, group.id, acked, answers, flow.signal));
    await until(
      async () => acked.size,
      (count) => count >= 20,
    );
    postgres.kill('SIGQUIT');
    await postgres.exited;
    assert.equal((await call(app.url, 'GET', '/livez')).status, 200);
    assert.equal((await call(app.url, 'GET', '/readyz')).status, 503);
    const before = acked.size;
    await suite.own.postgres(port);
    await until(
      async () => acked.size,
      (count) => count >= before + 20,
    );
    flow.abort();
    await Promise.all(senders);

    assert.ok(
      answers.some((status) => status === 503),
      'the fault was real: some were told to try again',
    );
    const db = new pg.Client(appUrl);
    await db.connect();
    const { rows } = await db.query<Message & { client_id: string }>(
      'select client_id, seq from messages where conversation_id = $1 order by seq',
      [group.id],
    );
    await db.end();
    assert.deepEqual(
      rows.map(({ seq }) => Number(seq)),
      rows.map((_, n) => n + 1),
      'gapless',
    );
    for (const [clientId, seq] of acked)
      assert.equal(Number(rows[seq - 1]?.client_id === clientId), 1, `acked as ${seq}`);
    assert.equal(new Set(rows.map(({ client_id: id }) => id)).size, rows.length, 'none twice');
    assert.ok(socket.raw.connected, 'the socket was never closed');
    assert.ok((await socket.ask('sync', { known: [] })).ok);
    socket.close();
  }).timeout(60_000);

  /** Sends until told to stop; what is not acked is sent again with the same clientId until it is. */
  async function keepSending(
    person: Person,
    id: string,
    acked: Map<string, number>,
    answers: number[],
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      const body = { clientId: randomUUIDv7(), text: 'hello' };
      for (let tries = 0; tries < 500; tries += 1) {
        const answer = await person.call<{ message: Message }>('POST', `/v1/conversations/${id}/messages`, body);
        answers.push(answer.status);
        if (answer.status === 200 || answer.status === 201) {
          acked.set(body.clientId, answer.body.message.seq);
          break;
        }
        assert.equal(answer.status, 503, JSON.stringify(answer.body));
        // The pace of a client that was refused, which nobody tells when the database is back.
        await sleep(50);
      }
    }
  }
});

describe('PostgreSQL is restarted under relay and worker', () => {
  const suite = ownSuite();

  it('what was acked before is announced, the stories go on, and nothing needs a restart', async () => {
    const postgres = await suite.own.postgres();
    const port = Number(new URL(postgres.url).port);
    const passwords = { ownerPassword: 'o', appPassword: 'a' };
    const { ownerUrl, appUrl } = await provisionDatabase({ adminUrl: postgres.url, database: 'homing', ...passwords });
    await migrate({ ownerUrl });
    const app = await suite.start({
      processes: [['api', 'realtime'], ['relay'], ['worker']],
      env: { DATABASE_URL: appUrl, HOMING_LADDER: `${testLadder} email=5s` },
    });
    const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
    await verifyContacts({ database: { ...app.database, url: appUrl } }, bob);
    const tokens = { bob: await registerDevice(bob), cleo: await registerDevice(cleo) };
    const withBob = await makeDirect(ana, bob);
    const withCleo = await makeDirect(ana, cleo);
    await send(ana, withBob.id, 'Bob has a story that runs');
    await waitFor(app, { to: tokens.bob });
    await send(ana, withCleo.id, 'acked, and nothing more');
    postgres.kill('SIGQUIT');
    await postgres.exited;
    await suite.own.postgres(port);
    await waitFor(app, { to: tokens.cleo });
    await waitFor(app, { to: bob.email, text: 'new message' });
    const db = new pg.Client(appUrl);
    await db.connect();
    const { rows } = await until(
      () => db.query<{ outcome: string | null }>('select outcome from episodes order by user_id'),
      (answer) => answer.rows.length === 2 && answer.rows.every(({ outcome }) => outcome !== null),
    );
    await db.end();
    assert.deepEqual(
      rows.map(({ outcome }) => outcome),
      ['every-step-spent', 'every-step-spent'],
    );
  }).timeout(120_000);
});
