import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../dev/services/index.ts';
import { attention } from './figures/attention.ts';
import { delivery } from './figures/delivery.ts';
import { members } from './figures/members.ts';
import { memory } from './figures/memory.ts';
import { neighbours } from './figures/neighbours.ts';
import { nodes } from './figures/nodes.ts';
import { overload } from './figures/overload.ts';
import { path } from './figures/path.ts';
import { receipts } from './figures/receipts.ts';
import { rest } from './figures/rest.ts';
import { resync } from './figures/resync.ts';
import { secondLine } from './figures/second-line.ts';
import { hot, sends } from './figures/sends.ts';
import { storm } from './figures/storm.ts';
import { stored } from './figures/stored.ts';
import type { Figure, Line, Round } from './lib/figure.ts';
import { reportOf, table, whereOf, withEarlier, writePage, writeReport } from './lib/report.ts';
import { busyIn, writeProfiles } from './lib/profile.ts';
import { openStage, withOwner } from './lib/stage.ts';

// npm run bench [-- name …]: reference and candidate one after the other in one run, medians of several rounds, with every
// durability setting on; prints a table, writes it as JSON and draws it. With --docs the figures of docs/performance.md are
// made anew, unless other programs disturbed; what they disturbed is measured again by its name, on the same commit. With --profile the
// product's processes tell where their time goes.

const figures: readonly Figure[] = [
  ...[sends, hot, path, delivery, nodes, memory, receipts, resync],
  ...[members, rest, storm, overload, neighbours, stored, secondLine, attention],
];
const say = (line = '') => void process.stdout.write(`${line}\n`);
/** Processors' worth of other programs beyond which a figure says more about them than about us. */
const tooNoisy = 0.3;

const { values, positionals } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== '--'),
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    docs: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
  },
});
const chosen = figures.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
if (chosen.length === 0 || positionals.some((name) => !figures.some((figure) => figure.name === name))) {
  say(
    `There is no such figure. There are:\n${figures.map(({ name, what }) => `  ${name.padEnd(10)}${what}`).join('\n')}`,
  );
  process.exit(2);
}

const stage = await openStage(say);
const profiles = join(root, '.homing', 'bench', 'profiles');
if (values.profile) stage.profiles = profiles;
const lines: Line[] = [];
const failed: string[] = [];
try {
  for (const { name, what, measure } of chosen) {
    say(`\n${name}: ${what}`);
    const tell = (line: string) => say(`  ${line}`);
    const owned: Round['withOwner'] = (work) => withOwner(stage, work);
    const options = { rounds: Number(values.rounds), seconds: Number(values.seconds) };
    // One that fails takes nothing from the others: they took minutes.
    await measure({ stage, withOwner: owned, ...options, report: tell }).then(
      (measured) => void lines.push(...measured),
      (error: Error) => {
        failed.push(name);
        say(`  ${error.stack}`);
      },
    );
  }
} finally {
  await stage.stop();
}
say(`\n${table(lines)}`);
if (values.profile) {
  // Who is watched is slower: these figures are worth nothing, the shares are what was asked for.
  const page = join(root, values.docs ? 'docs/performance' : '.homing/bench', 'profiles.md');
  writeProfiles(page, whereOf(reportOf(root, [], [])), busyIn(profiles, root));
  say(`\nWritten to ${page}`);
  process.exit(failed.length > 0 ? 1 : 0);
}
const dir = join(root, '.homing', 'bench-report');
const names = chosen.map(({ name }) => name).filter((name) => !failed.includes(name));
const report = withEarlier(dir, reportOf(root, names, lines));
writeReport(dir, report);
say(`\nWritten to ${dir}`);
const noisy = report.lines.filter(({ othersCpu }) => othersCpu > tooNoisy);
if (failed.length > 0) {
  say(`\nNot measured: ${failed.join(', ')}.`);
  process.exitCode = 1;
} else if (noisy.length > 0) {
  say(`\nRefused, because other programs disturbed: ${noisy.map(({ figure }) => figure).join('; ')}.`);
  process.exitCode = 1;
} else if (values.docs && (report.figures.length < figures.length || Number(values.rounds) < 5)) {
  say('\nThe page is made of all figures, of five rounds at least.');
  process.exitCode = 1;
} else if (values.docs) {
  writeReport(join(root, 'docs', 'performance'), report);
  writePage(join(root, 'docs', 'performance.md'), report);
}
// echarts keeps timers of its own.
process.exit();
