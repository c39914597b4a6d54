import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Sounded, type Told, sounds } from '../../domain/attention/sound.ts';
import { standardLadder } from '../../platform/config-types.ts';

const second = 1_000;
const minute = 60 * second;
const now = new Date('2026-11-24T12:00:00.000Z');
const ago = (ms: number) => new Date(now.getTime() - ms);

const direct: Told = { kind: 'direct', memberCount: 2, byName: false, mentioned: false };
const room: Told = { kind: 'group', memberCount: 12, byName: false, mentioned: false };
const first: Sounded = { times: 0, last: null, replaces: false };
/** A push that is unread, after so many replacements that sounded, the last of them so long ago. */
const after = (times: number, ms: number): Sounded => ({ times, last: ago(ms), replaces: true });

describe('C3: a push makes a sound', () => {
  const heard = (told: Told, sounded: Sounded, urgent = false) =>
    sounds(told, sounded, { urgent, now, ladder: standardLadder });

  const table: [string, boolean, Told, Sounded][] = [
    ['the first of a conversation', true, direct, first],
    ['the first after a reading, however soon', true, direct, { ...first, last: ago(second) }],
    ['the first that replaces it', true, direct, after(0, 30 * second)],
    ['the third that does', true, direct, after(2, 30 * second)],
    ['not the fourth', false, direct, after(3, 30 * second)],
    ['not before five minutes are over', false, direct, after(3, 5 * minute - 1)],
    ['but then', true, direct, after(3, 5 * minute)],
    ['one that mentions the person, at any time', true, { ...room, byName: true }, after(9, second)],
    ['the first of a room', true, room, first],
    ['of a room, none for a quarter of an hour', false, room, { ...first, last: ago(15 * minute - 1) }],
    ['of a room, one after that', true, room, after(9, 15 * minute)],
    [
      'a mention of all where they are few, as one of a conversation',
      true,
      { ...room, mentioned: true },
      after(0, minute),
    ],
    ['fifty of them are few', true, { ...room, mentioned: true, memberCount: 50 }, after(0, minute)],
    ['one more is a room', false, { ...room, mentioned: true, memberCount: 51 }, after(0, minute)],
    ['a channel is a room', false, { ...room, kind: 'channel' }, after(0, minute)],
  ];
  for (const [what, expected, told, sounded] of table) it(what, () => assert.equal(heard(told, sounded), expected));

  it('always, where it is urgent', () => assert.equal(heard(room, after(9, second), true), true));

  it('at most four times and then once in five minutes, whatever the intervals are', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 30 * second, max: 10 * minute }), { maxLength: 60 }), (gaps) => {
        let [at, state] = [0, first];
        const loud: number[] = [];
        for (const gap of gaps) {
          at += gap;
          const is = sounds(direct, state, { urgent: false, now: new Date(at), ladder: standardLadder });
          if (is) loud.push(at);
          const times = state.replaces && is ? state.times + 1 : state.times;
          state = { times, last: is ? new Date(at) : state.last, replaces: true };
        }
        const late = loud.slice(4).map((when, n) => when - (loud[n + 3] ?? 0));
        assert.ok(late.every((gap) => gap >= standardLadder.sound.gapMs));
      }),
    );
  });
});
