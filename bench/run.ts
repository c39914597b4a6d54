import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../dev/services/index.ts';
import { delivery } from './figures/delivery.ts';
import { members } from './figures/members.ts';
import { memory } from './figures/memory.ts';
import { nodes } from './figures/nodes.ts';
import { overload } from './figures/overload.ts';
import { path } from './figures/path.ts';
import { receipts } from './figures/receipts.ts';
import { rest } from './figures/rest.ts';
import { resync } from './figures/resync.ts';
import { hot, sends } from './figures/sends.ts';
import { storm } from './figures/storm.ts';
import { stored } from './figures/stored.ts';
import type { Figure, Line, Round } from './lib/figure.ts';
import { openStage, withOwner } from './lib/stage.ts';

// npm run bench [-- name …]: reference and candidate one after the other in one run, medians of several rounds, with every
// durability setting on; prints a table and writes it as JSON.

const figures: readonly Figure[] = [
  ...[sends, hot, path, delivery, nodes, memory, receipts, resync],
  ...[members, rest, storm, overload, stored],
];
const say = (line = '') => void process.stdout.write(`${line}\n`);
/** Processors' worth of other programs beyond which a figure says more about them than about us. */
const tooNoisy = 0.3;

const { values, positionals } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== '--'),
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '3' } },
});
const chosen = figures.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
if (chosen.length === 0) {
  say(
    `There is no such figure. There are:\n${figures.map(({ name, what }) => `  ${name.padEnd(10)}${what}`).join('\n')}`,
  );
  process.exit(2);
}

const stage = await openStage(say);
const lines: Line[] = [];
try {
  for (const { name, what, measure } of chosen) {
    say(`\n${name}: ${what}`);
    const report = (line: string) => say(`  ${line}`);
    const owned: Round['withOwner'] = (work) => withOwner(stage, work);
    const options = { rounds: Number(values.rounds), seconds: Number(values.seconds) };
    lines.push(...(await measure({ stage, withOwner: owned, ...options, report })));
  }
} finally {
  await stage.stop();
}
printTable(lines);
write(lines);
const noisy = lines.filter(({ othersCpu }) => othersCpu > tooNoisy);
if (noisy.length > 0) {
  say(
    `\nRefused: other programs took up to ${Math.max(...noisy.map(({ othersCpu }) => othersCpu)).toFixed(1)} processors.`,
  );
  process.exitCode = 1;
}

function printTable(all: readonly Line[]): void {
  say(
    '\n| figure | reference | ours | reference | ratio | goal | reached | others |\n| --- | --- | --- | --- | --- | --- | --- | --- |',
  );
  for (const { figure, reference, candidate, against, unit, ratio, goal, reached, othersCpu } of all) {
    const cells = [figure, reference, `${round(candidate)} ${unit}`, round(against), `${ratio.toFixed(2)}×`, goal];
    say(`| ${[...cells, reached ? 'yes' : '**no**', othersCpu.toFixed(2)].join(' | ')} |`);
  }
}

function round(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2);
}

function write(all: readonly Line[]): void {
  const dir = join(root, '.homing', 'bench');
  mkdirSync(dir, { recursive: true });
  const machine = { processors: cpus().length, model: cpus()[0]?.model, memoryGiB: Math.round(totalmem() / 2 ** 30) };
  const file = join(dir, 'figures.json');
  writeFileSync(
    file,
    `${JSON.stringify({ at: new Date().toISOString(), node: process.version, machine, lines: all }, null, 2)}\n`,
  );
  say(`\nWritten to ${file}`);
}
