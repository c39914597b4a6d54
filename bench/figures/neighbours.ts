import { rateLimits } from '../../contracts/rate-limits.ts';
import type { Clients } from '../clients/main.ts';
import type { Flood } from '../clients/flood.ts';
import { startChild } from '../lib/child.ts';
import type { Figure } from '../lib/figure.ts';
import { median } from '../lib/load.ts';
import { metered, pause } from '../lib/meter.ts';
import { seed } from '../lib/people.ts';
import { openProduct } from '../lib/product.ts';

const people = 500;
const size = 10;
/** Sends a second of everybody else together: what people do, far from what the node can. */
const perSecond = 200;
const { points, seconds: window } = rateLimits.send;
const flood = (100 * points) / window;

/** What somebody at a hundred times their limit does to everybody else on their node. */
export const neighbours: Figure = {
  name: 'neighbours',
  what: `one person sends ${flood} messages a second by REST and a socket; how long everybody else's take beside it`,
  async measure({ stage, withOwner, rounds, seconds, report }) {
    await withOwner((owner) => seed(stage.db, owner, { people, groups: people / size, size }));
    const product = await openProduct(stage);
    const tokens = await product.tokens(people);
    // Everybody comes from one address here; all else is as it is by default.
    const limits = { HOMING_RATE_LIMITS: 'connect-address=off' };
    const node = await product.start('neighbours', ['api', 'realtime'], [], limits);
    const others = await startChild<Clients>(new URL('../clients/main.ts', import.meta.url));
    const abuser = await startChild<Flood>(new URL('../clients/flood.ts', import.meta.url));
    const pids = {
      node: node.pid,
      database: stage.postgres.pid,
      redis: product.redis.pid,
      others: others.pid,
      abuser: abuser.pid,
    };
    // The first group is the abuser's.
    await others.ask('connect', { port: node.port, tokens, from: size, size, hello: true });
    await others.ask('rate', { perSecond });
    await pause(2);
    const look = async () => {
      await others.ask('mark');
      const { othersCpu } = await metered(pids, () => pause(seconds));
      const counted = await others.ask('mark');
      if (counted.failed + counted.shed > 0)
        throw new Error(`${counted.failed + counted.shed} sends of others were refused`);
      return { ...counted, othersCpu };
    };
    const p99 = { quiet: [] as number[], beside: [] as number[] };
    let othersCpu = 0;
    for (let n = 0; n < rounds; n += 1) {
      const quiet = await look();
      await abuser.ask('begin', { port: node.port, token: tokens[0] ?? '', perSecond: flood });
      await pause(0.5);
      const beside = await look();
      const { asked, stored, connects } = await abuser.ask('end');
      await pause(0.5);
      p99.quiet.push(quiet.p99Ms);
      p99.beside.push(beside.p99Ms);
      othersCpu = Math.max(othersCpu, quiet.othersCpu, beside.othersCpu);
      report(
        `round ${n + 1}: p99 ${beside.p99Ms.toFixed(1)} ms against ${quiet.p99Ms.toFixed(1)}; ${stored} of ${asked} stored, ${connects} connects`,
      );
    }
    await Promise.all([others.stop(), abuser.stop()]);
    await product.stop();
    const [candidate, against] = [median(p99.beside), median(p99.quiet)];
    const ratio = candidate / against;
    return [
      {
        ...{ figure: 'sends of everybody else, p99, beside one person at 100 times their limit', unit: 'ms' },
        ...{
          reference: 'the same without',
          candidate,
          against,
          ratio,
          goal: '≤ 1.2×',
          reached: ratio <= 1.2,
          othersCpu,
        },
      },
    ];
  },
};
