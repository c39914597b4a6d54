import assert from 'node:assert/strict';
import type { UserId } from '../../contracts/ids.ts';
import { forgetAttention, rememberedDays } from '../../db/queries/retention.ts';
import { clearScreens, forgetPast } from '../../domain/attention/index.ts';
import { type Person, read, send } from '../factories/person.ts';
import { type ByHand, attentionByHand } from '../support/by-hand.ts';

const minute = 60_000;
const second = 1_000;

describe('what was decided', () => {
  let hand: ByHand;
  before(async function () {
    this.timeout(60_000);
    hand = await attentionByHand();
  });
  after(() => hand.close());
  beforeEach(async () => {
    hand.reset();
    await hand.app.database.run('delete from differences; delete from recount_walks');
    while ((await forgetPast(hand.deps)) > 0);
  });

  const count = async (person: Pick<Person, 'id'>) => {
    const tables = ['decisions', 'attempts', 'attempt_events', 'episodes', 'unreached'];
    const text = tables.map((table) => `(select count(*)::int from ${table} where user_id = $1) as ${table}`);
    const [row] = await hand.rows<Record<string, number>>(`select ${text.join(', ')}`, person.id);
    return row as Record<'decisions' | 'attempts' | 'attempt_events' | 'episodes' | 'unreached', number>;
  };
  const nothing = { decisions: 0, attempts: 0, attempt_events: 0, episodes: 0, unreached: 0 };
  /** Somebody was pushed to, and has read it: an episode that is over. */
  const told = async () => {
    const pair = await hand.pair();
    const message = await send(pair.ana, pair.direct.id, 'hello');
    await hand.walk(pair.bob);
    hand.pass(minute);
    await hand.walk(pair.bob);
    await read(pair.bob, pair.direct.id, message.seq);
    assert.deepEqual(await hand.walk(pair.bob), ['read']);
    return pair;
  };
  /** Lets what is over, and who could not be told, be so many milliseconds older than that. */
  const endedAgo = async ({ id }: Pick<Person, 'id'>, moreMs: number) => {
    const at = `now() - interval '${rememberedDays} days' - interval '${moreMs} milliseconds'`;
    await hand.app.database.run(`
      update episodes set closed_at = ${at} where user_id = '${id}' and closed_at is not null;
      update unreached set at = ${at} where user_id = '${id}'`);
  };
  const unreachedIn = (conversationId: string, { id }: Pick<Person, 'id'>) =>
    hand.rows('insert into unreached (conversation_id, seq, user_id) values ($1, 1, $2)', conversationId, id);

  it('is kept for as long as it is promised, and gone afterwards', async () => {
    const [old, young] = [await told(), await told()];
    for (const { bob, direct } of [old, young]) await unreachedIn(direct.id, bob);
    const before = await count(young.bob);
    assert.ok(Object.values(before).every((n) => n > 0));
    await endedAgo(old.bob, second);
    await endedAgo(young.bob, -minute);
    while ((await forgetPast(hand.deps)) > 0);
    assert.deepEqual(await count(old.bob), nothing);
    assert.deepEqual(await count(young.bob), before);
  });

  it('of an episode that goes on stays, however long it goes on', async () => {
    const { ana, bob, direct } = await told();
    await send(ana, direct.id, 'and now?');
    await hand.walk(bob);
    await endedAgo(bob, second);
    await hand.app.database.run(`update attempts set claimed_at = '2020-01-01' where user_id = '${bob.id}'`);
    await hand.app.database.run(`update decisions set at = '2020-01-01' where user_id = '${bob.id}'`);
    while ((await forgetPast(hand.deps)) > 0);
    const { decisions, attempts, attempt_events, episodes } = await count(bob);
    assert.deepEqual([attempts, attempt_events, episodes], [1, 1, 1]);
    assert.ok(decisions > 0);
    hand.pass(10 * minute);
    assert.deepEqual(await hand.walk(bob), ['email', 'wait sms step_delay']);
  });

  it('is deleted a batch at a time, each kind of row', async () => {
    const { bob } = await told();
    await endedAgo(bob, second);
    const episode = `(select min(episode) from episodes where user_id = '${bob.id}')`;
    await hand.app.database.run(`
      insert into attempt_events (user_id, attempt_id, key, source, kind, at)
        select user_id, id, 'key ' || n, 'test', 'opened', now() from attempts, generate_series(1, 7) n where user_id = '${bob.id}';
      insert into attempts (user_id, id, episode, channel, state, covers, claimed_at)
        select '${bob.id}', gen_random_uuid(), ${episode}, 'push', 'accepted', '[]', now() from generate_series(1, 7);
      insert into unreached (conversation_id, seq, user_id, at)
        select gen_random_uuid(), n, '${bob.id}', '2020-01-01' from generate_series(1, 7) n`);
    let left = await count(bob);
    const round = async () => {
      const forgotten = await forgetAttention(hand.deps.db, 3);
      const now = await count(bob);
      const gone = Object.entries(left).map(([table, n]) => n - now[table as keyof typeof now]);
      assert.ok(Math.max(...gone) <= 3, gone.join());
      assert.equal(
        forgotten,
        gone.reduce((sum, n) => sum + n, 0),
      );
      // Nothing is left behind that no later round would find.
      assert.ok(now.episodes > 0 || now.attempts + now.attempt_events + now.decisions === 0);
      left = now;
      return forgotten;
    };
    while ((await round()) > 0);
    assert.deepEqual(left, nothing);
  });

  it('waits for a recount that is behind, and for a difference that is not explained', async () => {
    const { bob } = await told();
    const { bob: other } = await told();
    for (const person of [bob, other]) await endedAgo(person, minute);
    const [before, others] = [await count(bob), await count(other)];
    const walk = (moreMs: number) => `
      insert into recount_walks (name, cursor, through)
      values ('attempts', '', now() - interval '${rememberedDays} days' - interval '${moreMs} milliseconds')
      on conflict (name) do update set through = excluded.through`;
    await hand.app.database.run(walk(2 * minute));
    assert.equal(await forgetPast(hand.deps), 0);
    await hand.app.database.run(walk(second));
    await hand.app.database.run(`insert into differences (kind, user_id) values ('stalled', '${other.id}')`);
    while ((await forgetPast(hand.deps)) > 0);
    assert.deepEqual([await count(bob), await count(other)], [nothing, others]);
    assert.notDeepEqual(before, nothing);
  });

  it('leaves what a screen still shows to be taken down', async () => {
    const { ana, bob, direct } = await hand.pair();
    const message = await send(ana, direct.id, 'hello');
    await hand.walk(bob);
    hand.pass(minute);
    await hand.walk(bob);
    assert.equal(hand.push.sent.length, 1);
    const plan = await hand.decide(bob, { closed: true });
    assert.equal(plan.kind, 'finished');
    await endedAgo(bob, second);
    while ((await forgetPast(hand.deps)) > 0);
    assert.deepEqual(await count(bob), nothing);
    await read(bob, direct.id, message.seq);
    await hand.sql.query('update screens set look_at = now() where user_id = $1', [bob.id as UserId]);
    while ((await clearScreens(hand.deps)) > 0);
    assert.deepEqual(
      hand.silent.sent.map(({ token }) => token),
      [bob.pushToken],
    );
  });

  it('can be forgotten by nothing else, nor sooner, nor all at once', async () => {
    const refused = (text: string, code: string) => assert.rejects(hand.rows(text), { code }, text);
    for (const table of ['decisions', 'attempts', 'attempt_events', 'episodes', 'unreached'])
      await refused(`delete from ${table}`, '42501');
    const { bob } = await told();
    await hand.app.database.run(`update episodes set closed_at = now() - interval '89 days'`);
    const before = await count(bob);
    for (const [age, batch] of [
      [`'${rememberedDays - 1} days'`, 500],
      ["'2159 hours 59 minutes'", 500],
      ["'0'", 500],
      ['null', 500],
      [`'${rememberedDays} days'`, 0],
      [`'${rememberedDays} days'`, 1_001],
      [`'${rememberedDays} days'`, 'null'],
    ])
      await refused(`select forget_attention(${age}::interval, ${batch})`, '22023');
    assert.equal(await forgetAttention(hand.deps.db, 500), 0);
    assert.deepEqual(await count(bob), before);
  });

  it('is forgotten once where two relays do it', async () => {
    const people = [await told(), await told(), await told()].map(({ bob }) => bob);
    for (const person of people) await endedAgo(person, second);
    let rows = 0;
    for (const person of people) rows += Object.values(await count(person)).reduce((sum, n) => sum + n, 0);
    const forgotten = await Promise.all([forgetPast(hand.deps), forgetPast(hand.deps)]);
    while ((await forgetPast(hand.deps)) > 0) assert.fail('one round of each was enough');
    assert.equal(forgotten[0] + forgotten[1], rows);
  });
});
