import { openDb } from '../../db/client.ts';
import type { WatermarkMove } from '../../db/queries/members.ts';
import { createReceiptLane } from '../../domain/receipts/index.ts';
import { treeSeconds } from '../lib/cpu.ts';
import type { Figure } from '../lib/figure.ts';
import { closedLoop, median } from '../lib/load.ts';
import { type Crowd, groupId, personId, seat, seed } from '../lib/people.ts';

const crowd: Crowd = { people: 1_000, groups: 1_000, size: 10 };
/**
 * Everybody reads at the same time, on several devices: as after a message to all. The reference is given as many at once
 * as keep its connections busy: more would wait in front of them and cost the database nothing else.
 */
const readers = 20_000;
const quiet = { info() {}, warn() {}, error() {} };

export const receipts: Figure = {
  name: 'receipts',
  what: 'database CPU for a receipt, with ten thousand members reading on several devices each',
  async measure({ stage, rounds, seconds, report }) {
    const owner = openDb({ url: stage.ownerUrl, applicationName: 'bench-owner', statementTimeoutMs: 900_000 });
    const lane = createReceiptLane({ db: stage.db, log: quiet });
    const ours = () => [stage.postgres.pid];
    const micros = { single: [] as number[], ours: [] as number[] };
    let othersCpu = 0;
    for (let n = 0; n < rounds; n += 1) {
      await seed(stage.db, owner, crowd);
      await stage.db.query({ text: 'update conversations set last_seq = 1000000000', values: [] });
      const next = counter();
      for (const [name, workers, work] of [
        ['single', 64, () => single(stage.db, next())],
        ['ours', readers, () => lane.push(next())],
      ] as const) {
        const before = treeSeconds(stage.postgres.pid);
        let events = 0;
        // What warms up is counted as well: the processor time is of both.
        const sample = await closedLoop(() => work().then(() => (events += 1)), { workers, seconds, ours });
        micros[name].push(((treeSeconds(stage.postgres.pid) - before) / events) * 1e6);
        othersCpu = Math.max(othersCpu, sample.othersCpu);
      }
      report(`round ${n + 1}: ${micros.ours.at(-1)?.toFixed(1)} µs against ${micros.single.at(-1)?.toFixed(1)} µs`);
    }
    await owner.end();
    const [candidate, against] = [median(micros.ours), median(micros.single)];
    const ratio = against / candidate;
    return [
      {
        ...{ figure: 'receipts, database CPU an event', reference: 'one update an event', unit: 'µs', othersCpu },
        ...{ candidate, against, ratio, goal: '≥ 25× less', reached: ratio >= 25 },
      },
    ];
  },
};

/** Everybody reads on in a group of theirs: each event moves a mark. */
function counter(): () => WatermarkMove {
  let n = 0;
  return () => {
    n += 1;
    const group = Math.floor(Math.random() * crowd.groups);
    const userId = personId(seat(group, n % crowd.size, crowd));
    return { conversationId: groupId(group), userId, deliveredSeq: n, readSeq: n };
  };
}

const single = (db: ReturnType<typeof openDb>, { conversationId, userId, readSeq }: WatermarkMove) =>
  db.query({
    name: 'bench-single-receipt',
    text: `update members set delivered_seq = greatest(delivered_seq, $3), read_seq = greatest(read_seq, $3),
      seen_seq = greatest(seen_seq, $3) where conversation_id = $1 and user_id = $2`,
    values: [conversationId, userId, readSeq],
  });
