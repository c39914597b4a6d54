import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Outcome } from '../dev/mocha-reporter.ts';
import { type Mutant, mutants } from './mutants/index.ts';

/**
 * `npm run mutate` takes each guard away in a throw-away copy of the tree, runs the one test that is to notice, and fails
 * unless it is that test which fails, by its assertion. `npm run mutate -- counter` does so for the guards whose name holds the word.
 */
const root = resolve(import.meta.dirname, '..');
const say = (line: string) => void process.stdout.write(`${line}\n`);

const words = process.argv.slice(2).filter((arg) => arg !== '--');
const chosen = mutants.filter(({ name }) => words.every((word) => name.includes(word)));
if (chosen.length === 0) {
  say(`No guard is named so. There are:\n${mutants.map(({ name }) => `  ${name}`).join('\n')}`);
  process.exit(2);
}

/** Suites that a Temporal server plays in; to bring it up for the others would take most of their time. */
const withTemporal =
  /^test\/(attention|jobs|workflows)\/|^test\/platform\/canaries|^test\/api\/(support|passwords|sessions|link-pages)/;

/** A suite that runs through each door has every title once for each; they are one test, and all of them must be red. */
const doorInTitle = /, by (REST|the socket)\b/;

const copy = mkdtempSync(join(tmpdir(), 'homing-mutants-'));
const outcomesFile = join(copy, 'outcomes.json');
process.on('exit', () => rmSync(copy, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));
copyTree();

type Suite = Pick<Mutant, 'test' | 'behindPolicies'>;
type Verdict = 'killed' | 'KILLED ELSEWHERE' | 'SURVIVED';

const unfit = await greenFirst();
const verdicts: Verdict[] = [];
for (const mutant of unfit.length > 0 ? [] : chosen) verdicts.push(await judge(mutant));

for (const test of unfit) say(`${test}: nothing can be told by it`);
const count = (one: Verdict) => verdicts.filter((verdict) => verdict === one).length;
say(
  `\n${chosen.length} guards: ${count('killed')} killed by the test that is named, ` +
    `${count('KILLED ELSEWHERE')} elsewhere, ${count('SURVIVED')} survived`,
);
process.exit(count('killed') === chosen.length ? 0 : 1);

/** Files that git knows or would take, and the packages by a link. */
function copyTree(): void {
  const listed = spawnSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: root, encoding: 'utf8' });
  for (const file of listed.stdout.split('\0').filter(Boolean)) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
}

/** A test that is red anyway kills nothing, nor does a title that means none or two. */
async function greenFirst(): Promise<string[]> {
  const unfit: string[] = [];
  const suiteOf = ({ test, behindPolicies }: Mutant) => `${test} ${behindPolicies === true}`;
  for (const those of Map.groupBy(chosen, suiteOf).values()) {
    const [suite] = those as [Mutant];
    const { test } = suite;
    const titles = [...new Set(those.map(({ red }) => red))];
    const outcomes = await run(suite, titles);
    for (const title of titles) {
      const meant = outcomes.filter((outcome) => outcome.title.includes(title));
      const different = new Set(meant.map((outcome) => outcome.title.replace(doorInTitle, '')));
      if (different.size !== 1) unfit.push(`${test}, «${title}» names ${different.size} tests`);
      else if (!meant.every(({ passed }) => passed)) unfit.push(`${test}, «${title}» is red without any change`);
    }
  }
  return unfit;
}

async function judge(mutant: Mutant): Promise<Verdict> {
  const restore = apply(mutant);
  try {
    const [verdict, why] = await verdictOf(mutant);
    say(`${verdict.padEnd(16)}  ${mutant.name}: ${why}`);
    return verdict;
  } finally {
    restore();
  }
}

/** Only an assertion of the named test says that the guard is missed: a crash, or a hook that fails, may have any reason. */
async function verdictOf({ red, ...suite }: Mutant): Promise<[Verdict, string]> {
  const named = (await run(suite, [red])).filter(({ isHook, title }) => !isHook && title.includes(red));
  const spared = named.find(({ asserted }) => !asserted);
  if (named.length > 0 && !spared) return ['killed', `by «${red}»`];
  const others = (await run(suite)).filter(({ passed, isHook, title }) => !passed && !isHook && !title.includes(red));
  const how = spared ? (spared.error ?? 'stayed green') : 'did not run';
  if (others.length === 0) return ['SURVIVED', `«${red}»: ${how}`];
  return ['KILLED ELSEWHERE', `«${red}»: ${how}; what failed is «${others[0]?.title}»`];
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

/** The suite on one file, or on the titles in it, with the services that such tests need; answers with how each ended. */
function run({ test, behindPolicies }: Suite, titles: readonly string[] = []): Promise<Outcome[]> {
  const env = {
    ...process.env,
    HOMING_CACHE: resolve(root, process.env.HOMING_CACHE ?? join('.homing', 'cache')),
    // What another guard lets through, row-level security would hold back all the same, and the test stay green.
    HOMING_SECOND_LINE: behindPolicies ? 'on' : 'off',
    HOMING_WITHOUT: withTemporal.test(test) ? 'elasticsearch' : 'temporal,temporal-test-server,elasticsearch',
  };
  const only =
    titles.length > 0
      ? ['-g', titles.map((title) => title.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)).join('|')]
      : [];
  // In one process an error arrives as it was thrown; between two its cause is lost.
  const options = ['--no-parallel', '--reporter-option', `outcomesFile=${outcomesFile}`];
  rmSync(outcomesFile, { force: true });
  return new Promise((done) => {
    const child = spawn(process.execPath, ['dev/test.ts', test, ...only, ...options], {
      cwd: copy,
      env,
      stdio: 'ignore',
    });
    // A file that does not load has no test that turned red.
    child.on('exit', () => {
      const ended = existsSync(outcomesFile) ? readFileSync(outcomesFile, 'utf8') : '[]';
      done(JSON.parse(ended) as Outcome[]);
    });
  });
}
