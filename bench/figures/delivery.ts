import type { Clients } from '../clients/main.ts';
import { startChild } from '../lib/child.ts';
import type { Figure, Line } from '../lib/figure.ts';
import { median } from '../lib/load.ts';
import { metered } from '../lib/meter.ts';
import { seed } from '../lib/people.ts';
import { openProduct } from '../lib/product.ts';
import type { BareWs } from '../references/bare-ws.ts';
import type { Stock } from '../references/stock.ts';

const listeners = 1_000;
/** Messages of one measurement, each told before the next is sent. */
const times = 200;

/** One message to a thousand sockets, the next when all have it: nothing can be joined, so this is the dearest delivery. */
export const delivery: Figure = {
  name: 'delivery',
  what: 'processor time of the server for a single delivery, one message at a time to a thousand sockets',
  async measure({ stage, withOwner, rounds, report }) {
    await withOwner((owner) => seed(stage.db, owner, { people: listeners, groups: 1, size: listeners }));
    const product = await openProduct(stage);
    const tokens = await product.tokens(listeners);
    const node = await product.start('delivery', ['api', 'realtime']);
    const rooms = await startChild<Stock>(new URL('../references/stock.ts', import.meta.url), { REDIS_URL: '' });
    const bare = await startChild<BareWs>(new URL('../references/bare-ws.ts', import.meta.url));
    const servers = {
      bare: { pid: bare.pid, port: await bare.ask('port') },
      rooms: { pid: rooms.pid, port: await rooms.ask('port') },
      ours: { pid: node.pid, port: node.port },
    };
    const micros: Record<keyof typeof servers, number[]> = { bare: [], rooms: [], ours: [] };
    let othersCpu = 0;
    for (let n = 0; n < rounds; n += 1) {
      for (const who of Object.keys(servers) as (keyof typeof servers)[]) {
        const { pid, port } = servers[who];
        const clients = await startChild<Clients>(new URL('../clients/main.ts', import.meta.url));
        await clients.ask('connect', { port, tokens, size: listeners, hello: true });
        await clients.ask('oneByOne', { times: times / 4, listeners });
        const taken = await metered({ server: pid, clients: clients.pid, database: stage.postgres.pid }, () =>
          clients.ask('oneByOne', { times, listeners }),
        );
        await clients.stop();
        micros[who].push((taken.cpuSeconds.server / (times * listeners)) * 1e6);
        othersCpu = Math.max(othersCpu, taken.othersCpu);
      }
      report(
        `round ${n + 1}: ours ${micros.ours.at(-1)?.toFixed(2)}, bare ws ${micros.bare.at(-1)?.toFixed(2)}, rooms ${micros.rooms.at(-1)?.toFixed(2)} µs`,
      );
    }
    await Promise.all([rooms.stop(), bare.stop(), product.stop()]);
    const candidate = median(micros.ours);
    const line = (reference: string, against: number, atMost: number): Line => ({
      ...{ figure: 'CPU for a single delivery', reference, candidate, against, unit: 'µs', othersCpu },
      ...{ ratio: candidate / against, goal: `≤ ${atMost}×`, reached: candidate / against <= atMost },
    });
    return [
      line('bare ws, one string to each', median(micros.bare), 0.8),
      line('io.to().emit', median(micros.rooms), 0.6),
    ];
  },
};
