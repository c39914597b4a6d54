import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SmallSet } from '../../realtime/small-set.ts';

describe('a small set', () => {
  it('holds what a set would, whatever comes and goes, and however large it grows', () => {
    const changeOf = fc.record({ add: fc.boolean(), member: fc.integer({ min: 0, max: 400 }) });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400 }), fc.array(changeOf, { maxLength: 100 }), (begin, changes) => {
        const [ours, proved] = [new SmallSet<number>(), new Set<number>()];
        const all = [...Array.from({ length: begin }, (_, member) => ({ add: true, member })), ...changes];
        for (const { add, member } of all) {
          const change = add ? 'add' : 'delete';
          for (const set of [ours, proved]) set[change](member);
        }
        assert.deepEqual([...ours].sort(), [...proved].sort());
        assert.equal(ours.size, proved.size);
        for (const member of [0, 200, 400]) assert.equal(ours.has(member), proved.has(member));
      }),
    );
  });
});
