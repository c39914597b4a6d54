import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './clients/index.ts';
import type { Random } from './random.ts';
import type { Recorder } from './recorder.ts';
import type { Part, Stage } from './stage.ts';

/** What the faults of a run act on. */
export interface Target {
  stage: Stage;
  clients: readonly Client[];
  random: Random;
  /** The share of live events that no client's state hears of. */
  drop: { rate: number };
  recorder: Recorder;
  /** Milliseconds that a fault lasts, where it does not last as long as coming back takes. */
  lastsMs: number;
}

/** Strikes, lasts, and is over when it resolves: with whether anything was seen of it. */
type Fault = (target: Target) => Promise<boolean>;

const killNode =
  (which: number): Fault =>
  ({ stage }) =>
    killed(stage.nodes[which] as Part, 'SIGKILL');

/** Dead for so many milliseconds, and for as long as coming back takes. */
async function killed(part: Part, signal: NodeJS.Signals, lastsMs = 0): Promise<boolean> {
  await part.kill(signal);
  const gone = !(await part.answers());
  await sleep(lastsMs);
  await part.start();
  return gone;
}

const drop =
  (rate: number): Fault =>
  async ({ drop: dropping, lastsMs, recorder }) => {
    const before = recorder.records.length;
    dropping.rate = rate;
    await sleep(lastsMs);
    dropping.rate = 0;
    return recorder.records.slice(before).some((record) => record.kind === 'delivered' && record.dropped);
  };

/** Every kind of fault, by the name that the history tells. */
export const faults = {
  'node a killed': killNode(0),
  'node b killed': killNode(1),
  /** QUIT is PostgreSQL's end without a checkpoint: it comes back by its crash recovery. */
  'PostgreSQL restarted': ({ stage }) => killed(stage.postgres, 'SIGQUIT'),
  'Redis killed': ({ stage, lastsMs }) => killed(stage.redis, 'SIGKILL', lastsMs),
  'Redis paused': async ({ stage, lastsMs }) => {
    stage.redis.signal('SIGSTOP');
    const silent = !(await stage.redis.answers());
    await sleep(lastsMs);
    stage.redis.signal('SIGCONT');
    return silent;
  },
  'sockets cut': async ({ clients, random, lastsMs }) => {
    const cuts = 8;
    let broken = 0;
    for (let cut = 0; cut < cuts; cut += 1) {
      for (const client of clients) if (random.chance(0.25) && client.cut()) broken += 1;
      await sleep(lastsMs / cuts);
    }
    return broken > 0;
  },
  'live events dropped at 10 %': drop(0.1),
  'live events dropped at 100 %': drop(1),
} satisfies Record<string, Fault>;
export type FaultName = keyof typeof faults;
export const faultNames = Object.keys(faults) as FaultName[];
