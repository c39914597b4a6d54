import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What V8 writes with `--cpu-prof`: a tree of calls, and how often, microseconds apart, each was on top. */
interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string } }[];
  samples: number[];
  timeDeltas: number[];
}

/** Shares of a process's busy time, the largest first. */
export interface Busy {
  process: string;
  seconds: number;
  shares: { where: string; share: number }[];
}

/** Places that are told of each process; what is smaller tells nobody anything. */
const places = 14;
/** Milliseconds in which a process writes its profile down. */
export const writingMs = 20_000;

/** Flags of a Node process that writes its profile when it ends. */
export function profileFlags(dir: string, name: string): string[] {
  mkdirSync(dir, { recursive: true });
  return ['--cpu-prof', `--cpu-prof-dir=${dir}`, `--cpu-prof-name=${name}.cpuprofile`];
}

/** Every profile of that folder, by process. */
export const busyIn = (dir: string, root: string): Busy[] =>
  readdirSync(dir)
    .filter((file) => file.endsWith('.cpuprofile'))
    .sort()
    .map((file) => {
      const profile = JSON.parse(readFileSync(join(dir, file), 'utf8')) as CpuProfile;
      return busyOf(file.replace('.cpuprofile', ''), profile, root);
    });

function busyOf(process: string, { nodes, samples, timeDeltas }: CpuProfile, root: string): Busy {
  const placeOf = new Map(nodes.map(({ id, callFrame }) => [id, place(callFrame, root)]));
  const micros = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const where = placeOf.get(id) ?? 'unknown';
    micros.set(where, (micros.get(where) ?? 0) + (timeDeltas[index] ?? 0));
  }
  micros.delete('(idle)');
  const all = [...micros.values()].reduce((sum, value) => sum + value, 0);
  const shares = [...micros].map(([where, value]) => ({ where, share: value / all })).sort((a, b) => b.share - a.share);
  return { process, seconds: all / 1e6, shares: shares.slice(0, places) };
}

/** A package, a file of ours, a module of Node's, or, of what has no file, the function: that is the kernel's door. */
function place({ functionName, url }: CpuProfile['nodes'][number]['callFrame'], root: string): string {
  if (url.startsWith('node:')) return url;
  if (!url.startsWith('file:')) return functionName === '' ? 'V8' : functionName;
  const file = fileURLToPath(url);
  const inPackages = file.includes('node_modules/') ? file.split('node_modules/').at(-1) : undefined;
  if (inPackages === undefined) return file.replace(`${root}/`, '');
  return inPackages
    .split('/')
    .slice(0, inPackages.startsWith('@') ? 2 : 1)
    .join('/');
}

/** As a page in Markdown. */
export function writeProfiles(page: string, where: string, processes: readonly Busy[]): void {
  const tables = processes.map(({ process, seconds, shares }) =>
    [
      `## ${process}\n\n${seconds.toFixed(1)} s of processor time.\n\n| where | share |\n| --- | --- |`,
      ...shares.map(({ where: at, share }) => `| \`${at}\` | ${(share * 100).toFixed(1)} % |`),
    ].join('\n'),
  );
  writeFileSync(
    page,
    `# Where the processor's time goes\n\nMade by \`npm run bench -- path delivery rest --profile --docs\`: each server process of the product under the load of its figure, by what was on top of the stack, the fourteen largest shares. Names without a path are Node's doors to the kernel and to V8. ${where}\n\n${tables.join('\n\n')}\n`,
  );
}
