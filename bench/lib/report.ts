import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Line } from './figure.ts';
import { goalsPlot, overloadPlot } from './plots.ts';

export interface Report {
  at: string;
  node: string;
  machine: { processors: number; model: string; memoryGiB: number };
  lines: readonly Line[];
}

export const reportOf = (lines: readonly Line[]): Report => ({
  at: new Date().toISOString(),
  node: process.version,
  machine: {
    processors: cpus().length,
    model: cpus()[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  },
  lines,
});

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

/** The table and where it was measured, in place of what stood between the marks of that page. */
export function writePage(page: string, { at, node, machine, lines }: Report): void {
  const [begin, end] = ['<!-- figures: made by npm run bench -- --docs -->', '<!-- end of figures -->'];
  const text = readFileSync(page, 'utf8');
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`${page} has no marks for the figures`);
  const where = `${at.slice(0, 10)}, Node ${node}, ${machine.processors} processors (${machine.model}), ${machine.memoryGiB} GiB.`;
  writeFileSync(page, `${before}${begin}\n${where}\n\n${table(lines)}\n${end}${after}`);
}
