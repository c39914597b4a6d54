import type { Clients } from '../clients/main.ts';
import { type Child, startChild } from '../lib/child.ts';
import type { Figure, Line, Round } from '../lib/figure.ts';
import { median } from '../lib/load.ts';
import { metered, pause } from '../lib/meter.ts';
import { type Crowd, seed } from '../lib/people.ts';
import { openProduct } from '../lib/product.ts';

const cut = 5_000;
/** Others, who stay connected and go on writing. */
const staying = 500;
const perSecond = 200;
/** Everybody is in ten conversations; those who are cut and those who stay share some of them. */
const crowd: Crowd = { people: cut + staying, groups: cut + staying, size: 10 };

interface Stormed {
  liveMs: number;
  p99Ms: number;
  calmP99Ms: number;
  astray: string[];
  /** Sends that were refused, and rows that are more or fewer than was acknowledged. */
  refused: number;
  othersCpu: number;
}

/** What a network that comes back does: no client waits for a while, as well-made ones would. */
export const storm: Figure = {
  name: 'storm',
  what: `${cut} clients are cut and come back at the same moment, while ${staying} others go on writing`,
  async measure(round) {
    const { stage, withOwner, rounds, report } = round;
    await withOwner((owner) => seed(stage.db, owner, crowd));
    const product = await openProduct(stage);
    const tokens = await product.tokens(crowd.people);
    const node = await product.start('storm', ['api', 'realtime']);
    const taken: Stormed[] = [];
    for (let n = 0; n < Math.min(rounds, 3); n += 1) {
      const one = await stormOnce(round, { port: node.port, pid: node.pid, redis: product.redis.pid, tokens });
      taken.push(one);
      report(
        `round ${n + 1}: all live after ${(one.liveMs / 1_000).toFixed(1)} s, others' p99 ${one.p99Ms.toFixed(0)} ms (calm: ${one.calmP99Ms.toFixed(0)}), ${one.astray.length} astray`,
      );
      for (const what of one.astray.slice(0, 3)) report(`  ${what}`);
    }
    await product.stop();
    return linesOf(taken);
  },
};

interface Server {
  port: number;
  pid: number;
  redis: number;
  tokens: string[];
}

async function stormOnce({ stage }: Round, { port, pid, redis, tokens }: Server): Promise<Stormed> {
  const start = () => startChild<Clients>(new URL('../clients/main.ts', import.meta.url));
  const [away, others] = [await start(), await start()];
  const options = { port, size: crowd.size, hello: true, track: true };
  const before = await storedRows(stage);
  try {
    await away.ask('connect', { ...options, tokens: tokens.slice(0, cut) });
    await others.ask('connect', { ...options, tokens, from: cut });
    await others.ask('rate', { perSecond });
    await others.ask('mark');
    await pause(3);
    const calm = await others.ask('mark');
    const pids = { server: pid, database: stage.postgres.pid, redis, away: away.pid, others: others.pid };
    const { result: liveMs, othersCpu } = await metered(pids, () =>
      away.ask('cut', { ...options, tokens: tokens.slice(0, cut), count: cut }),
    );
    const during = await others.ask('mark');
    await others.ask('rest');
    const astray = await astrayAtRest(stage, [away, others]);
    const doubled = Math.abs((await storedRows(stage)) - before - (await others.ask('storedEver')));
    const refused = during.shed + during.failed + doubled;
    return { liveMs, p99Ms: during.p99Ms, calmP99Ms: calm.p99Ms, astray, refused, othersCpu };
  } finally {
    await Promise.all([away.stop(), others.stop()]);
  }
}

/** More rows than were acknowledged are doubled, fewer are lost. */
async function storedRows({ db }: Round['stage']): Promise<number> {
  const { rows } = await db.query<{ stored: number }>({
    text: 'select count(*)::int as stored from messages',
    values: [],
  });
  return rows[0]?.stored ?? 0;
}

async function astrayAtRest({ db }: Round['stage'], all: readonly Child<Clients>[]): Promise<string[]> {
  // What was told last is on its way.
  await pause(1);
  const { rows } = await db.query<{ id: string; version: number }>({
    text: 'select id, version from conversations',
    values: [],
  });
  const versions = Object.fromEntries(rows.map(({ id, version }) => [id, version]));
  return (await Promise.all(all.map((clients) => clients.ask('astray', versions)))).flat();
}

function linesOf(taken: readonly Stormed[]): Line[] {
  const of = (key: 'liveMs' | 'p99Ms') => median(taken.map((one) => one[key]));
  const othersCpu = Math.max(...taken.map((one) => one.othersCpu));
  const astray = taken.reduce((sum, one) => sum + one.astray.length + one.refused, 0);
  const bound = (figure: string, unit: string, candidate: number, atMost: number): Line => ({
    ...{ figure, reference: '', candidate, against: atMost, unit, othersCpu },
    ...{
      ratio: atMost === 0 ? candidate : candidate / atMost,
      goal: `≤ ${atMost} ${unit}`,
      reached: candidate <= atMost,
    },
  });
  return [
    bound('5,000 clients come back at once: all live and current', 's', of('liveMs') / 1_000, 15),
    bound('… p99 of the others’ sends meanwhile', 'ms', of('p99Ms'), 100),
    bound('… lost, doubled, out of order or refused', '', astray, 0),
  ];
}
