import assert from 'node:assert/strict';
import type { ConversationEvent, EventsAfter, Snapshot } from '../../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import { HomingError } from '../../sdk/errors.ts';
import { clientLimits } from '../../sdk/limits.ts';
import { Patience } from '../../sdk/patience.ts';
import { surroundings } from '../../sdk/surroundings.ts';
import { takeChanges } from '../../sdk/sync/sync.ts';
import { CatchUp } from '../../sdk/sync/catch-up.ts';
import { Conversations } from '../../sdk/sync/conversations.ts';

const id = 'c1' as ConversationId;
const event = (version: number) =>
  ({ conversationId: id, version, type: 'hidden', at: '', actorId: 'ana', data: {} }) as unknown as ConversationEvent;
const snapshot = (version: number) =>
  ({
    conversation: { id, kind: 'group', version, lastSeq: 0, memberCount: 1, me: {} },
    ...{ members: [], messages: [] },
  }) as unknown as Snapshot;

/** A log of one conversation, with a server whose pages a test writes. */
function catchUp(fetch: (after: number) => Promise<EventsAfter>, limits: Partial<typeof clientLimits> = {}) {
  const asked: number[] = [];
  const moved: string[] = [];
  const all = { ...clientLimits, backoffBaseMs: 1, ...limits };
  const moves = (_: string, how: string) => void moved.push(how);
  const told = { change() {}, message() {}, mine() {}, whole() {}, doubtful() {}, readHere() {}, moved: moves };
  const conversations = new Conversations(all, told);
  conversations.me = 'bob' as UserId;
  const parts = new CatchUp({
    conversations,
    limits: all,
    patience: new Patience(all, surroundings),
    fetch: (_, after) => {
      asked.push(after);
      return fetch(after);
    },
  });
  /** Until nothing is asked any more: every answer here comes within the turn. */
  const settled = () => new Promise((resolve) => setTimeout(resolve, 20));
  return { conversations, parts, asked, moved, settled, version: () => conversations.version(id) };
}

