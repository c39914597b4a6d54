import { readFileSync } from 'node:fs';
import type { Clients } from '../clients/main.ts';
import { startChild } from '../lib/child.ts';
import type { Figure, Line } from '../lib/figure.ts';
import { type Inspector, inspector } from '../lib/inspector.ts';
import { median } from '../lib/load.ts';
import { pause } from '../lib/meter.ts';
import { seed } from '../lib/people.ts';
import { openProduct } from '../lib/product.ts';
import type { Stock } from '../references/stock.ts';

/** The slope between two numbers of connections: what the process needs without any does not count. */
const steps = { few: 1_000, many: 5_000 };
const conversations = 100;
const size = 10;

/** Idle, signed-in connections, each of a person in a hundred conversations, against Socket.IO that knows nobody. */
export const memory: Figure = {
  name: 'memory',
  what: `resident memory for an idle connection: of a person in ${conversations} conversations, and of stock Socket.IO`,
  async measure({ stage, withOwner, rounds, report }) {
    const crowd = { people: steps.many, groups: (steps.many * conversations) / size, size };
    await withOwner((owner) => seed(stage.db, owner, crowd));
    const product = await openProduct(stage);
    const tokens = await product.tokens(steps.many);
    const kib = { theirs: [] as number[], ours: [] as number[] };
    // Memory is not disturbed by what other programs do. A process for each round: what an earlier one left in the heap would be found again by the next.
    for (let n = 0; n < Math.min(rounds, 3); n += 1) {
      const doors = { theirs: await inspector(), ours: await inspector() };
      const rooms = await startChild<Stock>(
        new URL('../references/stock.ts', import.meta.url),
        { REDIS_URL: '', BENCH_ROOMS: '0' },
        doors.theirs.flags,
      );
      kib.theirs.push(await slope({ pid: rooms.pid, port: await rooms.ask('port'), tokens, door: doors.theirs }));
      await rooms.stop();
      const node = await product.start(`memory-${n}`, ['api', 'realtime'], doors.ours.flags);
      kib.ours.push(await slope({ pid: node.pid, port: node.port, tokens, door: doors.ours }));
      await node.stop(0);
      report(`round ${n + 1}: ${kib.ours.at(-1)?.toFixed(1)} KiB against ${kib.theirs.at(-1)?.toFixed(1)} KiB`);
    }
    await product.stop();
    const [candidate, against] = [median(kib.ours), median(kib.theirs)];
    const ratio = candidate / against;
    const figure = 'memory for an idle connection in 100 conversations';
    const lines: Line[] = [
      {
        ...{ figure, reference: 'stock Socket.IO, in none', candidate, against, unit: 'KiB', ratio, othersCpu: 0 },
        ...{ goal: '≤ 0.65×', reached: ratio <= 0.65 },
      },
      {
        ...{ figure, reference: '', candidate, against: 10, unit: 'KiB', ratio: candidate / 10, othersCpu: 0 },
        ...{ goal: '≤ 10 KiB', reached: candidate <= 10 },
      },
    ];
    return lines;
  },
};

interface Measured {
  pid: number;
  port: number;
  tokens: string[];
  door: Inspector;
}

/** KiB of resident memory for each further connection. */
async function slope({ pid, port, tokens, door }: Measured): Promise<number> {
  const clients = await startChild<Clients>(new URL('../clients/main.ts', import.meta.url));
  try {
    await clients.ask('connect', { port, tokens: tokens.slice(0, steps.few), size, hello: true });
    const few = await resident(pid, door);
    await clients.ask('connect', { port, tokens, from: steps.few, size, hello: true });
    return ((await resident(pid, door)) - few) / (steps.many - steps.few);
  } finally {
    await clients.stop();
  }
}

/** KiB, after what is garbage was collected. */
async function resident(pid: number, door: Inspector): Promise<number> {
  for (let n = 0; n < 4; n += 1) {
    await pause(0.3);
    await door.collectGarbage();
  }
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
