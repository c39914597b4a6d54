import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import type { PersonPresence } from '../../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Deps, Log } from '../../domain/deps.ts';
import { createDelivery } from '../../realtime/delivery.ts';
import { Follows } from '../../realtime/follows.ts';
import type { IoSocket } from '../../realtime/io.ts';
import { watchPresence } from '../../realtime/presence-watch.ts';
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
import { until } from '../support/until.ts';

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
  const lastSeenIn = (presences: PersonPresence[], { id }: Person) =>
    presences.find(({ userId }) => userId === id)?.lastSeenAt;
  const hears = (socket: TestSocket, person: Person, state: PersonPresence['state']) =>
    socket.heard('presence', ({ presences }) =>
      presences.some((one) => one.userId === person.id && one.state === state),
    );

  /** What was heard of before, such as the members with whom the conversation was made, has been read by now. */
  const lookPasses = async (socket: TestSocket, other: Person, others: TestSocket) => {
    await view(others, null, 'idle');
    await hears(socket, other, 'idle');
  };
  /** All that a socket was told of somebody since it looked. */
  const toldOf = (socket: TestSocket, { id }: Person) =>
    socket.told.presence
      .flatMap(({ presences }) => presences.filter(({ userId }) => userId === id))
      .map(({ state, lastSeenAt }) => [state, lastSeenAt]);
  /** As of somebody of whom nobody can say anything: why, it does not tell. */
  const cleared = ['unknown', null];

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
    const { id } = await send(stranger, unanswered.id, 'hello?');
    // Nor by pinning what they wrote, of which the conversation keeps a line under her name.
    expectStatus(await ana.call('PUT', `/v1/conversations/${unanswered.id}/messages/${id}/pin`), 204);
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

  it('follows the members while it is in view: who is added is shown, who is removed is cleared and told of no more', async () => {
    const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
    await tellEveryone(bob, cleo);
    const group = await makeGroup(ana, []);
    const [anaHere, bobThere, cleoThere] = [await join(ana), await join(bob, 1), await join(cleo, 1)];
    assert.deepEqual(await view(anaHere, group.id), []);
    const members = `/v1/conversations/${group.id}/members`;
    expectStatus(await ana.call('POST', members, { userIds: [bob.id, cleo.id] }), 200);
    await Promise.all([hears(anaHere, bob, 'active'), hears(anaHere, cleo, 'active')]);
    expectStatus(await ana.call('DELETE', `${members}/${bob.id}`), 204);
    await hears(anaHere, bob, 'unknown');
    bobThere.close();
    // Who goes last is told of last.
    cleoThere.close();
    await hears(anaHere, cleo, 'offline');
    const told = toldOf(anaHere, bob);
    // When they were last noted to be there may be known by then.
    assert.deepEqual([told.length, told[0]?.[0], told[1]], [2, 'active', cleared]);
  });

  it('shows to a view that was open before who tells it to everyone from now on, wherever they are', async () => {
    const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
    await tellEveryone(cleo);
    expectStatus(await bob.call('PATCH', '/v1/me', { privacy: { tellLastSeen: 'nobody' } }), 200);
    const group = await makeGroup(ana, [bob, cleo]);
    const [anaHere, cleoThere] = [await join(ana), await join(cleo, 1), await join(bob, 1)];
    assert.deepEqual(states(await view(anaHere, group.id)), ['active']);
    await lookPasses(anaHere, cleo, cleoThere);
    assert.deepEqual(toldOf(anaHere, bob), []);
    await tellEveryone(bob);
    await hears(anaHere, bob, 'active');
  });

  for (const [what, hide] of Object.entries({
    'has blocked who looks': (bob: Person, eve: Person) => bob.call('PUT', `/v1/me/blocks/${eve.id}`),
    'tells nobody any more': (bob: Person) => bob.call('PATCH', '/v1/me', { privacy: { tellLastSeen: 'nobody' } }),
  })) {
    it(`is cleared in a view that was open before, and told on no more: the person ${what}`, async () => {
      const [ana, bob, eve] = await registerPeople(app, 'Ana', 'Bob', 'Eve');
      await Promise.all([tellEveryone(ana), tellEveryone(bob)]);
      const group = await makeGroup(ana, [bob, eve]);
      const [bobThere, anaThere, eveHere] = [await join(bob, 1), await join(ana, 1), await join(eve)];
      assert.equal((await view(eveHere, group.id)).length, 2);
      await lookPasses(eveHere, ana, anaThere);
      const answer = await hide(bob, eve);
      assert.ok(answer.status < 300);
      await hears(eveHere, bob, 'unknown');
      bobThere.close();
      // Who goes last is told of last.
      anaThere.close();
      await hears(eveHere, ana, 'offline');
      assert.deepEqual(toldOf(eveHere, bob), [cleared]);
    });
  }

  it('typing is told to the others on every node, with its end, and a burst of it once', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const [anaHere, bobThere, elsewhere] = [await join(ana), await join(bob, 1), await join(bob, 1)];
    for (const socket of [anaHere, bobThere])
      await socket.ask('presence.set', { state: 'active', viewing: group.id as ConversationId });
    for (let n = 0; n < 5; n += 1) {
      assert.deepEqual(await anaHere.ask('typing.set', { conversationId: group.id, on: true }), { ok: true });
    }
    const typing = await bobThere.heard('typing', ({ until }) => until !== null);
    assert.deepEqual([typing.conversationId, typing.userId], [group.id, ana.id]);
    assert.ok(Date.parse(typing.until ?? '') > Date.now());
    await anaHere.ask('typing.set', { conversationId: group.id, on: false });
    await bobThere.heard('typing', ({ until }) => until === null);
    assert.equal(bobThere.told.typing.length, 2);
    const { version } = await send(ana, group.id, 'after it');
    for (const socket of [anaHere, elsewhere]) await socket.heard('event', (event) => event.version === version);
    assert.deepEqual([anaHere.told.typing, elsewhere.told.typing], [[], []], 'nor oneself, nor who looks elsewhere');
  });

  it('typing is refused where one may not write, and who has blocked somebody is spared theirs', async () => {
    const [ana, bob, eve] = await registerPeople(app, 'Ana', 'Bob', 'Eve');
    const group = await makeGroup(ana, [bob, eve]);
    expectStatus(await bob.call('PUT', `/v1/me/blocks/${eve.id}`), 204);
    const [anaHere, bobThere, eveHere] = [await join(ana), await join(bob, 1), await join(eve)];
    for (const socket of [anaHere, bobThere])
      await socket.ask('presence.set', { state: 'active', viewing: group.id as ConversationId });
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
    // Each time, however soon: what was refused was no hint that need not be told again.
    for (let time = 1; time <= 2; time += 1) {
      const notMine = await eveHere.ask('typing.set', { conversationId: elsewhere.id as ConversationId, on: true });
      assert.ok(!notMine.ok && notMine.error.code === 'not_found');
    }
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

  it('of what Redis and the bus were away for is read anew: when somebody was last seen, and who has hidden meanwhile', async () => {
    const [ana, bob, cleo, eve] = await registerPeople(app, 'Ana', 'Bob', 'Cleo', 'Eve');
    await tellEveryone(bob, cleo, eve);
    const group = await makeGroup(ana, [bob, cleo, eve]);
    const [anaThere, bobHere] = [await join(ana, 1), await join(bob)];
    await Promise.all([join(cleo), join(eve)]);
    await view(anaThere, group.id);
    bobHere.close();
    await hears(anaThere, bob, 'offline');
    const lastSeen = await until(async () => lastSeenIn(await view(anaThere, group.id), bob), Boolean);
    redis.kill('SIGKILL');
    await redis.exited;
    await hears(anaThere, cleo, 'unknown');
    // Of this the bus tells nothing to the node on which she looks.
    expectStatus(await eve.call('PUT', `/v1/me/blocks/${ana.id}`), 204);
    anaThere.told.presence.length = 0;
    redis = await own.redis(Number(new URL(redis.url).port));
    await hears(anaThere, cleo, 'active');
    assert.deepEqual(toldOf(anaThere, bob), [['offline', lastSeen]]);
    assert.deepEqual(toldOf(anaThere, eve), [cleared]);
  }).timeout(60_000);

  const seenAt = async ({ id }: Person) => {
    const { rows } = await app.database.run(`select last_seen_at from users where id = '${id}'`);
    return (rows[0] as { last_seen_at: Date | null }).last_seen_at;
  };

  it('is noted while somebody stays, for their node may die without a word', async () => {
    const bob = await registerPerson(app, 'Bob');
    await join(bob, 1);
    const noted = await until(() => seenAt(bob), Boolean);
    await join(bob);
    const cleo = await registerPerson(app, 'Cleo');
    await join(cleo);
    await until(() => seenAt(cleo), Boolean);
    assert.deepEqual(await seenAt(bob), noted, 'once in a while, on however many nodes they are');
  });

  it('is noted when somebody goes while Redis is away', async () => {
    const bob = await registerPerson(app, 'Bob');
    const socket = await join(bob);
    redis.kill('SIGKILL');
    await redis.exited;
    const before = await until(() => seenAt(bob), Boolean);
    socket.close();
    await until(
      () => seenAt(bob),
      (now) => (now?.getTime() ?? 0) > (before?.getTime() ?? 0),
    );
    redis = await own.redis(Number(new URL(redis.url).port));
  }).timeout(60_000);
});