describe('catching up', () => {
  const pageOf = (versions: number[], hasMore: boolean): EventsAfter => ({
    snapshot: false,
    events: versions.map(event),
    hasMore,
  });

  it('when more comes behind a gap than is held, then what was not held is fetched', async () => {
    // One event a page: what else is applied was held.
    const server = async (after: number) => pageOf([after + 1], true);
    const { conversations, parts, asked, settled, version } = catchUp(server, { heldEvents: 3 });
    conversations.replace(snapshot(1));
    for (let next = 3; next <= 10; next += 1) parts.hear(event(next));
    assert.equal(version(), 1);
    parts.open();
    await settled();
    assert.equal(version(), 10);
    assert.deepEqual(asked, [1, 5, 6, 7, 8, 9], '3, 4 and 5 were held, 6 to 10 were not');
  });

  it('when an event comes twice, or late, then it changes nothing', () => {
    const { conversations, parts, moved, version } = catchUp(() => Promise.reject(new Error('it asks nobody')));
    conversations.replace(snapshot(5));
    for (const old of [5, 1, 3]) parts.hear(event(old));
    assert.deepEqual([version(), moved], [5, ['added']]);
    parts.hear(event(6));
    parts.hear(event(6));
    assert.deepEqual([version(), moved], [6, ['added', 'changed']]);
  });

  it('when the whole state was overtaken by what came live, then what is held stays', async () => {
    const answer = Promise.withResolvers<EventsAfter>();
    const { conversations, parts, settled, moved, version } = catchUp(() => answer.promise);
    conversations.replace(snapshot(1));
    parts.open();
    parts.hear(event(3));
    parts.hear(event(2));
    parts.hear(event(4));
    answer.resolve({ snapshot: true, state: snapshot(3) });
    await settled();
    assert.equal(version(), 4);
    assert.deepEqual(moved, ['added', 'changed', 'changed', 'changed']);
  });

  it('when the server does not have what was heard of, then it is asked once and no more', async () => {
    const { conversations, parts, asked, settled, version } = catchUp(async () => pageOf([], false));
    conversations.replace(snapshot(7));
    parts.open();
    parts.hearHead(id, 9);
    await settled();
    assert.deepEqual([version(), asked], [7, [7]]);
  });

  it('when the person was removed and is back, and the second was heard first, then the conversation comes whole', async () => {
    const whole = async (): Promise<EventsAfter> => ({ snapshot: true, state: snapshot(3) });
    const { conversations, parts, asked, settled, moved, version } = catchUp(whole);
    conversations.replace(snapshot(1));
    parts.hear(event(3));
    const data = { userIds: ['bob'], how: 'removed', memberCount: 1, message: null };
    parts.hear({ ...event(2), type: 'members.removed', data } as unknown as ConversationEvent);
    assert.deepEqual(moved, ['added', 'removed']);
    parts.open();
    await settled();
    assert.deepEqual([version(), asked], [3, [Number.MAX_SAFE_INTEGER]]);
  });

  it('when one has read what the server has not heard of yet, then a whole state does not take it back', () => {
    const { conversations } = catchUp(() => Promise.reject(new Error('it asks nobody')));
    const me = { deliveredSeq: 0, readSeq: 0, unread: 0, mentions: 0, unreadMark: null };
    const state = (version: number) => ({
      ...snapshot(version),
      conversation: { ...snapshot(version).conversation, me },
    });
    conversations.replace(state(1) as Snapshot);
    conversations.hearReceipt({ conversationId: id, userId: 'bob' as UserId, deliveredSeq: 4, readSeq: 4, cameSeq: 0 });
    conversations.replace(state(9) as Snapshot);
    assert.equal(conversations.get(id)?.me.readSeq, 4);
  });

  it('when the log has gone on since a sync was asked for, then its whole state takes nothing back', () => {
    const { conversations, parts, version } = catchUp(() => Promise.reject(new Error('it asks nobody')));
    conversations.replace(snapshot(1));
    const change = { conversationId: id, version: 2, how: 'snapshot' as const, events: [], state: snapshot(2) };
    const answer = { changes: [change], standings: [], receipts: [], cursor: null };
    for (const next of [2, 3]) parts.hear(event(next));
    takeChanges({ conversations, catchUp: parts }, answer, { known: [[id, 1]], timesSet: 0 });
    assert.equal(version(), 3);
    // Of a database that was restored the server's word stands.
    takeChanges({ conversations, catchUp: parts }, answer, { known: [[id, 3]], timesSet: 0 });
    assert.equal(version(), 2);
  });

  it('when there is no connection, then it waits for one', async () => {
    const { conversations, parts, asked, settled, version } = catchUp(async (after) => pageOf([after + 1], false));
    conversations.replace(snapshot(1));
    parts.hear(event(3));
    await settled();
    assert.deepEqual(asked, []);
    parts.open();
    await settled();
    assert.deepEqual([asked, version()], [[1], 3]);
  });

  it('when the connection is lost while it tries again, then it does not go on trying', async () => {
    const { conversations, parts, asked, settled } = catchUp(() => Promise.reject(new HomingError('disconnected')));
    conversations.replace(snapshot(1));
    parts.open();
    parts.hear(event(3));
    await Promise.resolve();
    parts.close();
    await settled();
    const before = asked.length;
    await settled();
    assert.equal(asked.length, before);
  });

  it('when it is refused, then it is not asked again; a conversation that is not there any more is dropped', async () => {
    for (const [code, held] of [
      ['forbidden', 1],
      ['not_found', 0],
    ] as const) {
      const { conversations, parts, asked, settled, version } = catchUp(() => Promise.reject(new HomingError(code)));
      conversations.replace(snapshot(1));
      parts.open();
      parts.hear(event(3));
      await settled();
      assert.deepEqual([asked, version()], [[1], held]);
    }
  });
});
