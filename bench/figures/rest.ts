import type { HttpClients } from '../clients/http.ts';
import { startChild } from '../lib/child.ts';
import type { Figure } from '../lib/figure.ts';
import { median } from '../lib/load.ts';
import { metered } from '../lib/meter.ts';
import { seed } from '../lib/people.ts';
import { openProduct } from '../lib/product.ts';
import type { BareHttp } from '../references/bare-http.ts';

const [people, size, clients, requests] = [1_000, 10, 64, 10_000];

/** What routing and middleware add to a send over REST. */
export const rest: Figure = {
  name: 'rest',
  what: 'processor time of a send over REST, against the same send behind a bare node:http server',
  async measure({ stage, withOwner, rounds, report }) {
    await withOwner((owner) => seed(stage.db, owner, { people, groups: people / size, size }));
    const product = await openProduct(stage);
    const tokens = await product.tokens(people);
    const node = await product.start('rest', ['api']);
    const bare = await startChild<BareHttp>(new URL('../references/bare-http.ts', import.meta.url), {
      ...product.environment,
    });
    const load = await startChild<HttpClients>(new URL('../clients/http.ts', import.meta.url));
    const servers = {
      bare: { pid: bare.pid, port: await bare.ask('port') },
      ours: { pid: node.pid, port: node.port },
    };
    const micros = { bare: [] as number[], ours: [] as number[] };
    let othersCpu = 0;
    for (let n = 0; n < rounds; n += 1) {
      for (const who of ['bare', 'ours'] as const) {
        const { pid, port } = servers[who];
        await load.ask('send', { port, tokens, size, clients, requests: requests / 5 });
        const pids = { server: pid, database: stage.postgres.pid, redis: product.redis.pid, clients: load.pid };
        const taken = await metered(pids, () => load.ask('send', { port, tokens, size, clients, requests }));
        micros[who].push((taken.cpuSeconds.server / requests) * 1e6);
        othersCpu = Math.max(othersCpu, taken.othersCpu);
      }
      report(`round ${n + 1}: ${micros.ours.at(-1)?.toFixed(0)} µs against ${micros.bare.at(-1)?.toFixed(0)} µs`);
    }
    await Promise.all([load.stop(), bare.stop(), product.stop()]);
    const [candidate, against] = [median(micros.ours), median(micros.bare)];
    const ratio = candidate / against;
    return [
      {
        ...{ figure: 'send over REST, CPU of the server', reference: 'the same on bare node:http', unit: 'µs' },
        ...{ candidate, against, ratio, goal: '≤ 1.15×', reached: ratio <= 1.15, othersCpu },
      },
    ];
  },
};
