import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Line } from './figure.ts';
import { goalsPlot, overloadPlot } from './plots.ts';

export interface Report {
  at: string;
  /** Of the code that was measured; of a tree with changes nobody can say what it was. */
  commit: string;
  /** Names of the figures that it is made of. */
  figures: readonly string[];
  node: string;
  machine: { processors: number; model: string; memoryGiB: number };
  lines: readonly Line[];
}

export const reportOf = (root: string, figures: readonly string[], lines: readonly Line[]): Report => ({
  at: new Date().toISOString(),
  commit: commitOf(root),
  figures,
  node: process.version,
  machine: {
    processors: cpus().length,
    model: cpus()[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  },
  lines,
});

function commitOf(root: string): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  return git('rev-parse', '--short=10', 'HEAD') + (git('status', '--porcelain') === '' ? '' : ' with changes');
}

/**
 * The report with what an earlier run of the same commit on the same machine measured and this one did not: a figure that
 * other programs disturbed is measured again by itself. Without such a run it is the report alone.
 */
export function withEarlier(dir: string, report: Report): Report {
  const file = join(dir, 'figures.json');
  if (!existsSync(file)) return report;
  const earlier = JSON.parse(readFileSync(file, 'utf8')) as Report;
  const alike = (of: Report) => JSON.stringify([of.commit, of.node, of.machine]);
  if (alike(earlier) !== alike(report) || report.commit.endsWith('changes')) return report;
  const key = ({ figure, reference }: Line) => `${figure}\n${reference}`;
  const measured = new Map(report.lines.map((line) => [key(line), line]));
  const known = new Set(earlier.lines.map(key));
  return {
    ...report,
    figures: [...new Set([...earlier.figures, ...report.figures])],
    lines: [
      ...earlier.lines.map((line) => measured.get(key(line)) ?? line),
      ...report.lines.filter((line) => !known.has(key(line))),
    ],
  };
}

/** The figures as a table, in Markdown. */
export function table(lines: readonly Line[]): string {
  const head = ['figure', 'reference', 'ours', 'reference', 'ratio', 'goal', 'reached', 'others'];
  const rows = lines.map(({ figure, reference, candidate, against, unit, ratio, goal, reached, othersCpu }) => [
    ...[figure, reference, `${readable(candidate)} ${unit}`.trim(), readable(against), `${ratio.toFixed(2)}×`, goal],
    ...[goal === '' ? '' : reached ? 'yes' : '**no**', othersCpu.toFixed(2)],
  ]);
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const readable = (value: number): string => (value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2));

/** Figures and plots, as files in that folder. */
export function writeReport(dir: string, report: Report): void {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'figures.json'), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(join(dir, 'goals.svg'), goalsPlot(report.lines));
  const points = report.lines.flatMap(({ point }) => (point ? [point] : []));
  if (points.length > 0) writeFileSync(join(dir, 'overload.svg'), overloadPlot(points));
}

/** When, of which code and on what. */
export const whereOf = ({ at, commit, node, machine }: Report): string =>
  `${at.slice(0, 10)}, commit ${commit}, Node ${node}, ${machine.processors} processors (${machine.model}), ${machine.memoryGiB} GiB.`;

/** The table and where it was measured, in place of what stood between the marks of that page. */
export function writePage(page: string, report: Report): void {
  const [begin, end] = ['<!-- figures: made by npm run bench -- --docs -->', '<!-- end of figures -->'];
  const text = readFileSync(page, 'utf8');
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`${page} has no marks for the figures`);
  writeFileSync(page, `${before}${begin}\n${whereOf(report)}\n\n${table(report.lines)}\n${end}${after}`);
}
