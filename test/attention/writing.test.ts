import assert from 'node:assert/strict';
import type { UnreadOverview } from '../../contracts/rest/read-state.ts';
import { type Person, makeGroup, registerPeople, send } from '../factories/person.ts';
import { type ByHand, attentionByHand } from '../support/by-hand.ts';
import { expectStatus } from '../support/rest.ts';
import { connect } from '../support/socket.ts';

describe('who writes has read', () => {
  let hand: ByHand;
  before(async function () {
    this.timeout(60_000);
    hand = await attentionByHand();
  });
  after(() => hand.close());
  beforeEach(() => hand.reset());

  const group = async () => {
    const [ana, bob] = await registerPeople(hand.app, 'Ana', 'Bob');
    return { ana, bob, id: (await makeGroup(ana, [bob])).id };
  };
  const write = async (person: Person, id: string, count: number) => {
    for (let n = 0; n < count; n += 1) await send(person, id, `${n}`);
  };
  const holds = async (person: Person, id: string, deliveredSeq: number) =>
    expectStatus(await person.call('PUT', `/v1/conversations/${id}/receipts`, { deliveredSeq }), 200);
  const unreadOf = async (person: Person) =>
    expectStatus(await person.call<UnreadOverview>('GET', '/v1/me/unread'), 200);
  const armAll = async () => {
    while ((await hand.arm()) > 0);
  };

  it('what their clients hold, and everybody whom it concerns is told', async () => {
    const { ana, bob, id } = await group();
    await write(ana, id, 3);
    await holds(bob, id, 3);
    const [anaLive, bobLive] = await Promise.all([ana, bob].map(({ token }) => connect(hand.app.url, { token })));
    // What was marked by hand is left for later, whatever one writes meanwhile.
    expectStatus(await bob.call('PUT', `/v1/conversations/${id}/unread-mark`, { seq: 2 }), 200);
    await send(bob, id, 'so I see');
    await armAll();
    const { unread, conversations } = await unreadOf(bob);
    assert.deepEqual([unread, conversations.map(({ unreadMark }) => unreadMark)], [0, [2]]);
    for (const live of [anaLive, bobLive])
      await live?.heard('receipts', ({ receipts }) =>
        receipts.some(({ userId, readSeq }) => userId === bob.id && readSeq === 4),
      );
    anaLive?.close();
    bobLive?.close();
  });

  it('and nothing that their clients have not heard of: it was written offline, or in the same moment', async () => {
    const { ana, bob, id } = await group();
    await write(ana, id, 3);
    await holds(bob, id, 1);
    await send(bob, id, 'written before the others came');
    await armAll();
    assert.equal((await unreadOf(bob)).unread, 2);
    const [armed] = await hand.rows<{ seen: string }>(
      'select seen_seq as seen from members where user_id = $1',
      bob.id,
    );
    assert.equal(Number(armed?.seen), 1);
  });

  it('what they wrote themselves, where nothing is missing before it', async () => {
    const { bob, id } = await group();
    await write(bob, id, 3);
    await armAll();
    const [mark] = await hand.rows<{ read: string }>('select read_seq as read from members where user_id = $1', bob.id);
    assert.equal(Number(mark?.read), 3);
  });

  it('nothing of the conversation by a reply in a thread', async () => {
    const { ana, bob, id } = await group();
    const root = await send(ana, id, 'root');
    await write(ana, id, 2);
    await holds(bob, id, 3);
    await send(bob, id, 'below', { threadId: root.id });
    await armAll();
    assert.equal((await unreadOf(bob)).unread, 3);
  });

  it('what several devices acknowledge in the same moment, told once', async () => {
    const { ana, bob, id } = await group();
    await write(ana, id, 2);
    const live = await connect(hand.app.url, { token: ana.token });
    await Promise.all(Array.from({ length: 10 }, () => holds(bob, id, 2)));
    await live.heard('receipts', () => true);
    await holds(bob, id, 2);
    await send(bob, id, 'the end');
    await live.heard('event', ({ version }) => version === 4);
    assert.equal(live.told.receipts.length, 1);
    live.close();
  });
});
