import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { styleText } from 'node:util';

/**
 * `npm run check` runs every check of the code that needs no service; `npm run check -- types lint` runs some. A tool
 * that looked at no file has failed, whatever it says: several of them call an empty folder clean.
 */
type Tool = {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
  /** What the tool says about the number of files it looked at. */
  readonly looked: RegExp;
  /** Lines that are for `looked` only and would bury the findings. */
  readonly hide?: RegExp;
};

type Verdict = { readonly tool: Tool; readonly passed: boolean; readonly files: number; readonly output: string };

const root = new URL('..', import.meta.url).pathname;

// The slow ones first: two run at a time.
const tools: readonly Tool[] = [
  {
    name: 'types',
    script: 'node_modules/typescript/bin/tsc',
    args: ['--noEmit', '--listFiles'],
    looked: /^(?!.*\/node_modules\/)\/.+\.ts$/gm,
    hide: /^\/.+\.([cm]?ts|json)$/,
  },
  {
    name: 'lint',
    script: 'node_modules/oxlint/bin/oxlint',
    args: ['--type-aware', '--deny-warnings', '--report-unused-disable-directives'],
    looked: / on (\d+) files/g,
  },
  {
    name: 'knip',
    script: 'node_modules/knip/bin/knip.js',
    args: ['--no-progress', '--reporter', 'symbols', '--reporter', './scripts/knip-count.ts'],
    looked: /Looked at (\d+) files/g,
  },
  {
    name: 'format',
    script: 'node_modules/@biomejs/biome/bin/biome',
    args: ['format', '--colors=off'],
    looked: /Checked (\d+) files/g,
  },
  { name: 'boundaries', script: 'scripts/boundaries/main.ts', args: [], looked: /Looked at (\d+) files/g },
];

function choose(names: readonly string[]): readonly Tool[] {
  const unknown = names.filter((name) => !tools.some((tool) => tool.name === name));
  if (unknown.length > 0) {
    console.error(
      `There is no check named ${unknown.join(', ')}; there are ${tools.map((tool) => tool.name).join(', ')}.`,
    );
    process.exit(2);
  }
  return names.length === 0 ? tools : tools.filter((tool) => names.includes(tool.name));
}

/** Runs one tool under this very Node and prints its line as soon as it is done. */
async function run(tool: Tool): Promise<Verdict> {
  const began = performance.now();
  const { code, output } = await collect(tool);
  const files = countFiles(tool, output);
  const passed = code === 0 && files > 0;
  const word = passed ? styleText('green', 'ok    ') : styleText('red', 'FAILED');
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${tool.name.padEnd(12)}${word} ${String(files).padStart(6)} files ${seconds.padStart(6)} s`);
  return { tool, passed, files, output };
}

function collect({ script, args }: Tool): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(process.execPath, [script, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.on('error', (error) => resolve({ code: null, output: error.message }));
    child.on('close', (code) => resolve({ code, output }));
  });
}

function countFiles({ looked }: Tool, output: string): number {
  const found = [...output.matchAll(looked)];
  return found.reduce((sum, [, number]) => sum + (number === undefined ? 1 : Number(number)), 0);
}

/** Two at a time: the tools use several threads themselves. */
async function runAll(chosen: readonly Tool[]): Promise<Verdict[]> {
  const waiting = [...chosen];
  const verdicts: Verdict[] = [];
  const lane = async (): Promise<void> => {
    for (let tool = waiting.shift(); tool; tool = waiting.shift()) verdicts.push(await run(tool));
  };
  await Promise.all([lane(), lane()]);
  return verdicts;
}

function tell({ tool, files, output }: Verdict): void {
  const lines = output.split('\n').filter((line) => !tool.hide?.test(line));
  console.log(`\n${styleText('bold', `— ${tool.name} —`)}\n${lines.join('\n').trim()}`);
  if (files === 0) console.log('It looked at no file at all, so its silence means nothing.');
}

const verdicts = await runAll(choose(process.argv.slice(2)));
const failed = verdicts.filter((verdict) => !verdict.passed);
failed.forEach(tell);
console.log(`\n${verdicts.length - failed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length > 0 ? 1 : 0;
