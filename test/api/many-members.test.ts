import assert from 'node:assert/strict';
import type { Conversation, DeliveryState, Member, SyncResponse } from '../../contracts/entities/index.ts';
import { limits } from '../../contracts/limits.ts';
import { growTo } from '../factories/crowd.ts';
import {
  type Person,
  makeChannel,
  makeGroup,
  read,
  registerPeople,
  registerPerson,
  send,
} from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { expectProblem, expectStatus } from '../support/rest.ts';
import { connect } from '../support/socket.ts';

describe('conversations of many', () => {
  let app: TestApp;
  let ana: Person;
  let bob: Person;
  before(async () => {
    app = await startApp();
    [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
  });
  after(() => app.stop());

  const snapshotOf = async (group: Conversation) => {
    const { changes } = expectStatus(await bob.call<SyncResponse>('POST', '/v1/sync', { known: [] }), 200);
    return changes.find(({ conversationId }) => conversationId === group.id)?.state;
  };
  const receiptsOf = async (group: Conversation) => {
    const message = await send(ana, group.id, 'hello');
    await read(bob, group.id, message.seq);
    const path = `/v1/conversations/${group.id}/messages/${message.id}/receipts`;
    return expectStatus(await ana.call<DeliveryState>('GET', path), 200);
  };

  const marksOf = async ({ id }: Conversation) => {
    const path = `/v1/conversations/${id}/members?limit=200`;
    const { items } = expectStatus(await ana.call<{ items: Member[] }>('GET', path), 200);
    const row = items.find(({ userId }) => userId === bob.id);
    return [row?.deliveredSeq, row?.readSeq];
  };

  it('name their members up to a number of them, and count them beyond', async () => {
    const [small, large] = [await makeGroup(ana, [bob]), await makeGroup(ana, [bob])];
    await growTo(app, small, limits.namedMembers);
    await growTo(app, large, limits.namedMembers + 1);
    assert.equal((await snapshotOf(small))?.members.length, limits.namedMembers);
    assert.equal((await snapshotOf(large))?.members.length, 0);
    assert.equal((await snapshotOf(large))?.conversation.memberCount, limits.namedMembers + 1);
    const [named, counted] = [await receiptsOf(small), await receiptsOf(large)];
    assert.deepEqual(await marksOf(small), [named.seq, named.seq]);
    assert.deepEqual(await marksOf(large), [null, null], 'nor does the list of the members tell who has read');
    assert.deepEqual([named.readBy, named.read], [[bob.id], 1]);
    assert.deepEqual([counted.readBy, counted.read, counted.recipients], [undefined, 1, limits.namedMembers]);
  });

  it('tell receipts to nobody but one’s own devices beyond that number', async () => {
    const large = await makeGroup(ana, [bob]);
    await growTo(app, large, limits.namedMembers + 1);
    const [anaHere, bobHere] = [
      await connect(app.url, { token: ana.token }),
      await connect(app.url, { token: bob.token }),
    ];
    const { seq, version } = await send(ana, large.id, 'hello');
    await read(bob, large.id, seq);
    await bobHere.heard('receipts', ({ receipts }) => receipts.some(({ readSeq }) => readSeq === seq));
    const after = await send(ana, large.id, 'after it');
    assert.ok(after.version > version);
    await anaHere.heard('event', (event) => event.conversationId === large.id && event.version === after.version);
    assert.deepEqual(
      anaHere.told.receipts.filter(({ receipts }) =>
        receipts.some(({ conversationId }) => conversationId === large.id),
      ),
      [],
    );
    for (const socket of [anaHere, bobHere]) socket.close();
  });

  it('take so many members and no more: a channel', async () => {
    const channel = await makeChannel(ana, { visibility: 'open' });
    await app.database.run(
      `update conversations set member_count = ${limits.channelMembers - 1} where id = '${channel.id}'`,
    );
    const join = async () => (await registerPerson(app)).call('POST', `/v1/conversations/${channel.id}/join`);
    expectStatus(await join(), 200);
    expectProblem(await join(), 409, 'limit_reached');
  });
});
