import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { type Mutant, mutants } from './mutants.ts';

/**
 * `npm run mutate` takes each guard away in a throw-away copy of the tree, runs the one test file that is to notice, and
 * fails when it stays green. `npm run mutate -- counter` does so for the guards whose name holds the word.
 */
const root = resolve(import.meta.dirname, '..');
const say = (line: string) => void process.stdout.write(`${line}\n`);

const words = process.argv.slice(2).filter((arg) => arg !== '--');
const chosen = mutants.filter(({ name }) => words.every((word) => name.includes(word)));
if (chosen.length === 0) {
  say(`No guard is named so. There are:\n${mutants.map(({ name }) => `  ${name}`).join('\n')}`);
  process.exit(2);
}

const copy = mkdtempSync(join(tmpdir(), 'homing-mutants-'));
process.on('exit', () => rmSync(copy, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));
copyTree();

const unfit = await greenFirst();
const survivors: string[] = [];
for (const mutant of unfit.length > 0 ? [] : chosen) if (!(await isKilled(mutant))) survivors.push(mutant.name);

for (const test of unfit) say(`${test} is red without any change: nothing can be told by it`);
say(`\n${chosen.length} guards, ${survivors.length} survived${survivors.map((name) => `\n  ${name}`).join('')}`);
process.exit(survivors.length + unfit.length > 0 ? 1 : 0);

/** Files that git knows or would take, and the packages by a link. */
function copyTree(): void {
  const listed = spawnSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: root, encoding: 'utf8' });
  for (const file of listed.stdout.split('\0').filter(Boolean)) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
}

/** A test that is red anyway kills nothing. */
async function greenFirst(): Promise<string[]> {
  const red: string[] = [];
  for (const test of new Set(chosen.map((mutant) => mutant.test))) {
    const { failed, passed } = await run(test);
    if (failed.length > 0 || passed === 0) red.push(test);
  }
  return red;
}

async function isKilled(mutant: Mutant): Promise<boolean> {
  const restore = apply(mutant);
  try {
    const { failed, passed } = await run(mutant.test);
    // A file that does not load has no test that turned red.
    const killed = failed.length > 0;
    const why = killed ? `by «${failed[0]}»` : `${passed} tests of ${mutant.test} stayed green`;
    say(`${killed ? 'killed  ' : 'SURVIVED'}  ${mutant.name}: ${why}`);
    return killed;
  } finally {
    restore();
  }
}

function apply({ name, file, changes }: Mutant): () => void {
  const path = join(copy, file);
  const before = readFileSync(path, 'utf8');
  let after = before;
  for (const [find, replace] of changes) {
    const found = after.split(find).length - 1;
    if (found !== 1) throw new Error(`${name}: its text stands ${found} times in ${file}: ${find}`);
    after = after.replace(find, () => replace);
  }
  writeFileSync(path, after);
  return () => writeFileSync(path, before);
}

/** The suite on one file, with the services that such tests need; answers with the names of those that failed. */
function run(test: string): Promise<{ failed: string[]; passed: number }> {
  const env = {
    ...process.env,
    HOMING_CACHE: resolve(root, process.env.HOMING_CACHE ?? join('.homing', 'cache')),
    HOMING_WITHOUT: 'temporal,temporal-test-server,elasticsearch',
  };
  return new Promise((done) => {
    const child = spawn(process.execPath, ['dev/test.ts', test], {
      cwd: copy,
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('exit', () => {
      const listed = output.split(/^ +\d+ passing/m)[0] ?? '';
      const failed = [...listed.matchAll(/^ +\d+\) (.+)$/gm)].map(([, title = '']) => title);
      done({ failed, passed: Number(/^(\d+) passed/m.exec(output)?.[1] ?? 0) });
    });
  });
}
