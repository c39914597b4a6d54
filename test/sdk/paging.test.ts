import assert from 'node:assert/strict';
import type { SyncRequest, SyncResponse } from '../../contracts/entities/index.ts';
import type { ConversationId } from '../../contracts/ids.ts';
import type { ServerEvent } from '../../sdk/connection.ts';
import { Emitter } from '../../sdk/emitter.ts';
import type { ClientEvents } from '../../sdk/events.ts';
import { clientLimits } from '../../sdk/limits.ts';
import type { CatchUp } from '../../sdk/sync/catch-up.ts';
import type { Conversations } from '../../sdk/sync/conversations.ts';
import { Inbox } from '../../sdk/sync/inbox.ts';
import { applySync, askedAfter } from '../../sdk/sync/sync.ts';

const ids = (...list: string[]) => list as ConversationId[];

/** Pages as a server may cut them; what was asked with each is written down. */
async function askedFor(held: string[], pages: { standings?: string[]; lost?: string[] }[]): Promise<string[][]> {
  const known = ids(...held);
  const conversations = {
    timesSet: 0,
    known: () => known.map((id) => [id, 1]),
    tellKept() {},
    version: () => 1,
    stand() {},
    lose: (id: ConversationId) => void known.splice(known.indexOf(id), 1),
  } as unknown as Conversations;
  const catchUp = { forget() {}, drain() {} } as unknown as CatchUp;
  const asked: string[][] = [];
  const left = [...pages];
  const answer = (request: SyncRequest): SyncResponse => {
    asked.push(request.known.map(([id]) => id));
    const { standings = [], lost = [] } = left.shift() ?? {};
    return {
      standings: standings.map((conversationId) => ({ conversationId }) as SyncResponse['standings'][number]),
      changes: ids(...lost).map((conversationId) => ({
        conversationId,
        version: 0,
        how: 'lost',
        events: [],
        state: null,
      })),
      receipts: [],
      cursor: left.length > 0 ? 'opaque' : null,
    };
  };
  const first = askedAfter(conversations);
  await applySync({ conversations, catchUp, ask: async (request) => answer(request) }, answer(first), first);
  return asked;
}

describe('the pages of a sync', () => {
  it('when a page ends before what was named does, then the next names what comes after the page', async () => {
    const asked = await askedFor(
      ['a', 'm', 'z'],
      [{ standings: ['a', 'b'] }, { standings: ['c', 'm'] }, { standings: ['z'] }],
    );
    assert.deepEqual(asked, [['a', 'm', 'z'], ['m', 'z'], ['z']]);
  });

  it('when something beyond the page is lost, then the next names all the same what comes after the page', async () => {
    const asked = await askedFor(['a', 'b', 'c'], [{ standings: ['a'], lost: ['c'] }, { standings: ['b'] }]);
    assert.deepEqual(asked, [['a', 'b', 'c'], ['b']]);
  });

  it('when a page speaks of nothing, then the next names what comes after the last that was named', async () => {
    const many = Array.from({ length: 501 }, (_, n) => String(n).padStart(4, '0'));
    const asked = await askedFor(many, [{}, { standings: ['0500'] }]);
    assert.deepEqual(
      asked.map(({ length }) => length),
      [500, 1],
    );
  });
});

describe('what is told before the sync was applied', () => {
  const inbox = (eventsBeforeSync: number) => {
    const heard: unknown[] = [];
    const note = (what: string) => (one: unknown, two?: unknown) => void heard.push([what, one, ...(two ? [two] : [])]);
    const parts = new Inbox({
      conversations: { hearReceipt: note('receipt'), version: () => 0 } as unknown as Conversations,
      catchUp: {
        hear: ({ version }: { version: number }) => void heard.push(['event', version]),
        hearHead: note('head'),
      } as unknown as CatchUp,
      resync: { expect() {}, heard() {} },
      events: new Emitter<ClientEvents>(),
      limits: { ...clientLimits, eventsBeforeSync },
    });
    return { parts, heard };
  };
  const event = (version: number) => ({ name: 'event', payload: { conversationId: 'c', version } }) as ServerEvent;
  const receipts = { name: 'receipts', payload: { receipts: ['r'] } } as unknown as ServerEvent;
  const heads = { name: 'heads', payload: { heads: [['d', 9]] } } as unknown as ServerEvent;

  it('waits, and comes in order; afterwards it goes through at once', () => {
    const { parts, heard } = inbox(10);
    const release = parts.hold();
    for (const told of [event(1), receipts, heads]) parts.hear(told);
    assert.deepEqual(heard, []);
    release();
    const expected: unknown[] = [
      ['event', 1],
      ['receipt', 'r'],
      ['head', 'd', 9],
    ];
    assert.deepEqual(heard, expected);
    parts.hear(event(2));
    assert.deepEqual(heard, [...expected, ['event', 2]]);
  });

  it('when it is more than is held, then only how far the conversation has come is kept', () => {
    const { parts, heard } = inbox(2);
    const release = parts.hold();
    for (const told of [event(1), event(2), event(3), receipts]) parts.hear(told);
    assert.deepEqual(heard, [['head', 'c', 3]]);
    release();
    assert.deepEqual(heard, [
      ['head', 'c', 3],
      ['event', 1],
      ['event', 2],
    ]);
  });

  it('when another connection begins, then what an older one held back is forgotten', () => {
    const { parts, heard } = inbox(2);
    const older = parts.hold();
    parts.hear(event(1));
    const newer = parts.hold();
    parts.hear(event(2));
    older();
    assert.deepEqual(heard, []);
    newer();
    assert.deepEqual(heard, [['event', 2]]);
  });
});
