import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { applyReports } from '../../domain/attention/index.ts';
import { send } from '../factories/person.ts';
import { type ByHand, attentionByHand } from '../support/by-hand.ts';
import { until } from '../support/until.ts';

describe('reports about one address at once', () => {
  let hand: ByHand;
  let holder: pg.Client;
  before(async function () {
    this.timeout(60_000);
    hand = await attentionByHand();
    holder = new pg.Client(hand.app.database.url);
    await holder.connect();
  });
  after(async () => {
    await holder.end();
    await hand.close();
  });
  beforeEach(() => hand.reset());

  /** Somebody who was pushed to, and an address of theirs that bounced before. */
  const told = async () => {
    const { ana, bob, direct } = await hand.pair();
    await send(ana, direct.id, 'hello');
    hand.pass(2_000);
    await hand.walk(bob);
    const [attempt] = await hand.attempts(bob);
    const target = randomBytes(32);
    await hand.sql.query(`insert into suppressions (channel, target, cause) values ('email', $1, 'hard_bounce')`, [
      target,
    ]);
    return { bob, target, attemptId: attempt?.id ?? assert.fail() };
  };
  const reported = (key: string, { target, ownerId, attemptId }: Record<string, string | Buffer | null>) =>
    hand.sql.query(
      `insert into provider_reports (source, key, channel, fact, says, target, owner_id, attempt_id, at)
       values ('sendgrid', $1, 'email', 'bounced', 'hard_bounce', $2, $3, $4, now())`,
      [key, target, ownerId, attemptId],
    );
  const waiting = (many: number) =>
    until(
      () => hand.rows<{ n: number }>('select count(*) as n from pg_locks where not granted'),
      ([row]) => Number(row?.n) >= many,
    );
  const seenTo = () =>
    hand.rows('select key, tries, applied_at is not null as applied from provider_reports order by key');

  it('wait for each other in one order, with an attempt and without', async () => {
    const { bob, target, attemptId } = await told();
    await holder.query('begin');
    await holder.query('select from suppressions where target = $1 for update', [target]);
    await reported('1: of the address alone', { target, ownerId: bob.id, attemptId: null });
    const alone = applyReports(hand.deps);
    await waiting(1);
    await reported('2: of an attempt', { target, ownerId: bob.id, attemptId });
    const ofAttempt = applyReports(hand.deps);
    await waiting(2);
    await holder.query('commit');
    await Promise.all([alone, ofAttempt]);
    assert.deepEqual(hand.logged, []);
    assert.deepEqual(await seenTo(), [
      { key: '1: of the address alone', tries: 0, applied: true },
      { key: '2: of an attempt', tries: 0, applied: true },
    ]);
  });
}).timeout(30_000);
