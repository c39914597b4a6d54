import assert from 'node:assert/strict';
import type { PersonPresence } from '../../contracts/entities/index.ts';
import type { ConversationId } from '../../contracts/ids.ts';
import {
  type Person,
  makeChannel,
  makeDirect,
  makeGroup,
  read,
  registerPeople,
  registerPerson,
  send,
} from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type PrivateServices, privateServices } from '../support/private-services.ts';
import { expectStatus } from '../support/rest.ts';
import { type TestSocket, connect } from '../support/socket.ts';

describe('presence and typing, on two nodes', () => {
  let app: TestApp;
  let own: PrivateServices;
  let redis: Awaited<ReturnType<PrivateServices['redis']>>;
  const open: TestSocket[] = [];
  before(async function () {
    this.timeout(60_000);
    own = await privateServices();
    redis = await own.redis();
    app = await startApp({
      processes: [
        ['api', 'realtime'],
        ['api', 'realtime'],
      ],
      env: { REDIS_URL: redis.url },
    });
  });
  afterEach(() => {
    for (const socket of open.splice(0)) socket.close();
  });
  after(async () => {
    await app.stop();
    await own.close();
  });

  const join = async (person: Person, node: 0 | 1 = 0) => {
    const socket = await connect(app.urls[node] ?? '', { token: person.token });
    open.push(socket);
    return socket;
  };
  const view = async (socket: TestSocket, id: string | null, state: 'active' | 'idle' | 'hidden' = 'active') => {
    const answer = await socket.ask('presence.set', { state, viewing: id });
    assert.ok(answer.ok);
    return answer.presences;
  };
  const tellEveryone = async (...people: Person[]) => {
    for (const person of people) {
      expectStatus(await person.call('PATCH', '/v1/me', { privacy: { tellLastSeen: 'everyone' } }), 200);
    }
  };
  const states = (presences: PersonPresence[]) => presences.map(({ state }) => state);
  const hears = (socket: TestSocket, person: Person, state: PersonPresence['state']) =>
    socket.heard('presence', ({ presences }) =>
      presences.some((one) => one.userId === person.id && one.state === state),
    );

  it('of who is in view is told as it changes: active, idle on all devices, gone, and when they were last seen', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    await tellEveryone(bob);
    const group = await makeGroup(ana, [bob]);
    const anaHere = await join(ana);
    assert.deepEqual(states(await view(anaHere, group.id)), ['offline']);
    const [phone, desktop] = [await join(bob, 1), await join(bob)];
    await hears(anaHere, bob, 'active');
    // Others are told of both as of one.
    await view(phone, null, 'hidden');
    await view(desktop, null, 'idle');
    await hears(anaHere, bob, 'idle');
    phone.close();
    desktop.close();
    const gone = await hears(anaHere, bob, 'offline').then(() => anaHere.told.presence.at(-1));
    assert.ok(gone?.presences[0]?.lastSeenAt);
    assert.equal(gone?.conversationId, group.id);
  });

  it('is told to everyone, to contacts or to nobody, as the person chose', async () => {
    const [ana, friend, stranger] = await registerPeople(app, 'Ana', 'Friend', 'Stranger');
    const group = await makeGroup(ana, [friend, stranger]);
    const direct = await makeDirect(ana, friend);
    await send(ana, direct.id, 'hello');
    // Whoever begins a conversation with her has not become her contact by that.
    const unanswered = await makeDirect(stranger, ana);
    await send(stranger, unanswered.id, 'hello?');
    await join(ana, 1);
    const [friendHere, strangerHere] = [await join(friend), await join(stranger)];
    const sees = async (socket: TestSocket) => (await view(socket, group.id)).some(({ userId }) => userId === ana.id);
    assert.deepEqual([await sees(friendHere), await sees(strangerHere)], [true, false]);
    await tellEveryone(ana);
    assert.deepEqual([await sees(friendHere), await sees(strangerHere)], [true, true]);
    expectStatus(await ana.call('PATCH', '/v1/me', { privacy: { tellLastSeen: 'nobody' } }), 200);
    assert.deepEqual([await sees(friendHere), await sees(strangerHere)], [false, false]);
  });

  it('is not told to somebody who is blocked, nor in channels, nor after one was removed', async () => {
    const [ana, eve] = await registerPeople(app, 'Ana', 'Eve');
    await tellEveryone(ana);
    const group = await makeGroup(ana, [eve]);
    const channel = await makeChannel(ana, { memberIds: [eve.id] });
    const eveHere = await join(eve);
    assert.equal((await view(eveHere, group.id)).length, 1);
    assert.deepEqual(await view(eveHere, channel.id), []);
    await view(eveHere, group.id);
    expectStatus(await ana.call('DELETE', `/v1/conversations/${group.id}/members/${eve.id}`), 204);
    const refused = await eveHere.ask('presence.set', { state: 'active', viewing: group.id });
    assert.ok(!refused.ok && refused.error.code === 'not_found');
    const other = await makeGroup(ana, [eve]);
    expectStatus(await ana.call('PUT', `/v1/me/blocks/${eve.id}`), 204);
    assert.deepEqual(await view(eveHere, other.id), []);
  });

  for (const [what, hide] of Object.entries({
    'has blocked who looks': (bob: Person, eve: Person) => bob.call('PUT', `/v1/me/blocks/${eve.id}`),
    'tells nobody any more': (bob: Person) => bob.call('PATCH', '/v1/me', { privacy: { tellLastSeen: 'nobody' } }),
  })) {
    it(`is not told on to a view that was open before: the person ${what}`, async () => {
      const [ana, bob, eve] = await registerPeople(app, 'Ana', 'Bob', 'Eve');
      await Promise.all([tellEveryone(ana), tellEveryone(bob)]);
      const group = await makeGroup(ana, [bob, eve]);
      const [bobThere, anaThere, eveHere] = [await join(bob, 1), await join(ana, 1), await join(eve)];
      assert.equal((await view(eveHere, group.id)).length, 2);
      const answer = await hide(bob, eve);
      assert.ok(answer.status < 300);
      bobThere.close();
      // Who goes last is told of last.
      anaThere.close();
      await hears(eveHere, ana, 'offline');
      const told = eveHere.told.presence.flatMap(({ presences }) => presences.map(({ userId }) => userId));
      assert.ok(!told.includes(bob.id as never));
    });
  }

  it('typing is told to the others on every node, with its end, and a burst of it once', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const [anaHere, bobThere] = [await join(ana), await join(bob, 1)];
    for (let n = 0; n < 5; n += 1) {
      assert.deepEqual(await anaHere.ask('typing.set', { conversationId: group.id, on: true }), { ok: true });
    }
    const typing = await bobThere.heard('typing', ({ until }) => until !== null);
    assert.deepEqual([typing.conversationId, typing.userId], [group.id, ana.id]);
    assert.ok(Date.parse(typing.until ?? '') > Date.now());
    await anaHere.ask('typing.set', { conversationId: group.id, on: false });
    await bobThere.heard('typing', ({ until }) => until === null);
    assert.equal(bobThere.told.typing.length, 2);
  });

  it('typing is refused where one may not write, and who has blocked somebody is spared theirs', async () => {
    const [ana, bob, eve] = await registerPeople(app, 'Ana', 'Bob', 'Eve');
    const group = await makeGroup(ana, [bob, eve]);
    expectStatus(await bob.call('PUT', `/v1/me/blocks/${eve.id}`), 204);
    const [anaHere, bobThere, eveHere] = [await join(ana), await join(bob, 1), await join(eve)];
    await eveHere.ask('typing.set', { conversationId: group.id, on: true });
    await anaHere.heard('typing', ({ userId }) => userId === eve.id);
    const { version } = await send(ana, group.id, 'after it');
    await bobThere.heard('event', (event) => event.version === version);
    assert.deepEqual(bobThere.told.typing, []);
    expectStatus(
      await ana.call('PATCH', `/v1/conversations/${group.id}/members/${eve.id}`, { role: 'read_only' }),
      204,
    );
    const refused = await eveHere.ask('typing.set', { conversationId: group.id, on: false });
    assert.ok(!refused.ok && refused.error.code === 'forbidden');
    const elsewhere = await makeGroup(ana, []);
    const notMine = await eveHere.ask('typing.set', { conversationId: elsewhere.id as ConversationId, on: true });
    assert.ok(!notMine.ok && notMine.error.code === 'not_found');
  });

  it('what is unread in all is told to one’s other devices after one has read on one of them', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const [one, two] = [await makeGroup(ana, [bob]), await makeGroup(ana, [bob])];
    for (const { id } of [one, two]) await send(ana, id, 'hello');
    const there = await join(bob, 1);
    await read(bob, one.id, 1);
    const inAll = { unread: 1, mentions: 0, threads: { unread: 0, mentions: 0 }, badge: 1 };
    assert.deepEqual(await there.heard('attention', () => true), inAll);
  });

  it('is unknown while Redis is away, and right again within ten seconds after it was lost with all it held', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    await tellEveryone(bob);
    const group = await makeGroup(ana, [bob]);
    const [anaHere] = [await join(ana), await join(bob, 1)];
    await view(anaHere, group.id);
    const { port } = new URL(redis.url);
    redis.kill('SIGKILL');
    await redis.exited;
    await hears(anaHere, bob, 'unknown');
    anaHere.told.presence.length = 0;
    redis = await own.redis(Number(port));
    const back = Date.now();
    await hears(anaHere, bob, 'active');
    assert.ok(Date.now() - back < 10_000);
    const newcomer = await registerPerson(app);
    assert.equal((await view(await join(newcomer), null)).length, 0);
  }).timeout(60_000);
});
