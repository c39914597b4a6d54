import { readCpu, treeSeconds } from './cpu.ts';

export interface Metered<Name extends string, Result> {
  result: Result;
  wallSeconds: number;
  /** Processor seconds of each process and its children. */
  cpuSeconds: Record<Name, number>;
  /** Processors' worth that other programs took meanwhile. */
  othersCpu: number;
}

/** What some work costs the processes that take part in it; each of them must be named, or it counts as a disturbance. */
export async function metered<Name extends string, Result>(
  processes: Record<Name, number>,
  work: () => Promise<Result>,
): Promise<Metered<Name, Result>> {
  const names = Object.keys(processes) as Name[];
  const pids = names.map((name) => processes[name]);
  const read = () =>
    Object.fromEntries(names.map((name) => [name, treeSeconds(processes[name])])) as Record<Name, number>;
  const [all, before, began] = [readCpu(pids), read(), performance.now()];
  const result = await work();
  const [after, allAfter] = [read(), readCpu(pids)];
  const wallSeconds = (performance.now() - began) / 1_000;
  const others = allAfter.machineSeconds - all.machineSeconds - (allAfter.oursSeconds - all.oursSeconds);
  const cpuSeconds = Object.fromEntries(names.map((name) => [name, after[name] - before[name]])) as Record<
    Name,
    number
  >;
  return { result, wallSeconds, cpuSeconds, othersCpu: Math.max(0, others / wallSeconds) };
}

export const pause = (seconds: number) => new Promise<void>((resolve) => setTimeout(resolve, seconds * 1_000));