describe('whom a view may look at', () => {
  const [id, bob] = ['conversation' as ConversationId, 'bob' as UserId];
  let stop = () => {};
  afterEach(() => stop());

  /** Somebody who follows the conversation, and a watch for which the test says what the rows and Redis hold. */
  const byHand = () => {
    const [follows, events] = [new Follows(), new EventEmitter()];
    const hand = {
      people: async (): Promise<UserId[]> => [],
      states: async (ids: readonly UserId[]) => new Map(ids.map((one) => [one, 'active'])),
      asked: [] as string[],
      told: [] as string[],
    };
    const query = async ({ name }: { name: string }) => {
      hand.asked.push(name);
      if (name !== 'people-in-views') return { rows: [{ id }] };
      return { rows: (await hand.people()).map((userId) => ({ n: 1, userId, lastSeenAt: null })) };
    };
    const presences = async (ids: readonly UserId[]) => {
      const states = await hand.states(ids);
      events.emit('looked');
      return states;
    };
    const tell = (_: IoSocket, { text }: { text: string }) => {
      for (const { userId, state } of JSON.parse(text.slice(1))[1].presences) hand.told.push(`${userId} ${state}`);
      events.emit('told');
    };
    const deps = { db: { query, as: () => ({ query }) }, now: () => new Date(), presences } as unknown as Deps;
    const watch = watchPresence({ deps, follows, outlet: { tell, answer() {} } });
    stop = () => watch.stop();
    const joins = (userId: string) => {
      const socket = { data: { actor: { userId } } } as unknown as IoSocket;
      follows.connect(userId as UserId, socket);
      const user = follows.user(userId as UserId);
      assert.ok(user);
      follows.follow(user, { conversationId: id, memberVersion: 1, joinedSeq: 0, joinedVersion: 0 });
      return socket;
    };
    return { hand, events, watch, joins };
  };

  it('is read by two statements at the next look, however many changes there were and views are open', async () => {
    const { hand, events, watch, joins } = byHand();
    for (let n = 0; n < 20; n += 1) await watch.view(joins(`viewer-${n}`), id);
    hand.asked.length = 0;
    for (let n = 0; n < 500; n += 1) {
      watch.membersChanged(id);
      watch.visibilityChanged(bob);
    }
    await once(events, 'looked');
    assert.deepEqual(hand.asked, ['conversations-with', 'people-in-views']);
  });

  it('is read again where the rows could not be read', async () => {
    const { hand, events, watch, joins } = byHand();
    await watch.view(joins('ana'), id);
    hand.people = async () => {
      hand.people = async () => [bob];
      throw new Error('the database is away');
    };
    watch.membersChanged(id);
    await once(events, 'told');
    assert.deepEqual(hand.told, ['bob active']);
  });

  it('is right also where a change and the look for it came before the view was answered', async () => {
    const { hand, events, watch, joins } = byHand();
    const older = new EventEmitter();
    hand.people = async () => {
      hand.people = async () => [];
      await once(older, 'read');
      return [bob];
    };
    const viewing = watch.view(joins('ana'), id);
    await until(
      async () => hand.asked,
      (asked) => asked.includes('people-in-views'),
    );
    watch.membersChanged(id);
    await once(events, 'looked');
    older.emit('read');
    assert.deepEqual((await viewing).length, 1);
    await once(events, 'told');
    assert.deepEqual(hand.told, ['bob unknown']);
  });

  it('is nobody where the view was refused', async () => {
    const { hand, events, watch, joins } = byHand();
    hand.people = async () => {
      hand.people = async () => [bob];
      throw new Error('the database is away');
    };
    await assert.rejects(watch.view(joins('ana'), id));
    watch.membersChanged(id);
    for (let n = 0; n < 2; n += 1) await once(events, 'looked');
    assert.deepEqual(hand.told, []);
  });

  it('does not make anybody unknown who came into view after the look had asked who is there', async () => {
    const { hand, events, watch, joins } = byHand();
    const { states } = hand;
    hand.people = async () => [bob];
    hand.states = async (ids) => {
      hand.states = states;
      await watch.view(joins('ana'), id);
      return states(ids);
    };
    // The view's own, the look's, and the next look's, after which the one before has told what it had to.
    for (let n = 0; n < 3; n += 1) await once(events, 'looked');
    assert.deepEqual(hand.told, []);
  });

  it('is read anew after a look at the members, which tells of changes that were lost', async () => {
    const changed = new EventEmitter();
    const follows = new Follows();
    const delivery = createDelivery({
      follows,
      outlet: { tell() {}, answer() {} },
      membersAmong: async () => [],
      blocksOf: async () => [],
      visibilityChanged() {},
      membersChanged: (conversationId) => void changed.emit('members', conversationId),
      unreadChanged() {},
      countsMoved() {},
      log: {} as Log,
    });
    follows.connect(bob, {} as IoSocket);
    const user = follows.user(bob);
    assert.ok(user);
    follows.follow(user, { conversationId: id, memberVersion: 1, joinedSeq: 0, joinedVersion: 0 });
    const heard = once(changed, 'members');
    const item = { kind: 'conversation' as const, id, memberVersion: 3, text: '', version: 9, messageSeq: 1 };
    delivery.deliver({ ...item, actorId: bob });
    assert.deepEqual(await heard, [id]);
  });
});
