import assert from 'node:assert/strict';
import { readGraph } from '../../scripts/boundaries/graph.ts';
import { judge } from '../../scripts/boundaries/judge.ts';
import { nevers, rows } from '../../scripts/boundaries/rules.ts';
import { useRules } from '../../scripts/boundaries/uses.ts';
import { arrows, innocent, spellings, unreadable, words } from './plants.ts';
import { cells, columns } from './table.ts';
import { judgeHouse } from './tree.ts';

const root = new URL('../..', import.meta.url).pathname;

/** Rules that grant everything: nothing can break them. */
const open = ['tests-may-look-anywhere', 'one-composition-root'];

const rulesBroken = (planted: Record<string, string>): string[] => judgeHouse(planted).map(({ rule }) => rule);

describe('import boundaries', () => {
  it('when nothing is planted, then the small house is clean', () => {
    assert.deepEqual(judgeHouse({}), []);
  });

  const inLine = (code: string) => code.replaceAll('\n', ' ');

  for (const [rule, file, code] of [...arrows, ...unreadable, ...words]) {
    it(`when ${file} says ${inLine(code) || 'anything'}, then ${rule} is red`, () => {
      assert.deepEqual(rulesBroken({ [file]: code }), [rule]);
    });
  }

  for (const code of spellings) {
    it(`when a forbidden arrow is spelled ${inLine(code)}, then it is seen`, () => {
      assert.deepEqual(rulesBroken({ 'realtime/x.ts': code }), ['doors-are-thin']);
    });
  }

  for (const [file, code] of innocent) {
    it(`when ${file} says ${inLine(code)}, then nothing is red`, () => {
      assert.deepEqual(judgeHouse({ [file]: code }), []);
    });
  }

  it('when a rule is written, then something is planted that breaks it', () => {
    const planted = new Set([...arrows, ...words].map(([rule]) => rule));
    const written = [...rows, ...nevers, ...useRules].map(({ name }) => name);
    assert.deepEqual(
      written.filter((name) => !planted.has(name) && !open.includes(name)),
      [],
    );
  });
});

describe('the table of imports', () => {
  for (const [file, marks] of Object.entries(cells)) {
    it(`when ${file} imports each place by value and by type, then exactly the table's cells are green`, () => {
      const expected = marks.replaceAll(' ', '').split('');
      assert.equal(expected.length, columns.length);
      assert.deepEqual(outcomes(file), expected);
    });
  }
});

/** Two lines per column, value then type; a cell follows from which of the two lines are red. */
function outcomes(file: string): string[] {
  const up = '../'.repeat(file.split('/').length - 1) || './';
  const lines = columns.flatMap((to) => [`import '${up}${to}';`, `import type {} from '${up}${to}';`]);
  const red = new Set(
    judgeHouse({ [file]: lines.join('\n') })
      .filter(({ rule }) => rule !== 'no-cycles')
      .map(({ where }) => where),
  );
  return columns.map((_, index) => {
    const value = !red.has(`${file}:${index * 2 + 1}`);
    const type = !red.has(`${file}:${index * 2 + 2}`);
    return value && type ? '+' : type ? 't' : value ? 'value only' : '.';
  });
}

describe('import cycles', () => {
  it('when two files import each other, then the way round is told', () => {
    const [found, ...more] = judgeHouse({
      'api/one.ts': "import './two.ts';",
      'api/two.ts': "import type { A } from './one.ts';",
    });
    assert.equal(more.length, 0);
    assert.equal(found?.rule, 'no-cycles');
    assert.equal(found?.what, 'api/one.ts → api/two.ts → api/one.ts');
  });

  it('when a file imports itself, then that is a cycle', () => {
    assert.deepEqual(rulesBroken({ 'api/one.ts': "import './one.ts';" }), ['no-cycles']);
  });

  it('when two ways lead to one file, then that is no cycle', () => {
    const planted = { 'api/one.ts': "import './two.ts';\nimport './app.ts';", 'api/two.ts': "import './app.ts';" };
    assert.deepEqual(judgeHouse(planted), []);
  });
});

describe('the real tree', () => {
  const graph = readGraph(root);

  it('is seen whole', () => {
    assert.ok(graph.files.size > 100, `only ${graph.files.size} files were found`);
    assert.ok(graph.arrows.length > 500, `only ${graph.arrows.length} imports were found`);
    assert.ok(graph.arrows.some(({ kind }) => kind === 'type'));
  });

  it('is clean', () => {
    assert.deepEqual(judge(graph), []);
  });
});
