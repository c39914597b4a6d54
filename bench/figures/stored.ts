import { createStoreLane } from '../../domain/messages/index.ts';
import type { Figure } from '../lib/figure.ts';
import { closedLoop, median } from '../lib/load.ts';
import { type Crowd, fill, seed } from '../lib/people.ts';
import { measureResync } from './resync.ts';
import { anyMessage, mustBeStored, senders } from './sends.ts';

const empty: Crowd = { people: 10_000, groups: 10_000, size: 10 };
const full: Crowd = { people: 100_000, groups: 1_000_000, size: 10 };
const perGroup = 10;

/** What a grown database costs: ten million messages in a million conversations, all of which are written to. */
export const stored: Figure = {
  name: 'stored',
  what: 'sends and resync with ten million messages in a million conversations; filling them takes minutes',
  async measure(round) {
    const { stage, rounds, seconds, report, withOwner } = round;
    const rates = { empty: [] as number[], full: [] as number[] };
    let othersCpu = 0;
    const rate = async (crowd: Crowd) => {
      const lane = createStoreLane(stage.db);
      const sample = await closedLoop(() => lane.push(anyMessage(crowd)).then(mustBeStored), {
        ...{ workers: senders, seconds, ours: () => [stage.postgres.pid] },
      });
      othersCpu = Math.max(othersCpu, sample.othersCpu);
      return sample.perSecond;
    };
    // Filling takes too long for the two to take turns.
    for (let n = 0; n < rounds; n += 1) {
      await withOwner((owner) => seed(stage.db, owner, empty));
      rates.empty.push(await rate(empty));
    }
    await withOwner(async (owner) => {
      // The owner may take as long as it needs.
      await seed(owner, owner, full);
      await fill(owner, full, perGroup);
    });
    const resynced = await measureResync(round, { crowd: full, perGroup, stored: '10 million messages' });
    for (let n = 0; n < rounds; n += 1) rates.full.push(await rate(full));
    report(
      `sends: ${rates.full.map(Math.round).join(', ')} against ${rates.empty.map(Math.round).join(', ')} a second`,
    );
    const [candidate, against] = [median(rates.full), median(rates.empty)];
    const ratio = candidate / against;
    return [
      ...resynced,
      {
        ...{ figure: 'sends with 10 million messages in 1 million conversations', reference: 'itself, empty' },
        ...{ candidate, against, unit: 'sends/s', othersCpu, ratio, goal: '≥ 0.85×', reached: ratio >= 0.85 },
      },
    ];
  },
};
