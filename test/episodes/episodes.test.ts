import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { openDb } from '../../db/client.ts';
import { storeMessages } from '../../db/queries/store-messages.ts';
import { sendRights } from '../../domain/access/index.ts';
import { createRandom } from '../history/random.ts';
import { type TestApp, startApp, testLadder } from '../setup/app.ts';
import { type Item, inbox, rule } from '../support/inbox.ts';
import { call, expectStatus } from '../support/rest.ts';
import { until } from '../support/until.ts';
import { type Recipient, seedRecipients } from './crowd.ts';
import { Mortals } from './processes.ts';

/** How many are played: HOMING_EPISODES=1000 for the large run, which takes a quarter of an hour. */
const count = Number(process.env.HOMING_EPISODES ?? 40);
const seed = Number(process.env.HOMING_SEED ?? 5);
const messagesEach = 5;
/** Milliseconds between two kills, on average; a worker takes about as long to come up on a slow machine. */
const killEveryMs = 4_000;
/** All messages are there before the first text is due, which tells them together. */
const ladder = `${testLadder} give-up=10m sms=${5 + Math.ceil(count / 50)}s retry-first=300ms`;

interface AttemptRow {
  id: string;
  user_id: string;
  channel: Item['channel'];
  state: string;
  called_at: Date | null;
  from_seq: string;
  to_seq: string;
}

