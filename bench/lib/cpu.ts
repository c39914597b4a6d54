import { readFileSync, readdirSync } from 'node:fs';

/** Clock ticks a second of /proc (sysconf(_SC_CLK_TCK), 100 on every Linux that Node runs on). */
const ticks = 100;

export interface CpuReading {
  machineSeconds: number;
  oursSeconds: number;
}

/** Processor time since the machine's start: of everything, and of these processes, their children and this one. */
export function readCpu(pids: readonly number[]): CpuReading {
  const [, ...fields] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').trim().split(/\s+/).map(Number);
  // user, nice, system, then idle and iowait, then irq, softirq.
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = fields;
  const ours = [process.pid, ...pids].flatMap((pid) => [pid, ...childrenOf(pid)]);
  return {
    machineSeconds: (user + nice + system + irq + softirq) / ticks,
    oursSeconds: [...new Set(ours)].reduce((total, pid) => total + secondsOf(pid), 0),
  };
}

/** Processor seconds of a process and of its children: of PostgreSQL, all of its backends. */
export const treeSeconds = (pid: number): number =>
  [pid, ...childrenOf(pid)].reduce((total, one) => total + secondsOf(one), 0);

/** Its own time and that of children which have ended and been waited for. */
function secondsOf(pid: number): number {
  const stat = statOf(pid);
  if (!stat) return 0;
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = stat.slice(11, 15).map(Number);
  return (utime + stime + cutime + cstime) / ticks;
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((one) => Number(statOf(one)?.[1]) === pid);
}

/** The fields of /proc/PID/stat after the name, which may hold spaces: state, parent, … (proc(5)). */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
