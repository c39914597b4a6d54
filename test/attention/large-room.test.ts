import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { createArmingOfMany, nudgeEpisodes, startHeldEpisodes } from '../../domain/attention/index.ts';
import { applyChanges } from '../../domain/calling-off/index.ts';
import { growTo } from '../factories/crowd.ts';
import { deleteMessage, makeChannel, registerPerson, send } from '../factories/person.ts';
import { type ByHand, attentionByHand } from '../support/by-hand.ts';
import { expectStatus } from '../support/rest.ts';

const members = 50_000;

describe('a room of 50,000', () => {
  let hand: ByHand;
  before(async function () {
    this.timeout(60_000);
    hand = await attentionByHand();
  });
  after(() => hand.close());

  const count = async (from: string, ...values: unknown[]) =>
    Number((await hand.rows<{ n: string }>(`select count(*) as n from ${from}`, ...values))[0]?.n);

  it('2.23/20 owes one row for a mention of everyone, and calls Temporal for nobody who is armed already', async () => {
    const ana = await registerPerson(hand.app, 'Ana');
    const room = await makeChannel(ana);
    await growTo(hand.app, room, members);
    await hand.app.database.run('analyze members, users');
    await hand.sql.query('delete from outbox');
    // However long it takes here, nobody's next push falls due meanwhile.
    hand.deps.ladder.realertGapMs = 3_600_000;
    const everyone = (text: string) =>
      send(ana, room.id, text, { mentions: [{ type: 'everyone', offset: 0, length: 9 }] });
    const armedAll = async () => {
      assert.equal(await count(`outbox where topic = 'messages.stored'`), 1, 'one row, whoever is called');
      assert.equal(await hand.arm(), 1);
      // Page by page, so that no statement takes longer than one may.
      let pages = 0;
      const nextPage = createArmingOfMany(hand.deps);
      while ((await nextPage()) > 0) pages += 1;
      assert.deepEqual(hand.logged, []);
      assert.ok(pages >= 25, `in ${pages} pages`);
      assert.equal(await count('outbox'), 0);
      assert.equal(await count('armed where conversation_id = $1', room.id), members - 1);
    };
    const plain = await send(ana, room.id, 'to nobody');
    assert.equal(await hand.arm(), 1);
    while ((await createArmingOfMany(hand.deps)()) > 0);
    const first = await everyone('@everyone');
    await armedAll();
    // All were pushed just now, and wake by themselves before the next push may come.
    await hand.sql.query(
      `insert into watermarks (user_id, conversation_id, channel, through_seq, at)
       select user_id, conversation_id, 'push', last_seq, now() from armed`,
    );
    await hand.sql.query(
      `update attention set state = 'running', nudge_at = null, wakes_at = now() + interval '30 minutes'`,
    );
    const second = await everyone('@everyone, again');
    await armedAll();
    const called: string[] = [];
    const episodes = {
      start: async () => String(called.push('start')),
      nudge: async () => (called.push('nudge'), 'nudged' as const),
    };
    await startHeldEpisodes({ ...hand.deps, episodes });
    await nudgeEpisodes({ ...hand.deps, episodes });
    assert.deepEqual(called, []);
    assert.equal(await count('episodes'), members - 1, 'one episode a person, however many messages');

    // An edit that calls everybody for what stands before all that they were pushed.
    const edit = {
      clientId: randomUUIDv7(),
      text: '@everyone',
      mentions: [{ type: 'everyone', offset: 0, length: 9 }],
    };
    expectStatus(await ana.call('PATCH', `/v1/conversations/${room.id}/messages/${plain.id}`, edit), 200);
    await armedAll();
    assert.equal(await count(`late_calls where channel = 'push' and seq = $1`, plain.seq), members - 1);
    expectStatus(await deleteMessage(ana, room.id, plain.id), 200);
    await hand.sql.query(`delete from outbox`);

    // And back: one row for each message that was taken back, seen to page by page.
    for (const { id } of [first, second]) expectStatus(await deleteMessage(ana, room.id, id), 200);
    assert.equal(await count('outbox'), 2);
    let rounds = 0;
    while ((await applyChanges(hand.deps)) > 0) rounds += 1;
    assert.ok(rounds > 2, `in ${rounds} rounds`);
    assert.deepEqual([await count('armed'), await count('late_calls')], [0, 0]);
    assert.equal(await count(`decisions where step = 'conversation' and reason = 'message_deleted'`), members - 1);
  });
}).timeout(240_000);
