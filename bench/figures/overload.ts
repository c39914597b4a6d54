import type { Clients, Counted } from '../clients/main.ts';
import { startChild } from '../lib/child.ts';
import type { Figure, Line } from '../lib/figure.ts';
import { metered, pause } from '../lib/meter.ts';
import { seed } from '../lib/people.ts';
import { openProduct } from '../lib/product.ts';

const connections = 1_000;
const size = 10;
/** Offered load, in parts of what the server stores when it is given as much as it takes. */
const parts = [0.5, 0.75, 1, 1.5, 2, 3];

/** What happens beyond capacity: the rest is sent away with a time to come back, before everybody waits. */
export const overload: Figure = {
  name: 'overload',
  what: `offered load from ${parts.at(0)} to ${parts.at(-1)} times the capacity: what is stored, refused, and how long it takes`,
  async measure({ stage, withOwner, seconds, report }) {
    await withOwner((owner) => seed(stage.db, owner, { people: connections, groups: connections / size, size }));
    const product = await openProduct(stage);
    const tokens = await product.tokens(connections);
    const node = await product.start('overload', ['api', 'realtime']);
    const measure = async (begin: (clients: Awaited<ReturnType<typeof start>>) => Promise<unknown>) => {
      const clients = await start();
      await clients.ask('connect', { port: node.port, tokens, size, hello: true });
      await begin(clients);
      await pause(1.5);
      await clients.ask('mark');
      const pids = { server: node.pid, database: stage.postgres.pid, redis: product.redis.pid, clients: clients.pid };
      const { othersCpu } = await metered(pids, () => pause(seconds));
      const counted = await clients.ask('mark');
      await clients.stop();
      return { ...counted, othersCpu };
    };
    const asMuchAsItTakes = () => measure((clients) => clients.ask('begin', { senders: 256 }));
    // A process that has just begun is slow yet, and its capacity would be too low a measure.
    await asMuchAsItTakes();
    const full = await asMuchAsItTakes();
    const capacity = full.stored / full.seconds;
    report(`capacity: ${Math.round(capacity)}/s`);
    const lines: Line[] = [];
    for (const part of parts) {
      const taken = await measure((clients) => clients.ask('rate', { perSecond: part * capacity }));
      if (taken.failed > 0)
        throw new Error(`${taken.failed} sends failed: a node that is given too much refuses, and no more`);
      const goodput = taken.stored / taken.seconds;
      report(
        `${part}×: ${Math.round(goodput)}/s stored, ${Math.round(taken.shed / taken.seconds)}/s shed, p50 ${taken.p50Ms.toFixed(1)}, p99 ${taken.p99Ms.toFixed(1)} ms`,
      );
      lines.push(lineOf(part, { ...taken, capacity }));
    }
    await product.stop();
    return lines;
  },
};

const start = () => startChild<Clients>(new URL('../clients/main.ts', import.meta.url));

function lineOf(part: number, taken: Counted & { capacity: number; othersCpu: number }): Line {
  const [stored, refused] = [taken.stored / taken.seconds, taken.shed / taken.seconds];
  const { p50Ms, p99Ms, capacity, othersCpu } = taken;
  return {
    ...{ figure: `offered ${part} times the capacity: ${Math.round(refused)}/s refused, p99 ${Math.round(p99Ms)} ms` },
    ...{
      reference: 'the capacity',
      candidate: stored,
      against: capacity,
      unit: 'messages/s',
      ratio: stored / capacity,
    },
    ...{ goal: '', reached: true, othersCpu, point: { offered: part * capacity, stored, refused, p50Ms, p99Ms } },
  };
}
