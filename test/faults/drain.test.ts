import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import pg from 'pg';
import { openDb } from '../../db/client.ts';
import { storeMessages } from '../../db/queries/store-messages.ts';
import { sendRights } from '../../domain/access/index.ts';
import { type Recipient, crowdInOne, seedRecipients } from '../episodes/crowd.ts';
import { Mortals } from '../episodes/processes.ts';
import { type TestApp, testLadder } from '../setup/app.ts';
import { type Item, inbox } from '../support/inbox.ts';
import { ownSuite } from '../support/own-suite.ts';
import { until } from '../support/until.ts';

/** How many wait for Temporal: HOMING_DRAIN=100000 for the large run, which takes most of an hour on two cores. */
const count = Number(process.env.HOMING_DRAIN ?? 120);
/** Pushes a second that the queue lets through: slower than episodes are handed over, so that a backlog stands there. */
const rate = Number(process.env.HOMING_DRAIN_RATE ?? 6);
/** Of so many people one has something urgent, and it is the newest of all. */
const urgentEach = 10;
const ladder = `${testLadder} urgent-repeat=1h email=1h email-without-push=1h sms=1h retry-first=1s retry-max=5s give-up=30m`;

describe(`${count} people wait while Temporal is away`, () => {
  let mortals: Mortals | undefined;
  let db: pg.Client | undefined;
  afterEach(async () => {
    await mortals?.stop();
    await db?.end();
  });
  // Its end comes after that: it takes the database away.
  const suite = ownSuite();

  /** A deployment whose relay offers episodes to a Temporal that is not there yet. */
  async function begin(): Promise<{ app: TestApp; sql: pg.Client; bringTemporal: () => Promise<void> }> {
    const port = await suite.own.freePort();
    const app = await suite.start({
      processes: [],
      env: {
        ...{ TEMPORAL_ADDRESS: `127.0.0.1:${port}`, HOMING_LADDER: ladder },
        HOMING_QUEUE_RATES: `push=${rate}`,
      },
    });
    const sql = new pg.Client(app.database.url);
    await sql.connect();
    [mortals, db] = [new Mortals(app.env), sql];
    mortals.start('relay', 'relay');
    return {
      app,
      sql,
      async bringTemporal() {
        await suite.own.temporal(port);
        mortals?.start('worker', 'worker');
      },
    };
  }

  async function write(app: TestApp, people: readonly Recipient[], priority: 'normal' | 'urgent'): Promise<void> {
    const store = openDb({ url: app.database.url, applicationName: 'test' });
    const rows = people.map(({ conversationId, senderId }) => ({
      ...{ conversationId: conversationId as never, senderId: senderId as never, id: randomUUIDv7() as never },
      ...{ clientId: randomUUIDv7(), text: 'hello', fingerprint: Buffer.from('hello'), priority },
      ...{ replyTo: null, threadId: null, forwardedFrom: null, mentions: null },
    }));
    for (let at = 0; at < rows.length; at += 100) await storeMessages(store, rows.slice(at, at + 100), sendRights);
    await store.end();
  }

  /** Until everybody is armed, and somebody was offered to Temporal in vain. */
  const allOwed = (sql: pg.Client, people: number) =>
    until(
      async () =>
        (
          await sql.query<{ held: string; offered: string }>(
            `select count(*) filter (where state = 'held') as held, count(*) filter (where start_tries > 0) as offered
              from attention`,
          )
        ).rows[0],
      (row) => Number(row?.held) === people && Number(row?.offered) > 0,
      60_000 + people * 20,
    );

  /** Every push in the order in which the provider took it, as the sandbox keeps the last few thousand only. */
  async function pushes(app: TestApp, expected: number): Promise<Item[]> {
    const items: Item[] = [];
    await until(
      async () => {
        items.push(...(await inbox(app, { channel: 'push', after: items.at(-1)?.seq ?? 0 })));
        return items.length;
      },
      (length) => length >= expected,
      120_000 + expected * 40,
    );
    // Each call has had its answer: one that was made twice is with the provider by now.
    await until(
      async () => (await db?.query(`select from attempts where state = 'accepted'`))?.rowCount,
      (accepted) => accepted === expected,
    );
    return [...items, ...(await inbox(app, { channel: 'push', after: items.at(-1)?.seq ?? 0 }))];
  }

  it('all are told once when it is back, the urgent first, and its provider is not overrun', async function () {
    this.timeout(300_000 + count * 100);
    const { app, sql, bringTemporal } = await begin();
    const people = await seedRecipients(sql, count, app.env);
    const urgent = people.filter((_, n) => n % urgentEach === urgentEach - 1);
    await write(
      app,
      people.filter((person) => !urgent.includes(person)),
      'normal',
    );
    await write(app, urgent, 'urgent');
    await allOwed(sql, count);

    const began = Date.now();
    await bringTemporal();
    const told = await pushes(app, count);
    const seconds = (Date.parse(told.at(-1)?.receivedAt ?? '') - began) / 1_000;
    const places = urgent.map(({ pushToken }) => told.findIndex(({ to }) => to === pushToken)).sort((a, b) => a - b);
    const middle = places[Math.floor(places.length / 2)] ?? 0;
    if (process.env.HOMING_DRAIN)
      process.stdout.write(
        `      ${(count / seconds).toFixed(0)} a second; the middle one of the urgent was push ${middle}\n`,
      );

    assert.deepEqual(told.map(({ to }) => to).sort(), people.map(({ pushToken }) => pushToken).sort());
    // The newest of all: in order of age their middle would stand at 95 in a hundred.
    assert.ok(middle < count / 3, `the middle one of the urgent was push ${middle} of ${count}`);
    const times = told.map(({ receivedAt }) => Date.parse(receivedAt));
    // A worker that a busy machine lets wait tells at once what was let through meanwhile: over a longer time that weighs less.
    const inTenSeconds = times.map((from) => times.filter((at) => at >= from && at < from + 10_000).length);
    assert.ok(Math.max(...inTenSeconds) <= rate * 10 * 1.5, `${Math.max(...inTenSeconds)} pushes within ten seconds`);
  });

  it('a call to all of a room does not keep back a message to one person', async function () {
    this.timeout(300_000);
    const { app, sql, bringTemporal } = await begin();
    const room = await crowdInOne(sql, 100, app.env);
    const [alone] = await seedRecipients(sql, 1, app.env);
    assert.ok(alone && room[0]);
    await write(app, [room[0]], 'normal');
    await until(
      async () => (await sql.query('select from attention')).rowCount,
      (armed) => armed === room.length,
    );
    await write(app, [alone], 'normal');
    await allOwed(sql, room.length + 1);

    await bringTemporal();
    const told = await pushes(app, room.length + 1);
    const place = told.findIndex(({ to }) => to === alone.pushToken);
    assert.ok(place >= 0 && place < room.length / 2, `it was push ${place} of ${told.length}`);
  });
});
