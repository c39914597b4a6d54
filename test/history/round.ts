import { setTimeout as sleep } from 'node:timers/promises';
import { makeCast, shuffled } from './cast.ts';
import { type FaultName, type Target, faultNames, faults } from './faults.ts';
import { type Play, work } from './play.ts';
import { rest } from './quiesce.ts';
import { createRandom } from './random.ts';
import type { HistoryRecord } from './record.ts';
import { Recorder } from './recorder.ts';
import type { Stage } from './stage.ts';

export interface RoundOptions {
  round: number;
  seed: number;
  /** Acked sends at least. */
  sends: number;
  /** Every kind unless named. */
  faults?: readonly FaultName[];
  report: (line: string) => void;
}

export interface Round {
  records: HistoryRecord[];
  acked: number;
  faults: number;
  /** The slowest client's way to what the database holds, by rest. */
  convergedMs: number[];
}

const roundTimes = {
  /** Milliseconds that a fault lasts which does not end by itself. */
  faultMs: 2_000,
  /** Milliseconds between two looks at how far the sends have come. */
  lookMs: 20,
};

/**
 * A cast of its own plays while faults strike one after another, and rests twice: in the middle with the live lane
 * whole, and at the end with every live event lost.
 */
export async function playRound(stage: Stage, options: RoundOptions): Promise<Round> {
  const { round, seed, report } = options;
  const random = createRandom(seed).fork(`round ${round}`);
  const recorder = new Recorder();
  const drop = { rate: 0 };
  const cast = await makeCast(stage, { recorder, random, dropRate: () => drop.rate, round });
  const target: Target = { stage, clients: cast.clients, random, drop, recorder, lastsMs: roundTimes.faultMs };
  const { early, late } = planned(options, random);
  const result: Round = { records: [], acked: 0, faults: 0, convergedMs: [] };
  for (const [number, half] of [early, late].entries()) {
    const play: Play = { cast, acked: 0, stopped: false };
    const working = work(play, random.fork(`half ${number}`));
    result.faults += await strike(half, { target, recorder, play, sends: options.sends / 2 });
    if (number === 1) drop.rate = options.faults?.length === 0 ? 0 : 1;
    play.stopped = true;
    await working;
    const { convergedMs } = await rest(stage, cast, { recorder, random, number });
    report(`  ${play.acked} acked, ${half.length} faults, at rest after ${(convergedMs / 1_000).toFixed(1)} s`);
    result.acked += play.acked;
    result.convergedMs.push(convergedMs);
  }
  for (const client of cast.clients) client.close();
  return { ...result, records: recorder.take() };
}

/** In an order of the seed's. The loss of everything comes last, and lasts until all have come to rest. */
function planned({ faults: chosen = faultNames }: RoundOptions, random: ReturnType<typeof createRandom>) {
  const last: FaultName = 'live events dropped at 100 %';
  const order = shuffled(
    chosen.filter((name) => name !== last),
    random,
  );
  const middle = Math.ceil(order.length / 2);
  const ending = chosen.includes(last) ? [last] : [];
  return { early: order.slice(0, middle), late: [...order.slice(middle), ...ending] };
}

interface Struck {
  target: Target;
  recorder: Recorder;
  play: Play;
  sends: number;
}

/** Each fault when the sends have come so far; resolves when all are over and the sends are done. */
async function strike(names: readonly FaultName[], { target, recorder, play, sends }: Struck): Promise<number> {
  const reached = async (count: number) => {
    while (play.acked < count) await sleep(roundTimes.lookMs);
  };
  for (const [index, name] of names.entries()) {
    await reached((sends * (index + 0.5)) / names.length);
    recorder.add({ kind: 'fault', who: 'stage', name, on: true });
    const struck = await faults[name](target);
    recorder.add({ kind: 'fault', who: 'stage', name, on: false, struck });
  }
  await reached(sends);
  return names.length;
}
