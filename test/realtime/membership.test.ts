import assert from 'node:assert/strict';
import type { ConversationEvent } from '../../contracts/entities/index.ts';
import { type Person, makeChannel, makeGroup, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { holdNext } from '../support/held.ts';
import { call, expectStatus } from '../support/rest.ts';
import { type TestSocket, connect } from '../support/socket.ts';
import { until } from '../support/until.ts';

describe('who hears what, on two nodes', () => {
  let app: TestApp;
  const open: TestSocket[] = [];
  before(async () => {
    app = await startApp({
      processes: [
        ['api', 'realtime'],
        ['api', 'realtime'],
      ],
    });
  });
  afterEach(() => {
    for (const socket of open.splice(0)) socket.close();
  });
  after(() => app.stop());

  const join = async (person: Person, node: 0 | 1 = 0) => {
    const socket = await connect(app.urls[node] ?? '', { token: person.token });
    open.push(socket);
    return socket;
  };
  const told = (socket: TestSocket, id: string) =>
    socket.told.event.filter(({ conversationId }) => conversationId === id);
  const typesOf = (events: ConversationEvent[]) => events.map(({ version, type }) => `${version} ${type}`);
  const heard = (socket: TestSocket, version: number) => socket.heard('event', (event) => event.version === version);

  it('who is removed hears of it last, and nothing that is written afterwards, while it goes on on both nodes', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const [anaThere, bobHere, bobThere] = [await join(ana, 1), await join(bob), await join(bob, 1)];
    const there = { ...ana, call: other(app, ana) };
    const flood = Array.from({ length: 30 }, (_, n) => send(n % 2 ? ana : there, group.id, `message ${n}`));
    const removal = ana.call('DELETE', `/v1/conversations/${group.id}/members/${bob.id}`);
    await Promise.all(flood);
    expectStatus(await removal, 204);
    const last = await send(there, group.id, 'after');
    await heard(anaThere, last.version);
    const end = told(anaThere, group.id).find(({ type }) => type === 'members.removed');
    for (const socket of [bobHere, bobThere]) {
      await heard(socket, end?.version ?? 0);
      const versions = told(socket, group.id).map(({ version }) => version);
      assert.equal(Math.max(...versions), end?.version);
    }
  });

  it('who is added hears from the change on, on sockets that were open before', async () => {
    const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
    const group = await makeGroup(ana, [bob]);
    const [here, there] = [await join(cleo), await join(cleo, 1)];
    await send(ana, group.id, 'before');
    expectStatus(await ana.call('POST', `/v1/conversations/${group.id}/members`, { userIds: [cleo.id] }), 200);
    await send(ana, group.id, 'after');
    for (const socket of [here, there]) {
      await heard(socket, 4);
      assert.deepEqual(typesOf(told(socket, group.id)), ['3 members.added', '4 message.created']);
    }
  });

  it('who is removed while the node loads what they belong to hears nothing afterwards', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const anaThere = await join(ana, 1);
    const held = holdNext(app.processes[1], 'followed-by');
    const connecting = join(bob, 1);
    await held.begun;
    expectStatus(await ana.call('DELETE', `/v1/conversations/${group.id}/members/${bob.id}`), 204);
    await heard(anaThere, 2);
    held.release();
    const bobThere = await connecting;
    const { version } = await send(ana, group.id, 'behind his back');
    await heard(anaThere, version);
    // Answered after whatever was told before.
    await bobThere.ask('sync', { known: [] });
    assert.deepEqual(typesOf(told(bobThere, group.id)), ['2 members.removed']);
  });

  it('who connects while the members are being looked up hears what is written afterwards', async () => {
    const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
    const group = await makeGroup(ana, [bob, cleo]);
    await join(ana, 1);
    const loading = holdNext(app.processes[1], 'followed-by');
    const connecting = join(bob, 1);
    await loading.begun;
    expectStatus(await ana.call('PATCH', `/v1/conversations/${group.id}/members/${cleo.id}`, { role: 'admin' }), 204);
    const look = holdNext(app.processes[1], 'followers-among');
    loading.release();
    await Promise.all([connecting, look.begun]);
    const cleoThere = await join(cleo, 1);
    look.release();
    const { version } = await send(ana, group.id, 'do you hear me?');
    await heard(cleoThere, version);
  });

  it('changes of what one may not read only take their number', async () => {
    const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
    const group = await makeGroup(ana, [bob]);
    expectStatus(await ana.call('PATCH', `/v1/conversations/${group.id}`, { history: 'joining' }), 200);
    const early = await send(ana, group.id, 'early');
    expectStatus(await ana.call('POST', `/v1/conversations/${group.id}/members`, { userIds: [cleo.id] }), 200);
    const [bobHere, cleoThere] = [await join(bob), await join(cleo, 1)];
    const path = `/v1/conversations/${group.id}/messages/${early.id}`;
    expectStatus(await bob.call('PUT', `${path}/reactions/%F0%9F%91%8D`), 200);
    await heard(bobHere, 5);
    await heard(cleoThere, 5);
    assert.deepEqual(typesOf(told(bobHere, group.id)), ['5 reaction.added']);
    assert.deepEqual(typesOf(told(cleoThere, group.id)), ['5 hidden']);
  });

  it('messages of somebody whom one has blocked are marked, for the blocker’s sockets alone', async () => {
    const [ana, bob, eve] = await registerPeople(app, 'Ana', 'Bob', 'Eve');
    const group = await makeGroup(ana, [bob, eve]);
    const [anaHere, bobThere] = [await join(ana), await join(bob, 1)];
    expectStatus(await bob.call('PUT', `/v1/me/blocks/${eve.id}`), 204);
    const isMarked = (event: ConversationEvent) => event.type === 'message.created' && event.data.message.fromBlocked;
    await until(
      async () => {
        const { version } = await send(eve, group.id, 'hello');
        return isMarked(await heard(bobThere, version));
      },
      (marked) => marked === true,
    );
    const last = told(bobThere, group.id).at(-1)?.version ?? 0;
    await heard(anaHere, last);
    assert.ok(told(anaHere, group.id).every((event) => !isMarked(event)));
  });

  it('a block is told to one’s own devices on every node, live and with the hello, and to nobody else', async () => {
    const [bob, eve] = await registerPeople(app, 'Bob', 'Eve');
    const group = await makeGroup(bob, [eve]);
    const [here, there, eveHere] = [await join(bob), await join(bob, 1), await join(eve)];
    expectStatus(await bob.call('PUT', `/v1/me/blocks/${eve.id}`), 204);
    for (const socket of [here, there])
      assert.deepEqual(await socket.heard('blocks', () => true), { userIds: [eve.id] });
    assert.deepEqual((await join(bob)).hello.blocked, [eve.id]);
    expectStatus(await bob.call('DELETE', `/v1/me/blocks/${eve.id}`), 204);
    for (const socket of [here, there]) await socket.heard('blocks', ({ userIds }) => userIds.length === 0);
    const { version } = await send(bob, group.id, 'after all of it');
    await heard(eveHere, version);
    assert.deepEqual([eveHere.told.blocks, eveHere.hello.blocked], [[], []]);
  });

  it('when the word of a block was lost, then the next hello has it, though another device has stayed', async () => {
    const [bob, eve] = await registerPeople(app, 'Bob', 'Eve');
    const stayed = await join(bob);
    await app.database.run(`insert into blocks (user_id, blocked_id, at) values ('${bob.id}', '${eve.id}', now())`);
    assert.deepEqual((await join(bob)).hello.blocked, [eve.id]);
    await stayed.heard('blocks', ({ userIds }) => userIds[0] === eve.id);
  });

  it('receipts are told in small conversations, and to one’s own devices alone in channels', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const channel = await makeChannel(ana, { memberIds: [bob.id] });
    const message = await send(ana, channel.id, 'news');
    const [anaHere, bobThere] = [await join(ana), await join(bob, 1)];
    expectStatus(await bob.call('PUT', `/v1/conversations/${channel.id}/receipts`, { readSeq: message.seq }), 200);
    const { receipts } = await bobThere.heard('receipts', () => true);
    assert.deepEqual([receipts[0]?.userId, receipts[0]?.readSeq], [bob.id, message.seq]);
    const { version } = await send(ana, channel.id, 'more');
    await heard(anaHere, version);
    assert.deepEqual(anaHere.told.receipts, []);
  });

  it('drafts are told to one’s other devices', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const [mine, theirs] = [await join(ana, 1), await join(bob)];
    expectStatus(await ana.call('PUT', `/v1/conversations/${group.id}/draft`, { text: 'Dear Bob' }), 200);
    const { draft } = await mine.heard('draft', () => true);
    assert.equal(draft?.text, 'Dear Bob');
    const { version } = await send(ana, group.id, 'done');
    await heard(theirs, version);
    assert.deepEqual(theirs.told.draft, []);
  });

  it('a digest tells what moved, so that a client whose every live event was lost asks for it', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    // Who joined of late is told of it by another digest.
    await app.database.run(
      `update members set joined_at = now() - interval '1 hour' where conversation_id = '${group.id}'`,
    );
    const socket = await join(bob, 1);
    const { version } = await send(ana, group.id, 'hello');
    await socket.heard('heads', ({ heads }) => heads.some(([id, head]) => id === group.id && head === version));
  }).timeout(30_000);

  it('who was removed is told of it once more by a digest, which is the last one for them', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const socket = await join(bob, 1);
    expectStatus(await ana.call('DELETE', `/v1/conversations/${group.id}/members/${bob.id}`), 204);
    const { heads } = await socket.heard('heads', ({ heads: all }) => all.some(([id]) => id === group.id));
    const end = told(socket, group.id).at(-1);
    assert.deepEqual(
      heads.filter(([id]) => id === group.id).map(([, version]) => [version, end?.type]),
      [[end?.version, 'members.removed']],
    );
  }).timeout(30_000);
});

/** The same person through the other node. */
function other(app: TestApp, person: Person): Person['call'] {
  return (method, path, body, headers = {}) =>
    call(app.urls[1] ?? '', method, path, { token: person.token, body, headers });
}
