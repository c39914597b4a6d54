import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Message, MyMembership, SyncStanding } from '../../contracts/entities/index.ts';
import type { MessageId, UserId } from '../../contracts/ids.ts';
import { errorCodes } from '../../contracts/errors.ts';
import { endpoints } from '../../contracts/rest/index.ts';
import { fullJitter } from '../../sdk/backoff.ts';
import { deliveryOf } from '../../sdk/delivery.ts';
import { Emitter } from '../../sdk/emitter.ts';
import { HomingError, isUnknown } from '../../sdk/errors.ts';
import { createIds } from '../../sdk/ids.ts';
import { clientLimits } from '../../sdk/limits.ts';
import { Places } from '../../sdk/places.ts';
import { routes } from '../../sdk/routes.ts';
import { afterReceipt, afterStanding, newMembership } from '../../sdk/sync/membership.ts';

describe('the back-off', () => {
  const bounds = { backoffBaseMs: 500, backoffCapMs: 30_000 };

  it('lies between zero and a bound that doubles, up to the cap', () => {
    fc.assert(
      fc.property(fc.nat(2_000), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, random) => {
        const ms = fullJitter(attempt, bounds, () => random);
        assert.ok(ms >= 0 && ms < Math.min(30_000, 500 * 2 ** attempt), `${ms} at attempt ${attempt}`);
      }),
    );
  });

  it('reaches over the whole of it: half of the chance is half of the bound', () => {
    const half = (attempt: number) => fullJitter(attempt, bounds, () => 0.5);
    assert.deepEqual([0, 1, 2, 5, 6, 60].map(half), [250, 500, 1_000, 8_000, 15_000, 15_000]);
    assert.equal(
      fullJitter(3, bounds, () => 0),
      0,
    );
  });
});

