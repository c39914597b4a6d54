import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './clients/index.ts';
import type { Random } from './random.ts';
import type { Stage } from './stage.ts';

/** What the faults of a run act on. */
export interface Target {
  stage: Stage;
  clients: readonly Client[];
  random: Random;
  /** The share of live events that no client's state hears of. */
  drop: { rate: number };
  /** Milliseconds that a fault lasts, where it does not last as long as coming back takes. */
  lastsMs: number;
}

/** Strikes, lasts, and is over when it resolves. */
type Fault = (target: Target) => Promise<void>;

const killNode =
  (which: number): Fault =>
  async ({ stage }) => {
    await stage.nodes[which]?.kill('SIGKILL');
    await stage.nodes[which]?.start();
  };

const drop =
  (rate: number): Fault =>
  async ({ drop: dropping, lastsMs }) => {
    dropping.rate = rate;
    await sleep(lastsMs);
    dropping.rate = 0;
  };

/** Every kind of fault, by the name that the history tells. */
export const faults = {
  'node a killed': killNode(0),
  'node b killed': killNode(1),
  /** QUIT is PostgreSQL's end without a checkpoint: it comes back by its crash recovery. */
  'PostgreSQL restarted': async ({ stage }) => {
    await stage.postgres.kill('SIGQUIT');
    await stage.postgres.start();
  },
  'Redis killed': async ({ stage, lastsMs }) => {
    await stage.redis.kill('SIGKILL');
    await sleep(lastsMs);
    await stage.redis.start();
  },
  'Redis paused': async ({ stage, lastsMs }) => {
    stage.redis.signal('SIGSTOP');
    await sleep(lastsMs);
    stage.redis.signal('SIGCONT');
  },
  'sockets cut': async ({ clients, random, lastsMs }) => {
    const cuts = 8;
    for (let cut = 0; cut < cuts; cut += 1) {
      for (const client of clients) if (random.chance(0.25)) client.cut();
      await sleep(lastsMs / cuts);
    }
  },
  'live events dropped at 10 %': drop(0.1),
  'live events dropped at 100 %': drop(1),
} satisfies Record<string, Fault>;
export type FaultName = keyof typeof faults;
export const faultNames = Object.keys(faults) as FaultName[];
