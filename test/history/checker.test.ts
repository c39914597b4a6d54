import assert from 'node:assert/strict';
import fc from 'fast-check';
import { check, violations } from './checker/index.ts';
import { plants } from './plants/index.ts';
import { createRandom } from './random.ts';
import { simulate } from './simulate/index.ts';

const plots = fc.record({
  seed: fc.nat(),
  steps: fc.integer({ min: 10, max: 120 }),
  history: fc.constantFrom('all' as const, 'joining' as const),
});

describe('the history checker', () => {
  it('finds nothing in any history of a system that keeps its promises', () => {
    fc.assert(
      fc.property(plots, ({ seed, ...plot }) => {
        assert.deepEqual(check(simulate(createRandom(seed), plot)), []);
      }),
      { numRuns: 200 },
    );
  });

  it('has a plant for every violation that it knows', () => {
    const planted = new Set(Object.values(plants).map(({ found }) => found));
    assert.deepEqual(
      Object.keys(violations).filter((name) => !planted.has(name as keyof typeof violations)),
      [],
    );
  });

  describe('finds, and names, what was planted in any clean history:', () => {
    for (const [name, { found, plant }] of Object.entries(plants)) {
      it(name, () => {
        let placed = 0;
        for (let seed = 1; placed < 12; seed += 1) {
          assert.ok(seed < 400, 'most histories have a place for it');
          const random = createRandom(seed);
          const plot = { steps: 80, history: seed % 2 ? ('all' as const) : ('joining' as const) };
          const history = plant(simulate(random, plot), random);
          if (!history) continue;
          placed += 1;
          const names = new Set(check(history).map((finding) => finding.name));
          assert.ok(names.has(found), `seed ${seed}: found ${[...names].join(', ') || 'nothing'}`);
        }
      });
    }
  });
});
