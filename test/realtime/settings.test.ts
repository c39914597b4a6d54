import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import type {
  Conversation,
  MembershipSettings,
  Message,
  MyMembership,
  NotificationSettings,
} from '../../contracts/entities/index.ts';
import { type Person, deleteMessage, makeDirect, makeGroup, read, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Answer, expectStatus } from '../support/rest.ts';
import { type TestSocket, connect } from '../support/socket.ts';

describe('what a conversation is to somebody, on all of their devices', () => {
  let app: TestApp;
  const open: TestSocket[] = [];
  const noThreads = { threads: { unread: 0, mentions: 0 } };
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
  const set = async (person: Person, id: string, patch: Record<string, unknown>) =>
    expectStatus(await person.call<MyMembership>('PATCH', `/v1/conversations/${id}/me`, patch), 200);
  const mark = async (person: Person, id: string, seq: number | null) =>
    expectStatus(await person.call<MyMembership>('PUT', `/v1/conversations/${id}/unread-mark`, { seq }), 200);
  const settingsOf = (conversationId: string, me: MyMembership) => {
    const { level, mutedUntil, muteExcept, channels, archived, pinned, unreadMark, readSeq } = me;
    const own = { level, mutedUntil, muteExcept, channels, archived, pinned, unreadMark, readSeq };
    return { conversationId, ...own } as MembershipSettings;
  };

  it('when settings change on one device, then each is told all of them, and nobody else is', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const [here, there, theirs] = [await join(bob), await join(bob, 1), await join(ana, 1)];
    await set(bob, group.id, { level: 'mentions', pinned: true });
    const me = await set(bob, group.id, { mutedUntil: '2099-01-01T00:00:00.000Z', archived: true });
    assert.deepEqual([me.level, me.archived], ['mentions', true]);
    for (const socket of [here, there]) {
      assert.deepEqual(await socket.heard('membership', ({ archived }) => archived), settingsOf(group.id, me));
    }
    const { version } = await send(bob, group.id, 'afterwards');
    await theirs.heard('event', (event) => event.version === version);
    assert.deepEqual(theirs.told.membership, []);
  });

  it('when it is marked as unread, then each device is told the mark, and when it is taken away', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const { seq } = await send(ana, group.id, 'later');
    await read(bob, group.id, seq);
    const there = await join(bob, 1);
    const me = await mark(bob, group.id, seq);
    const told = await there.heard('membership', ({ unreadMark }) => unreadMark !== null);
    assert.deepEqual(told, settingsOf(group.id, me));
    assert.deepEqual([told.unreadMark, told.readSeq], [seq, seq]);
    await mark(bob, group.id, null);
    await there.heard('membership', ({ unreadMark }) => unreadMark === null);
  });

  it('when the account’s notification settings change on one device, then each is told all of them with their version', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const [here, there, theirs] = [await join(bob), await join(bob, 1), await join(ana, 1)];
    const change = (body: object, version?: number) =>
      bob.call<NotificationSettings>(
        'PATCH',
        '/v1/me/notifications',
        body,
        version === undefined ? {} : { 'if-match': `"${version}"` },
      );
    const daily = expectStatus(await change({ emailFrequency: 'daily', emailDigestAt: '07:15' }), 200);
    for (const socket of [here, there])
      assert.deepEqual(await socket.heard('notification-settings', () => true), { settings: daily, version: 1 });
    expectStatus(await change({ emailFrequency: 'off' }, 0), 412);
    const hourly = expectStatus(await change({ emailFrequency: 'hourly' }, 1), 200);
    const told = await there.heard('notification-settings', ({ version }) => version > 1);
    assert.deepEqual(told, { settings: hourly, version: 2 });
    expectStatus(await ana.call('PATCH', '/v1/me/notifications', { preview: 'full' }), 200);
    await theirs.heard('notification-settings', () => true);
    assert.equal(theirs.told['notification-settings'].length, 1, 'her own alone');
  });

  it('when a channel is switched for a conversation, then each device is told, and as in the account is nothing', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const there = await join(bob, 1);
    await set(bob, group.id, { channels: { sms: true, email: false } });
    const told = await there.heard('membership', ({ channels }) => channels.sms === true);
    assert.deepEqual(told.channels, { push: null, email: false, sms: true });
    await set(bob, group.id, { channels: { email: null } });
    const me = await set(bob, group.id, { channels: { sms: null } });
    assert.deepEqual(me.channels, { push: null, email: null, sms: null });
    expectStatus(await bob.call('PATCH', `/v1/conversations/${group.id}/me`, { channels: { fax: true } }), 400);
  });

  it('when somebody is no member, then nothing is set, and nobody is told', async () => {
    const [ana, eve] = await registerPeople(app, 'Ana', 'Eve');
    const [group, own] = [await makeGroup(ana, []), await makeGroup(eve, [])];
    const there = await join(eve, 1);
    expectStatus(await eve.call('PATCH', `/v1/conversations/${group.id}/me`, { pinned: true }), 404);
    expectStatus(await eve.call('PUT', `/v1/conversations/${group.id}/unread-mark`, { seq: 1 }), 404);
    await set(eve, own.id, { pinned: true });
    await there.heard('membership', () => true);
    assert.deepEqual(
      there.told.membership.map(({ conversationId }) => conversationId),
      [own.id],
    );
  });

  it('when a conversation with something unread is muted, then the badge is told without it', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    await send(ana, group.id, 'hello');
    const there = await join(bob, 1);
    await set(bob, group.id, { mutedUntil: '2099-01-01T00:00:00.000Z' });
    assert.deepEqual(await there.heard('attention', () => true), { unread: 1, mentions: 0, ...noThreads, badge: 0 });
  });

  it('when one of two has blocked the other, then neither is told how far the other has read, and each one’s own devices are', async () => {
    const [ana, eve] = await registerPeople(app, 'Ana', 'Eve');
    const [pair, group] = [await makeDirect(ana, eve), await makeGroup(ana, [eve])];
    for (const person of [ana, eve]) await send(person, pair.id, 'hello');
    expectStatus(await ana.call('PUT', `/v1/me/blocks/${eve.id}`), 204);
    const sockets = { ana: await join(ana), eve: await join(eve, 1) };
    const readBoth = async (seq: number) => {
      for (const person of [ana, eve]) expectStatus(await read(person, pair.id, seq), 200);
      const { version } = await send(ana, group.id, 'afterwards');
      for (const socket of Object.values(sockets)) await socket.heard('event', (event) => event.version === version);
    };
    const told = (socket: TestSocket) => socket.told.receipts.flatMap(({ receipts }) => receipts.map((r) => r.userId));
    await readBoth(1);
    assert.deepEqual([told(sockets.ana), told(sockets.eve)], [[ana.id], [eve.id]]);
    expectStatus(await ana.call('DELETE', `/v1/me/blocks/${eve.id}`), 204);
    const both = [ana.id, eve.id].sort();
    for (const socket of Object.values(sockets)) {
      // The end of the block tells what was read meanwhile.
      await socket.heard('receipts', ({ receipts }) => receipts.length === 2);
      assert.deepEqual(told(socket).slice(1).sort(), both);
    }
    await readBoth(2);
    for (const socket of Object.values(sockets)) assert.deepEqual(told(socket).slice(3).sort(), both);
  });

  it('when somebody who has written is blocked, then the badge is told without theirs', async () => {
    const [ana, eve] = await registerPeople(app, 'Ana', 'Eve');
    const group = await makeGroup(ana, [eve]);
    await send(eve, group.id, 'hello');
    const there = await join(ana, 1);
    expectStatus(await ana.call('PUT', `/v1/me/blocks/${eve.id}`), 204);
    assert.deepEqual(await there.heard('attention', () => true), { unread: 0, mentions: 0, ...noThreads, badge: 0 });
  });

  it('when others write, then what is unread in all is told once, within 15 s, and not to who wrote', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const [here, there] = [await join(ana), await join(bob)];
    const began = performance.now();
    const mentions = [{ type: 'user', userId: bob.id, offset: 0, length: 4 }];
    await send(ana, group.id, '@Bob', { mentions });
    for (let n = 0; n < 20; n += 1) await send(ana, group.id, `message ${n}`);
    await there.heard('attention', () => true);
    assert.deepEqual(there.told.attention, [{ unread: 21, mentions: 1, ...noThreads, badge: 1 }]);
    // One look at a person in so long.
    assert.ok(performance.now() - began > 10_000);
    // Both had the same round; only marking tells Ana something.
    await mark(ana, group.id, 1);
    await here.heard('attention', ({ badge }) => badge === 1);
    assert.equal(here.told.attention.length, 1);
  }).timeout(30_000);

  it('when others take back or change what was unread, or a conversation goes, then the sum is told anew', async () => {
    const [ana] = await registerPeople(app, 'Ana');
    const mentions = (person: Person) => [{ type: 'user', userId: person.id, offset: 0, length: 1 }];
    const edit = (group: Conversation, message: Message, mentions: unknown) =>
      ana.call('PATCH', `/v1/conversations/${group.id}/messages/${message.id}`, {
        ...{ clientId: randomUUIDv7(), text: '@', mentions },
      });
    type Change = (group: Conversation, message: Message, person: Person) => Promise<Answer>;
    const rest = { ...noThreads, badge: 1 };
    const nothing = { unread: 0, mentions: 0, ...noThreads, badge: 0 };
    const changes: [string, Change, object][] = [
      ['a deletion', (group, { id }) => deleteMessage(ana, group.id, id), nothing],
      ['an edit that mentions', (...[g, m, who]) => edit(g, m, mentions(who)), { unread: 1, mentions: 1, ...rest }],
      ['an edit that mentions no more', (...[g, m]) => edit(g, m, []), { unread: 1, mentions: 0, ...rest }],
      ['a removal', (g, _, { id }) => ana.call('DELETE', `/v1/conversations/${g.id}/members/${id}`), nothing],
      ['leaving', (g, _, person) => person.call('POST', `/v1/conversations/${g.id}/leave`), nothing],
      ['the end of the conversation', (g) => ana.call('DELETE', `/v1/conversations/${g.id}`), nothing],
    ];
    await Promise.all(
      changes.map(async ([what, change, expected], n) => {
        const [person] = (await registerPeople(app, `Person ${n}`)) as [Person];
        const group = await makeGroup(ana, [person]);
        const named = what === 'an edit that mentions no more' ? { mentions: mentions(person) } : {};
        const message = await send(ana, group.id, '@', named);
        const there = await join(person, 1);
        assert.ok((await change(group, message, person)).status < 300, what);
        await there.heard('attention', () => true).catch(() => assert.fail(`nothing is told of ${what}`));
        assert.deepEqual(there.told.attention, [expected], what);
      }),
    );
  }).timeout(30_000);
});
