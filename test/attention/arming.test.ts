import assert from 'node:assert/strict';
import { randomUUID, randomUUIDv7 } from 'node:crypto';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import { openDb } from '../../db/client.ts';
import { type StoredRange, armRecipients, sendersOf } from '../../db/queries/arming.ts';
import { announcedConversations, callsIn, unreadConversations } from '../../db/queries/announcements.ts';
import { mailedConversations } from '../../db/queries/mailed.ts';
import { toldConversations, toldMessages } from '../../db/queries/told.ts';
import { createArmingOfMany } from '../../domain/attention/index.ts';
import { type Person, makeDirect, makeGroup, registerPeople, send } from '../factories/person.ts';
import { expectStatus } from '../support/rest.ts';
import { type ByHand, attentionByHand } from '../support/by-hand.ts';

describe('arming', () => {
  let hand: ByHand;
  let database: ByHand['deps']['db'];
  before(async function () {
    this.timeout(60_000);
    hand = await attentionByHand();
    database = hand.deps.db;
  });
  after(() => hand.close());
  beforeEach(() => hand.reset());
  afterEach(() => {
    hand.deps.db = database;
  });

  /** A conversation with a long past. */
  const withHistory = async (count: number) => {
    const [ana, bob] = await registerPeople(hand.app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    await hand.sql.query(
      `insert into messages (conversation_id, seq, version, changed_version, id, client_id, sender_id, text, fingerprint, created_at)
       select $1, n, n + 1, n + 1, gen_random_uuid(), gen_random_uuid(), $2, 'old', '\\x00', now() - interval '1 day'
       from generate_series(1, $3::int) n`,
      [group.id, ana.id, count],
    );
    await hand.sql.query('update conversations set last_seq = $2::bigint, version = $2::bigint + 1 where id = $1', [
      group.id,
      count,
    ]);
    await hand.app.database.run('analyze messages');
    return { ana, bob, group };
  };
  /** Rows of `messages` that one transaction of ours has read. */
  const messagesRead = async (work: (tx: never) => Promise<unknown>): Promise<number> => {
    const db = openDb({ url: hand.app.database.url, applicationName: 'count' });
    try {
      return await db.transaction(async (tx) => {
        await work(tx as never);
        const { rows } = await tx.query<{ read: string }>({
          text: `select seq_tup_read + coalesce(idx_tup_fetch, 0) as read from pg_stat_xact_user_tables where relname = 'messages'`,
          values: [],
        });
        return Number(rows[0]?.read);
      });
    } finally {
      await db.end();
    }
  };

  it('reads the messages of its ranges and none of the history before them', async () => {
    const { ana, bob, group } = await withHistory(5_000);
    const ranges: StoredRange[] = [];
    for (let n = 0; n < 10; n += 1) {
      const { seq } = await send(ana, group.id, `message ${n}`);
      ranges.push({ conversationId: group.id as ConversationId, seqFrom: seq, seqTo: seq });
    }
    const timing = { graceMs: 0, realertGapMs: 0, urgentMs: 0 };
    const arming = await messagesRead(async (tx) => assert.equal(await armRecipients(tx, ranges, timing), 1));
    assert.ok(arming <= 50, `arming ten messages read ${arming}`);
    const senders = await messagesRead(async (tx) => assert.equal((await sendersOf(tx, ranges)).length, 1));
    assert.ok(senders <= 50, `finding their senders read ${senders}`);
    const covers = ranges.map(({ seqFrom, seqTo, ...rest }) => ({ ...rest, fromSeq: seqFrom, toSeq: seqTo }));
    const announcing = await messagesRead(async (tx) => {
      const told = await announcedConversations(tx, bob.id as UserId, covers);
      assert.deepEqual(
        told.map(({ seq, count }) => [seq, count]),
        [[ranges.at(-1)?.seqTo, 10]],
      );
    });
    assert.ok(announcing <= 50, `announcing them read ${announcing}`);
  }).timeout(60_000);

  it('tells of very many unread messages the newest or the first, and counts no further than anywhere', async () => {
    const most = limits.unreadCounted;
    const { bob, group } = await withHistory(most + 2_000);
    const cover = { conversationId: group.id as ConversationId, fromSeq: 1, toSeq: most + 2_000 };
    const userId = bob.id as UserId;
    const pushed = await messagesRead(async (tx) => {
      const [told, ...others] = await announcedConversations(tx, userId, [cover]);
      assert.deepEqual([told?.seq, told?.count, others], [most + 2_000, most, []]);
    });
    assert.ok(pushed <= most + 50, `a push read ${pushed}`);
    const mailed = await messagesRead(async (tx) => {
      const [told] = await mailedConversations(tx, userId, [cover], { summary: false });
      assert.deepEqual([told?.messages[0]?.seq, told?.count], [1, most]);
    });
    assert.ok(mailed <= most + 50, `a mail read ${mailed}`);
    const sounded = await messagesRead((tx) => callsIn(tx, userId, [cover]));
    assert.ok(sounded <= most + 50, `whether it is heard read ${sounded}`);
    const badge = await messagesRead((tx) => unreadConversations(tx, userId));
    assert.ok(badge <= 50, `the badge read ${badge}`);
    const sent = { covers: [cover], claimedAt: new Date() };
    const why = await messagesRead(async (tx) =>
      assert.equal((await toldMessages(tx, userId, sent)).length, limits.messagesOfAttempt),
    );
    assert.ok(why <= limits.messagesOfAttempt + 50, `what it told of read ${why}`);
    const howMany = await messagesRead(async (tx) =>
      assert.equal((await toldConversations(tx, userId, sent))[0]?.count, most),
    );
    assert.ok(howMany <= most + 50, `of how many it told read ${howMany}`);
  }).timeout(60_000);

  it('tells a mention that stands before all that is counted', async () => {
    const { ana, bob, group } = await withHistory(0);
    const path = `/v1/conversations/${group.id}/me`;
    expectStatus(await bob.call('PATCH', path, { level: 'mentions' }), 200);
    const mentions = [{ type: 'user', userId: bob.id, offset: 0, length: 4 }];
    const { seq } = await send(ana, group.id, '@bob', { mentions });
    const cover = { conversationId: group.id as ConversationId, fromSeq: seq, toSeq: seq + 2 * limits.unreadCounted };
    const told = await announcedConversations(database, bob.id as UserId, [cover]);
    assert.deepEqual(
      told.map((one) => [one.seq, one.count]),
      [[seq, 1]],
    );
  });

  it('calls nobody into a thread that began before they could read, by name neither', async () => {
    const [ana, bob, dora] = await registerPeople(hand.app, 'Ana', 'Bob', 'Dora');
    const group = await makeGroup(ana, [bob]);
    expectStatus(await ana.call('PATCH', `/v1/conversations/${group.id}`, { history: 'joining' }), 200);
    const before = await send(ana, group.id, 'who comes?');
    expectStatus(await ana.call('POST', `/v1/conversations/${group.id}/members`, { userIds: [dora.id] }), 200);
    const mentions = [{ type: 'user', userId: dora.id, offset: 0, length: 5 }];
    await send(bob, group.id, '@all!!', {
      threadId: before.id,
      mentions: [{ type: 'everyone', offset: 0, length: 5 }],
    });
    // A send refuses such a mention by name; one that was stored before that was so calls nobody either.
    const { id } = await send(bob, group.id, '@dora', { threadId: before.id });
    await hand.sql.query('update messages set mentions = $2 where id = $1', [id, JSON.stringify(mentions)]);
    await hand.arm();
    assert.equal(await hand.attention(dora), undefined);
    const after = await send(dora, group.id, 'and now?');
    await send(bob, group.id, '@dora', { threadId: after.id, mentions });
    await hand.arm();
    assert.equal((await hand.attention(dora))?.state, 'held');
  });

  /** Puts something owed into the outbox that no arming can do. */
  const poison = async (at: string) => {
    const { rows } = await hand.sql.query<{ id: string }>(
      `insert into outbox (topic, conversation_id, seq_from, seq_to, due_at)
       values ('messages.stored', $1, 1, 1, now() - $2::interval) returning id`,
      [randomUUID(), at],
    );
    return Number(rows[0]?.id);
  };
  const owed = () =>
    hand.rows<{ id: string; tries: number; due: boolean }>(
      'select id, tries, due_at <= now() as due from outbox order by id',
    );

  it('leaves out who has read the reply in its thread, though not the conversation', async () => {
    const [ana, bob] = await registerPeople(hand.app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const root = await send(bob, group.id, 'who comes?');
    const replies = [
      await send(ana, group.id, 'me', { threadId: root.id }),
      await send(ana, group.id, 'or not', { threadId: root.id }),
    ];
    const [read, unread] = replies.map(({ seq }) => [
      { conversationId: group.id as ConversationId, seqFrom: seq, seqTo: seq },
    ]) as [StoredRange[], StoredRange[]];
    const path = `/v1/conversations/${group.id}/messages/${root.id}/thread`;
    expectStatus(await bob.call('PATCH', path, { readSeq: replies[0]?.seq }), 200);
    const arm = (ranges: StoredRange[]) =>
      database.transaction((tx) => armRecipients(tx, ranges, { graceMs: 0, realertGapMs: 0, urgentMs: 0 }));
    assert.equal(await arm(read), 0);
    assert.equal(await arm(unread), 1);
  });

  it('sets a row aside that it cannot do, says so once, and does all others', async () => {
    const { ana, bob, direct } = await hand.pair();
    const [cleo, dora] = await registerPeople(hand.app, 'Cleo', 'Dora');
    const other = await makeDirect(cleo, dora);
    const failing = failingOn();
    const bad = await poison('1 hour');
    for (let n = 0; n < 5; n += 1) {
      await send(ana, direct.id, `message ${n}`);
      await send(cleo, other.id, `message ${n}`);
    }
    failing.on(
      (await hand.rows<{ id: string }>('select conversation_id as id from outbox where id = $1', bad))[0]?.id ?? '',
    );
    await hand.sql.query(`update outbox set due_at = now() where topic <> 'messages.stored'`);
    const round = hand.arming();
    for (let n = 0; n < 12; n += 1) await round();
    failing.off();
    assert.deepEqual(
      (
        await hand.rows<{ n: number }>(`select count(*) as n from armed where user_id = any($1::uuid[])`, [
          bob.id,
          dora.id,
        ])
      )[0]?.n,
      2,
    );
    const [row] = (await owed()).filter(({ id }) => Number(id) === bad);
    assert.deepEqual([row?.tries, row?.due], [1, false], 'it waits');
    const said = () => hand.logged.filter(([level]) => level === 'error').length;
    assert.equal(said(), 1);
    await hand.sql.query('update outbox set due_at = now() where id = $1', [bad]);
    failing.on(failing.last);
    for (let n = 0; n < 3; n += 1) await round();
    failing.off();
    assert.equal((await owed()).find(({ id }) => Number(id) === bad)?.tries, 2);
    assert.equal(said(), 1, 'once');
    await hand.sql.query('delete from outbox where id = $1', [bad]);
  }).timeout(60_000);

  /** Makes every statement fail that names the conversation, as a row that no code can do would. */
  const failingOn = () => {
    const { db } = hand.deps;
    const failing = {
      last: '',
      on(conversationId: string) {
        failing.last = conversationId;
        failing.where((values) => values.some((value) => Array.isArray(value) && value.includes(conversationId)));
      },
      where(breaks: (values: readonly unknown[]) => boolean) {
        hand.deps.db = {
          ...db,
          transaction: (work) =>
            db.transaction((tx) =>
              work({
                query: (statement: { values: unknown[] }) => {
                  if (breaks(statement.values)) throw new Error('this row cannot be done');
                  return tx.query(statement as never);
                },
              } as never),
            ),
        };
      },
      off() {
        hand.deps.db = db;
      },
    };
    return failing;
  };

  it('sets that row aside of those that call very many which is at fault, and no other', async () => {
    const { ana, bob, direct } = await hand.pair();
    const { rows } = await hand.sql.query<{ id: string }>(
      `insert into outbox (topic, conversation_id, seq_from, seq_to, due_at)
       select 'messages.stored.to_many', $1, n, n, now() - interval '1 day' from generate_series(1, 5) n returning id`,
      [direct.id],
    );
    for (let n = 1; n <= 5; n += 1) await send(ana, direct.id, `message ${n}`);
    const atFault = 4;
    const failing = failingOn();
    failing.where(([ids, from]) => [ids, from].every(Array.isArray) && (from as unknown[]).includes(atFault));
    const round = createArmingOfMany(hand.deps);
    for (let n = 0; n < 12; n += 1) await round();
    failing.off();
    const bad = Number(rows[atFault - 1]?.id);
    const left = (await owed()).filter(({ id }) => rows.some((row) => row.id === id));
    assert.deepEqual(
      left.map(({ id, tries, due }) => [Number(id), tries, due]),
      [[bad, 1, false]],
    );
    assert.deepEqual(
      await hand.rows('select from_seq::int as from, last_seq::int as last from armed where user_id = $1', bob.id),
      [{ from: 1, last: 5 }],
    );
    await hand.sql.query('delete from outbox where id = $1', [bad]);
  }).timeout(30_000);

  it('does not set rows aside because the database is away', async () => {
    const { ana, direct } = await hand.pair();
    await send(ana, direct.id, 'hello');
    const { db } = hand.deps;
    const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    hand.deps.db = { ...db, transaction: () => Promise.reject(away) };
    const round = hand.arming();
    await assert.rejects(round(), away);
    hand.deps.db = db;
    assert.deepEqual(
      (await owed()).filter(({ tries }) => tries > 0),
      [],
    );
    assert.ok((await round()) > 0);
  }).timeout(30_000);

  it('nudges for a message of another conversation without the distance that pushes of one conversation keep', async () => {
    const { ana, bob, direct } = await hand.pair();
    await send(ana, direct.id, 'one');
    hand.pass(2_000);
    assert.deepEqual(await hand.walk(bob), ['push', 'wait email step_delay']);
    const nudgeIn = async () =>
      Number(
        (
          await hand.rows<{ ms: string }>(
            'select extract(epoch from nudge_at - now()) * 1000 as ms from attention where user_id = $1',
            bob.id,
          )
        )[0]?.ms ?? Number.NaN,
      );
    const [cleo] = await registerPeople(hand.app, 'Cleo');
    const other = await makeDirect(cleo, bob);
    await send(cleo, other.id, 'and me?');
    await hand.arm();
    assert.ok((await nudgeIn()) < 5_000, `after the burst window; it was ${await nudgeIn()} ms`);
    await hand.sql.query('update attention set nudge_at = null where user_id = $1', [bob.id]);
    await send(ana, direct.id, 'two');
    await hand.arm();
    assert.ok((await nudgeIn()) > 20_000, `after the re-alert gap; it was ${await nudgeIn()} ms`);
  }).timeout(30_000);

  it('nudges an episode that should have woken long ago', async () => {
    const { ana, bob, direct } = await hand.pair();
    await send(ana, direct.id, 'one');
    hand.pass(2_000);
    await hand.walk(bob);
    await hand.sql.query(
      `update attention set wakes_at = now() - interval '1 minute', nudge_at = null where user_id = $1`,
      [bob.id],
    );
    const cleo: Person = (await registerPeople(hand.app, 'Cleo'))[0];
    const other = await makeDirect(cleo, bob);
    await send(cleo, other.id, randomUUIDv7());
    await hand.arm();
    assert.notEqual((await hand.attention(bob))?.nudge_at, null);
  }).timeout(30_000);
});
