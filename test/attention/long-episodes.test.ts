import assert from 'node:assert/strict';
import type { Deps } from '../../domain/deps.ts';
import type { Person } from '../factories/person.ts';
import { send } from '../factories/person.ts';
import { type ByHand, attentionByHand } from '../support/by-hand.ts';

const earlier = 2_000;

describe('an episode with a long past', () => {
  let hand: ByHand;
  before(async function () {
    this.timeout(60_000);
    hand = await attentionByHand();
  });
  after(() => hand.close());
  beforeEach(() => hand.reset());

  /** Something unread, pushed, and decided on and tried to tell so often before. */
  const withPast = async () => {
    const { ana, bob, direct } = await hand.pair();
    await send(ana, direct.id, 'hello');
    hand.pass(2_000);
    await hand.walk(bob);
    await decided(bob);
    await tried(bob);
    await hand.app.database.run('analyze decisions, attempts, attempt_events');
    return { ana, bob, direct };
  };
  const decided = ({ id }: Person) =>
    hand.sql.query(
      `insert into decisions (user_id, id, episode, at, step, outcome, reason, evaluation, workflow_id, run_id)
       select $1, gen_random_uuid(), 1, now() - interval '1 day' + n * interval '1 second',
         (array['push', 'email', 'sms'])[n % 3 + 1], 'deferred', 'step_delay', '[]', '', ''
       from generate_series(1, ${earlier}) n`,
      [id],
    );
  const tried = ({ id }: Person) =>
    hand.sql.query(
      `with tried as (
         insert into attempts (user_id, id, episode, channel, state, covers, claimed_at, finished_at, error_class)
         select $1, gen_random_uuid(), 1, (array['push', 'email'])[n % 2 + 1], 'failed', '[]', now() - interval '1 day',
           now() - interval '1 day' + n * interval '1 second', 'content_rejected'
         from generate_series(1, ${earlier}) n returning id)
       insert into attempt_events (user_id, attempt_id, key, source, kind, at) select $1, id, '1', 'fcm', 'content_rejected', now() from tried`,
      [id],
    );

  /** Decides, and answers with how many rows of these tables that has read. */
  const rowsRead = async (person: Person): Promise<number> => {
    let read = 0;
    const { db } = hand.deps;
    const counting: Deps['db'] = {
      ...db,
      transaction: (work) =>
        db.transaction(async (tx) => {
          const answer = await work(tx);
          const { rows } = await tx.query<{ read: string }>({
            text: `select sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) as read from pg_stat_xact_user_tables
              where relname in ('decisions', 'attempts', 'attempt_events')`,
            values: [],
          });
          read += Number(rows[0]?.read);
          return answer;
        }),
    };
    const plan = await hand.decide(person, {}, { ...hand.deps, db: counting });
    assert.equal(plan.kind, 'wait');
    return read;
  };

  it('is decided on without going through it', async () => {
    const { bob } = await withPast();
    const read = await rowsRead(bob);
    assert.ok(read > 0, 'what was last decided was looked at');
    assert.ok(read <= 50, `of ${2 * earlier} rows and their events it read ${read}`);
  });

  it('is decided on without going through pushes that all failed', async () => {
    const { bob } = await withPast();
    await hand.sql.query(`update attempts set state = 'failed', finished_at = now() where user_id = $1`, [bob.id]);
    const read = await rowsRead(bob);
    assert.ok(read <= 150, `of ${2 * earlier} rows and their events it read ${read}`);
  });
}).timeout(60_000);
