import type { Clients } from '../clients/main.ts';
import { startChild } from '../lib/child.ts';
import type { Figure } from '../lib/figure.ts';
import { median } from '../lib/load.ts';
import { metered } from '../lib/meter.ts';
import { seed } from '../lib/people.ts';
import { openProduct } from '../lib/product.ts';
import type { Stock } from '../references/stock.ts';
import type { Teller } from '../references/teller.ts';

const listeners = 10;
const perSecond = 4_000;

/** Messages that happen in one process and are told by another, over Redis. */
export const nodes: Figure = {
  name: 'nodes',
  what: `a message to ten sockets of another node, ${perSecond} a second: processor time of both processes and Redis`,
  async measure({ stage, withOwner, rounds, seconds, report }) {
    await withOwner((owner) => seed(stage.db, owner, { people: listeners, groups: 1, size: listeners }));
    const product = await openProduct(stage);
    const tokens = await product.tokens(listeners);
    const teller = await startChild<Teller>(new URL('../references/teller.ts', import.meta.url), product.environment);
    const gateway = await product.start('nodes', ['api', 'realtime']);
    const stock = () =>
      startChild<Stock>(new URL('../references/stock.ts', import.meta.url), { REDIS_URL: product.redis.url });
    const [emitter, rooms] = [await stock(), await stock()];
    const pairs = {
      theirs: {
        from: emitter as Pick<typeof teller, 'pid' | 'ask'>,
        to: { pid: rooms.pid, port: await rooms.ask('port') },
      },
      ours: { from: teller, to: { pid: gateway.pid, port: gateway.port } },
    };
    const micros = { theirs: [] as number[], ours: [] as number[] };
    let othersCpu = 0;
    for (let n = 0; n < rounds; n += 1) {
      for (const who of ['theirs', 'ours'] as const) {
        const { from, to } = pairs[who];
        const clients = await startChild<Clients>(new URL('../clients/main.ts', import.meta.url));
        await clients.ask('connect', { port: to.port, tokens, size: listeners, hello: true });
        await clients.ask('mark');
        const pids = { from: from.pid, to: to.pid, redis: product.redis.pid, clients: clients.pid };
        const taken = await metered(pids, async () => {
          const told = await from.ask('emit', { perSecond, seconds });
          await clients.ask('heard', told * listeners);
          return told;
        });
        await clients.stop();
        const cpu = taken.cpuSeconds.from + taken.cpuSeconds.to + taken.cpuSeconds.redis;
        micros[who].push((cpu / taken.result) * 1e6);
        othersCpu = Math.max(othersCpu, taken.othersCpu);
      }
      report(`round ${n + 1}: ${micros.ours.at(-1)?.toFixed(0)} µs against ${micros.theirs.at(-1)?.toFixed(0)} µs`);
    }
    await Promise.all([teller.stop(), emitter.stop(), rooms.stop()]);
    await product.stop();
    const [candidate, against] = [median(micros.ours), median(micros.theirs)];
    const ratio = candidate / against;
    return [
      {
        ...{ figure: 'message to another node, ten clients, CPU', reference: 'redis-adapter', unit: 'µs', othersCpu },
        ...{ candidate, against, ratio, goal: '≤ 0.45×', reached: ratio <= 0.45 },
      },
    ];
  },
};
