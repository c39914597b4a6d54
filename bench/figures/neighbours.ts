import { rateLimits } from '../../contracts/rate-limits.ts';
import type { Clients } from '../clients/main.ts';
import type { Flood } from '../clients/flood.ts';
import { startChild } from '../lib/child.ts';
import type { Figure } from '../lib/figure.ts';
import { median } from '../lib/load.ts';
import { metered, pause } from '../lib/meter.ts';
import { seed } from '../lib/people.ts';
import { openProduct } from '../lib/product.ts';
import type { Refuser } from '../references/refuser.ts';

const people = 500;
const size = 10;
/** Sends a second of everybody else together: what people do, far from what the node can. */
const perSecond = 200;
const { points, seconds: window } = rateLimits.send;
const flood = (100 * points) / window;

/**
 * What somebody at a hundred times their limit does to everybody else on their node. Their program runs on the same
 * processors here, so they ask somebody else as well, who refuses as cheaply as can be: we answer for the difference.
 */
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
    const refuser = await startChild<Refuser>(new URL('../references/refuser.ts', import.meta.url));
    const refuserPort = await refuser.ask('port');
    const pids = {
      node: node.pid,
      database: stage.postgres.pid,
      redis: product.redis.pid,
      others: others.pid,
      abuser: abuser.pid,
      refuser: refuser.pid,
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
    const lookBeside = async (port: number) => {
      await abuser.ask('begin', { port, token: tokens[0] ?? '', perSecond: flood });
      await pause(0.5);
      const seen = await look();
      const did = await abuser.ask('end');
      await pause(0.5);
      return { ...seen, ...did };
    };
    const p99 = { quiet: [] as number[], elsewhere: [] as number[], beside: [] as number[] };
    let othersCpu = 0;
    for (let n = 0; n < rounds; n += 1) {
      const [quiet, elsewhere, beside] = [await look(), await lookBeside(refuserPort), await lookBeside(node.port)];
      p99.quiet.push(quiet.p99Ms);
      p99.elsewhere.push(elsewhere.p99Ms);
      p99.beside.push(beside.p99Ms);
      othersCpu = Math.max(othersCpu, quiet.othersCpu, elsewhere.othersCpu, beside.othersCpu);
      const told = [beside, elsewhere, quiet].map(({ p99Ms }) => p99Ms.toFixed(1));
      report(
        `round ${n + 1}: p99 ${told[0]} ms beside them, ${told[1]} while they ask somebody else, ${told[2]} without; ` +
          `${beside.stored} of ${beside.asked} stored, ${beside.connects} connects`,
      );
    }
    report(`without them at all: ${median(p99.quiet).toFixed(1)} ms`);
    await Promise.all([others.stop(), abuser.stop(), refuser.stop()]);
    await product.stop();
    const [candidate, against] = [median(p99.beside), median(p99.elsewhere)];
    const ratio = candidate / against;
    return [
      {
        ...{ figure: 'sends of everybody else, p99, beside one person at 100 times their limit', unit: 'ms' },
        ...{
          reference: 'the same while they flood somebody else on the machine',
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
