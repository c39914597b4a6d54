import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = new URL('../..', import.meta.url).pathname;
const textOf = (path: string) => readFileSync(join(root, path), 'utf8');

/** How many requirements of levels 1 and 2 each section of ASVS 5.0.0 has; in all of them they come first. */
const asked: Readonly<Record<string, number>> = {
  ...{ '1.1': 2, '1.2': 9, '1.3': 11, '1.4': 3, '1.5': 2, '2.1': 3, '2.2': 3, '2.3': 4, '2.4': 1 },
  ...{ '3.2': 2, '3.3': 4, '3.4': 6, '3.5': 5, '3.7': 2, '4.1': 3, '4.2': 1, '4.3': 2, '4.4': 4 },
  ...{ '5.1': 1, '5.2': 3, '5.3': 2, '5.4': 3, '6.1': 3, '6.2': 12, '6.3': 4, '6.4': 4, '6.5': 5, '6.6': 3, '6.8': 4 },
  ...{ '7.1': 3, '7.2': 4, '7.3': 2, '7.4': 5, '7.5': 2, '7.6': 2, '8.1': 2, '8.2': 3, '8.3': 1, '8.4': 1 },
  ...{ '9.1': 3, '9.2': 4, '10.1': 2, '10.2': 2, '10.3': 4, '10.4': 11, '10.5': 5, '10.6': 2, '10.7': 3 },
  ...{ '11.1': 2, '11.2': 3, '11.3': 3, '11.4': 4, '11.5': 1, '11.6': 1, '12.1': 3, '12.2': 2, '12.3': 4 },
  ...{ '13.1': 1, '13.2': 5, '13.3': 2, '13.4': 5, '14.1': 2, '14.2': 4, '14.3': 3, '15.1': 3, '15.2': 3, '15.3': 7 },
  ...{ '16.1': 1, '16.2': 5, '16.3': 4, '16.4': 3, '16.5': 3, '17.1': 1, '17.2': 4, '17.3': 2 },
};

interface Row {
  id: string;
  level: string;
  answer: string;
  where: string;
  test: string;
}

const rows: readonly Row[] = [...textOf('docs/security/asvs.md').matchAll(/^\| (\d+\.\d+\.\d+) \|.*$/gm)].map(
  ([line]) => {
    const [id = '', level = '', , answer = '', where = '', test = ''] = line
      .slice(2, -1)
      .split(' |')
      .map((cell) => cell.trim());
    return { id, level, answer: answer.replaceAll('*', ''), where, test };
  },
);

/** What a table says in the row with that name, as numbers. */
function counted(name: string): number[] {
  const line = textOf('docs/security/asvs.md')
    .split('\n')
    .find((each) => each.startsWith(`| ${name} |`));
  return (line ?? '')
    .split('|')
    .filter((cell) => /^ \d+ $/.test(cell))
    .map(Number);
}

const count = (of: readonly Row[], answer: string) => of.filter((row) => row.answer === answer).length;

describe('docs/security/asvs.md', () => {
  it('has one row for every requirement of levels 1 and 2, in the standard’s order', () => {
    const ids = Object.entries(asked).flatMap(([section, last]) =>
      Array.from({ length: last }, (_, n) => `${section}.${n + 1}`),
    );
    assert.deepEqual(
      rows.map(({ id }) => id),
      ids,
    );
    assert.equal(ids.length, 253);
  });

  it('counts its rows at its head', () => {
    const first = rows.filter(({ level }) => level === '1');
    const untested = rows.filter(({ answer, test }) => answer === 'met' && test === '').length;
    assert.deepEqual(counted('both levels'), [
      ...[count(rows, 'met'), untested],
      ...[count(rows, 'not applicable'), count(rows, 'missed')],
    ]);
    assert.deepEqual(
      counted('level 1'),
      ['met', 'not applicable', 'missed'].map((answer) => count(first, answer)),
    );
    assert.equal(first.length, 70);
    assert.equal(textOf('docs/security/asvs.md').includes(`| of ${rows.length} |`), true);
  });

  for (const { id, answer, where } of rows)
    it(`${id} says where it is met, why it is not asked for, or what would close it`, () => {
      assert.match(answer, /^(met|not applicable|missed)$/);
      assert.ok(where.length > 0);
      if (answer === 'missed') assert.match(where, /Closed by: |\bas \d|the same/);
    });
});

/** What tests and groups of tests are called in a file, as it is written there. */
const titlesOf = (file: string): string[] =>
  [...textOf(file).matchAll(/\b(?:it|describe)(?:\.\w+)?\(\s*(['"`])((?:\\.|(?!\1)[^])*?)\1/g)].map(
    ([, , title = '']) => title,
  );

/** A heading's anchor, as GitHub makes it. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\- ]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (page: string) =>
  [...textOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));

for (const page of ['docs/security/asvs.md', 'docs/security/threats.md'])
  describe(`what ${page} names is there`, () => {
    for (const [, file = '', title = ''] of textOf(page).matchAll(/(test\/[\w/-]+\.test\.ts)`? «([^»]+)»/g))
      it(`${file} «${title}»`, () => {
        assert.ok(
          titlesOf(file).some((each) => each.includes(title)),
          `${file} has no test «${title}»`,
        );
      });

    it('every test by a title', () => {
      const loose = [...textOf(page).matchAll(/test\/[\w/-]+\.test\.ts(?!`? «)/g)].map(([file]) => file);
      assert.deepEqual(
        loose.filter((file) => !file.startsWith('test/docs/asvs')),
        [],
      );
    });

    it('every section', () => {
      for (const [, path = '', anchor = ''] of textOf(page).matchAll(/\]\(([\w./-]*)#([\w-]+)\)/g)) {
        const other = path === '' ? page : join(dirname(page), path);
        assert.ok(anchorsOf(other).includes(anchor), `${other} has no section #${anchor}`);
      }
    });

    it('every page and file', () => {
      const linked = [...textOf(page).matchAll(/\]\((?!https)([\w./-]+)/g)].map(([, path = '']) =>
        join(dirname(page), path),
      );
      const named = [...textOf(page).matchAll(/`((?:[\w-]+\/)+[\w-]+\.ts|\.[a-z]+[\w.]*|(?:\w+\/)+)`/g)].map(
        ([, path = '']) => path,
      );
      assert.ok(named.length + linked.length > 0);
      assert.deepEqual(
        [...linked, ...named].filter((path) => path !== '.git' && !existsSync(join(root, path))),
        [],
      );
    });
  });
