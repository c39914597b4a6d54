import { createStoreLane } from '../../domain/messages/index.ts';
import type { Clients } from '../clients/main.ts';
import { startChild } from '../lib/child.ts';
import type { Figure, Line, Round } from '../lib/figure.ts';
import { median } from '../lib/load.ts';
import { metered, pause } from '../lib/meter.ts';
import { seed } from '../lib/people.ts';
import { openProduct } from '../lib/product.ts';
import { anyMessage, mustBeStored } from './sends.ts';

const [few, many] = [10, 10_000];
const sendsEach = 500;

/** A conversation of ten thousand: what a send costs the database there, and how long the node's loop stands still. */
export const members: Figure = {
  name: 'members',
  what: `a send to ${many} members against one to ${few}: database time, and the loop's longest stall while fanning out`,
  async measure(round) {
    return [await databaseTime(round), await stall(round)];
  },
};

async function databaseTime({ stage, withOwner, rounds, report }: Round): Promise<Line> {
  const lane = createStoreLane(stage.db);
  const micros = { few: [] as number[], many: [] as number[] };
  let othersCpu = 0;
  for (let n = 0; n < rounds; n += 1) {
    for (const [which, size] of [
      ['few', few],
      ['many', many],
    ] as const) {
      const crowd = { people: many, groups: 1, size };
      await withOwner((owner) => seed(stage.db, owner, crowd));
      const taken = await metered({ database: stage.postgres.pid, ours: process.pid }, async () => {
        for (let sent = 0; sent < sendsEach; sent += 1) mustBeStored(await lane.push(anyMessage(crowd)));
      });
      micros[which].push((taken.cpuSeconds.database / sendsEach) * 1e6);
      othersCpu = Math.max(othersCpu, taken.othersCpu);
    }
  }
  const [candidate, against] = [median(micros.many), median(micros.few)];
  report(`database: ${candidate.toFixed(0)} µs against ${against.toFixed(0)} µs`);
  const ratio = candidate / against;
  return {
    ...{ figure: 'send to 10,000 members, database CPU', reference: 'send to 10', candidate, against, unit: 'µs' },
    ...{ ratio, goal: '≤ 1.2×', reached: ratio <= 1.2, othersCpu },
  };
}

async function stall({ stage, withOwner, rounds, report }: Round): Promise<Line> {
  await withOwner((owner) => seed(stage.db, owner, { people: many, groups: 1, size: many }));
  // More than a group may have.
  await stage.db.query({ text: `update conversations set kind = 'channel'`, values: [] });
  const product = await openProduct(stage);
  const node = await product.start('members', ['api', 'realtime']);
  const clients = await startChild<Clients>(new URL('../clients/main.ts', import.meta.url));
  await clients.ask('connect', { port: node.port, tokens: await product.tokens(many), size: many, hello: true });
  const stalls: number[] = [];
  let othersCpu = 0;
  for (let n = 0; n < rounds; n += 1) {
    await longestStallMs(node);
    await pause(1);
    const idle = await longestStallMs(node);
    const pids = { server: node.pid, database: stage.postgres.pid, redis: product.redis.pid, clients: clients.pid };
    const taken = await metered(pids, () => clients.ask('oneByOne', { times: 5, listeners: many }));
    othersCpu = Math.max(othersCpu, taken.othersCpu);
    stalls.push(Math.max(0, (await longestStallMs(node)) - idle));
    report(`stall: ${stalls.at(-1)?.toFixed(1)} ms beyond ${idle.toFixed(1)} ms when idle`);
  }
  await clients.stop();
  await product.stop();
  const candidate = median(stalls);
  return {
    ...{ figure: 'loop stall while fanning out to 10,000', reference: '', candidate, against: 5, unit: 'ms' },
    ...{ ratio: candidate / 5, goal: '≤ 5 ms', reached: candidate <= 5, othersCpu },
  };
}

/** Since the metrics were read last; the sampling itself takes about ten milliseconds. */
async function longestStallMs({ metrics }: { metrics: () => Promise<string> }): Promise<number> {
  return 1_000 * Number(/^homing_nodejs_eventloop_lag_max_seconds\S* ([\d.e+-]+)/m.exec(await metrics())?.[1]);
}
