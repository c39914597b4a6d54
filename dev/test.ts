import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Holder, isAlive, startedAt } from '../scripts/lock.mjs';
import type { Counts } from './mocha-reporter.ts';
import { givenServices } from './services/given.ts';
import {
  contextOf,
  journalFor,
  keepJournal,
  removeFolder,
  root,
  startProcess,
  stopLeftBehind,
} from './services/index.ts';
import { Supervisor } from './supervisor.ts';
import { whenUnread } from './terminal.ts';
import { readTestArgs } from './test-args.ts';
import { dataFolders, elasticsearchBeside, startTestServices, type Suite, type TestServices } from './test-services.ts';

// npm test: brings up the suite's own services, runs mocha, stops the services, and ends with one line of counts.

const began = Date.now();
const report = (line: string) => void process.stderr.write(`${line}\n`);
const args = process.argv.slice(2).filter((arg) => arg !== '--');
const { named, missing } = readTestArgs(args, root);
if (missing.length > 0) {
  report(`There is no ${missing.join(', ')}: give files or folders of tests, from the root of the clone.`);
  process.exit(2);
}
const runs = join(root, '.homing', 'test');

await removeFormerRuns();
const dir = join(runs, String(process.pid));
mkdirSync(dir, { recursive: true });
writeFileSync(join(dir, 'runner.json'), JSON.stringify({ pid: process.pid, started: startedAt(process.pid) }));
keepJournal(journalFor(dir));

const supervisor = new Supervisor(report);
let interrupted: NodeJS.Signals | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupted ??= signal;
    void supervisor.stop();
  });
}
whenUnread(() => {
  interrupted ??= 'SIGPIPE';
  void supervisor.stop();
});
// The bootstrap holds the other end: losing it means that it was killed.
process.on('disconnect', () => void supervisor.stop());
process.channel?.unref();

process.exitCode = await main();

async function main(): Promise<number> {
  const suite: Suite = {
    supervisor,
    context: { ...contextOf({ report }), signal: supervisor.signal },
    given: {},
    dir,
    without: new Set((process.env.HOMING_WITHOUT ?? '').split(',').filter(Boolean)),
    notRun: new Map(),
  };
  let counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  let code = 1;
  try {
    suite.given = givenServices(process.env);
    const services = await startTestServices(suite);
    void elasticsearchBeside(suite, services.elasticsearch.statusFile, args.length > 0);
    report(`The services are up after ${seconds()} s.`);
    ({ counts, code } = await runMocha(services));
  } catch (error) {
    if (!supervisor.signal.aborted) {
      report(`\nThe suite cannot run: ${(error as Error).message}`);
      counts.failed = 1;
    }
  }
  await supervisor.stop();
  await stopLeftBehind(journalFor(dir));
  removeData(dir);
  return conclude(suite, counts, code);
}

async function runMocha(services: TestServices): Promise<{ counts: Counts; code: number }> {
  const servicesFile = join(dir, 'services.json');
  const countsFile = join(dir, 'counts.json');
  writeFileSync(servicesFile, JSON.stringify(services, null, 2));
  const options = [
    '--reporter',
    join(root, 'dev', 'mocha-reporter.ts'),
    '--reporter-option',
    `countsFile=${countsFile}`,
  ];
  const strict = process.env.CI ? ['--forbid-only'] : [];
  const mocha = await supervisor.run({
    name: 'mocha',
    kind: 'role',
    ends: true,
    start: (signal) =>
      startProcess({
        name: 'mocha',
        command: process.execPath,
        args: [join(root, 'node_modules', 'mocha', 'bin', 'mocha.js'), ...options, ...strict, ...selection(), ...args],
        cwd: root,
        env: { ...process.env, NODE_ENV: 'test', HOMING_TEST_SERVICES: servicesFile },
        answers: async () => {},
        answersWithinMs: 0,
        signal,
      }),
  });
  const { code } = await mocha.exited;
  const counted = existsSync(countsFile);
  const counts = counted
    ? (JSON.parse(readFileSync(countsFile, 'utf8')) as Counts)
    : { passed: 0, failed: 0, skipped: 0 };
  return { counts, code: code ?? 1 };
}

// Mocha adds the files that are named to those of its configuration; whoever names one means that one alone.
function selection(): string[] {
  if (named.length === 0) return [];
  const { spec: _all, ...others } = JSON.parse(readFileSync(join(root, '.mocharc.json'), 'utf8')) as { spec: string[] };
  const config = join(dir, 'mocharc.json');
  writeFileSync(config, JSON.stringify({ ...others, extension: ['test.ts'] }));
  return ['--config', config];
}

// The counts stand alone on the last line, for people and for scripts.
function conclude(suite: Suite, { passed, failed, skipped }: Counts, code: number): number {
  const out = (line: string) => process.stdout.write(`${line}\n`);
  for (const [engine, why] of suite.notRun) out(`\nNOT RUN: ${engine}. ${why}`);
  if (skipped > 0) out(`\n${skipped} skipped`);
  // Mocha failed without a failed test: a file that does not load.
  const failures = failed === 0 && code !== 0 && !interrupted ? 1 : failed;
  if (failed === 0 && passed === 0 && !interrupted) out('\nNothing ran.');
  if (interrupted) out(`\nInterrupted by ${interrupted}.`);
  out(`\nLogs of the services: ${join(dir, 'logs')} (took ${seconds()} s)`);
  out(`${passed} passed, ${failures} failed`);
  return failures > 0 || passed === 0 || interrupted ? 1 : 0;
}

async function removeFormerRuns(): Promise<void> {
  mkdirSync(runs, { recursive: true });
  for (const name of readdirSync(runs)) {
    const runner = join(runs, name, 'runner.json');
    if (existsSync(runner) && isAlive(JSON.parse(readFileSync(runner, 'utf8')) as Holder)) continue;
    const left = await stopLeftBehind(journalFor(join(runs, name)), 2_000);
    if (left.length > 0) report(`Stopped what a killed run had left behind: ${left.join(', ')}`);
    removeData(join(runs, name));
    rmSync(join(runs, name), { recursive: true, force: true });
  }
}

// The logs stay. The data is of no use to anybody, and is not below this folder where its account cannot go there.
function removeData(run: string): void {
  for (const name of dataFolders) removeFolder(join(run, name));
}

function seconds(): string {
  return ((Date.now() - began) / 1000).toFixed(1);
}