describe('client ids', () => {
  it('are UUIDv7 with the time in front', () => {
    const id = createIds(() => 0x0190_1234_5678)();
    assert.match(id, /^01901234-5678-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('when many are made in one millisecond, and the clock goes back, then each is higher than the one before', () => {
    let now = 1_800_000_000_000;
    const next = createIds(() => now);
    const made = Array.from({ length: 10_000 }, (_, n) => {
      if (n === 5_000) now -= 3_600_000;
      return next();
    });
    assert.deepEqual(made, [...made].sort());
    assert.equal(new Set(made).size, made.length);
  });
});

describe('what a new conversation is to somebody', () => {
  const created = (members: object[], memberCount: number) =>
    ({ type: 'conversation.created', actorId: 'ana', data: { members, memberCount } }) as unknown as Parameters<
      typeof newMembership
    >[0];
  const role = (members: object[], memberCount: number, me: string) =>
    newMembership(created(members, memberCount), me as UserId).role;

  it('stands in its list of members, or follows from who made it', () => {
    const named = [
      { userId: 'ana', role: 'owner' },
      { userId: 'bob', role: 'read_only' },
    ];
    assert.deepEqual([role(named, 2, 'ana'), role(named, 2, 'bob')], ['owner', 'read_only']);
    assert.deepEqual([role([], 500, 'ana'), role([], 500, 'bob')], ['owner', 'member']);
  });
});

describe('how far a message of one’s own has come', () => {
  const receipts = new Map([['bob' as UserId, { deliveredSeq: 5, readSeq: null, cameSeq: 0 }]]);
  const told = (kind: 'group' | 'channel', members: [] | null, threadId: MessageId | null) =>
    deliveryOf({ kind, members, receipts }, { seq: 5, threadId });

  it('is known where it is told by name, of who does not tell what they read, too', () => {
    assert.deepEqual(told('group', [], null), { recipients: 1, deliveredTo: ['bob'], readBy: [] });
  });

  it('is not known of channels, of where the members are too many, and of replies in threads', () => {
    assert.equal(told('channel', [], null), undefined);
    assert.equal(told('group', null, null), undefined);
    assert.equal(told('group', [], 'root' as MessageId), undefined);
  });
});

describe('what is unread', () => {
  const membership = { deliveredSeq: 0, readSeq: 0, unread: 40, mentions: 3 } as MyMembership;
  const message = (seq: number) =>
    ({ seq, senderId: 'ana', kind: 'text', deletedAt: null, threadId: null, mentions: [] }) as unknown as Message;
  const holding = (from: number, to: number) =>
    ({ messages: new Map(Array.from({ length: to - from + 1 }, (_, n) => [from + n, message(from + n)])) }) as never;
  const unread = (readSeq: number, held: never) => {
    const { unread: count, mentions } = afterReceipt(membership, { deliveredSeq: 0, readSeq }, held, 'bob' as UserId);
    return [count, mentions];
  };

  it('is counted where all that comes after is held, and else known within bounds', () => {
    assert.deepEqual(unread(52, holding(50, 60)), [8, 0]);
    assert.deepEqual(unread(49, holding(50, 60)), [11, 0]);
    assert.deepEqual(unread(48, holding(50, 60)), [12, 1]);
    assert.deepEqual(unread(10, holding(50, 60)), [40, 3]);
  });

  it('when the server has not heard of a reading yet, then what it says of before does not count', () => {
    const held = { ...membership, readSeq: 9, unread: 1 };
    const told = { deliveredSeq: 9, readSeq: 4, unread: 6, mentions: 0, unreadMark: null } as SyncStanding;
    assert.deepEqual([afterStanding(held, told).readSeq, afterStanding(held, told).unread], [9, 1]);
    assert.equal(afterStanding(held, { ...told, readSeq: 9, unread: 2 }).unread, 2);
  });
});

describe('places', () => {
  it('when all are taken, then whoever comes later waits, in order, also behind a failure', async () => {
    const places = new Places(2);
    const log: string[] = [];
    let open = 0;
    const work = (name: string) => async () => {
      open += 1;
      assert.ok(open <= 2);
      await new Promise(setImmediate);
      open -= 1;
      log.push(name);
      if (name === 'b') throw new Error('it failed');
    };
    const all = await Promise.allSettled(['a', 'b', 'c', 'd', 'e'].map((name) => places.take(work(name))));
    assert.deepEqual(log, ['a', 'b', 'c', 'd', 'e']);
    assert.equal(all.filter(({ status }) => status === 'rejected').length, 1);
  });
});

describe('events', () => {
  it('when a listener stops listening while it is told, then the others are told all the same', () => {
    const events = new Emitter<{ n: number }>();
    const told: string[] = [];
    const stop = events.on('n', () => {
      told.push('first');
      stop();
    });
    events.on('n', (n) => void told.push(`second ${n}`));
    events.emit('n', 1);
    events.emit('n', 2);
    assert.deepEqual(told, ['first', 'second 1', 'second 2']);
  });
});

describe('the table of routes', () => {
  it('says what the contracts say', () => {
    const said = Object.fromEntries(
      Object.entries(endpoints).map(([name, { method, path }]) => [name, `${method.toUpperCase()} ${path}`]),
    );
    assert.deepEqual(routes, said);
  });
});

describe('errors', () => {
  it('when the outcome is not known, or may change, then the same request is made again; else not', () => {
    const again = Object.keys(errorCodes).filter((code) => isUnknown(new HomingError(code as 'internal')));
    assert.deepEqual(again, [
      ...['unauthenticated', 'token_expired', 'session_revoked', 'refresh_reused'],
      ...['rate_limited', 'overloaded', 'outcome_unknown', 'unavailable', 'fenced', 'origin_refused'],
      'internal',
    ]);
  });

  it('a code that this version does not know is a refusal', () => {
    assert.equal(isUnknown(new HomingError('of_tomorrow' as 'internal')), false);
  });
});

describe('the limits', () => {
  it('are positive, and the first wait is below the longest', () => {
    for (const [name, limit] of Object.entries(clientLimits)) assert.ok(limit > 0, name);
    assert.ok(clientLimits.backoffBaseMs < clientLimits.backoffCapMs);
  });
});
