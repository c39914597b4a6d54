import assert from 'node:assert/strict';
import type { EventsAfter, SyncResponse } from '../../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Db, Statement } from '../../db/client.ts';
import type { Actor, Deps } from '../../domain/deps.ts';
import { listMessages, listPins } from '../../domain/messages/index.ts';
import { eventsAfter, sync } from '../../domain/sync/index.ts';
import { type Person, makeGroup, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { expectStatus } from '../support/rest.ts';
import { connect } from '../support/socket.ts';
import { SyncClient } from './client.ts';

describe('somebody is removed between two statements of one answer', () => {
  let app: TestApp;
  before(async () => {
    app = await startApp();
  });
  after(() => app.stop());

  const deps = (): Deps => app.processes[0]?.runtime.deps as Deps;
  const actorOf = (person: Person): Actor => ({ userId: person.id as UserId, sessionId: person.session.id });

  /** The same database, in which something happens just before a statement. */
  const justBefore = (name: string, happen: () => Promise<void>): Deps => {
    const { db } = deps();
    const query: Db['query'] = async (statement: Statement) => {
      if (statement.name === name) await happen();
      return db.query(statement);
    };
    return { ...deps(), db: { ...db, query } };
  };

  /** Bob is removed, and something is written and pinned that he may not see. */
  const removal = async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const early = await send(ana, group.id, 'while he is here');
    const remove = async () => {
      expectStatus(await ana.call('DELETE', `/v1/conversations/${group.id}/members/${bob.id}`), 204);
      const body = { clientId: crypto.randomUUID(), text: 'behind his back' };
      expectStatus(await ana.call('PATCH', `/v1/conversations/${group.id}/messages/${early.id}`, body), 200);
      await send(ana, group.id, 'behind his back');
      expectStatus(await ana.call('PUT', `/v1/conversations/${group.id}/messages/${early.id}/pin`), 204);
    };
    return { bob: actorOf(bob), id: group.id as ConversationId, version: early.version, remove };
  };

  it('the log after a version tells nothing that came afterwards', async () => {
    const { bob, id, version, remove } = await removal();
    const answer = await eventsAfter(justBefore('log-after', remove), bob, id, { after: version - 1, limit: 50 });
    assert.doesNotMatch(JSON.stringify(answer), /behind his back/);
  });

  it('nor does a sync', async () => {
    const { bob, id, version, remove } = await removal();
    const answer = await sync(justBefore('log-after', remove), bob, { known: [[id, version - 1]] });
    assert.doesNotMatch(JSON.stringify(answer), /behind his back/);
  });

  it('who holds all but the removal is told the removal and nothing else', async () => {
    const { bob, id, version, remove } = await removal();
    await remove();
    const answer = await sync(deps(), bob, { known: [[id, version]] });
    assert.deepEqual(
      answer.changes.map(({ how, events }) => [how, events.map(({ type }) => type)]),
      [['lost', ['members.removed']]],
    );
  });

  it('a page of the history and the pins are refused, and show nothing that came afterwards', async () => {
    const first = await removal();
    const page = listMessages(justBefore('messages-before', first.remove), first.bob, first.id, { limit: 50 });
    await assert.rejects(page, { code: 'not_found' });
    const second = await removal();
    const pins = listPins(justBefore('pinned-messages', second.remove), second.bob, second.id);
    await assert.rejects(pins, { code: 'not_found' });
  });
});

describe('somebody came where the past is not theirs', () => {
  let app: TestApp;
  before(async () => {
    app = await startApp();
  });
  after(() => app.stop());

  it('changes of what was before only take their number, whichever way one catches up', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const body = { clientId: crypto.randomUUID(), kind: 'group', title: 'Ops', memberIds: [], history: 'joining' };
    const { id } = expectStatus(await ana.call<{ id: string }>('POST', '/v1/conversations', body), 201);
    const early = await send(ana, id, 'before his time');
    expectStatus(await ana.call('POST', `/v1/conversations/${id}/members`, { userIds: [bob.id] }), 200);
    const text = { clientId: crypto.randomUUID(), text: 'still not for him' };
    expectStatus(await ana.call('PATCH', `/v1/conversations/${id}/messages/${early.id}`, text), 200);
    expectStatus(await ana.call('PUT', `/v1/conversations/${id}/messages/${early.id}/reactions/%F0%9F%91%8D`), 200);
    const log = expectStatus(await bob.call<EventsAfter>('GET', `/v1/conversations/${id}/events?after=3`), 200);
    const synced = expectStatus(await bob.call<SyncResponse>('POST', '/v1/sync', { known: [[id, 3]] }), 200);
    for (const events of [log.snapshot ? [] : log.events, synced.changes[0]?.events ?? []])
      assert.deepEqual(
        events.map(({ version, type, data }) => [version, type, data]),
        [
          [4, 'hidden', {}],
          [5, 'hidden', {}],
        ],
      );
  });
});

describe('somebody was removed and has come back, where the past is theirs', () => {
  let app: TestApp;
  before(async () => {
    app = await startApp();
  });
  after(() => app.stop());

  /** Bob holds version 2; then he was away from 4 to 6. */
  const returned = async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const { id } = await makeGroup(ana, [bob]);
    await send(ana, id, 'while he is here');
    const client = new SyncClient(bob.id);
    client.take(expectStatus(await bob.call<SyncResponse>('POST', '/v1/sync', { known: [] }), 200));
    await send(ana, id, 'still here');
    expectStatus(await ana.call('DELETE', `/v1/conversations/${id}/members/${bob.id}`), 204);
    await send(ana, id, 'while he is away');
    expectStatus(await ana.call('POST', `/v1/conversations/${id}/members`, { userIds: [bob.id] }), 200);
    await send(ana, id, 'back again');
    const fresh = new SyncClient(bob.id);
    fresh.take(expectStatus(await bob.call<SyncResponse>('POST', '/v1/sync', { known: [] }), 200));
    const socket = await connect(app.url, { token: bob.token, known: client.known });
    return { bob, id, client, fresh, socket };
  };

  it('a sync sends the conversation whole, and it is not lost midway, over REST, the socket and the connect', async () => {
    const { bob, client, fresh, socket } = await returned();
    const rest = expectStatus(await bob.call<SyncResponse>('POST', '/v1/sync', { known: client.known }), 200);
    const asked = await socket.ask('sync', { known: client.known });
    assert.ok(asked.ok && socket.hello.sync);
    for (const answer of [rest, asked, socket.hello.sync])
      assert.deepEqual(
        answer.changes.map(({ how }) => how),
        ['snapshot'],
      );
    client.take(rest);
    assert.deepEqual(client.conversations, fresh.conversations);
    socket.close();
  });

  it('the log after a version is told as the state, once the page comes to the removal', async () => {
    const { bob, id, client, fresh, socket } = await returned();
    const page = async (after: number, limit: number) =>
      expectStatus(
        await bob.call<EventsAfter>('GET', `/v1/conversations/${id}/events?after=${after}&limit=${limit}`),
        200,
      );
    const first = await page(2, 1);
    assert.ok(!first.snapshot && first.hasMore);
    for (const event of first.events) client.hear(event);
    const asked = await socket.ask('events.after', { conversationId: id, after: 3 });
    assert.ok(asked.ok);
    for (const answer of [await page(3, 50), await page(3, 1), asked.page]) {
      assert.ok(answer.snapshot);
      client.replace(answer.state);
      assert.deepEqual(client.conversations, fresh.conversations);
    }
    const later = await page(6, 50);
    assert.deepEqual(later.snapshot || later.events.map(({ version }) => version), [7], 'who holds the return goes on');
    socket.close();
  });
});
