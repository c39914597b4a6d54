import { type CpuReading, readCpu } from './cpu.ts';

export interface Sample {
  /** Units of work that ended within the time. */
  count: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Processors' worth that other programs of the machine took meanwhile. */
  othersCpu: number;
}

export interface LoadOptions {
  /** How many do the work at the same time, each beginning anew when it has ended. */
  workers: number;
  seconds: number;
  /** Process ids whose work is ours, beside this process. */
  ours: () => number[];
}

/** A closed loop: `workers` at a time for so many seconds. The first fifth warms up and is not counted. */
export async function closedLoop(work: (worker: number) => Promise<unknown>, options: LoadOptions): Promise<Sample> {
  const warmUntil = performance.now() + options.seconds * 200;
  await runWorkers(work, options.workers, () => performance.now() < warmUntil);
  const latencies: number[] = [];
  const before = readCpu(options.ours());
  const began = performance.now();
  const end = began + options.seconds * 1_000;
  await runWorkers(
    async (worker) => {
      const from = performance.now();
      await work(worker);
      latencies.push(performance.now() - from);
    },
    options.workers,
    () => performance.now() < end,
  );
  return summarise(latencies, (performance.now() - began) / 1_000, before, options);
}

async function runWorkers(
  work: (worker: number) => Promise<unknown>,
  workers: number,
  goesOn: () => boolean,
): Promise<void> {
  await Promise.all(
    Array.from({ length: workers }, async (_, worker) => {
      while (goesOn()) await work(worker);
    }),
  );
}

/** An open loop: so many a second, whether the earlier ones have ended or not. Each is timed from when it was due. */
export async function openLoop(
  work: (n: number) => Promise<unknown>,
  { perSecond, seconds, ours }: { perSecond: number; seconds: number; ours: () => number[] },
): Promise<Sample> {
  const latencies: number[] = [];
  const running: Promise<unknown>[] = [];
  const before = readCpu(ours());
  const began = performance.now();
  let started = 0;
  while (performance.now() - began < seconds * 1_000) {
    const due = Math.floor(((performance.now() - began) / 1_000) * perSecond);
    for (; started < due; started += 1) {
      const from = began + ((started + 1) / perSecond) * 1_000;
      running.push(work(started).then(() => latencies.push(performance.now() - from)));
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(running);
  return summarise(latencies, (performance.now() - began) / 1_000, before, { ours });
}

function summarise(
  latencies: number[],
  seconds: number,
  before: CpuReading,
  { ours }: Pick<LoadOptions, 'ours'>,
): Sample {
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  const after = readCpu(ours());
  const busy = after.machineSeconds - before.machineSeconds - (after.oursSeconds - before.oursSeconds);
  return {
    count: latencies.length,
    perSecond: latencies.length / seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    othersCpu: Math.max(0, busy / seconds),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