describe(`${count} people are told of ${messagesEach} messages each while workers and relays are killed`, () => {
  let app: TestApp;
  let db: pg.Client;
  let people: Recipient[];
  let mortals: Mortals | undefined;
  let attempts: AttemptRow[];
  let items: Map<string, Item[]>;
  const readAt = new Map<string, Date>();
  const random = createRandom(seed);

  before(async function () {
    this.timeout(120_000 + count * 3_000);
    app = await startApp({ processes: [['api', 'realtime']], reports: true, env: { HOMING_LADDER: ladder } });
    db = new pg.Client(app.database.url);
    await db.connect();
    people = await seedRecipients(db, count, app.env);
    await makeProvidersUnreliable();
    const living = new Mortals(app.env);
    mortals = living;
    for (const [role, name] of [
      ['relay', 'relay-1'],
      ['worker', 'worker-1'],
      ['worker', 'worker-2'],
    ] as const)
      living.start(role, name);
    const playing = new AbortController();
    const killing = living.killOn(random.fork('kills'), killEveryMs, playing.signal);
    // A reading ends at the last message that there is: what came after it would rightly be told.
    await write();
    await readSometimes();
    await until(stillOwed, (owed) => owed === 0, 60_000 + count * 3_000);
    playing.abort();
    await killing;
    await living.stop();
    attempts = (
      await db.query<AttemptRow>(
        `select a.id, a.user_id, a.channel, a.state, a.called_at, c->>'fromSeq' as from_seq, c->>'toSeq' as to_seq
          from attempts a, jsonb_array_elements(a.covers) c order by a.user_id, a.claimed_at`,
      )
    ).rows;
    items = Map.groupBy(await inbox(app), ({ attemptId }) => attemptId ?? '');
  });
  after(async () => {
    await mortals?.stop();
    await db.end();
    await app.stop();
  });

  /** Slow enough to be killed in the middle of a call; answers that are lost; refusals that a retry mends. */
  async function makeProvidersUnreliable(): Promise<void> {
    await rule(app, { probability: 0.05, action: { cut: 'after' } });
    await rule(app, { probability: 0.05, action: { cut: 'before' } });
    await rule(app, { provider: 'sendgrid', probability: 0.05, action: { error: 'UNAVAILABLE' } });
    await rule(app, { probability: 0.3, action: { delayMs: 400 } });
  }

  async function write(): Promise<void> {
    const store = openDb({ url: app.database.url, applicationName: 'test' });
    for (let n = 0; n < messagesEach; n += 1) {
      const rows = people.map(({ conversationId, senderId }) => ({
        ...{ conversationId: conversationId as never, senderId: senderId as never, id: randomUUIDv7() as never },
        ...{ clientId: randomUUIDv7(), text: 'hello', fingerprint: Buffer.from('hello'), priority: 'normal' as const },
        ...{ replyTo: null, threadId: null, forwardedFrom: null, mentions: null },
      }));
      for (let at = 0; at < rows.length; at += 100) await storeMessages(store, rows.slice(at, at + 100), sendRights);
    }
    await store.end();
  }

  /** Every third person reads, at some moment in which they may be told. */
  async function readSometimes(): Promise<void> {
    const moments = random.fork('reads');
    await Promise.all(
      people
        .filter((_, n) => n % 3 === 0)
        .map(async ({ id, conversationId, token }) => {
          await sleep(moments.below(2_000 + count * 100));
          const path = `/v1/conversations/${conversationId}/receipts`;
          expectStatus(await call(app.url, 'PUT', path, { token, body: { readSeq: messagesEach } }), 200);
          readAt.set(id, new Date());
        }),
    );
  }

  /** Episodes that go on by themselves; one whose text met an unknown end waits for a person, as it should. */
  async function stillOwed(): Promise<number> {
    const { rows } = await db.query<{ owed: string }>(
      `select count(*) as owed from users u where u.phone is not null and (
        exists (select from attention a where a.user_id = u.id and a.state <> 'quiet') or exists (
          select from outbox))
        and not exists (select from attempts x where x.user_id = u.id and x.state = 'unknown'
          and not exists (select from attempts y where y.user_id = u.id and y.state = 'claimed'))`,
    );
    return Number(rows[0]?.owed);
  }

  const of = (channel: Item['channel']) => attempts.filter((attempt) => attempt.channel === channel);
  const itemsOf = ({ id }: { id: string }) => items.get(id) ?? [];
  const unread = () => people.filter(({ id }) => !readAt.has(id));

  it('so often that it says something', () => {
    const kills = mortals?.kills ?? 0;
    assert.ok(kills >= 3, `${kills} kills`);
    assert.ok(attempts.length >= count, `${attempts.length} attempts`);
  });

  it('no attempt is left without an end', () => {
    const open = attempts.filter(({ state }) => state === 'claimed');
    // What waits for a person, because nobody can know whether a text has come, is no open end.
    assert.deepEqual(open, []);
  });

  it('whoever has not read is told by every channel of all messages', () => {
    for (const { id } of unread())
      for (const channel of ['push', 'email', 'sms'] as const) {
        const told = of(channel).filter((one) => one.user_id === id && ['accepted', 'unknown'].includes(one.state));
        assert.equal(Math.max(0, ...told.map(({ to_seq }) => Number(to_seq))), messagesEach, `${channel} of ${id}`);
      }
  });

  it('what counts as accepted was taken by the provider', () => {
    for (const attempt of attempts.filter(({ state }) => state === 'accepted'))
      assert.ok(itemsOf(attempt).length > 0, `${attempt.channel} ${attempt.id}`);
  });

  it('no channel announces a message by two attempts', () => {
    const told = attempts.filter(({ state }) => state !== 'failed' && state !== 'dropped');
    const seen = new Set<string>();
    for (const { user_id, channel, from_seq, to_seq } of told)
      for (let seq = Number(from_seq); seq <= Number(to_seq); seq += 1) {
        const key = `${channel} of ${seq} to ${user_id}`;
        assert.ok(!seen.has(key), key);
        seen.add(key);
      }
  });

  it('a push that comes twice replaces itself on the screen', () => {
    for (const attempt of of('push'))
      assert.ok(new Set(itemsOf(attempt).map(({ collapseKey }) => collapseKey)).size <= 1, attempt.id);
  });

  it('a mail comes once, or with the same Message-ID at most twice more', () => {
    for (const attempt of of('email')) {
      const mails = itemsOf(attempt);
      assert.ok(mails.length <= 3, `${mails.length} mails of ${attempt.id}`);
      assert.ok(new Set(mails.map(({ headers }) => headers?.['Message-ID'])).size <= 1, attempt.id);
    }
  });

  it('a text comes once at most', () => {
    for (const attempt of of('sms')) assert.ok(itemsOf(attempt).length <= 1, attempt.id);
    for (const { phone } of people) {
      const texts = [...items.values()].flat().filter(({ channel, to }) => channel === 'sms' && to === phone);
      assert.ok(texts.length <= 1, `${texts.length} texts to one person`);
    }
  });

  it('nothing is begun for who has read', () => {
    assert.ok(readAt.size > 0);
    for (const { user_id, called_at, id, channel } of attempts) {
      const read = readAt.get(user_id);
      if (read && called_at) assert.ok(called_at <= read, `${channel} ${id}`);
    }
  });

  it('each closed episode says once why it ended', async () => {
    const { rows } = await db.query<{ ends: string }>(
      `select (select count(*) from decisions d where d.user_id = e.user_id and d.episode = e.episode
        and d.step = 'episode') as ends from episodes e where e.closed_at is not null`,
    );
    assert.ok(rows.length > 0);
    assert.deepEqual([...new Set(rows.map(({ ends }) => Number(ends)))], [1]);
  });
});
