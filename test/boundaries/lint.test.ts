import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * The rules that need types come from a second program that reads the compiler's own tree. When it is missing, too old
 * or fed a configuration that it does not understand, a linter is quiet about promises and still says all is well. So
 * each rule that we lean on is shown a fault here.
 */
const root = new URL('../..', import.meta.url).pathname;

type Plant = readonly [rule: string, code: string];

const plants: readonly Plant[] = [
  ['no-floating-promises', 'export function go(): void {\n  Promise.resolve(1);\n}'],
  [
    'no-misused-promises',
    `declare function setHandler(name: string, options: { validator: (input: string) => void }): void;
setHandler('snooze', {
  validator: async (input) => {
    await Promise.resolve(input);
  },
});`,
  ],
  ['no-misused-promises', 'export const choose = (asked: Promise<boolean>): number => (asked ? 1 : 2);'],
  ['await-thenable', 'export async function wait(n: number): Promise<number> {\n  const m = await n;\n  return m;\n}'],
  [
    'return-await',
    'export async function go(): Promise<number> {\n  try {\n    return Promise.resolve(1);\n  } catch {\n    return 2;\n  }\n}',
  ],
  ['only-throw-error', "export function fail(): never {\n  throw 'text';\n}"],
  ['no-explicit-any', 'export const loose: any = 1;'],
  ['no-unsafe-argument', "export const count: number = Math.abs(JSON.parse('1'));"],
  [
    'switch-exhaustiveness-check',
    "export function say(kind: 'a' | 'b'): number {\n  switch (kind) {\n    case 'a':\n      return 1;\n  }\n  return 2;\n}",
  ],
  ['consistent-type-imports', "import { Server } from 'node:http';\nexport type S = Server;"],
  ['no-import-type-side-effects', "import { type Server } from 'node:http';\nexport type S = Server;"],
  ['eqeqeq', 'export const same = (a: number, b: number): boolean => a == b;'],
  ['no-unused-vars', 'export function go(): void {\n  const left = 1;\n}'],
  ['no-console', "console.log('here');"],
  ['no-eval', 'export const run = (text: string): unknown => eval(text) as unknown;'],
  ['no-implied-eval', 'export const run = (text: string): unknown => new Function(text)() as unknown;'],
  ['no-cycle', "import { b } from './circle.ts';\nexport const a = (): number => b();"],
  ['no-restricted-properties', "it.only('alone', () => undefined);"],
  ['no-restricted-properties', "describe.only('alone', () => undefined);"],
];

const innocent: readonly (readonly [why: string, file: string, code: string])[] = [
  ['an awaited promise', 'api/a.ts', 'export async function go(): Promise<void> {\n  await Promise.resolve(1);\n}'],
  ['a promise dropped on purpose', 'api/b.ts', 'export function go(): void {\n  void Promise.resolve(1);\n}'],
  ['the console in development', 'dev/a.ts', "console.log('ready');"],
  ['a comparison with null', 'api/c.ts', 'export const none = (a: number | null | undefined): boolean => a == null;'],
];

type Report = {
  readonly diagnostics: readonly { readonly code: string; readonly filename: string }[];
  readonly number_of_files: number;
};

/** Lints a small project that has our own configuration, and returns the rules that went red, by file. */
function lint(files: Readonly<Record<string, string>>): Map<string, Set<string>> {
  const folder = mkdtempSync(join(tmpdir(), 'lint-'));
  try {
    for (const name of ['.oxlintrc.json', 'tsconfig.json', 'package.json'])
      cpSync(join(root, name), join(folder, name));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(folder, dirname(path)), { recursive: true });
      writeFileSync(join(folder, path), `${text}\n`);
    }
    return byFile(runLinter(folder, Object.keys(files)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function runLinter(folder: string, files: readonly string[]): Report {
  // By name: left to itself the linter would follow the link and read every package.
  const args = [join(root, 'node_modules/oxlint/bin/oxlint'), '--format=json', ...files];
  const { stdout, status } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 1, stdout);
  const report = JSON.parse(stdout) as Report;
  assert.equal(report.number_of_files, files.length);
  return report;
}

function byFile({ diagnostics }: Report): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { filename, code } of diagnostics) {
    const rule = code.replace(/^.*\((.*)\)$/, '$1');
    found.set(filename, (found.get(filename) ?? new Set()).add(rule));
  }
  return found;
}

const planted = (index: number): string => `api/${index}.ts`;

describe('lint rules', function () {
  this.timeout(60_000);
  let red: Map<string, Set<string>>;

  before(() => {
    const circle = plants.findIndex(([rule]) => rule === 'no-cycle');
    red = lint({
      ...Object.fromEntries(plants.map(([, code], index) => [planted(index), code])),
      ...Object.fromEntries(innocent.map(([, file, code]) => [file, code])),
      'api/circle.ts': `import { a } from './${circle}.ts';\nexport const b = (): number => a();`,
    });
  });

  for (const [index, [rule, code]] of plants.entries()) {
    it(`when the code says ${code.replaceAll(/\s+/g, ' ')}, then ${rule} is red`, () => {
      assert.deepEqual(red.get(planted(index)), new Set([rule]));
    });
  }

  for (const [why, file] of innocent) {
    it(`when the code holds ${why}, then nothing is red`, () => {
      assert.equal(red.get(file), undefined);
    });
  }
});
